//! The records that a run did not take, to be read once more: corrected by hand, or as they were after something else was.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Seek as _, Write as _},
    path::Path,
};

use serde::Deserialize;
use usher_abi::Error;

use super::{Run, unreadable};

/// Rejects of a run as inputs: for each input of that run one for each set of sinks that did not take its records.
#[derive(Debug)]
pub struct Retry {
    /// The run.
    pub run: String,
    /// Its chain.
    pub chain: String,
    /// The new inputs.
    pub inputs: Vec<Again>,
    /// Records that cannot be read again, by why.
    pub left: BTreeMap<&'static str, u64>,
}

/// Records of one input that the same sinks did not take, as a source reads them.
#[derive(Debug)]
pub struct Again {
    /// Name of the input that they come from.
    pub name: String,
    /// The sinks that did not take them; empty: the source or the chain did not, so that no sink got them.
    pub connectors: BTreeSet<String>,
    /// A file without a name: what stands before the first record of the input, the records, and what closes them.
    pub text: File,
    /// Where each record stands in it, and where it came from.
    pub records: Vec<Place>,
}

/// Where a record stands, and where it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line in the new input, from 1.
    pub line: u64,
    /// Its first byte there.
    pub offset: u64,
    /// Line in the input of the run that rejected it.
    pub of_line: u64,
    /// Its first byte there.
    pub of_offset: u64,
}

/// Lines of `rejects.ndjson` that are of one record say the same of it, unless somebody has corrected them differently.
#[derive(Deserialize)]
struct Line {
    connector: String,
    origin: Origin,
    raw: String,
}

#[derive(Deserialize, PartialEq, Eq)]
struct Origin {
    input: String,
    line: u64,
    offset: u64,
}

/// What stands before the first record of each input.
#[derive(Deserialize)]
struct Report {
    inputs: Vec<Input>,
}

#[derive(Deserialize)]
struct Input {
    name: String,
    #[serde(default)]
    head: String,
    #[serde(default)]
    head_bytes: u64,
}

/// Reads the rejects of a run from `rejects`, or from its own `rejects.ndjson`.
pub fn retry(run: &Run, rejects: Option<&Path>) -> Result<Retry, Error> {
    let own = run.folder.join("rejects.ndjson");
    let path = rejects.unwrap_or(&own);
    let lines = BufReader::new(File::open(path).map_err(|error| unreadable(path, &error))?).lines();
    let mut writing = Writing { heads: heads(&run.folder)?, inputs: BTreeMap::new(), left: BTreeMap::new() };
    let mut of_record: Vec<Line> = Vec::new();
    for (number, text) in lines.enumerate() {
        let text = text.map_err(|error| unreadable(path, &error))?;
        if text.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&text).map_err(|error| {
            let message = format!(
                "`{}`, line {}, is no reject ({error}); correct it, or take the line out",
                path.display(),
                number + 1
            );
            Error::config("retry.reject", message)
        })?;
        // The rejects of one record follow each other.
        if of_record.first().is_some_and(|first| first.origin != line.origin) {
            writing.record(std::mem::take(&mut of_record))?;
        }
        of_record.push(line);
    }
    writing.record(of_record)?;
    let Writing { inputs, left, .. } = writing;
    let inputs = inputs.into_values().map(Writer::finish).collect::<Result<_, Error>>()?;
    Ok(Retry { run: run.id.clone(), chain: run.chain.clone(), inputs, left })
}

fn heads(folder: &Path) -> Result<BTreeMap<String, Input>, Error> {
    let path = folder.join("report.json");
    let text = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
    let report: Report = serde_json::from_slice(&text).map_err(|error| {
        let message =
            format!("`{}` is no report of this usher ({error}); see that the run is whole", path.display());
        Error::permanent("run.unreadable", message)
    })?;
    Ok(report.inputs.into_iter().map(|input| (input.name.clone(), input)).collect())
}

struct Writing {
    heads: BTreeMap<String, Input>,
    /// By input and sinks.
    inputs: BTreeMap<(String, BTreeSet<String>), Writer>,
    left: BTreeMap<&'static str, u64>,
}

impl Writing {
    /// Writes a record once for each text that it has; the sinks that rejected that text get it.
    fn record(&mut self, lines: Vec<Line>) -> Result<(), Error> {
        let Some(first) = lines.first() else { return Ok(()) };
        let (input, place) = (first.origin.input.clone(), (first.origin.line, first.origin.offset));
        let mut texts: Vec<(String, BTreeSet<String>)> = Vec::new();
        for Line { connector, raw, .. } in lines {
            let known = texts.iter().position(|(text, _)| *text == raw);
            let at = known.unwrap_or_else(|| {
                texts.push((raw, BTreeSet::new()));
                texts.len() - 1
            });
            texts[at].1.insert(connector);
        }
        for (text, connectors) in texts {
            let why = match () {
                () if text.trim().is_empty() => Some("have no record"),
                // What stood there was no UTF-8 and is not known any more.
                () if text.contains('\u{FFFD}') => Some("have bytes that are no UTF-8"),
                () => None,
            };
            if let Some(why) = why {
                *self.left.entry(why).or_default() += 1;
                continue;
            }
            // What the source or the chain rejects, every sink has missed.
            let connectors = if connectors.contains("") { BTreeSet::new() } else { connectors };
            let head = self.heads.get(&input);
            if head.is_some_and(|input| input.head_bytes > 0 && input.head.is_empty()) {
                let message = format!(
                    "what stands before the first record of `{input}` is not known, so that nobody can read its records \
                     alone; run the whole input again"
                );
                return Err(Error::config("retry.head", message));
            }
            let writer = match self.inputs.entry((input.clone(), connectors)) {
                std::collections::btree_map::Entry::Occupied(writer) => writer.into_mut(),
                std::collections::btree_map::Entry::Vacant(place) => {
                    let (input, connectors) = place.key().clone();
                    let head = head.map_or("", |input| input.head.as_str());
                    place.insert(Writer::new(input, connectors, head)?)
                }
            };
            writer.write(&text, place)?;
        }
        Ok(())
    }
}

struct Writer {
    name: String,
    connectors: BTreeSet<String>,
    text: BufWriter<File>,
    /// Bytes and lines written.
    bytes: u64,
    lines: u64,
    /// What closes a list of JSON; empty for records that stand by themselves.
    close: String,
    records: Vec<Place>,
}

fn fault(error: &std::io::Error) -> Error {
    unreadable(&std::env::temp_dir(), error)
}

impl Writer {
    fn new(name: String, connectors: BTreeSet<String>, head: &str) -> Result<Self, Error> {
        let file = tempfile::tempfile().map_err(|error| fault(&error))?;
        let mut writer = Self {
            name,
            connectors,
            text: BufWriter::new(file),
            bytes: 0,
            lines: 0,
            close: closers(head),
            records: Vec::new(),
        };
        writer.put(head)?;
        Ok(writer)
    }

    fn write(&mut self, record: &str, (of_line, of_offset): (u64, u64)) -> Result<(), Error> {
        if !self.close.is_empty() && !self.records.is_empty() {
            self.put(",\n")?;
        }
        self.records.push(Place { line: self.lines + 1, offset: self.bytes, of_line, of_offset });
        self.put(record)?;
        if self.close.is_empty() && !record.ends_with('\n') {
            self.put("\n")?;
        }
        Ok(())
    }

    fn put(&mut self, text: &str) -> Result<(), Error> {
        self.bytes += text.len() as u64;
        self.lines += text.matches('\n').count() as u64;
        self.text.write_all(text.as_bytes()).map_err(|error| fault(&error))
    }

    fn finish(mut self) -> Result<Again, Error> {
        let close = std::mem::take(&mut self.close);
        self.put(&close)?;
        let mut text = self.text.into_inner().map_err(|error| fault(error.error()))?;
        text.rewind().map_err(|error| fault(&error))?;
        Ok(Again { name: self.name, connectors: self.connectors, text, records: self.records })
    }
}

/// What closes the brackets of JSON that a head leaves open: `]}` for `{"users": [`. Nothing for headings of a table.
fn closers(head: &str) -> String {
    let json = head.trim_start_matches('\u{FEFF}').trim_start();
    if !json.starts_with(['[', '{']) {
        return String::new();
    }
    let (mut open, mut quoted, mut escaped) = (Vec::new(), false, false);
    for c in json.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' => open.push(']'),
            '{' => open.push('}'),
            ']' | '}' => {
                open.pop();
            }
            _ => {}
        }
    }
    open.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, time::SystemTime};

    use serde_json::json;

    use super::*;

    fn run(folder: &Path, head: &str, rejects: &[(&str, u64, &str)]) -> Run {
        let input = json!({ "name": "u.csv", "head": head, "head_bytes": head.len() });
        fs::write(folder.join("report.json"), json!({ "inputs": [input] }).to_string()).unwrap();
        let line = |(connector, line, raw): &(&str, u64, &str)| {
            let origin = json!({ "input": "u.csv", "line": line, "offset": line * 10, "length": raw.len() });
            json!({ "connector": connector, "origin": origin, "code": "x", "message": "", "raw": raw })
                .to_string()
                + "\n"
        };
        fs::write(folder.join("rejects.ndjson"), rejects.iter().map(line).collect::<String>()).unwrap();
        let (chain, id) = ("main".to_owned(), "r1".to_owned());
        Run { chain, id, folder: folder.to_owned(), published: SystemTime::UNIX_EPOCH, latest: false }
    }

    /// For whom, the whole text, and of each record: line, first byte, line in the run before.
    type Told<'a> = (Vec<&'a str>, String, Vec<(u64, u64, u64)>);

    fn texts(retry: &Retry) -> Vec<Told<'_>> {
        let told = |again: &'_ Again| -> (String, Vec<(u64, u64, u64)>) {
            let mut text = String::new();
            let mut file = again.text.try_clone().unwrap();
            file.rewind().unwrap();
            file.read_to_string(&mut text).unwrap();
            for place in &again.records {
                assert_eq!(text[..place.offset as usize].matches('\n').count() as u64 + 1, place.line);
            }
            (text, again.records.iter().map(|p| (p.line, p.offset, p.of_line)).collect())
        };
        let all = retry.inputs.iter().map(|again| (again, told(again)));
        all.map(|(again, (text, places))| {
            (again.connectors.iter().map(String::as_str).collect(), text, places)
        })
        .collect()
    }

    #[test]
    fn records_go_to_those_who_did_not_take_them() {
        let folder = tempfile::tempdir().unwrap();
        let rejects = [
            ("a", 2, "1,\"x\ny\""),
            ("b", 2, "1,\"x\ny\""),
            ("", 4, "2,z"),
            ("a", 5, "3,z"),
            // Corrected for one of them only.
            ("a", 6, "4,new"),
            ("b", 6, "4,old"),
            ("a", 7, "  "),
            ("a", 8, "5,\u{FFFD}"),
        ];
        let retry = retry(&run(folder.path(), "id,name\n", &rejects), None).unwrap();
        assert_eq!(
            texts(&retry),
            [
                (vec![], "id,name\n2,z\n".to_owned(), vec![(2, 8, 4)]),
                (vec!["a"], "id,name\n3,z\n4,new\n".to_owned(), vec![(2, 8, 5), (3, 12, 6)]),
                (vec!["a", "b"], "id,name\n1,\"x\ny\"\n".to_owned(), vec![(2, 8, 2)]),
                (vec!["b"], "id,name\n4,old\n".to_owned(), vec![(2, 8, 6)]),
            ]
        );
        assert_eq!(retry.left.values().sum::<u64>(), 2);
    }

    #[test]
    fn lists_of_json_are_closed() {
        let folder = tempfile::tempdir().unwrap();
        let rejects = [("a", 3, "{\"id\":1}"), ("a", 4, "{\"id\":2}")];
        let retry = retry(&run(folder.path(), "{\"a\\\"[\": [], \"users\": [\n", &rejects), None).unwrap();
        let text = texts(&retry).remove(0).1;
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["users"], json!([{ "id": 1 }, { "id": 2 }]));
        assert_eq!(closers("[1],b\n"), "");
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let of = run(folder.path(), "", &[("a", 1, "x")]);
        let input = json!({ "name": "u.csv", "head_bytes": 100_000 });
        fs::write(folder.path().join("report.json"), json!({ "inputs": [input] }).to_string()).unwrap();
        assert_eq!(retry(&of, None).unwrap_err().code, "retry.head");
        let other = folder.path().join("mine.ndjson");
        fs::write(&other, "\n{\n").unwrap();
        assert!(retry(&of, Some(&other)).unwrap_err().message.contains("line 2, is no reject"));
    }
}
