//! What one connector sees of the inputs.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;
use usher_abi::{
    Error,
    service::{InputFile, InputService, Slab},
};

use super::{reader::Reader, registry::InputRegistry};
use crate::services::private::lock;

/// How far a connector is with its inputs, in bytes as stored (compressed, if they are).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InputProgress {
    /// Bytes handed out since the last [`Inputs::restart_progress`].
    pub done: u64,
    /// Bytes of all inputs opened.
    pub total: u64,
}

/// The inputs of one connector: it may open only what its own options name, and read only what it opened.
#[derive(Debug)]
pub struct Inputs {
    registry: Arc<InputRegistry>,
    named: HashSet<String>,
    /// Whether what it downloads stays in the run's folder.
    store: bool,
    opened: Mutex<HashSet<u32>>,
    /// What whatever is opened is instead.
    instead: OnceLock<Vec<InputFile>>,
    readers: Mutex<HashMap<u64, Arc<Mutex<Reader>>>>,
    next_reader: AtomicU64,
    done: AtomicU64,
    total: AtomicU64,
}

impl InputRegistry {
    /// The view of a connector with these options: every text that stands anywhere in them as a value may be
    /// opened.
    pub fn view(self: &Arc<Self>, options: &Value) -> Inputs {
        let mut named = HashSet::new();
        collect_texts(options, &mut named);
        Inputs {
            registry: Arc::clone(self),
            named,
            store: true,
            opened: Mutex::default(),
            instead: OnceLock::new(),
            readers: Mutex::default(),
            next_reader: AtomicU64::new(1),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
        }
    }
}

fn collect_texts(value: &Value, into: &mut HashSet<String>) {
    match value {
        Value::String(text) => {
            into.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| collect_texts(value, into)),
        Value::Object(members) => members.values().for_each(|value| collect_texts(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Inputs {
    /// Whether what the connector downloads stays in the run's folder.
    #[must_use]
    pub fn storing(mut self, store: bool) -> Self {
        self.store = store;
        self
    }

    /// How far the connector is; cheap enough to be asked ten times a second.
    pub fn progress(&self) -> InputProgress {
        let total = self.total.load(Ordering::Relaxed);
        InputProgress { done: self.done.load(Ordering::Relaxed).min(total), total }
    }

    /// Makes what `next` answers, until it answers nothing, an input of the run, which this connector has opened.
    pub fn keep(
        &self,
        name: &str,
        next: impl FnMut() -> Result<Option<Vec<u8>>, Error>,
    ) -> Result<InputFile, Error> {
        let entry = self.registry.keep(name, self.store, next)?;
        if lock(&self.opened).insert(entry.id) {
            self.total.fetch_add(entry.stored.len(), Ordering::Relaxed);
        }
        Ok(self.registry.file(&entry))
    }

    /// Whatever the connector opens from now on is these inputs, which it has [kept](Self::keep); once.
    pub fn read_instead(&self, files: Vec<InputFile>) {
        let _ = self.instead.set(files);
    }

    /// How messages name an input.
    pub fn name(&self, input: u32) -> String {
        self.registry.name(input)
    }

    /// Begins to count anew: the inputs are about to be read a second time.
    pub fn restart_progress(&self) {
        self.done.store(0, Ordering::Relaxed);
    }
}

impl InputService for Inputs {
    fn open(&self, spec: &str) -> Result<Vec<InputFile>, Error> {
        if !self.named.contains(spec) {
            return Err(Error::config(
                "input.not-named",
                format!(
                    "input `{spec}` does not stand in the connector's options; it may open only what they name"
                ),
            ));
        }
        if let Some(files) = self.instead.get() {
            let entries = files.iter().map(|file| self.registry.entry(file.id));
            return entries.map(|entry| Ok(self.registry.file(&*entry?))).collect();
        }
        let entries = self.registry.open(spec)?;
        let mut opened = lock(&self.opened);
        for entry in &entries {
            if opened.insert(entry.id) {
                self.total.fetch_add(entry.stored.len(), Ordering::Relaxed);
            }
        }
        Ok(entries.iter().map(|entry| self.registry.file(entry)).collect())
    }

    fn reader(&self, input: u32, start: u64, end: u64) -> Result<u64, Error> {
        if !lock(&self.opened).contains(&input) {
            return Err(Error::bug("input.unknown", format!("the connector has not opened input {input}")));
        }
        let reader = Reader::new(&self.registry, &self.registry.entry(input)?, start, end)?;
        let id = self.next_reader.fetch_add(1, Ordering::Relaxed);
        lock(&self.readers).insert(id, Arc::new(Mutex::new(reader)));
        Ok(id)
    }

    fn next(&self, reader: u64) -> Result<Option<Slab>, Error> {
        self.registry.cancel.check()?;
        let reader = lock(&self.readers).get(&reader).cloned().ok_or_else(|| {
            Error::bug("input.unknown", format!("there is no reader {reader}, or it was closed"))
        })?;
        let (slab, stored) = lock(&reader).next()?;
        self.done.fetch_add(stored, Ordering::Relaxed);
        Ok(slab)
    }

    fn close(&self, reader: u64) {
        lock(&self.readers).remove(&reader);
    }
}

#[cfg(test)]
mod tests;
