//! The tables of a plugin that runs in a worker: the same functions, which send what they are given to the worker and fill in
//! what it answers. Whoever drives a plugin cannot tell the difference.

use std::{
    any::Any,
    ffi::c_void,
    fmt::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use arrow_buffer::MutableBuffer;
use usher_abi::{
    ArrowSchema, Batch, Error, HostTable, Instance, Kind, LoginHandle, LoginTable, RResult, RSlice, RStr,
    RString, RVec, Report, SinkTable, SourceTable, Split, Status, StreamHandle, StreamTable, TransformTable,
    export::panic_message,
};

use super::{
    flat::FlatBatch,
    process::Worker,
    protocol::{Call, Lent, Outcome, Value},
    serving::short,
};
use crate::services::private::lock;

/// What a handle points at: an instance, a stream or a login in a worker.
struct Remote {
    worker: Arc<Worker>,
    id: u32,
    progress: Mutex<Progress>,
    /// Set for a stream with its source's, too.
    cancelled: Cancelled,
}

/// Whether an instance was cancelled, or what it came from.
#[derive(Clone, Debug, Default)]
pub(super) struct Cancelled {
    own: Arc<AtomicBool>,
    of_source: Option<Arc<AtomicBool>>,
}

impl Cancelled {
    fn below(&self) -> Self {
        Self { own: Arc::default(), of_source: Some(self.own.clone()) }
    }

    pub(super) fn is(&self) -> bool {
        let set = |flag: &Arc<AtomicBool>| flag.load(Ordering::Acquire);
        set(&self.own) || self.of_source.as_ref().is_some_and(set)
    }
}

/// How far it is, for messages.
#[derive(Clone, Debug, Default)]
struct Progress {
    batches: u64,
    rows: u64,
    split: Option<Split>,
}

impl Drop for Remote {
    fn drop(&mut self) {
        // A worker that is dead has nothing left to close.
        let _ = self.call(Call::Close { of: self.id });
        self.worker.closed();
    }
}

/// Opens an instance in a worker, which is for this one alone.
pub(super) fn open(
    worker: &Arc<Worker>,
    kind: Kind,
    component: &str,
    options: &str,
    host: HostTable,
) -> Result<Instance, Error> {
    worker.serve(host);
    let call = Call::Open { kind: kind.0, component: component.to_owned(), options: options.to_owned() };
    let this = Remote::open(worker, call, None, Cancelled::default())?;
    let mut instance = Instance { this, source: ptr::null(), transform: ptr::null(), sink: ptr::null() };
    match kind {
        Kind::SOURCE => instance.source = &SOURCE,
        Kind::TRANSFORM => instance.transform = &TRANSFORM,
        _ => instance.sink = &SINK,
    }
    Ok(instance)
}

/// Opens a login in a worker, which is for this one alone; `None`: its plugin has none.
pub(super) fn open_login(
    worker: &Arc<Worker>,
    options: &str,
    host: HostTable,
) -> Result<Option<(LoginHandle, &'static LoginTable)>, Error> {
    worker.serve(host);
    let this =
        Remote::open(worker, Call::OpenLogin { options: options.to_owned() }, None, Cancelled::default())?;
    Ok((!this.is_null()).then_some((LoginHandle { this }, const { &LOGIN })))
}

impl Remote {
    /// A handle of what a call opens; null if there is none.
    fn open(
        worker: &Arc<Worker>,
        call: Call,
        split: Option<Split>,
        cancelled: Cancelled,
    ) -> Result<*mut c_void, Error> {
        let of_instance = split.is_none();
        // Only a login may not be there: a null handle of anything else would be used.
        let may_be_none = matches!(call, Call::OpenLogin { .. });
        let opened = worker.call(call, &cancelled, &String::new).and_then(|(outcome, _)| value(outcome));
        let id = match opened {
            Ok(Value::Opened(id)) => id,
            other => {
                if of_instance {
                    worker.shut();
                }
                return match other {
                    Ok(Value::None) if may_be_none => Ok(ptr::null_mut()),
                    Ok(_) => Err(unexpected()),
                    Err(error) => Err(error),
                };
            }
        };
        worker.opened();
        let progress = Mutex::new(Progress { split, ..Progress::default() });
        Ok(Box::into_raw(Box::new(Self { worker: worker.clone(), id, progress, cancelled })).cast())
    }

    /// The word that it was cancelled may still be on its way; what was asked later must not overtake it.
    fn go_on(&self) -> Result<(), Error> {
        if self.cancelled.is() { Err(Error::cancelled()) } else { Ok(()) }
    }

    fn call(&self, call: Call) -> Result<(Outcome, Option<MutableBuffer>), Error> {
        if !matches!(call, Call::Close { .. }) {
            self.go_on()?;
        }
        let rows = match &call {
            Call::Write { batch, .. } | Call::Apply { batch, .. } => Some(batch.batch.rows()),
            _ => None,
        };
        let place = || {
            let Progress { batches, rows: before, split } = lock(&self.progress).clone();
            let mut text = match rows {
                Some(0) => format!("batch {}, which has no rows", batches + 1),
                Some(rows) => format!(
                    "batch {}, its rows {} to {}",
                    batches + 1,
                    before + 1,
                    before.saturating_add(rows)
                ),
                None if split.is_some() => format!("batch {}, from its row {} on", batches + 1, before + 1),
                None if batches > 0 => format!("after batch {batches}, {before} rows"),
                None => String::new(),
            };
            if let Some(Split { input, start, end, .. }) = split {
                let _ = match end {
                    u64::MAX => write!(text, ", in input {input} from byte {start} on"),
                    end => write!(text, ", in bytes {start} to {end} of input {input}"),
                };
            }
            text
        };
        self.worker.call(call, &self.cancelled, &place)
    }

    /// The value, and the report merged into `report`: it is read although the call failed.
    fn report(&self, call: Call, report: &mut Report) -> Result<(Value, Option<MutableBuffer>), Error> {
        let (mut outcome, bytes) = self.call(call)?;
        report.merge(std::mem::take(&mut outcome.report));
        Ok((value(outcome)?, bytes))
    }

    fn text(&self, call: Call) -> Result<RString, Error> {
        match value(self.call(call)?.0)? {
            Value::Text(text) => Ok(text.into()),
            _ => Err(unexpected()),
        }
    }

    fn nothing(&self, call: Call) -> Result<(), Error> {
        value(self.call(call)?.0).map(drop)
    }

    /// A status, and the batch if there is one.
    fn filled(&self, call: Call, batch: &mut Batch, report: &mut Report) -> Result<Status, Error> {
        let (Value::Status(status, flat), bytes) = self.report(call, report)? else {
            return Err(unexpected());
        };
        let Some(flat) = flat else {
            // Whoever is told that there is a batch would use it.
            return if Status(status) == Status::OK { Err(unexpected()) } else { Ok(Status(status)) };
        };
        let bytes: Arc<dyn Any + Send + Sync> = Arc::new(bytes.unwrap_or_default());
        let (first, len) = match bytes.downcast_ref::<MutableBuffer>() {
            Some(bytes) => (bytes.as_ptr(), bytes.len()),
            None => (ptr::null(), 0),
        };
        // SAFETY: the bytes were copied into memory of this process, which nobody writes any more.
        *batch = unsafe { flat.batch(first, len, bytes) }?;
        Ok(Status(status))
    }

    /// Puts a batch where the worker reads it. What it was given is released here: it was copied.
    fn lend(&self, batch: &mut Batch) -> Result<Lent, Error> {
        let batch = std::mem::take(batch);
        let flat = FlatBatch::of_batch(&batch)?;
        let piece = self.worker.lender.lend(flat.bytes(), |put| flat.copy_buffers(&batch, put));
        let piece = piece.ok_or_else(|| short(flat.bytes()))?;
        Ok(Lent { batch: flat, piece })
    }

    /// A batch more has been worked on.
    fn went_on(&self, rows: u64) {
        let mut progress = lock(&self.progress);
        progress.batches += 1;
        progress.rows = progress.rows.saturating_add(rows);
    }
}

fn value(outcome: Outcome) -> Result<Value, Error> {
    outcome.result.unwrap_or_else(|| Err(unexpected()))
}

fn unexpected() -> Error {
    Error::bug("worker.garbled", "its process sent an answer to another question")
}

/// What a handle points at.
///
/// # Safety
///
/// It came from [`Remote::open`] and was not closed.
unsafe fn remote<'a>(this: *mut c_void) -> &'a Remote {
    // SAFETY: by the contract above; only shared references are made of it.
    unsafe { &*this.cast::<Remote>() }
}

/// A panic of the host's own must not cross, or it would end the process.
fn guarded<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(Error::bug("host.panic", format!("the host panicked: {}", panic_message(&*panic))))
    })
}

/// A function of a table: its handle is one of those above, as whoever calls it must see to.
macro_rules! relayed {
    ($(fn $name:ident($this:ident $(, $argument:ident: $type:ty)*) -> $answer:ty $body:block)*) => {
        $(extern "C" fn $name(this: *mut c_void $(, $argument: $type)*) -> RResult<$answer, Error> {
            // SAFETY: the tables' contract: a handle that was opened and is not closed.
            let $this = unsafe { remote(this) };
            guarded(|| $body).into()
        })*
    };
}

relayed! {
    fn check(it, request: RStr<'_>) -> RString {
        it.text(Call::Check { of: it.id, request: request.into() })
    }
    fn catalog(it, request: RStr<'_>) -> RString {
        it.text(Call::Catalog { of: it.id, request: request.into() })
    }
    fn plan(it, request: RStr<'_>) -> RVec<Split> {
        match value(it.call(Call::Plan { of: it.id, request: request.into() })?.0)? {
            Value::Splits(splits) => Ok(splits.into()),
            _ => Err(unexpected()),
        }
    }
    fn open_split(it, split: &Split, checkpoint: RSlice<'_, u8>) -> StreamHandle {
        let call = Call::OpenSplit { of: it.id, split: split.clone(), checkpoint: checkpoint.to_vec() };
        it.go_on()?;
        let this = Remote::open(&it.worker, call, Some(split.clone()), it.cancelled.below())?;
        Ok(StreamHandle { this, table: &STREAM })
    }
    fn next(it, batch: &mut Batch, report: &mut Report) -> Status {
        let status = it.filled(Call::Next { of: it.id }, batch, report)?;
        if status == Status::OK {
            it.went_on(u64::try_from(batch.array.length).unwrap_or(0));
        }
        Ok(status)
    }
    fn output_schema(it, input: &ArrowSchema, output: &mut ArrowSchema) -> () {
        let call = Call::OutputSchema { of: it.id, schema: FlatBatch::of_schema(input) };
        let Value::Schema(schema) = value(it.call(call)?.0)? else { return Err(unexpected()) };
        *output = schema.schema()?;
        Ok(())
    }
    fn apply(it, input: &mut Batch, output: &mut Batch, report: &mut Report) -> Status {
        let lent = it.lend(input)?;
        let rows = lent.batch.rows();
        let status = it.filled(Call::Apply { of: it.id, batch: lent }, output, report)?;
        it.went_on(rows);
        Ok(status)
    }
    fn flush_transform(it, output: &mut Batch, report: &mut Report) -> Status {
        it.filled(Call::Flush { of: it.id }, output, report)
    }
    fn begin(it, schema: &ArrowSchema) -> () {
        it.nothing(Call::Begin { of: it.id, schema: FlatBatch::of_schema(schema) })
    }
    fn write(it, batch: &mut Batch, report: &mut Report) -> () {
        let lent = it.lend(batch)?;
        let rows = lent.batch.rows();
        it.report(Call::Write { of: it.id, batch: lent }, report)?;
        it.went_on(rows);
        Ok(())
    }
    fn flush_sink(it, report: &mut Report) -> () {
        it.report(Call::Flush { of: it.id }, report).map(drop)
    }
    fn finish(it, request: RStr<'_>, report: &mut Report) -> RString {
        match it.report(Call::Finish { of: it.id, request: request.into() }, report)?.0 {
            Value::Text(text) => Ok(text.into()),
            _ => Err(unexpected()),
        }
    }
    fn begin_login(it) -> RString {
        it.text(Call::BeginLogin { of: it.id })
    }
    fn poll(it) -> RString {
        it.text(Call::PollLogin { of: it.id })
    }
    fn export(it) -> RString {
        it.text(Call::ExportLogin { of: it.id })
    }
}

extern "C" fn cancel(this: *mut c_void) {
    // SAFETY: as above.
    let it = unsafe { remote(this) };
    let _ = guarded(|| {
        it.cancelled.own.store(true, Ordering::Release);
        it.worker.cancel(it.id);
        Ok(())
    });
}

extern "C" fn close(this: *mut c_void) {
    // SAFETY: it came from `Box::into_raw` in `Remote::open`; nobody uses it after `close`, which is called once.
    let it = unsafe { Box::from_raw(this.cast::<Remote>()) };
    let _ = guarded(|| {
        drop(it);
        Ok(())
    });
}

static SOURCE: SourceTable = SourceTable { check, catalog, plan, open_split, cancel, close };
static STREAM: StreamTable = StreamTable { next, cancel, close };
static TRANSFORM: TransformTable =
    TransformTable { check, output_schema, apply, flush: flush_transform, cancel, close };
static SINK: SinkTable = SinkTable { check, begin, write, flush: flush_sink, finish, cancel, close };
/// All logins; this one's `open` is for nobody.
pub(super) const LOGIN: LoginTable =
    LoginTable { open: open_here, begin: begin_login, poll, export, cancel, close };

/// Logins are opened by [`open_login`]: this one's worker cannot be told from its arguments.
extern "C" fn open_here(_: RStr<'_>, _: HostTable) -> RResult<LoginHandle, Error> {
    RResult::RErr(Error::unsupported("worker.login", "this login is open already"))
}
