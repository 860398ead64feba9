//! What stands in a plugin's file for everybody to read before any of its code runs.
//!
//! The preamble is JSON in a link section of its own ([`SECTION`]), ended by a NUL. `usher-sdk`'s `export!` builds it
//! from constants, so it survives link-time optimisation and stripping. The host reads it with an object-file parser;
//! a library without it is never loaded.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{ABI_MAJOR, ABI_MINOR, Role};

pub use crate::wants::{NETWORK, SERVICES, is_right, right_part, usual_wants, want_parts};

/// Link section of the preamble in ELF and PE files; in Mach-O it is `__DATA,__usher`.
pub const SECTION: &str = ".usher";
/// Section name inside Mach-O's `__DATA` segment.
pub const SECTION_MACHO: &str = "__usher";
/// Value of the key `usher`: tells a preamble from a section of the same name.
pub const MAGIC: &str = "plugin";

/// [`ABI_MAJOR`] as text, for the constant concatenation.
pub const ABI_MAJOR_TEXT: &str = env!("CARGO_PKG_VERSION_MAJOR");
/// [`ABI_MINOR`] as text.
pub const ABI_MINOR_TEXT: &str = env!("CARGO_PKG_VERSION_MINOR");
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
    /// What it offers; of roles that are not known here nothing is listed.
    #[serde(deserialize_with = "known")]
    pub components: Vec<Offer>,
    /// The services that its instances get, of [`SERVICES`] and in their order; behind them the rights that it wants of the
    /// system: [`NETWORK`], absolute paths.
    pub wants: Vec<String>,
    /// Network hosts it wants to reach through the host (`*.zendesk.com`).
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What it cannot do without on the host's side, beyond what every host of this major does. None has a name yet; a host
    /// refuses a file that needs what it does not know.
    #[serde(default)]
    pub needs: Vec<String>,
}

/// What all preambles have, whatever their major: this is read first.
#[derive(Deserialize)]
struct Head {
    usher: String,
    abi: Vec<u32>,
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
        let unreadable = |e: serde_json::Error| {
            format!("its preamble cannot be read: {e}; rebuild the plugin with usher-sdk")
        };
        let head: Head = serde_json::from_slice(text).map_err(unreadable)?;
        if head.usher != MAGIC {
            return Err(format!(
                "its preamble says `{}`, not `{MAGIC}`; rebuild the plugin with usher-sdk",
                head.usher
            ));
        }
        match head.abi.first() {
            Some(major) if *major > ABI_MAJOR => Err(format!(
                "was built for ABI {}, this host has {ABI_MAJOR}.{ABI_MINOR}; update this host, or take an older build of the \
                 plugin",
                head.abi.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
            )),
            _ => serde_json::from_slice(text).map_err(unreadable),
        }
    }
}

/// The offers of roles that are known.
fn known<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Offer>, D::Error> {
    crate::description::of_known_roles(from)
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
    fn the_version_of_the_boundary_is_that_of_this_crate() {
        // abi_stable compares the crate's name and version: under another name, or another major, every plugin that there is
        // is refused.
        assert_eq!(env!("CARGO_PKG_NAME"), "usher-abi");
        assert_eq!(ABI_MAJOR_TEXT, crate::ABI_MAJOR.to_string());
        assert_eq!(ABI_MINOR_TEXT, crate::ABI_MINOR.to_string());
    }

    /// A preamble of this major, with these pieces in it.
    fn with(abi: &str, more: &str) -> String {
        format!(
            r#"{{"usher":"plugin","abi":{abi},"name":"x","version":"1","summary":"s","sdk":"1","rustc":"r","target":"t",
            "panic":"unwind","components":[{{"role":"oracle","name":"o","of":1}},{{"role":"sink","name":"users"}}],"wants":[]{more}}}"#
        )
    }

    #[test]
    fn a_newer_minor_may_say_more() {
        let preamble =
            Preamble::parse(with("[1,7]", r#","needs":["magic"],"later":true"#).as_bytes()).unwrap();
        assert_eq!((preamble.abi, preamble.needs), ([1, 7], vec!["magic".to_owned()]));
        assert_eq!(preamble.components, [Offer { role: Role::Sink, name: "users".into() }]);
    }

    #[test]
    fn of_another_major_only_its_head_is_read() {
        let newer = Preamble::parse(br#"{"usher":"plugin","abi":[2,0,1],"title":"x"}"#).unwrap_err();
        assert_eq!(
            newer,
            "was built for ABI 2.0.1, this host has 1.0; update this host, or take an older build of the plugin"
        );
        assert_eq!(Preamble::parse(with("[0,2]", "").as_bytes()).unwrap().abi, [0, 2]);
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
        assert!(Preamble::parse(foreign).unwrap_err().starts_with("its preamble says `x`, not `plugin`"));
    }

    #[test]
    fn what_would_break_the_json_is_refused() {
        check_plain(&["Zendesk's users, as CSV files (import)", "Анна"]);
        for text in ["a \"b\"", "a\\b", "a\nb"] {
            assert!(std::panic::catch_unwind(|| check_plain(&["fine", text])).is_err(), "{text}");
        }
    }
}
