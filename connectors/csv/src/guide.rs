//! What the person who takes the files further must know.

use usher_sdk::{
    abi::{Guide, Part},
    words::counted,
};

use crate::options::{LineEnd, Options, Quoting};

/// The guide: how the files are written, since whoever reads them will ask.
pub(crate) fn guide(options: &Options, parts: &[Part]) -> Guide {
    let rows: u64 = parts.iter().map(|part| part.rows).sum();
    let files = counted(parts.len() as u64, "file", "files");
    let mark = if options.bom { "UTF-8 with a byte order mark" } else { "UTF-8 without a byte order mark" };
    let quotes = match options.quoting {
        Quoting::Necessary => "quotes (`\"`) only where they are needed",
        Quoting::All => "quotes (`\"`) around every cell",
    };
    let end = match options.line_end {
        LineEnd::Lf => "LF",
        LineEnd::Crlf => "CR LF",
    };
    let delimiter = match options.delimiter() {
        Some(b'\t') => "a tab".to_owned(),
        Some(b' ') => "a blank".to_owned(),
        _ => format!("`{}`", options.delimiter),
    };
    let header = if options.header {
        "the first line of each file holds the headings"
    } else {
        "there is no header line"
    };
    let mut expect = vec![
        format!("{} in {files}.", counted(rows, "row", "rows")),
        format!("{mark}; {delimiter} between cells, {quotes}, {end} at line ends; {header}."),
    ];
    if options.formula_guard {
        expect.push(
            "Texts that a spreadsheet would run as a formula have a `'` before them: do not feed these files to a \
             program that takes the text as it stands."
                .to_owned(),
        );
    }
    Guide { title: "Delimited file".to_owned(), expect, ..Guide::default() }
}
