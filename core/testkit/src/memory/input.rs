//! `usher.input/1` over bytes in memory.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use usher_abi::{
    Error, ROption,
    service::{InputFile, InputService, Slab},
};

use super::{
    fault::{Call, Faults},
    lock,
};

#[derive(Debug)]
struct Source {
    spec: String,
    name: String,
    bytes: Arc<Vec<u8>>,
}

#[derive(Debug)]
struct Place {
    bytes: Arc<Vec<u8>>,
    at: usize,
    end: usize,
}

#[derive(Debug, Default)]
struct Inner {
    sources: Vec<Source>,
    readers: HashMap<u64, Place>,
    last_reader: u64,
    slab_size: usize,
    as_stream: bool,
}

impl Inner {
    fn file(&self, id: u32, source: &Source) -> InputFile {
        let size = source.bytes.len() as u64;
        InputFile {
            id,
            name: source.name.as_str().into(),
            size: if self.as_stream { ROption::RNone } else { ROption::RSome(size) },
            splittable: !self.as_stream,
        }
    }
}

#[derive(Debug)]
pub(super) struct Inputs {
    inner: Mutex<Inner>,
    cancelled: Arc<AtomicBool>,
    faults: Arc<Faults>,
}

impl Inputs {
    pub(super) fn new(cancelled: Arc<AtomicBool>, faults: Arc<Faults>) -> Self {
        let inner = Inner { slab_size: 64 * 1024, ..Inner::default() };
        Self { inner: Mutex::new(inner), cancelled, faults }
    }

    pub(super) fn add(&self, spec: &str, bytes: Vec<u8>) -> InputFile {
        let mut inner = lock(&self.inner);
        let same = inner.sources.iter().filter(|s| s.spec == spec).count();
        let name = if same == 0 { spec.to_owned() } else { format!("{spec}#{}", same + 1) };
        inner.sources.push(Source { spec: spec.to_owned(), name, bytes: Arc::new(bytes) });
        let id = u32::try_from(inner.sources.len()).unwrap_or(u32::MAX);
        inner.file(id, &inner.sources[inner.sources.len() - 1])
    }

    pub(super) fn slab_size(&self) -> usize {
        lock(&self.inner).slab_size
    }

    pub(super) fn set_slab_size(&self, bytes: usize) {
        lock(&self.inner).slab_size = bytes.max(1);
    }

    pub(super) fn set_as_stream(&self) {
        lock(&self.inner).as_stream = true;
    }

    pub(super) fn open_readers(&self) -> usize {
        lock(&self.inner).readers.len()
    }

    pub(super) fn bytes(&self, input: u32) -> Option<Arc<Vec<u8>>> {
        let index = usize::try_from(input).ok()?.checked_sub(1)?;
        lock(&self.inner).sources.get(index).map(|s| s.bytes.clone())
    }
}

impl InputService for Inputs {
    fn open(&self, spec: &str) -> Result<Vec<InputFile>, Error> {
        self.faults.count(Call::Open)?;
        let inner = lock(&self.inner);
        let found: Vec<InputFile> = inner
            .sources
            .iter()
            .zip(1..)
            .filter(|(source, _)| source.spec == spec)
            .map(|(source, id)| inner.file(id, source))
            .collect();
        if found.is_empty() {
            return Err(Error::config("input.not-found", format!("there is no input `{spec}`")));
        }
        Ok(found)
    }

    fn reader(&self, input: u32, start: u64, end: u64) -> Result<u64, Error> {
        self.faults.count(Call::Reader)?;
        let bytes = self
            .bytes(input)
            .ok_or_else(|| Error::bug("input.unknown", format!("no input has the id {input}")))?;
        let clamp = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(bytes.len());
        let (at, end) = (clamp(start), clamp(end));
        let mut inner = lock(&self.inner);
        inner.last_reader += 1;
        let id = inner.last_reader;
        inner.readers.insert(id, Place { bytes, at, end });
        Ok(id)
    }

    fn next(&self, reader: u64) -> Result<Option<Slab>, Error> {
        self.faults.count(Call::Read)?;
        if self.cancelled.load(Ordering::SeqCst) {
            return Err(Error::cancelled());
        }
        let mut inner = lock(&self.inner);
        let size = inner.slab_size;
        let place = inner
            .readers
            .get_mut(&reader)
            .ok_or_else(|| Error::bug("input.closed", format!("reader {reader} is not open")))?;
        if place.at >= place.end {
            return Ok(None);
        }
        let (from, to) = (place.at, place.end.min(place.at.saturating_add(size)));
        place.at = to;
        Ok(Some(Slab::new(Arc::new(place.bytes[from..to].to_vec()), from as u64)))
    }

    fn close(&self, reader: u64) {
        lock(&self.inner).readers.remove(&reader);
    }
}
