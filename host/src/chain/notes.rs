//! Rejects, values left out, merged records and people withdrawn: kept aside while the run goes on, written with line numbers and raw
//! records at its end, ordered by origin so that threads do not show.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::File,
    io::{BufWriter, Write},
    os::unix::fs::FileExt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use serde_json::Value;
use usher_abi::{Error, LeftOut, Merged, Origin, Reject};

use super::{outcome::RejectCount, shape::Owner, sync::Withdrawn, table::Table};
use crate::{
    manifest::RejectRecord,
    report::meaning,
    runs::EXAMPLES,
    services::{InputRegistry, Staging, disk_error},
};

/// All notes of a run. `[any thread]`
pub(super) struct Notes {
    inner: Mutex<Inner>,
    /// Nothing is noted: the rows will pass again.
    silent: bool,
    /// What is noted quotes no record.
    masked: bool,
}

struct Inner {
    /// Texts of the entries, one after the other; a file without a name.
    texts: BufWriter<File>,
    length: u64,
    entries: Vec<Entry>,
    /// By kind, owner and code.
    tallies: BTreeMap<(Kind, Option<usize>, String), Tally>,
}

/// Rejects, or values left out, of one owner and code.
struct Tally {
    count: u64,
    /// The first message.
    message: String,
    /// The first ones by origin, so that threads do not show.
    first: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    kind: Kind,
    owner: Owner,
    origin: Origin,
    /// Merged: the other record.
    survivor: Origin,
    at: u64,
    length: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Reject,
    LeftOut,
    Merged,
    Withdrawn,
}

fn fault(error: &std::io::Error) -> Error {
    disk_error("output", &std::env::temp_dir(), error)
}

impl Notes {
    /// No notes yet; what they are to hold of records.
    pub(super) fn new(record: RejectRecord) -> Result<Self, Error> {
        let file = tempfile::tempfile().map_err(|e| fault(&e))?;
        let inner =
            Inner { texts: BufWriter::new(file), length: 0, entries: Vec::new(), tallies: BTreeMap::new() };
        let masked = record == RejectRecord::Masked;
        Ok(Self { inner: Mutex::new(inner), silent: false, masked })
    }

    /// Takes no notes.
    pub(super) fn silent() -> Result<Self, Error> {
        Ok(Self { silent: true, ..Self::new(RejectRecord::default())? })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reject(&self, owner: Owner, reject: &Reject) -> Result<(), Error> {
        if self.silent {
            return Ok(());
        }
        let Reject { column, code, message, details, .. } = reject;
        let (message, details) = match self.masked {
            true => (meaning(code), ""),
            false => (message.as_str(), details.as_str()),
        };
        let mut inner = self.lock();
        let texts = [column.as_str(), code.as_str(), message, details];
        let entry = inner.add(Kind::Reject, owner, reject.origin, reject.origin, &texts)?;
        inner.tally(entry, code, message);
        Ok(())
    }

    pub(super) fn left_out(&self, owner: usize, left: &LeftOut) -> Result<(), Error> {
        let LeftOut { column, code, value, message, .. } = left;
        let (value, message) = match self.masked {
            true => ("", meaning(code)),
            false => (value.as_str(), message.as_str()),
        };
        let mut inner = self.lock();
        let owner = Owner(Some(owner));
        let texts = [column.as_str(), code.as_str(), value, message];
        let entry = inner.add(Kind::LeftOut, owner, left.origin, left.origin, &texts)?;
        inner.tally(entry, code, message);
        Ok(())
    }

    pub(super) fn merged(&self, owner: Owner, merged: &Merged, reason: &str) -> Result<(), Error> {
        if self.silent {
            return Ok(());
        }
        self.lock().add(Kind::Merged, owner, merged.origin, merged.survivor, &[reason]).map(drop)
    }

    /// Somebody who was delivered before and is left out now.
    pub(super) fn withdrawn(&self, owner: usize, one: &Withdrawn) -> Result<(), Error> {
        let texts = [one.reason, one.who.as_str()];
        self.lock().add(Kind::Withdrawn, Owner(Some(owner)), one.origin, one.origin, &texts).map(drop)
    }

    /// The records that a sink did not get or not take, because somebody rejected them: input and offset.
    pub(super) fn rejected_by(&self, sink: usize) -> HashSet<(u32, u64)> {
        let inner = self.lock();
        let of_sink =
            |entry: &&Entry| entry.kind == Kind::Reject && entry.owner.0.is_none_or(|owner| owner == sink);
        inner.entries.iter().filter(of_sink).map(|entry| (entry.origin.input, entry.origin.offset)).collect()
    }

    /// Rejects of a sink, the chain's and the source's included, by code.
    pub(super) fn rejects_of(&self, sink: usize) -> Vec<RejectCount> {
        let mut by_code: BTreeMap<String, RejectCount> = BTreeMap::new();
        for ((kind, owner, code), tally) in &self.lock().tallies {
            if *kind == Kind::Reject && owner.is_none_or(|o| o == sink) {
                let example = || tally.message.clone();
                let entry = by_code.entry(code.clone());
                entry
                    .or_insert_with(|| RejectCount { code: code.clone(), count: 0, example: example() })
                    .count += tally.count;
            }
        }
        by_code.into_values().collect()
    }

    pub(super) fn left_out_of(&self, sink: usize) -> u64 {
        let inner = self.lock();
        let of = inner
            .tallies
            .iter()
            .filter(|((kind, owner, _), _)| *kind == Kind::LeftOut && *owner == Some(sink));
        of.map(|(_, tally)| tally.count).sum()
    }

    /// Rejects, or values left out, by owner and code, each with where the first three of them stand, the column and the
    /// message.
    pub(super) fn groups(&self, of: Kind) -> Result<Vec<NotedGroup>, Error> {
        let mut inner = self.lock();
        let mut texts = inner.written()?;
        let mut groups = Vec::new();
        for ((_, owner, code), tally) in inner.tallies.iter().filter(|((kind, ..), _)| *kind == of) {
            let mut first = Vec::new();
            for entry in &tally.first {
                let [column, _, third, fourth] = texts.read(entry)?;
                let message = if of == Kind::Reject { third } else { fourth };
                first.push((entry.origin, column.to_owned(), message.to_owned()));
            }
            groups.push(NotedGroup { owner: *owner, code: code.clone(), count: tally.count, first });
        }
        Ok(groups)
    }

    /// Writes `rejects.ndjson`, `rejects.csv`, `left-out.csv` and `merged.csv`; and `withdrawn.csv`, if the chain `syncs`:
    /// a sink of it gets only what has changed.
    pub(super) fn write(
        &self,
        inputs: &InputRegistry,
        staging: &Staging,
        names: &[String],
        syncs: bool,
    ) -> Result<(), Error> {
        let mut inner = self.lock();
        let mut texts = inner.written()?;
        let mut entries = std::mem::take(&mut inner.entries);
        follow_survivors(&mut entries);
        let key = |o: &Origin| (o.input, o.offset, o.length);
        entries.sort_by_key(|e| (key(&e.origin), e.owner.0));
        let mut files = Files::create(staging, syncs)?;
        // Every record that is named, in the order in which the inputs hold them; survivors have no length noted.
        let mut wanted: Vec<(Origin, usize, bool)> = Vec::with_capacity(entries.len());
        for (i, entry) in entries.iter().enumerate() {
            wanted.push((entry.origin, i, false));
            if entry.kind == Kind::Merged {
                wanted.push((entry.survivor, i, true));
            }
        }
        wanted.sort_by_key(|(o, i, _)| (key(o), *i));
        let mut lines = vec![(0u64, 0u64); entries.len()];
        let mut origins: Vec<Origin> = wanted.iter().map(|(o, ..)| *o).collect();
        let mut next = wanted.iter();
        let mut input = (u32::MAX, String::new());
        inputs.read_records(&mut origins, |origin, raw, line| {
            let Some((_, at, survivor)) = next.next() else { return Ok(()) };
            let entry = &entries[*at];
            match survivor {
                true => lines[*at].1 = line,
                false => lines[*at].0 = line,
            }
            let connector = entry.owner.0.and_then(|o| names.get(o)).map_or("", String::as_str);
            if input.0 != origin.input {
                input = (origin.input, inputs.name(origin.input));
            }
            let name = input.1.as_str();
            match entry.kind {
                Kind::Reject => {
                    let noted = texts.read(entry)?;
                    files.reject(connector, name, line, origin, noted, (!self.masked).then_some(raw))
                }
                Kind::LeftOut => {
                    let [column, code, value, message] = texts.read(entry)?;
                    files.left_out.write([connector, name, &line.to_string(), column, code, value, message])
                }
                Kind::Merged => Ok(()),
                Kind::Withdrawn => {
                    let [reason, who] = texts.read(entry)?;
                    let cells = [connector, name, &line.to_string(), &origin.offset.to_string(), reason, who];
                    files.withdrawn.iter_mut().try_for_each(|table| table.write(cells))
                }
            }
        })?;
        for (entry, (line, survivor_line)) in
            entries.iter().zip(&lines).filter(|(e, _)| e.kind == Kind::Merged)
        {
            let connector = entry.owner.0.and_then(|o| names.get(o)).map_or("", String::as_str);
            let [reason] = texts.read(entry)?;
            files.merged.write([
                connector,
                &inputs.name(entry.origin.input),
                &line.to_string(),
                &entry.origin.offset.to_string(),
                &inputs.name(entry.survivor.input),
                &survivor_line.to_string(),
                &entry.survivor.offset.to_string(),
                reason,
            ])?;
        }
        files.finish()
    }
}

/// A plugin may say that two records went into each other: nobody follows for ever. More transforms than this no chain has.
const MOST_STEPS: usize = 64;

/// The record that others went into may have gone into another itself, further down the chain. Who stands for all of
/// them is the last.
fn follow_survivors(entries: &mut [Entry]) {
    let place = |owner: Owner, origin: &Origin| (owner.0, origin.input, origin.offset);
    let merged = entries.iter().filter(|e| e.kind == Kind::Merged);
    let went: HashMap<_, Origin> = merged.map(|e| (place(e.owner, &e.origin), e.survivor)).collect();
    for entry in entries.iter_mut().filter(|e| e.kind == Kind::Merged) {
        for _ in 0..MOST_STEPS {
            let Some(next) = went.get(&place(entry.owner, &entry.survivor)) else { break };
            entry.survivor = *next;
        }
    }
}

/// Rejects, or values left out, of one owner and code.
pub(super) struct NotedGroup {
    /// The sink, by its place in the chain; none for what no sink gets.
    pub(super) owner: Option<usize>,
    pub(super) code: String,
    pub(super) count: u64,
    /// Origin, column and message of the first [`EXAMPLES`].
    pub(super) first: Vec<(Origin, String, String)>,
}

impl Inner {
    fn tally(&mut self, entry: Entry, code: &str, message: &str) {
        let place = |entry: &Entry| (entry.origin.input, entry.origin.offset);
        let tally = self.tallies.entry((entry.kind, entry.owner.0, code.to_owned())).or_insert_with(|| {
            Tally { count: 0, message: message.to_owned(), first: Vec::with_capacity(EXAMPLES + 1) }
        });
        tally.count += 1;
        let at = tally.first.partition_point(|earlier| place(earlier) <= place(&entry));
        if at < EXAMPLES {
            tally.first.insert(at, entry);
            tally.first.truncate(EXAMPLES);
        }
    }

    /// Notes texts, each behind its length.
    fn add(
        &mut self,
        kind: Kind,
        owner: Owner,
        origin: Origin,
        survivor: Origin,
        texts: &[&str],
    ) -> Result<Entry, Error> {
        let mut length = 0;
        for text in texts {
            let bytes = text.as_bytes();
            self.texts.write_all(&(bytes.len() as u32).to_le_bytes()).map_err(|e| fault(&e))?;
            self.texts.write_all(bytes).map_err(|e| fault(&e))?;
            length += LENGTH + bytes.len();
        }
        let entry = Entry { kind, owner, origin, survivor, at: self.length, length: length as u32 };
        self.entries.push(entry);
        self.length += length as u64;
        Ok(entry)
    }

    /// The texts so far, to be read.
    fn written(&mut self) -> Result<Texts, Error> {
        self.texts.flush().map_err(|e| fault(&e))?;
        let file = self.texts.get_ref().try_clone().map_err(|e| fault(&e))?;
        Ok(Texts { file, length: self.length, windows: HashMap::new() })
    }
}

/// Bytes of a text's length.
const LENGTH: usize = size_of::<u32>();

/// Bytes of the texts that are read at once.
const WINDOW: u64 = 64 * 1024;

/// The texts of the entries. What is noted for one owner stands nearly in the order of the records, between what is noted for
/// others; hence a window for each.
struct Texts {
    file: File,
    length: u64,
    /// By owner: where the window begins, and its bytes.
    windows: HashMap<Option<usize>, (u64, Vec<u8>)>,
}

impl Texts {
    fn read<const N: usize>(&mut self, entry: &Entry) -> Result<[&str; N], Error> {
        let (begin, window) = self.windows.entry(entry.owner.0).or_default();
        let end = entry.at + u64::from(entry.length);
        if entry.at < *begin || end > *begin + window.len() as u64 {
            let size = u64::from(entry.length).max(WINDOW.min(self.length - entry.at));
            window.resize(usize::try_from(size).unwrap_or(usize::MAX), 0);
            self.file.read_exact_at(window, entry.at).map_err(|e| fault(&e))?;
            *begin = entry.at;
        }
        let wrong = || Error::bug("host.notes", "a note is not what was noted");
        let mut rest = &window[(entry.at - *begin) as usize..];
        let mut texts = [""; N];
        for text in &mut texts {
            let (length, behind) = rest.split_first_chunk().ok_or_else(wrong)?;
            let (bytes, behind) =
                behind.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(wrong)?;
            *text = std::str::from_utf8(bytes).map_err(|_| wrong())?;
            rest = behind;
        }
        Ok(texts)
    }
}

/// A line of `rejects.ndjson`.
#[derive(Serialize)]
struct RejectLine<'a> {
    connector: &'a str,
    origin: RejectOrigin<'a>,
    field: &'a str,
    code: &'a str,
    message: &'a str,
    raw: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Value>,
}

#[derive(Serialize)]
struct RejectOrigin<'a> {
    input: &'a str,
    line: u64,
    offset: u64,
    length: u32,
}

struct Files {
    rejects: BufWriter<File>,
    rejects_csv: Table,
    left_out: Table,
    merged: Table,
    withdrawn: Option<Table>,
}

impl Files {
    fn create(staging: &Staging, syncs: bool) -> Result<Self, Error> {
        let withdrawn = || {
            Table::create(staging, "withdrawn.csv", ["connector", "input", "line", "offset", "reason", "key"])
        };
        let rejects = BufWriter::new(staging.create_file("rejects.ndjson")?);
        Ok(Self {
            rejects,
            rejects_csv: Table::create(
                staging,
                "rejects.csv",
                ["connector", "input", "line", "offset", "length", "field", "code", "message", "raw"],
            )?,
            left_out: Table::create(
                staging,
                "left-out.csv",
                ["connector", "input", "line", "column", "code", "value", "message"],
            )?,
            merged: Table::create(
                staging,
                "merged.csv",
                [
                    "connector",
                    "input",
                    "line",
                    "offset",
                    "survivor_input",
                    "survivor_line",
                    "survivor_offset",
                    "reason",
                ],
            )?,
            withdrawn: syncs.then(withdrawn).transpose()?,
        })
    }

    fn reject(
        &mut self,
        connector: &str,
        input: &str,
        line: u64,
        origin: Origin,
        [column, code, message, details]: [&str; 4],
        raw: Option<&[u8]>,
    ) -> Result<(), Error> {
        let raw = raw.map(String::from_utf8_lossy);
        let details =
            (!details.is_empty()).then(|| serde_json::from_str(details).unwrap_or_else(|_| details.into()));
        let reject = RejectLine {
            connector,
            origin: RejectOrigin { input, line, offset: origin.offset, length: origin.length },
            field: column,
            code,
            message,
            raw: raw.as_deref(),
            details,
        };
        serde_json::to_writer(&mut self.rejects, &reject).map_err(|e| fault(&e.into()))?;
        self.rejects.write_all(b"\n").map_err(|e| fault(&e))?;
        let numbers = [line, origin.offset, u64::from(origin.length)].map(|n| n.to_string());
        self.rejects_csv.write([
            connector,
            input,
            &numbers[0],
            &numbers[1],
            &numbers[2],
            column,
            code,
            message,
            raw.as_deref().unwrap_or_default(),
        ])
    }

    fn finish(mut self) -> Result<(), Error> {
        self.rejects.flush().map_err(|e| fault(&e))?;
        self.rejects_csv.finish()?;
        self.left_out.finish()?;
        self.withdrawn.map_or(Ok(()), Table::finish)?;
        self.merged.finish()
    }
}
