//! The records that a run did not take, to be read once more: corrected by hand, or as they were after something else was.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, btree_map::Entry},
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Seek as _, Write as _},
    path::Path,
};

use serde::Deserialize;
use usher_abi::Error;

use super::{Run, guarded::unguarded, masked::Masked, summary, unreadable};

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

/// A line of `rejects.ndjson`: one for each sink and column that is at fault with a record.
#[derive(Deserialize)]
struct Line {
    connector: String,
    origin: Origin,
    code: String,
    /// None: it is read again from the input.
    raw: Option<String>,
}

#[derive(Deserialize, PartialEq, Eq)]
struct Origin {
    input: String,
    line: u64,
    offset: u64,
    length: u32,
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
    path: String,
    #[serde(default)]
    head: String,
    #[serde(default)]
    head_bytes: u64,
}

/// Reads the rejects of a run from `rejects`, or from its own `rejects.ndjson`. Records that do not stand there are read
/// from the run's inputs, whose relative paths start at `base`, the manifest's folder.
pub fn retry(run: &Run, rejects: Option<&Path>, base: &Path) -> Result<Retry, Error> {
    let own = run.folder.join("rejects.ndjson");
    let path = rejects.unwrap_or(&own);
    let mut masked = Masked::new(run, base);
    let lines = BufReader::new(File::open(path).map_err(|error| unreadable(path, &error))?).lines();
    let mut writing = Writing {
        heads: inputs(&run.folder)?.into_iter().map(|input| (input.name.clone(), input)).collect(),
        meant_for: meant_for(&run.folder)?,
        skip_duplicates: rejects.is_none(),
        seen: HashSet::new(),
        inputs: BTreeMap::new(),
        left: BTreeMap::new(),
    };
    let (mut of_record, mut last): (Vec<Line>, usize) = (Vec::new(), 0);
    for (number, text) in lines.enumerate() {
        let text = text.map_err(|error| unreadable(path, &error))?;
        if text.trim().is_empty() {
            continue;
        }
        let mut line: Line = serde_json::from_str(&text).map_err(|error| {
            wrong(path, number, &format!(
                "is no line of a `rejects.ndjson` ({error}); name a copy of that file of the run, or correct the line"
            ))
        })?;
        if line.raw.is_none() {
            let Origin { input, offset, length, .. } = &line.origin;
            line.raw = Some(masked.record(input, *offset, *length)?);
        }
        // The rejects of one record follow each other.
        if of_record.first().is_some_and(|first| first.origin != line.origin) {
            writing.record(std::mem::take(&mut of_record)).map_err(|why| wrong(path, number - 1, &why))?;
        }
        of_record.push(line);
        last = number;
    }
    writing.record(of_record).map_err(|why| wrong(path, last, &why))?;
    let Writing { inputs, left, .. } = writing;
    let inputs = inputs.into_values().map(Writer::finish).collect::<Result<_, Error>>()?;
    Ok(Retry { run: run.id.clone(), chain: run.chain.clone(), inputs, left })
}

/// The inputs of a run that is a retry itself, as it read them; none for any other run.
pub fn read_again(run: &Run) -> Result<Option<Retry>, Error> {
    let summary = summary(&run.folder)?;
    let Some(of) = summary.retries else { return Ok(None) };
    let meant_for = meant_for(&run.folder)?;
    // A list of `exclude` is read where it stands.
    let again = |input: Input| -> Option<Result<Again, Error>> {
        let connectors = meant_for.get(&input.name)?.clone();
        let path = run.folder.join(&input.path);
        let name = input.path.rsplit('/').next().unwrap_or_default().to_owned();
        let text = File::open(&path).map_err(|error| unreadable(&path, &error));
        Some(text.map(|text| Again { connectors, text, name, records: Vec::new() }))
    };
    let inputs = inputs(&run.folder)?.into_iter().filter_map(again).collect::<Result<_, Error>>()?;
    Ok(Some(Retry { run: of, chain: run.chain.clone(), inputs, left: BTreeMap::new() }))
}

fn wrong(path: &Path, number: usize, why: &str) -> Error {
    Error::config("retry.reject", format!("`{}`, line {}, {why}", path.display(), number + 1))
}

/// Whom the inputs of a run are for that is a retry itself.
fn meant_for(folder: &Path) -> Result<BTreeMap<String, BTreeSet<String>>, Error> {
    let path = folder.join("retried.csv");
    let mut meant = BTreeMap::new();
    if !path.exists() {
        return Ok(meant);
    }
    let fault = |error: csv::Error| unreadable(&path, &error.into());
    let mut table = csv::Reader::from_path(&path).map_err(fault)?;
    for row in table.deserialize() {
        let row: BTreeMap<String, String> = row.map_err(fault)?;
        let cell = |name: &str| row.get(name).map_or("", |cell| unguarded(cell));
        meant
            .entry(cell("input").to_owned())
            .or_insert_with(|| cell("connectors").split_whitespace().map(str::to_owned).collect());
    }
    Ok(meant)
}

fn inputs(folder: &Path) -> Result<Vec<Input>, Error> {
    let path = folder.join("report.json");
    let text = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
    let report: Report = serde_json::from_slice(&text).map_err(|error| {
        let message =
            format!("`{}` is no report of this usher ({error}); see that the run is whole", path.display());
        Error::permanent("run.unreadable", message)
    })?;
    Ok(report.inputs)
}

struct Writing {
    heads: BTreeMap<String, Input>,
    meant_for: BTreeMap<String, BTreeSet<String>>,
    /// Rejects for being duplicates are left out: uncorrected, they would be written beside those that they double.
    skip_duplicates: bool,
    /// Records by input and first byte.
    seen: HashSet<(String, u64)>,
    /// By input and sinks.
    inputs: BTreeMap<(String, BTreeSet<String>), Writer>,
    left: BTreeMap<&'static str, u64>,
}

impl Writing {
    /// Writes a record, for the sinks that rejected it; what is wrong with its lines is the error.
    fn record(&mut self, lines: Vec<Line>) -> Result<(), String> {
        let Some(first) = lines.first() else { return Ok(()) };
        let (input, place) = (first.origin.input.clone(), (first.origin.line, first.origin.offset));
        let Some(head) = self.heads.get(&input) else {
            return Err(format!("is of an input `{input}`, which the run has not read; take it out"));
        };
        if !self.seen.insert((input.clone(), place.1)) {
            return Err("is of a record of which other lines stand further up; put them together".to_owned());
        }
        // Of several columns that are at fault each has its line.
        let (text, mut connectors) = (first.raw.clone().unwrap_or_default(), BTreeSet::new());
        let mut duplicate = false;
        for Line { connector, raw, code, .. } in lines {
            if raw.as_ref() != Some(&text) {
                return Err(
                    "and the line before it have other texts of one record; correct both alike".to_owned()
                );
            }
            duplicate |= code.starts_with("duplicate.");
            connectors.insert(connector);
        }
        let why = match () {
            () if text.trim().is_empty() => Some("a reject without a record"),
            // What stood there was no UTF-8 and is not known any more.
            () if text.contains('\u{FFFD}') => Some("a record with bytes that are no UTF-8"),
            () if duplicate && self.skip_duplicates => Some(
                "a duplicate of a record that was taken (correct it in a copy, and name that with `--rejects`)",
            ),
            () => None,
        };
        if let Some(why) = why {
            *self.left.entry(why).or_default() += 1;
            return Ok(());
        }
        // What the source or the chain rejects, every sink has missed that was to get it.
        let connectors = match connectors.contains("") {
            true => self.meant_for.get(&input).cloned().unwrap_or_default(),
            false => connectors,
        };
        if head.head_bytes > 0 && head.head.is_empty() {
            return Err(format!(
                "cannot be read alone: what stands before the first record of `{input}` is longer than 64 KiB or no UTF-8; run the \
                 whole input again"
            ));
        }
        let writer = match self.inputs.entry((input.clone(), connectors)) {
            Entry::Occupied(writer) => writer.into_mut(),
            Entry::Vacant(place) => {
                let (input, connectors) = place.key().clone();
                place.insert(Writer::new(input, connectors, &head.head).map_err(|error| error.to_string())?)
            }
        };
        if !writer.close.is_empty()
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text)
        {
            return Err(format!(
                "has a record that is no JSON, among others that would be lost with it ({error}); correct it"
            ));
        }
        writer.write(&text, place).map_err(|error| error.to_string())
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
            ("a", 7, "  "),
            ("a", 8, "5,\u{FFFD}"),
        ];
        let retry = retry(&run(folder.path(), "id,name\n", &rejects), None, folder.path()).unwrap();
        assert_eq!(
            texts(&retry),
            [
                (vec![], "id,name\n2,z\n".to_owned(), vec![(2, 8, 4)]),
                (vec!["a"], "id,name\n3,z\n".to_owned(), vec![(2, 8, 5)]),
                (vec!["a", "b"], "id,name\n1,\"x\ny\"\n".to_owned(), vec![(2, 8, 2)]),
            ]
        );
        assert_eq!(retry.left.values().sum::<u64>(), 2);
    }

    #[test]
    fn lists_of_json_are_closed() {
        let folder = tempfile::tempdir().unwrap();
        let rejects = [("a", 3, "{\"id\":1}"), ("a", 4, "{\"id\":2}")];
        let retry =
            retry(&run(folder.path(), "{\"a\\\"[\": [], \"users\": [\n", &rejects), None, folder.path())
                .unwrap();
        let text = texts(&retry).remove(0).1;
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["users"], json!([{ "id": 1 }, { "id": 2 }]));
        assert_eq!(closers("[1],b\n"), "");
    }

    #[test]
    fn what_would_double_or_lose_records_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let told = |head: &str, rejects: &[(&str, u64, &str)]| {
            retry(&run(folder.path(), head, rejects), None, folder.path()).unwrap_err().message.to_string()
        };
        let other = told("", &[("a", 2, "x"), ("b", 2, "y")]);
        assert!(other.contains("line 2, and the line before it have other texts"), "{other}");
        let apart = told("", &[("a", 2, "x"), ("a", 3, "y"), ("b", 2, "x"), ("a", 4, "z")]);
        assert!(apart.contains("line 3, is of a record of which other lines"), "{apart}");
        let broken = told("[", &[("a", 2, "{\"id\":1}"), ("a", 3, "{{")]);
        assert!(broken.contains("line 2, has a record that is no JSON"), "{broken}");
    }

    #[test]
    fn a_retry_of_a_retry_is_for_those_whom_that_was_for() {
        let folder = tempfile::tempdir().unwrap();
        let of = run(folder.path(), "", &[("", 1, "x"), ("b", 2, "y")]);
        fs::write(folder.path().join("retried.csv"), "input,line,connectors\nu.csv,1,b c\n").unwrap();
        let retry = retry(&of, None, folder.path()).unwrap();
        let told: Vec<_> = texts(&retry).into_iter().map(|(whose, text, _)| (whose, text)).collect();
        assert_eq!(told, [(vec!["b"], "y\n".to_owned()), (vec!["b", "c"], "x\n".to_owned())]);
    }

    #[test]
    fn an_input_that_looks_like_a_formula_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("retried.csv"), "input,line,connectors\n'=u.csv,1,b\n").unwrap();
        let meant = meant_for(folder.path()).unwrap();
        assert_eq!(meant.keys().collect::<Vec<_>>(), ["=u.csv"]);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let of = run(folder.path(), "", &[("a", 1, "x")]);
        let input = json!({ "name": "u.csv", "head_bytes": 100_000 });
        fs::write(folder.path().join("report.json"), json!({ "inputs": [input] }).to_string()).unwrap();
        assert!(retry(&of, None, folder.path()).unwrap_err().message.contains("cannot be read alone"));
        let other = folder.path().join("mine.ndjson");
        fs::write(&other, "\n{\n").unwrap();
        assert!(
            retry(&of, Some(&other), folder.path())
                .unwrap_err()
                .message
                .contains("line 2, is no line of a `rejects.ndjson`")
        );
    }
}
