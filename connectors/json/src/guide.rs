//! What the person who takes the files further must know.

use usher_sdk::{
    abi::{Guide, Part},
    words::counted,
};

use crate::options::{Format, Options};

/// The guide.
pub(crate) fn guide(options: &Options, parts: &[Part]) -> Guide {
    let records: u64 = parts.iter().map(|part| part.rows).sum();
    let files = counted(parts.len() as u64, "file", "files");
    let form = match options.format {
        Format::Ndjson => "One JSON object a line, UTF-8 without a byte order mark.",
        Format::Array => "Each file is one JSON array of objects, UTF-8 without a byte order mark.",
    };
    let expect = vec![format!("{} in {files}.", counted(records, "record", "records")), form.to_owned()];
    Guide { title: "JSON file".to_owned(), expect, ..Guide::default() }
}
