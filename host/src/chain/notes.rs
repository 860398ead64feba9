//! Rejects, values left out and merged records: kept aside while the run goes on, written with line numbers and raw
//! records at its end, ordered by origin so that threads do not show.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::json;
use usher_abi::{Error, LeftOut, Merged, Origin, Reject};

use super::{outcome::RejectCount, shape::Owner};
use crate::{
    manifest::RejectRecord,
    report::meaning,
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
    rejects: BTreeMap<(Option<usize>, String), (u64, String)>,
    left_out: BTreeMap<usize, u64>,
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reject,
    LeftOut,
    Merged,
}

fn fault(error: &std::io::Error) -> Error {
    disk_error("output", &std::env::temp_dir(), error)
}

impl Notes {
    /// No notes yet; what they are to hold of records.
    pub(super) fn new(record: RejectRecord) -> Result<Self, Error> {
        let file = tempfile::tempfile().map_err(|e| fault(&e))?;
        let inner = Inner {
            texts: BufWriter::new(file),
            length: 0,
            entries: Vec::new(),
            rejects: BTreeMap::new(),
            left_out: BTreeMap::new(),
        };
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
        let count =
            inner.rejects.entry((owner.0, code.to_string())).or_insert_with(|| (0, message.to_owned()));
        count.0 += 1;
        let text = json!([column.as_str(), code.as_str(), message, details]);
        inner.add(Kind::Reject, owner, reject.origin, reject.origin, &text.to_string())
    }

    pub(super) fn left_out(&self, owner: usize, left: &LeftOut) -> Result<(), Error> {
        let mut inner = self.lock();
        *inner.left_out.entry(owner).or_default() += 1;
        let (value, message) = match self.masked {
            true => ("", meaning(&left.code)),
            false => (left.value.as_str(), left.message.as_str()),
        };
        let text = json!([left.column.as_str(), left.code.as_str(), value, message]);
        inner.add(Kind::LeftOut, Owner(Some(owner)), left.origin, left.origin, &text.to_string())
    }

    pub(super) fn merged(&self, owner: Owner, merged: &Merged, reason: &str) -> Result<(), Error> {
        if self.silent {
            return Ok(());
        }
        self.lock().add(Kind::Merged, owner, merged.origin, merged.survivor, reason)
    }

    /// Rejects of a sink, the chain's and the source's included, by code.
    pub(super) fn rejects_of(&self, sink: usize) -> Vec<RejectCount> {
        let mut by_code: BTreeMap<String, RejectCount> = BTreeMap::new();
        for ((owner, code), (count, example)) in &self.lock().rejects {
            if owner.is_none_or(|o| o == sink) {
                let entry = by_code.entry(code.clone());
                entry
                    .or_insert(RejectCount { code: code.clone(), count: 0, example: example.clone() })
                    .count += count;
            }
        }
        by_code.into_values().collect()
    }

    pub(super) fn left_out_of(&self, sink: usize) -> u64 {
        self.lock().left_out.get(&sink).copied().unwrap_or_default()
    }

    /// Writes `rejects.ndjson`, `rejects.csv`, `left-out.csv` and `merged.csv`.
    pub(super) fn write(
        &self,
        inputs: &InputRegistry,
        staging: &Staging,
        names: &[String],
    ) -> Result<(), Error> {
        let mut inner = self.lock();
        inner.texts.flush().map_err(|e| fault(&e))?;
        let file = inner.texts.get_ref().try_clone().map_err(|e| fault(&e))?;
        let mut entries = std::mem::take(&mut inner.entries);
        follow_survivors(&mut entries);
        let key = |o: &Origin| (o.input, o.offset, o.length);
        entries.sort_by_key(|e| (key(&e.origin), e.owner.0));
        let mut files = Files::create(staging)?;
        let mut texts = Texts { file: BufReader::new(file), buffer: Vec::new() };
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
        inputs.read_records(&mut origins, |origin, raw, line| {
            let Some((_, at, survivor)) = next.next() else { return Ok(()) };
            let entry = &entries[*at];
            match survivor {
                true => lines[*at].1 = line,
                false => lines[*at].0 = line,
            }
            let connector = entry.owner.0.and_then(|o| names.get(o)).map_or("", String::as_str);
            match entry.kind {
                Kind::Reject => {
                    let [column, code, message, details]: [String; 4] = texts.read(entry)?;
                    files.reject(
                        connector,
                        &inputs.name(origin.input),
                        line,
                        origin,
                        [&column, &code, &message, &details],
                        (!self.masked).then_some(raw),
                    )
                }
                Kind::LeftOut => {
                    let [column, code, value, message]: [String; 4] = texts.read(entry)?;
                    let name = inputs.name(origin.input);
                    files.left_out.write([
                        connector,
                        &name,
                        &line.to_string(),
                        &column,
                        &code,
                        &value,
                        &message,
                    ])
                }
                Kind::Merged => Ok(()),
            }
        })?;
        for (entry, (line, survivor_line)) in
            entries.iter().zip(&lines).filter(|(e, _)| e.kind == Kind::Merged)
        {
            let connector = entry.owner.0.and_then(|o| names.get(o)).map_or("", String::as_str);
            let reason = texts.raw(entry)?;
            files.merged.write([
                connector,
                &inputs.name(entry.origin.input),
                &line.to_string(),
                &entry.origin.offset.to_string(),
                &inputs.name(entry.survivor.input),
                &survivor_line.to_string(),
                &entry.survivor.offset.to_string(),
                &reason,
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

impl Inner {
    fn add(
        &mut self,
        kind: Kind,
        owner: Owner,
        origin: Origin,
        survivor: Origin,
        text: &str,
    ) -> Result<(), Error> {
        self.texts.write_all(text.as_bytes()).map_err(|e| fault(&e))?;
        self.entries.push(Entry {
            kind,
            owner,
            origin,
            survivor,
            at: self.length,
            length: text.len() as u32,
        });
        self.length += text.len() as u64;
        Ok(())
    }
}

struct Texts {
    file: BufReader<File>,
    buffer: Vec<u8>,
}

impl Texts {
    fn raw(&mut self, entry: &Entry) -> Result<String, Error> {
        self.buffer.resize(entry.length as usize, 0);
        self.file.seek(SeekFrom::Start(entry.at)).map_err(|e| fault(&e))?;
        self.file.read_exact(&mut self.buffer).map_err(|e| fault(&e))?;
        Ok(String::from_utf8_lossy(&self.buffer).into_owned())
    }

    fn read<const N: usize>(&mut self, entry: &Entry) -> Result<[String; N], Error> {
        let text = self.raw(entry)?;
        let list: Vec<String> =
            serde_json::from_str(&text).map_err(|e| Error::bug("host.notes", e.to_string()))?;
        list.try_into().map_err(|_| Error::bug("host.notes", "a note has another number of texts"))
    }
}

struct Files {
    rejects: BufWriter<File>,
    rejects_csv: Table,
    left_out: Table,
    merged: Table,
}

impl Files {
    fn create(staging: &Staging) -> Result<Self, Error> {
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
        let mut record = json!({
            "connector": connector,
            "origin": { "input": input, "line": line, "offset": origin.offset, "length": origin.length },
            "field": column,
            "code": code,
            "message": message,
            "raw": raw,
        });
        if !details.is_empty() {
            record["details"] = serde_json::from_str(details).unwrap_or_else(|_| details.into());
        }
        writeln!(self.rejects, "{record}").map_err(|e| fault(&e))?;
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
        self.merged.finish()
    }
}

/// A table of the run itself.
pub(super) struct Table(csv::Writer<File>);

impl Table {
    pub(super) fn create<const N: usize>(
        staging: &Staging,
        name: &str,
        header: [&str; N],
    ) -> Result<Self, Error> {
        let mut table = Self(csv::Writer::from_writer(staging.create_file(name)?));
        table.write(header)?;
        Ok(table)
    }

    pub(super) fn write<const N: usize>(&mut self, cells: [&str; N]) -> Result<(), Error> {
        self.0.write_record(cells).map_err(|e| fault(&std::io::Error::other(e)))
    }

    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.0.flush().map_err(|e| fault(&e))
    }
}
