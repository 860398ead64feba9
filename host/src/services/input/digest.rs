//! What identifies an input: the hash of its bytes as stored.

use std::io::{ErrorKind, Read};

use usher_abi::Error;

use super::{
    registry::InputRegistry,
    stored::{changed, unreadable},
};

/// Hash and size of an input's bytes as stored (compressed, if it is).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// BLAKE3, 64 hexadecimal digits.
    pub blake3: String,
    /// Bytes.
    pub bytes: u64,
}

impl InputRegistry {
    /// Reads an input once, from its beginning to its end, and hashes it.
    pub fn digest(&self, input: u32) -> Result<Digest, Error> {
        let entry = self.entry(input)?;
        let name = self.name(input);
        let mut at = entry.stored.open(&name, 0)?;
        let mut hasher = blake3::Hasher::new();
        let mut chunk = self.pool.take();
        loop {
            self.cancel.check()?;
            match at.read(chunk.bytes()) {
                Ok(0) => break,
                Ok(read) => hasher.update(&chunk.bytes()[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(&name, &error)),
            };
        }
        if at.position() != entry.stored.len() {
            return Err(changed(&name));
        }
        Ok(Digest { blake3: hasher.finalize().to_hex().to_string(), bytes: at.position() })
    }

    /// An error if an input is not what it was when it was opened: rows read after its digest was made would be of
    /// another one.
    pub fn unchanged(&self, input: u32) -> Result<(), Error> {
        self.entry(input)?.stored.open(&self.name(input), 0).map(drop)
    }
}
