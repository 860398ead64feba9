//! Files that say that they are plugins: read without running them, whole and in pieces.

use std::{fs, path::PathBuf};

use usher::plugins::PluginFile;
use usher_abi::preamble::Preamble;

pub(crate) fn run(input: &[u8]) {
    let _ = Preamble::parse(input);
    let file = super::file(input);
    let (piecewise, whole) = (PluginFile::read(file.path()), PluginFile::read_whole(file.path()));
    match (&piecewise, &whole) {
        (Ok(piecewise), Ok((whole, _))) => {
            assert_eq!(format!("{piecewise:?}"), format!("{whole:?}"));
            let _ = piecewise.check();
        }
        (Err(piecewise), Err(whole)) => assert_eq!(piecewise.reason, whole.reason),
        _ => panic!("{piecewise:?} {whole:?}"),
    }
}

/// The smallest plugin that is kept.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/abi/plugins"));
    let Ok(versions) = fs::read_dir(folder) else { return Vec::new() };
    let files = versions
        .filter_map(|version| fs::read(version.ok()?.path().join("sample-x86_64-unknown-linux-gnu.so")).ok());
    files.min_by_key(Vec::len).into_iter().collect()
}
