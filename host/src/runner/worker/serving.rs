//! The host's side of services: what a worker asks for, asked of the tables that its instance was given.

use usher_abi::{
    Error, HostTable, LogLevel, ROption, RSlice, RSliceMut, RStr,
    service::{
        CLOCK, ClockTable, HTTP, HttpTable, INPUT, InputTable, LEDGER, LedgerTable, OUTPUT, OutputTable,
        STATE, Slab, StateTable,
    },
};

use super::{
    lender::Lender,
    protocol::{Answer, Ask, Piece},
};

/// The services of an instance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Serving {
    host: HostTable,
    input: Option<&'static InputTable>,
    output: Option<&'static OutputTable>,
    clock: Option<&'static ClockTable>,
    state: Option<&'static StateTable>,
    ledger: Option<&'static LedgerTable>,
    http: Option<&'static HttpTable>,
}

/// What may be read back, and kept in a message, at a time.
const MOST: u64 = 8 << 20;

impl Serving {
    pub(super) fn new(host: HostTable) -> Self {
        // The tables are this executable's own: their layouts are those that are asked for.
        let find = |id: &str| (host.get_extension)(host.context, id.into()).into_option();
        Self {
            host,
            input: find(INPUT).and_then(|table| table.get(INPUT).ok()),
            output: find(OUTPUT).and_then(|table| table.get(OUTPUT).ok()),
            clock: find(CLOCK).and_then(|table| table.get(CLOCK).ok()),
            state: find(STATE).and_then(|table| table.get(STATE).ok()),
            ledger: find(LEDGER).and_then(|table| table.get(LEDGER).ok()),
            http: find(HTTP).and_then(|table| table.get(HTTP).ok()),
        }
    }

    /// A line of the plugin's standard error.
    pub(super) fn log(&self, level: LogLevel, target: &str, message: &str) {
        (self.host.log)(self.host.context, level, target.into(), message.into());
    }

    /// Whether the run was cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        (self.host.is_cancelled)(self.host.context)
    }

    /// Answers. `handed` is what the question says lies in the lane's memory, copied.
    pub(super) fn answer(&self, ask: Ask, handed: &[u8], lender: &Lender) -> Result<Answer, Error> {
        let context = self.host.context;
        match ask {
            Ask::Log { level, target, message } => {
                self.log(LogLevel(level.0), &target, &message);
                Ok(Answer::Nothing)
            }
            Ask::Metric { name, amount } => {
                (self.host.metric)(context, name.as_str().into(), amount);
                Ok(Answer::Nothing)
            }
            Ask::Has(id) => Ok(Answer::Yes(self.has(&id))),
            Ask::InputOpen(spec) => {
                let files = (there(self.input, INPUT)?.open)(context, spec.as_str().into()).into_result()?;
                Ok(Answer::Files(files.into()))
            }
            Ask::InputReader { input, start, end } => {
                number((there(self.input, INPUT)?.reader)(context, input, start, end).into_result())
            }
            Ask::InputNext(reader) => {
                slab((there(self.input, INPUT)?.next)(context, reader).into_result()?, lender)
            }
            Ask::InputClose(reader) => {
                (there(self.input, INPUT)?.close)(context, reader);
                Ok(Answer::Nothing)
            }
            Ask::OutputCreate { stem, extension, format } => {
                let create = there(self.output, OUTPUT)?.create;
                number(
                    create(context, stem.as_str().into(), extension.as_str().into(), &format).into_result(),
                )
            }
            Ask::OutputWrite { part, len: _ } => {
                let write = there(self.output, OUTPUT)?.write;
                nothing(write(context, part, RSlice::from_slice(handed)).into_result())
            }
            Ask::OutputReadBack { part, offset, len } => {
                let mut bytes = vec![0; len.min(MOST) as usize];
                let into = RSliceMut::from_mut_slice(&mut bytes);
                let read =
                    (there(self.output, OUTPUT)?.read_back)(context, part, offset, into).into_result()?;
                bytes.truncate(read);
                Ok(Answer::Bytes(Some(bytes)))
            }
            Ask::OutputFinish { part, records } => {
                let name = (there(self.output, OUTPUT)?.finish)(context, part, records).into_result()?;
                Ok(Answer::Text(name.into()))
            }
            Ask::OutputDiscard(part) => {
                nothing((there(self.output, OUTPUT)?.discard)(context, part).into_result())
            }
            Ask::Now => Ok(Answer::Number((there(self.clock, CLOCK)?.now_ms)(context))),
            Ask::Sleep(ms) => nothing((there(self.clock, CLOCK)?.sleep_ms)(context, ms).into_result()),
            Ask::StateGet(key) => {
                bytes((there(self.state, STATE)?.get)(context, key.as_str().into()).into_result()?)
            }
            Ask::StatePut(key, value) => {
                let put = there(self.state, STATE)?.put;
                nothing(put(context, key.as_str().into(), RSlice::from_slice(&value)).into_result())
            }
            Ask::StateDelete(key) => {
                nothing((there(self.state, STATE)?.delete)(context, key.as_str().into()).into_result())
            }
            Ask::LedgerFind(account, unit) => {
                let find = there(self.ledger, LEDGER)?.find;
                bytes(find(context, account.as_str().into(), RSlice::from_slice(&unit)).into_result()?)
            }
            Ask::LedgerNote(account, unit, outcome) => {
                let note = there(self.ledger, LEDGER)?.note;
                let (unit, outcome) = (RSlice::from_slice(&unit), RSlice::from_slice(&outcome));
                nothing(note(context, account.as_str().into(), unit, outcome).into_result())
            }
            Ask::HttpBegin { head, len: _ } => {
                let begin = there(self.http, HTTP)?.begin;
                number(begin(context, RStr::from(head.as_str()), RSlice::from_slice(handed)).into_result())
            }
            Ask::HttpWait(ticket) => {
                let head = (there(self.http, HTTP)?.wait)(context, ticket).into_result()?;
                Ok(Answer::Text(head.into()))
            }
            Ask::HttpNext(ticket) => {
                slab((there(self.http, HTTP)?.next)(context, ticket).into_result()?, lender)
            }
            Ask::HttpKeep(ticket, name) => {
                let file =
                    (there(self.http, HTTP)?.keep)(context, ticket, name.as_str().into()).into_result()?;
                Ok(Answer::File(file))
            }
            Ask::HttpClose(ticket) => {
                (there(self.http, HTTP)?.close)(context, ticket);
                Ok(Answer::Nothing)
            }
        }
    }

    fn has(&self, id: &str) -> bool {
        match id {
            INPUT => self.input.is_some(),
            OUTPUT => self.output.is_some(),
            CLOCK => self.clock.is_some(),
            STATE => self.state.is_some(),
            LEDGER => self.ledger.is_some(),
            HTTP => self.http.is_some(),
            _ => false,
        }
    }
}

fn there<T>(table: Option<&'static T>, id: &str) -> Result<&'static T, Error> {
    table.ok_or_else(|| {
        Error::unsupported("service.absent", format!("the service `{id}` is not available to this connector"))
    })
}

fn nothing(result: Result<(), Error>) -> Result<Answer, Error> {
    result.map(|()| Answer::Nothing)
}

fn number(result: Result<u64, Error>) -> Result<Answer, Error> {
    result.map(Answer::Number)
}

fn bytes(found: ROption<usher_abi::RVec<u8>>) -> Result<Answer, Error> {
    Ok(Answer::Bytes(found.into_option().map(Into::into)))
}

/// A slab, copied into memory that the worker can read.
fn slab(slab: ROption<Slab>, lender: &Lender) -> Result<Answer, Error> {
    let Some(slab) = slab.into_option() else { return Ok(Answer::Slab(None)) };
    let bytes = slab.bytes();
    let piece: Option<Piece> = lender.lend(bytes.len() as u64, |put| put(0, bytes));
    match piece {
        Some(piece) => Ok(Answer::Slab(Some((piece, slab.offset)))),
        None => Err(short(bytes.len() as u64)),
    }
}

/// A plugin holds so much of what it was lent that there is no more.
pub(super) fn short(bytes: u64) -> Error {
    Error::bug(
        "worker.memory",
        format!(
            "{bytes} more bytes cannot be lent to its process: it holds on to what it was given before, or they are more \
             than {} MB",
            super::memory::DOWN / 1_000_000
        ),
    )
}
