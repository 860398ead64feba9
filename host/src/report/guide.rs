//! `UPLOAD.md`: for the person who uploads.

use std::fmt::Write as _;

use usher_abi::Receipt;

use crate::services::Part;

/// What became of the rows that are not in the files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Missing {
    /// Rows rejected, by chain and sink.
    pub rejected: u64,
    /// Optional values left out of rows that were written.
    pub left_out: u64,
    /// People delivered before who are left out now.
    pub withdrawn: u64,
}

/// What the host has to say to whoever uploads.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Why the run was kept back, if it was.
    pub refused: Vec<String>,
    /// What to know before.
    pub warnings: Vec<String>,
    /// What to do when the vendor has taken the files.
    pub afterwards: Option<String>,
}

/// The page beside a connector's files, from what the sink says in its receipt and the host says besides.
pub fn upload_guide(
    connector: &str,
    plugin: &str,
    receipt: &Receipt,
    parts: &[&Part],
    missing: Missing,
    said: &Said,
) -> String {
    let guide = &receipt.guide;
    let mut text = String::new();
    let title = if guide.title.is_empty() { plugin } else { &guide.title };
    let _ = writeln!(text, "# {title}: what to do with these files\n");
    let upload = match said.refused.is_empty() {
        true => "Upload the files as they are.".to_owned(),
        false => format!(
            "**This run was kept back:** {}. Do not upload these files, unless you know that this is right.",
            said.refused.join("; ")
        ),
    };
    let _ = writeln!(text, "Made by the connector `{connector}` (plugin `{plugin}`). {upload}\n");
    section(&mut text, "Before", &guide.before, false);
    if parts.is_empty() {
        text.push_str("## Files\n\nNone: no row was left to write.\n\n");
    } else {
        text.push_str(
            "## Files, in this order\n\n| # | File | Rows | Bytes | Note |\n|---|---|---:|---:|---|\n",
        );
        // The receipt knows the order of use; files it does not name come last.
        let place =
            |part: &Part| receipt.parts.iter().position(|p| p.name == part.name).unwrap_or(usize::MAX);
        let mut ordered: Vec<&&Part> = parts.iter().collect();
        ordered.sort_by_key(|part| place(part));
        for (i, part) in ordered.iter().enumerate() {
            let note = receipt.parts.iter().find(|p| p.name == part.name).map_or("", |p| p.note.as_str());
            let _ =
                writeln!(text, "| {} | `{}` | {} | {} | {note} |", i + 1, part.name, part.rows, part.bytes);
        }
        text.push('\n');
    }
    section(&mut text, "Steps", &guide.steps, true);
    section(&mut text, "What to expect", &guide.expect, false);
    section(&mut text, "Where the result shows", &guide.results, false);
    section(&mut text, "Afterwards", said.afterwards.as_slice(), false);
    section(&mut text, "What cannot be undone", &guide.undo, false);
    section(&mut text, "Not in these files", &missing.sentences(), false);
    let warnings: Vec<String> = said.warnings.iter().chain(&receipt.warnings).cloned().collect();
    section(&mut text, "Warnings", &warnings, false);
    text
}

impl Missing {
    fn sentences(self) -> Vec<String> {
        let mut sentences = Vec::new();
        if self.rejected > 0 {
            let records = if self.rejected == 1 { "record was" } else { "records were" };
            sentences.push(format!(
                "{} {records} rejected: `../rejects.csv` says which and why; correct `raw` in a copy of `../rejects.ndjson`, and `usher retry --rejects COPY` \
                 makes files of them alone.",
                self.rejected
            ));
        }
        if self.left_out > 0 {
            let values = if self.left_out == 1 { "value was" } else { "values were" };
            sentences.push(format!(
                "{} bad optional {values} left out of rows that are written: see `../left-out.csv`.",
                self.left_out
            ));
        }
        if self.withdrawn > 0 {
            let people = if self.withdrawn == 1 { "person that was" } else { "people that were" };
            sentences.push(format!(
                "{} {people} delivered before must not be any more: see `../withdrawn.csv`, and take them out at the vendor.",
                self.withdrawn
            ));
        }
        sentences
    }
}

fn section(text: &mut String, title: &str, sentences: &[String], numbered: bool) {
    if sentences.is_empty() {
        return;
    }
    let _ = writeln!(text, "## {title}\n");
    for (i, sentence) in sentences.iter().enumerate() {
        let _ =
            if numbered { writeln!(text, "{}. {sentence}", i + 1) } else { writeln!(text, "- {sentence}") };
    }
    text.push('\n');
}
