//! What every check works with, and the judgements that several share.

use arrow_array::RecordBatch;
use usher_abi::{Component, Error, ErrorClass, ModuleRef};

use super::{
    Case, Extent,
    outcome::{Stop, skip},
};
use crate::{MemoryHost, Read, ReadPlan, Written, check::try_description, records};

/// A check of one component.
pub(super) type Step = fn(&Bench<'_>) -> Result<(), Stop>;

/// A component under test.
pub(super) struct Bench<'a> {
    pub(super) module: ModuleRef,
    pub(super) case: &'a Case,
    /// What the plugin says of it; absent when it says nothing, which a check of its own complains about.
    pub(super) component: Option<Component>,
    extent: Extent,
    /// Whether each instance has a process of its own.
    apart: bool,
}

impl<'a> Bench<'a> {
    pub(super) fn new(module: ModuleRef, case: &'a Case, extent: Extent, apart: bool) -> Self {
        let found = try_description(module)
            .ok()
            .and_then(|d| d.components.into_iter().find(|c| c.role == case.role && c.name == case.component));
        Self { module, case, component: found, extent, apart }
    }

    /// Goes on only where everything is to be checked, however long it takes.
    pub(super) fn needs_time(&self) -> Result<(), Stop> {
        match self.extent {
            Extent::Full => Ok(()),
            Extent::Quick => skip("left out by `--quick`"),
            Extent::Shared => skip("takes long: `usher test` runs it"),
        }
    }

    /// Goes on only where nothing else runs in this process.
    pub(super) fn needs_the_process(&self) -> Result<(), Stop> {
        match self.extent {
            _ if self.apart => skip("its instances have processes of their own, which end with them"),
            Extent::Full | Extent::Quick => Ok(()),
            Extent::Shared => skip("measures the process: `usher test` runs it in one of its own"),
        }
    }

    /// A host with the samples as they are.
    pub(super) fn host(&self) -> MemoryHost {
        self.host_of(|_, sample| sample.bytes())
    }

    /// A host whose first input has so many records.
    pub(super) fn host_of_rows(&self, rows: usize) -> MemoryHost {
        self.host_of(|i, sample| if i == 0 { sample.rows(rows) } else { sample.bytes() })
    }

    /// A host whose first input is these bytes.
    pub(super) fn host_of_bytes(&self, bytes: &[u8]) -> MemoryHost {
        self.host_of(|i, sample| if i == 0 { bytes.to_vec() } else { sample.bytes() })
    }

    fn host_of(&self, bytes: impl Fn(usize, &super::Sample) -> Vec<u8>) -> MemoryHost {
        let inputs = self.case.inputs.iter().enumerate();
        inputs.fold(MemoryHost::new(), |host, (i, (spec, sample))| host.with_input(spec, bytes(i, sample)))
    }

    pub(super) fn read(&self, host: &MemoryHost) -> Result<Read, Error> {
        self.read_with(host, ReadPlan::default())
    }

    pub(super) fn read_with(&self, host: &MemoryHost, plan: ReadPlan<'_>) -> Result<Read, Error> {
        crate::read_with(self.module, &self.case.component, self.case.options.clone(), host, plan)
    }

    pub(super) fn write(&self, host: &MemoryHost, batches: Vec<RecordBatch>) -> Result<Written, Error> {
        crate::write(self.module, &self.case.component, self.case.options.clone(), host, batches)
    }

    pub(super) fn options(&self) -> String {
        self.case.options.to_string()
    }
}

/// Class, code and message.
pub(super) fn show(error: &Error) -> String {
    format!("{} error `{}`: {error}", error.class.name(), error.code)
}

/// Success is needed: anything else is the failure of `what`.
pub(super) fn need<T>(result: Result<T, Error>, what: &str) -> Result<T, String> {
    result.map_err(|e| format!("{what}: {}", show(&e)))
}

/// Success or an honest error; a panic or another bug, and unknown classes, are the failure of `what`.
pub(super) fn survive<T>(result: Result<T, Error>, what: &str) -> Result<Option<T>, String> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.class == ErrorClass::BUG || error.class.name() == "unknown" => {
            Err(format!("{what}: {}", show(&error)))
        }
        Err(_) => Ok(None),
    }
}

/// Rows as text, inputs included.
pub(super) fn rows_text(read: &Read) -> String {
    let mut text = String::new();
    for (batch, input) in read.batches.iter().zip(&read.inputs) {
        for line in records(std::slice::from_ref(batch)).lines() {
            text.push_str(&format!("{input} {line}\n"));
        }
    }
    text
}

/// An error that shows the first line in which two texts differ.
pub(super) fn same(expected: &str, found: &str, what: &str) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let (mut left, mut right) = (expected.lines(), found.lines());
    let mut line = 1;
    loop {
        match (left.next(), right.next()) {
            (Some(l), Some(r)) if l == r => line += 1,
            (l, r) => {
                let text =
                    |side: Option<&str>| side.map_or_else(|| "nothing".to_owned(), |s| shorten(s, 300));
                return Err(format!("{what}: line {line} is\n{}\ninstead of\n{}", text(r), text(l)));
            }
        }
    }
}

/// The beginning of a text.
pub(super) fn shorten(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The end of some bytes, as a person can read them.
pub(super) fn tail(bytes: &[u8]) -> String {
    let from = bytes.len().saturating_sub(60);
    let dots = if from > 0 { "…" } else { "" };
    format!("`{dots}{}`", bytes[from..].escape_ascii().to_string().replace("\\\"", "\""))
}
