//! What stands in a plugin's file for everybody to read before any of its code runs.
//!
//! The preamble is JSON in a link section of its own ([`SECTION`]), ended by a NUL. `usher-sdk`'s `export!` builds it
//! from constants, so it survives link-time optimisation and stripping. The host reads it with an object-file parser;
//! a library without it is never loaded.

use serde::{Deserialize, Serialize};

use crate::Role;

pub use crate::wants::{NETWORK, SERVICES, is_right, right_part, usual_wants, want_parts};

/// Link section of the preamble in ELF and PE files; in Mach-O it is `__DATA,__usher`.
pub const SECTION: &str = ".usher";
/// Section name inside Mach-O's `__DATA` segment.
pub const SECTION_MACHO: &str = "__usher";
/// Value of the key `usher`: tells a preamble from a section of the same name.
pub const MAGIC: &str = "plugin";

/// [`ABI_MAJOR`](crate::ABI_MAJOR) as text, for the constant concatenation.
pub const ABI_MAJOR_TEXT: &str = "0";
/// [`ABI_MINOR`](crate::ABI_MINOR) as text.
pub const ABI_MINOR_TEXT: &str = "2";
/// The platform this crate is compiled for, as the preamble writes it.
pub const TARGET: &str = env!("USHER_TARGET");
/// The compiler this crate is compiled with.
pub const RUSTC: &str = env!("USHER_RUSTC");
/// What a panic does in this build.
pub const PANIC: &str = if cfg!(panic = "unwind") { "unwind" } else { "abort" };

/// The preamble, read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Preamble {
    /// Always [`MAGIC`].
    pub usher: String,
    /// Major and minor of the boundary.
    pub abi: [u32; 2],
    /// The plugin's name.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// Version of the SDK it was built with.
    pub sdk: String,
    /// Compiler.
    pub rustc: String,
    /// Platform (`x86_64-unknown-linux-gnu`).
    pub target: String,
    /// `unwind` or `abort`.
    pub panic: String,
    /// What it offers.
    pub components: Vec<Offer>,
    /// The services that its instances get, of [`SERVICES`] and in their order; behind them the rights that it wants of the
    /// system: [`NETWORK`], absolute paths.
    pub wants: Vec<String>,
    /// Network hosts it wants to reach through the host (`*.zendesk.com`).
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// A component in the preamble.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its role.
    pub role: Role,
    /// Its name.
    pub name: String,
}

impl Preamble {
    /// Parses the bytes of the section.
    pub fn parse(section: &[u8]) -> Result<Self, String> {
        let text = section.split(|b| *b == 0).next().unwrap_or_default();
        let preamble: Self =
            serde_json::from_slice(text).map_err(|e| format!("its preamble cannot be read: {e}"))?;
        if preamble.usher != MAGIC {
            return Err(format!("its preamble says `{}`, not `{MAGIC}`", preamble.usher));
        }
        Ok(preamble)
    }
}

/// Length of the concatenation of `parts` and the closing NUL.
pub const fn length(parts: &[&str]) -> usize {
    let (mut total, mut i) = (1, 0);
    while i < parts.len() {
        total += parts[i].len();
        i += 1;
    }
    total
}

/// Concatenates `parts` and a closing NUL at compile time; `N` is [`length`] of the same parts.
pub const fn concatenate<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut bytes = [0; N];
    let (mut at, mut i) = (0, 0);
    while i < parts.len() {
        let part = parts[i].as_bytes();
        let mut j = 0;
        while j < part.len() {
            bytes[at] = part[j];
            at += 1;
            j += 1;
        }
        i += 1;
    }
    bytes
}

/// The text of a second concatenation of such parts, which follows a first: as it stands, unless the first is empty.
pub const fn following<'a>(first: &[u8], second: &'a [u8]) -> &'a str {
    if first.len() == 1 {
        return without_first_comma(second);
    }
    let (text, _) = second.split_at(second.len() - 1);
    match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(_) => panic!("the parts were texts"),
    }
}

/// The text of a concatenation made of parts that each begin with a comma, without the first one and the NUL.
pub const fn without_first_comma(bytes: &[u8]) -> &str {
    let (text, _) = bytes.split_at(bytes.len() - 1);
    let text = if text.is_empty() { text } else { text.split_at(1).1 };
    match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(_) => panic!("the parts were texts"),
    }
}

/// Whether texts can stand in JSON as they are. In a constant, one with a quote, a backslash or a control character does
/// not compile.
pub const fn check_plain(texts: &[&str]) {
    let mut i = 0;
    while i < texts.len() {
        let bytes = texts[i].as_bytes();
        let mut j = 0;
        while j < bytes.len() {
            assert!(
                bytes[j] >= b' ' && bytes[j] != b'"' && bytes[j] != b'\\',
                "a text of `export!` has a quote, a backslash or a control character"
            );
            j += 1;
        }
        i += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_version_are_its_numbers() {
        assert_eq!(ABI_MAJOR_TEXT, crate::ABI_MAJOR.to_string());
        assert_eq!(ABI_MINOR_TEXT, crate::ABI_MINOR.to_string());
    }

    #[test]
    fn constants_concatenate_to_what_the_parser_reads() {
        const PARTS: &[&str] = &[
            r#"{"usher":"plugin","abi":["#,
            ABI_MAJOR_TEXT,
            ",",
            ABI_MINOR_TEXT,
            r#"],"name":"x","version":"1.0.0","summary":"s","sdk":"1","rustc":"r","target":""#,
            TARGET,
            r#"","panic":"unwind","components":[{"role":"sink","name":"users"}],"wants":["output"]}"#,
        ];
        static SECTION: [u8; length(PARTS)] = concatenate(PARTS);
        let preamble = Preamble::parse(&SECTION).unwrap();
        assert_eq!(preamble.abi, [crate::ABI_MAJOR, crate::ABI_MINOR]);
        assert_eq!(preamble.target, TARGET);
        assert_eq!(preamble.wants, ["output"]);
        assert_eq!(preamble.components, [Offer { role: Role::Sink, name: "users".into() }]);
    }

    #[test]
    fn foreign_sections_are_told_apart() {
        assert!(Preamble::parse(b"\x7fELF").is_err());
        let foreign = br#"{"usher":"x","abi":[0,1],"name":"","version":"","summary":"","sdk":"","rustc":"","target":"","panic":"","components":[],"wants":[]}"#;
        assert_eq!(Preamble::parse(foreign), Err("its preamble says `x`, not `plugin`".to_owned()));
    }

    #[test]
    fn what_would_break_the_json_is_refused() {
        check_plain(&["Zendesk's users, as CSV files (import)", "Анна"]);
        for text in ["a \"b\"", "a\\b", "a\nb"] {
            assert!(std::panic::catch_unwind(|| check_plain(&["fine", text])).is_err(), "{text}");
        }
    }
}
