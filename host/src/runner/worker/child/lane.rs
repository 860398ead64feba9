//! A lane in the worker: the host's calls come on it, the plugin's questions go out on it.

use std::{
    cell::RefCell,
    io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    sync::{Arc, Mutex, OnceLock},
};

use usher_abi::{
    ArrowSchema, Batch, Error, Extension, Instance, Kind, LOGIN, LoginTable, RSlice, RStr, RString, Report,
    Status,
};

use super::{
    Worker,
    instances::{Opened, Table},
    services::services,
};
use crate::{
    runner::worker::{
        flat::FlatBatch,
        memory::{Access, Shared, UP},
        protocol::{Answer, Ask, Call, FromWorker, Lent, Outcome, Piece, Said, ToWorker, Value},
        wire::{Broken, Wire, too_long},
    },
    services::private::lock,
};

/// The worker's end of a lane.
pub(super) struct Lane {
    wire: Wire,
    /// What is handed over to the host.
    memory: Shared,
}

/// Places of the host's memory that nobody reads any more, to be told with the next message.
static RELEASED: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// The lane of the plugin's own threads.
static SIDE: OnceLock<Mutex<Lane>> = OnceLock::new();

thread_local! {
    /// The lane that this thread serves.
    static MINE: RefCell<Option<Lane>> = const { RefCell::new(None) };
}

/// Keeps the lane that threads use which serve none.
pub(super) fn on_the_side(lane: Lane) {
    let _ = SIDE.set(Mutex::new(lane));
}

impl Lane {
    pub(super) fn new(socket: OwnedFd, memory: OwnedFd) -> io::Result<Self> {
        let memory = Shared::map(memory, UP, Access::ReadWrite)?;
        Ok(Self { wire: Wire::new(UnixStream::from(socket)), memory })
    }

    /// Tells the host something.
    pub(super) fn say(&mut self, said: Said) -> Result<(), Broken> {
        let released = std::mem::take(&mut *lock(&RELEASED));
        self.wire.send(&FromWorker { released, said })
    }

    /// Tells the host what came of its call; what is too long for a message is an error that says so.
    fn answer(&mut self, outcome: Outcome) -> Result<(), Broken> {
        match self.say(Said::Outcome(Box::new(outcome))) {
            Err(Broken::TooLong(length)) => {
                let result = Some(Err(too_long(length)));
                self.say(Said::Outcome(Box::new(Outcome { result, ..Outcome::default() })))
            }
            said => said,
        }
    }

    fn ask(&mut self, ask: Ask, handed: &[u8]) -> Result<Answer, Error> {
        // SAFETY: the lane is this thread's, and the host looks only between the question and its answer.
        if unsafe { self.memory.write(0, handed) }.is_none() {
            let most = self.memory.len() / 1_000_000;
            return Err(Error::bug(
                "worker.memory",
                format!("more than {most} MB cannot be handed over at once"),
            ));
        }
        self.say(Said::Ask(ask)).map_err(|broken| match broken {
            Broken::TooLong(length) => too_long(length),
            _ => gone(),
        })?;
        match self.wire.receive(|| true) {
            Ok(ToWorker::Answer(answer)) => answer,
            _ => Err(gone()),
        }
    }

    /// Copies a batch to where the host finds it.
    fn hand_over(&self, batch: &Batch) -> Result<FlatBatch, Error> {
        let flat = FlatBatch::of_batch(batch)?;
        if flat.bytes() > self.memory.len() as u64 {
            let (bytes, most) = (flat.bytes(), self.memory.len() / 1_000_000);
            return Err(Error::bug(
                "worker.memory",
                format!(
                    "a batch of {bytes} bytes is more than the {most} MB that can be handed over; make smaller ones"
                ),
            ));
        }
        flat.copy_buffers(batch, |place, bytes| {
            // SAFETY: as in `ask`: the host looks once the call has ended.
            unsafe { self.memory.write(place as usize, bytes) };
        });
        Ok(flat)
    }
}

fn gone() -> Error {
    Error::bug("worker.host", "the host does not answer any more")
}

/// Asks the host for a service on this thread's lane, or else on the one beside.
pub(super) fn ask(ask: Ask, handed: &[u8]) -> Result<Answer, Error> {
    MINE.with_borrow_mut(|mine| match mine {
        Some(lane) => lane.ask(ask, handed),
        None => lock(SIDE.get().ok_or_else(gone)?).ask(ask, handed),
    })
}

/// Some memory that the host lends, until nobody reads it any more.
pub(super) struct Borrowed {
    lent: Arc<Shared>,
    piece: Piece,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        lock(&RELEASED).push(self.piece.place);
    }
}

impl Borrowed {
    /// Its bytes: either where they lie, or copied when the host is short of memory; and what keeps them alive.
    pub(super) fn take(
        lent: &Arc<Shared>,
        piece: Piece,
    ) -> Option<(*const u8, usize, Arc<dyn std::any::Any + Send + Sync>)> {
        let (place, len) = (piece.place as usize, piece.len as usize);
        let first = lent.at(place, len)?.cast_const();
        let borrowed = Self { lent: Arc::clone(lent), piece };
        if !piece.copy {
            return Some((first, len, Arc::new(borrowed)));
        }
        let mut copy = arrow_buffer::MutableBuffer::from_len_zeroed(len);
        borrowed.lent.copy(place, copy.as_slice_mut())?;
        Some((copy.as_ptr(), len, Arc::new(copy)))
    }
}

/// Works on the host's calls until it is gone.
pub(super) fn serve(worker: &Worker, lane: Lane) {
    MINE.set(Some(lane));
    while let Ok(ToWorker::Call(call)) = with(|lane| lane.wire.receive(|| true)) {
        let outcome = worker.work(call);
        if with(|lane| lane.answer(outcome)).is_err() {
            return;
        }
    }
}

fn with<T>(work: impl FnOnce(&mut Lane) -> Result<T, Broken>) -> Result<T, Broken> {
    MINE.with_borrow_mut(|mine| mine.as_mut().map_or(Err(Broken::Closed), work))
}

impl Worker {
    fn work(&self, call: Call) -> Outcome {
        let mut report = Report::default();
        let result = self.value(call, &mut report);
        Outcome { result: Some(result), report }
    }

    fn value(&self, call: Call, report: &mut Report) -> Result<Value, Error> {
        use Table::{Login, Sink, Source, Stream, Transform};
        match call {
            Call::Open { kind, component, options } => self.open(kind, &component, &options),
            Call::OpenLogin { options } => self.open_login(&options),
            Call::Close { of } => {
                self.instances.close(of);
                Ok(Value::Nothing)
            }
            Call::OpenSplit { of, split, checkpoint } => {
                let Opened { this, table: Source(table) } = self.instances.get(of)? else { return other() };
                let stream =
                    (table.open_split)(this, &split, RSlice::from_slice(&checkpoint)).into_result()?;
                let table = Stream(found(stream.table)?);
                Ok(Value::Opened(self.instances.add(Opened { this: stream.this, table })))
            }
            Call::Check { of, request } => {
                let request = request.as_str().into();
                match self.instances.get(of)? {
                    Opened { this, table: Source(table) } => text((table.check)(this, request).into_result()),
                    Opened { this, table: Transform(table) } => {
                        text((table.check)(this, request).into_result())
                    }
                    Opened { this, table: Sink(table) } => text((table.check)(this, request).into_result()),
                    _ => other(),
                }
            }
            Call::Catalog { of, request } => match self.instances.get(of)? {
                Opened { this, table: Source(table) } => {
                    text((table.catalog)(this, request.as_str().into()).into_result())
                }
                _ => other(),
            },
            Call::Plan { of, request } => match self.instances.get(of)? {
                Opened { this, table: Source(table) } => {
                    let splits = (table.plan)(this, RStr::from(request.as_str())).into_result()?;
                    Ok(Value::Splits(splits.into()))
                }
                _ => other(),
            },
            Call::Next { of } => match self.instances.get(of)? {
                Opened { this, table: Stream(table) } => {
                    let mut batch = Batch::empty();
                    let status = (table.next)(this, &mut batch, report).into_result()?;
                    filled(status, &batch)
                }
                _ => other(),
            },
            Call::OutputSchema { of, schema } => match self.instances.get(of)? {
                Opened { this, table: Transform(table) } => {
                    let mut output = ArrowSchema::empty();
                    (table.output_schema)(this, &schema.schema()?, &mut output).into_result()?;
                    Ok(Value::Schema(FlatBatch::of_schema(&output)))
                }
                _ => other(),
            },
            Call::Apply { of, batch } => match self.instances.get(of)? {
                Opened { this, table: Transform(table) } => {
                    let (mut input, mut output) = (self.batch(batch)?, Batch::empty());
                    let status = (table.apply)(this, &mut input, &mut output, report).into_result()?;
                    filled(status, &output)
                }
                _ => other(),
            },
            Call::Flush { of } => match self.instances.get(of)? {
                Opened { this, table: Transform(table) } => {
                    let mut output = Batch::empty();
                    let status = (table.flush)(this, &mut output, report).into_result()?;
                    filled(status, &output)
                }
                Opened { this, table: Sink(table) } => nothing((table.flush)(this, report).into_result()),
                _ => other(),
            },
            Call::Begin { of, schema } => match self.instances.get(of)? {
                Opened { this, table: Sink(table) } => {
                    nothing((table.begin)(this, &schema.schema()?).into_result())
                }
                _ => other(),
            },
            Call::Write { of, batch } => match self.instances.get(of)? {
                Opened { this, table: Sink(table) } => {
                    let mut batch = self.batch(batch)?;
                    nothing((table.write)(this, &mut batch, report).into_result())
                }
                _ => other(),
            },
            Call::Finish { of, request } => match self.instances.get(of)? {
                Opened { this, table: Sink(table) } => {
                    text((table.finish)(this, request.as_str().into(), report).into_result())
                }
                _ => other(),
            },
            Call::BeginLogin { of } => match self.instances.get(of)? {
                Opened { this, table: Login(table) } => text((table.begin)(this).into_result()),
                _ => other(),
            },
            Call::PollLogin { of } => match self.instances.get(of)? {
                Opened { this, table: Login(table) } => text((table.poll)(this).into_result()),
                _ => other(),
            },
            Call::ExportLogin { of } => match self.instances.get(of)? {
                Opened { this, table: Login(table) } => text((table.export)(this).into_result()),
                _ => other(),
            },
        }
    }

    fn open(&self, kind: u32, component: &str, options: &str) -> Result<Value, Error> {
        let services = services(&self.lent)?;
        let opened = (self.module.open())(Kind(kind), component.into(), options.into(), services.table());
        // What the table points at lives as long as the process, which is its one instance's.
        std::mem::forget(services);
        let Instance { this, source, transform, sink } = opened.into_result()?;
        let table = match Kind(kind) {
            Kind::SOURCE => Table::Source(found(source)?),
            Kind::TRANSFORM => Table::Transform(found(transform)?),
            _ => Table::Sink(found(sink)?),
        };
        Ok(Value::Opened(self.instances.add(Opened { this, table })))
    }

    fn open_login(&self, options: &str) -> Result<Value, Error> {
        let extension: Option<Extension> = (self.module.get_extension())(LOGIN.into()).into_option();
        let Some(extension) = extension else { return Ok(Value::None) };
        let table: &'static LoginTable = extension.get(LOGIN)?;
        let services = services(&self.lent)?;
        let handle = (table.open)(options.into(), services.table());
        std::mem::forget(services);
        let opened = Opened { this: handle.into_result()?.this, table: Table::Login(table) };
        Ok(Value::Opened(self.instances.add(opened)))
    }

    /// A batch that the host lends, as the boundary has it.
    fn batch(&self, Lent { batch, piece }: Lent) -> Result<Batch, Error> {
        let (first, len, owner) = Borrowed::take(&self.lent, piece).ok_or_else(gone)?;
        // SAFETY: the host writes a piece only before it is lent and after it came back, which is when `owner` is dropped.
        unsafe { batch.batch(first, len, owner) }
    }
}

fn other() -> Result<Value, Error> {
    Err(Error::bug("worker.handle", "the handle is of another role"))
}

fn found<T>(table: *const T) -> Result<&'static T, Error> {
    // SAFETY: tables of a loaded plugin are static, and their layout was checked with the root module's; null is none.
    unsafe { table.as_ref() }.ok_or_else(|| {
        Error::bug("plugin.table", "it opened a component of another role; rebuild the plugin")
    })
}

fn text(text: Result<RString, Error>) -> Result<Value, Error> {
    Ok(Value::Text(text?.into()))
}

fn nothing(result: Result<(), Error>) -> Result<Value, Error> {
    result.map(|()| Value::Nothing)
}

fn filled(status: Status, batch: &Batch) -> Result<Value, Error> {
    let flat = match status {
        Status::OK => {
            let flat = MINE.with_borrow(|mine| mine.as_ref().map(|lane| lane.hand_over(batch)));
            Some(flat.unwrap_or_else(|| Err(gone()))?)
        }
        _ => None,
    };
    Ok(Value::Status(status.0, flat))
}
