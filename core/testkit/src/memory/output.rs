//! `usher.output/1` into memory; counts records by itself, as the host does.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use usher_abi::{
    Error,
    service::{OutputService, PartFormat},
};

use super::{
    content::Content,
    count::count,
    fault::{Call, Faults},
    lock,
};

/// A finished part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedPart {
    /// `test-sink-run-<stem>-<number>.<extension>`.
    pub name: String,
    /// The stem that the sink gave.
    pub stem: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// Records, the header not counted, as the sink said; the service has counted them itself where the format
    /// allows it.
    pub records: u64,
    /// What the sink said is in it.
    pub format: PartFormat,
}

impl CapturedPart {
    /// The content as text; bytes that are no UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

#[derive(Debug)]
struct Staged {
    stem: String,
    extension: String,
    format: PartFormat,
    content: Content,
}

#[derive(Debug, Default)]
struct Inner {
    staged: HashMap<u64, Staged>,
    last: u64,
    finished: Vec<CapturedPart>,
    /// How many parts of a stem are finished.
    numbers: HashMap<String, usize>,
    forget: bool,
}

#[derive(Debug, Default)]
pub(super) struct Outputs {
    inner: Mutex<Inner>,
    faults: Arc<Faults>,
}

impl Outputs {
    pub(super) fn new(faults: Arc<Faults>) -> Self {
        Self { faults, ..Self::default() }
    }

    pub(super) fn set_forget(&self) {
        lock(&self.inner).forget = true;
    }

    pub(super) fn open(&self) -> Vec<String> {
        lock(&self.inner).staged.values().map(|staged| staged.stem.clone()).collect()
    }

    pub(super) fn finished(&self) -> Vec<CapturedPart> {
        lock(&self.inner).finished.clone()
    }
}

fn unknown(part: u64) -> Error {
    Error::bug("output.unknown", format!("no part that is being written has the handle {part}"))
}

impl OutputService for Outputs {
    fn create(&self, stem: &str, extension: &str, format: &PartFormat) -> Result<u64, Error> {
        self.faults.count(Call::Create)?;
        let plain = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        if !plain(stem) || !plain(extension) {
            let message = format!(
                "`{stem}.{extension}` cannot be part of a file name; use letters, digits, `-` and `_`"
            );
            return Err(Error::bug("output.name", message));
        }
        let mut inner = lock(&self.inner);
        inner.last += 1;
        let id = inner.last;
        let (stem, extension) = (stem.to_owned(), extension.to_owned());
        let content = if inner.forget { Content::on_disk()? } else { Content::Memory(Vec::new()) };
        inner.staged.insert(id, Staged { stem, extension, format: format.clone(), content });
        Ok(id)
    }

    fn write(&self, part: u64, bytes: &[u8]) -> Result<(), Error> {
        self.faults.count(Call::Write)?;
        let mut inner = lock(&self.inner);
        inner.staged.get_mut(&part).ok_or_else(|| unknown(part))?.content.append(bytes)
    }

    fn read_back(&self, part: u64, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        self.faults.count(Call::ReadBack)?;
        let mut inner = lock(&self.inner);
        inner.staged.get_mut(&part).ok_or_else(|| unknown(part))?.content.read(offset, into)
    }

    fn finish(&self, part: u64, records: u64) -> Result<String, Error> {
        self.faults.count(Call::Finish)?;
        let mut inner = lock(&self.inner);
        let staged = inner.staged.remove(&part).ok_or_else(|| unknown(part))?;
        let number = inner.numbers.entry(staged.stem.clone()).or_default();
        *number += 1;
        let name = format!("test-sink-run-{}-{number:04}.{}", staged.stem, staged.extension);
        let Staged { stem, format, content, .. } = staged;
        let Content::Memory(bytes) = content else { return Ok(name) };
        if let Some(counted) = count(&format, &bytes)?.filter(|counted| *counted != records) {
            let message = format!("`{name}` holds {counted} records, but the connector says {records}");
            return Err(Error::bug("output.miscount", message));
        }
        inner.finished.push(CapturedPart { name: name.clone(), stem, bytes, records, format });
        Ok(name)
    }

    fn discard(&self, part: u64) -> Result<(), Error> {
        lock(&self.inner).staged.remove(&part).map(|_| ()).ok_or_else(|| unknown(part))
    }
}
