//! Libraries with something wrong about them, made from good ones.

use std::{fs, path::PathBuf};

use usher_abi::preamble::{RUSTC, TARGET};

use crate::support::{Bench, plugin_file};

/// A plugin of this build.
pub(crate) fn library(name: &str) -> Vec<u8> {
    let path = plugin_file(name);
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A copy of a plugin in which a piece of the preamble reads otherwise. Nothing may move in the file, so what is put in
/// is no longer than what it replaces; JSON takes the blanks that fill it up.
pub(crate) fn with_preamble(name: &str, from: &str, to: &str) -> Vec<u8> {
    let mut bytes = library(name);
    let preamble = find(&bytes, b"{\"usher\":\"plugin\",\"abi\":[1,").expect("a preamble");
    let place = preamble + find(&bytes[preamble..], from.as_bytes()).expect("the piece of the preamble");
    assert!(
        place - preamble < 1_000 && to.len() <= from.len(),
        "`{from}` is no piece of the preamble, or too short"
    );
    bytes[place..place + from.len()].copy_from_slice(format!("{to:0$}", from.len()).as_bytes());
    bytes
}

/// A copy of a plugin in which the name of the library header is another one, wherever it stands.
pub(crate) fn without_header(name: &str) -> Vec<u8> {
    let mut bytes = library(name);
    let symbol = usher_abi::HEADER_SYMBOL.as_bytes();
    let mut found = 0;
    while let Some(place) = find(&bytes[found..], symbol) {
        // The last character but for the NUL.
        bytes[found + place + symbol.len() - 2] = b'X';
        found += place + 1;
    }
    assert!(found > 0, "the plugin has a header");
    bytes
}

/// A copy of a plugin whose code is nothing but breakpoints: whoever runs an instruction of it dies.
pub(crate) fn deadly(name: &str) -> Vec<u8> {
    use object::{Object, ObjectSection, SectionKind};
    let mut bytes = library(name);
    let file = object::File::parse(&*bytes).expect("a library");
    let code: Vec<_> =
        file.sections().filter(|s| s.kind() == SectionKind::Text).filter_map(|s| s.file_range()).collect();
    assert!(!code.is_empty(), "the plugin has code");
    for (start, length) in code {
        bytes[start as usize..(start + length) as usize].fill(0xCC);
    }
    bytes
}

/// A library of this machine that has nothing to do with Usher: the C library, which every process has loaded.
#[cfg(target_os = "linux")]
pub(crate) fn stranger() -> Vec<u8> {
    let maps = fs::read_to_string("/proc/self/maps").expect("the process's libraries");
    let paths = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    let libc = paths.map(PathBuf::from).find(|path| path.to_string_lossy().contains("/libc"));
    fs::read(libc.expect("the C library")).expect("a library")
}

/// Puts a file into the bench under a name, as it comes.
pub(crate) fn put(bench: &Bench, name: &str, bytes: impl AsRef<[u8]>) {
    bench.write(name, bytes);
}

/// A text without what differs from build to build: platform, compiler, digests.
pub(crate) fn of_any_build(text: &str) -> String {
    let text = text.replace(TARGET, "[target triple]").replace(RUSTC, "[compiler]");
    let mut pieces = text.split("sha256:");
    let mut stable = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_hexdigit).count();
        assert_eq!(digits, 64, "a SHA-256: {piece}");
        stable += "sha256:[digest]";
        stable += &piece[digits..];
    }
    stable
}

fn find(bytes: &[u8], piece: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, piece)
}
