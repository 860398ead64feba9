//! A number that changes when the manifest changes.

/// FNV-1a, 128 bits, over the parts and their lengths, as 32 hexadecimal digits. It answers "is this the manifest
/// of that run?"; it is no protection against somebody who wants two manifests to look alike.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    const PRIME: u128 = 0x0100_0000_0000_0000_0000_013b;
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for part in parts {
        let length = (part.len() as u64).to_le_bytes();
        for byte in length.iter().chain(part.as_bytes()) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    }
    format!("{hash:032x}")
}
