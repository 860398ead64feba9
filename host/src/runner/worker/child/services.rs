//! Stand-ins of the services: each asks the host.

use std::{
    any::Any,
    ffi::c_void,
    sync::{Arc, atomic::Ordering},
};

use usher_abi::{
    Error, HostLog, LogLevel, Services,
    service::{
        CLOCK, ClockService, HTTP, HttpService, INPUT, InputFile, InputService, LEDGER, LedgerService,
        OUTPUT, OutputService, PartFormat, STATE, Slab, StateService,
    },
};

use super::lane::{Borrowed, ask};
use crate::runner::worker::{
    lender::cancelled,
    memory::Shared,
    protocol::{Answer, Ask, Piece},
};

/// The services that the host gives the instance.
pub(super) fn services(lent: &Arc<Shared>) -> Result<Arc<Services>, Error> {
    let host = Arc::new(Host { lent: Arc::clone(lent) });
    let has = |id: &str| match ask(Ask::Has(id.to_owned()), &[])? {
        Answer::Yes(yes) => Ok(yes.then(|| host.clone())),
        _ => Err(unexpected()),
    };
    Ok(Arc::new(Services {
        log: host.clone(),
        input: has(INPUT)?.map(|host| host as _),
        output: has(OUTPUT)?.map(|host| host as _),
        clock: has(CLOCK)?.map(|host| host as _),
        state: has(STATE)?.map(|host| host as _),
        ledger: has(LEDGER)?.map(|host| host as _),
        http: has(HTTP)?.map(|host| host as _),
        others: Vec::new(),
    }))
}

/// The host, as the plugin sees it.
struct Host {
    lent: Arc<Shared>,
}

fn unexpected() -> Error {
    Error::bug("worker.host", "the host sent an answer to another question")
}

fn nothing(question: Ask) -> Result<(), Error> {
    ask(question, &[]).map(drop)
}

fn number(question: Ask, bytes: &[u8]) -> Result<u64, Error> {
    match ask(question, bytes)? {
        Answer::Number(number) => Ok(number),
        _ => Err(unexpected()),
    }
}

fn text(question: Ask) -> Result<String, Error> {
    match ask(question, &[])? {
        Answer::Text(text) => Ok(text),
        _ => Err(unexpected()),
    }
}

fn bytes(question: Ask) -> Result<Option<Vec<u8>>, Error> {
    match ask(question, &[])? {
        Answer::Bytes(bytes) => Ok(bytes),
        _ => Err(unexpected()),
    }
}

impl Host {
    fn slab(&self, question: Ask) -> Result<Option<Slab>, Error> {
        match ask(question, &[])? {
            Answer::Slab(None) => Ok(None),
            Answer::Slab(Some((piece, offset))) => self.borrow(piece, offset).map(Some),
            _ => Err(unexpected()),
        }
    }

    fn borrow(&self, piece: Piece, offset: u64) -> Result<Slab, Error> {
        let (data, len, owner) = Borrowed::take(&self.lent, piece).ok_or_else(unexpected)?;
        let owner: *const c_void = Box::into_raw(Box::new(owner)).cast();
        Ok(Slab { data, len, offset, owner, release })
    }
}

extern "C" fn release(owner: *const c_void) {
    // SAFETY: `owner` came from `Box::into_raw` in `borrow`, and a slab calls this once.
    drop(unsafe { Box::from_raw(owner.cast_mut().cast::<Arc<dyn Any + Send + Sync>>()) });
}

impl HostLog for Host {
    fn log(&self, level: LogLevel, target: &str, message: &str) {
        let _ =
            nothing(Ask::Log { level: level.into(), target: target.to_owned(), message: message.to_owned() });
    }

    fn metric(&self, name: &str, amount: i64) {
        let _ = nothing(Ask::Metric { name: name.to_owned(), amount });
    }

    fn is_cancelled(&self) -> bool {
        cancelled(&self.lent).is_none_or(|word| word.load(Ordering::Acquire) != 0)
    }
}

impl InputService for Host {
    fn open(&self, spec: &str) -> Result<Vec<InputFile>, Error> {
        match ask(Ask::InputOpen(spec.to_owned()), &[])? {
            Answer::Files(files) => Ok(files),
            _ => Err(unexpected()),
        }
    }

    fn reader(&self, input: u32, start: u64, end: u64) -> Result<u64, Error> {
        number(Ask::InputReader { input, start, end }, &[])
    }

    fn next(&self, reader: u64) -> Result<Option<Slab>, Error> {
        self.slab(Ask::InputNext(reader))
    }

    fn close(&self, reader: u64) {
        let _ = nothing(Ask::InputClose(reader));
    }
}

impl OutputService for Host {
    fn create(&self, stem: &str, extension: &str, format: &PartFormat) -> Result<u64, Error> {
        let (stem, extension) = (stem.to_owned(), extension.to_owned());
        number(Ask::OutputCreate { stem, extension, format: format.clone() }, &[])
    }

    fn write(&self, part: u64, bytes: &[u8]) -> Result<(), Error> {
        ask(Ask::OutputWrite { part, len: bytes.len() as u64 }, bytes).map(drop)
    }

    fn read_back(&self, part: u64, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let read = bytes(Ask::OutputReadBack { part, offset, len: into.len() as u64 })?.unwrap_or_default();
        let count = read.len().min(into.len());
        into[..count].copy_from_slice(&read[..count]);
        Ok(count)
    }

    fn finish(&self, part: u64, records: u64) -> Result<String, Error> {
        text(Ask::OutputFinish { part, records })
    }

    fn discard(&self, part: u64) -> Result<(), Error> {
        nothing(Ask::OutputDiscard(part))
    }
}

impl ClockService for Host {
    fn now_ms(&self) -> u64 {
        number(Ask::Now, &[]).unwrap_or(0)
    }

    fn sleep_ms(&self, ms: u64) -> Result<(), Error> {
        nothing(Ask::Sleep(ms))
    }
}

impl StateService for Host {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        bytes(Ask::StateGet(key.to_owned()))
    }

    fn put(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        nothing(Ask::StatePut(key.to_owned(), value.to_owned()))
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        nothing(Ask::StateDelete(key.to_owned()))
    }
}

impl LedgerService for Host {
    fn find(&self, account: &str, unit: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        bytes(Ask::LedgerFind(account.to_owned(), unit.to_owned()))
    }

    fn note(&self, account: &str, unit: &[u8], outcome: &[u8]) -> Result<(), Error> {
        nothing(Ask::LedgerNote(account.to_owned(), unit.to_owned(), outcome.to_owned()))
    }
}

impl HttpService for Host {
    fn begin(&self, head: &str, body: &[u8]) -> Result<u64, Error> {
        number(Ask::HttpBegin { head: head.to_owned(), len: body.len() as u64 }, body)
    }

    fn wait(&self, ticket: u64) -> Result<String, Error> {
        text(Ask::HttpWait(ticket))
    }

    fn next(&self, ticket: u64) -> Result<Option<Slab>, Error> {
        self.slab(Ask::HttpNext(ticket))
    }

    fn keep(&self, ticket: u64, name: &str) -> Result<InputFile, Error> {
        match ask(Ask::HttpKeep(ticket, name.to_owned()), &[])? {
            Answer::File(file) => Ok(file),
            _ => Err(unexpected()),
        }
    }

    fn close(&self, ticket: u64) {
        let _ = nothing(Ask::HttpClose(ticket));
    }
}
