//! Files that are packed: unpacked within bounds, or refused.

use std::io::Write;

use serde_json::json;
use usher::services::{Cancel, InputOptions, InputRegistry};
use usher_abi::service::InputService;

/// Small enough that a bomb is met within a moment.
const LIMIT: u64 = 1 << 20;

pub(crate) fn run(input: &[u8]) {
    let file = super::file(input);
    let (folder, name) = (file.path().parent().expect("a folder"), file.path().file_name().expect("a name"));
    let name = name.to_str().expect("a name that is text");
    let options =
        InputOptions { stdin: None, limit: LIMIT, ..InputOptions::new(folder, folder, Cancel::new()) };
    let inputs = InputRegistry::new(options).view(&json!({ "input": name }));
    let Ok(files) = inputs.open(name) else { return };
    for file in files {
        let Ok(reader) = inputs.reader(file.id, 0, u64::MAX) else { continue };
        let mut came = 0;
        while let Ok(Some(slab)) = inputs.next(reader) {
            came += slab.bytes().len() as u64;
            assert!(came <= LIMIT.max(input.len() as u64) + (1 << 20), "{came} bytes came");
        }
        inputs.close(reader);
    }
}

/// The same text, packed by both.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let text = b"{\"email\":\"ada@example.com\"}\n".repeat(3);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&text).expect("memory");
    let zstd = zstd::encode_all(&text[..], 0).expect("memory");
    vec![gzip.finish().expect("memory"), zstd]
}
