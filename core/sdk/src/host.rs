//! The host, as a connector sees it.

mod http;

use std::{
    ffi::c_void,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use usher_abi::{
    Error, HostTable, LogLevel, RSlice, RSliceMut, RStr,
    service::{
        CLOCK, ClockTable, HTTP, INPUT, InputFile, InputTable, LEDGER, LedgerTable, OUTPUT, OutputTable,
        PartFormat, STATE, Slab, StateTable,
    },
};

use crate::guard;

pub use http::{Http, Multipart, PendingReply, Reply, RequestBuilder};

/// Log, metrics, cancellation and the services. Cheap to clone; usable from any thread until the connector
/// is closed.
///
/// The services that are there are those that the plugin's [`export!`](crate::export) lists in `wants`; asking for another
/// is an error with the code `service.absent`. A test kit's host may have all of them.
#[derive(Clone, Debug)]
pub struct Host {
    table: HostTable,
    cancelled: Arc<AtomicBool>,
}

impl Host {
    /// For the SDK's own entries and for test kits.
    #[doc(hidden)]
    pub fn new(table: HostTable, cancelled: Arc<AtomicBool>) -> Self {
        Self { table, cancelled }
    }

    pub(crate) fn cancelled_flag(&self) -> Arc<AtomicBool> {
        self.cancelled.clone()
    }

    /// A log line; normal operation emits none.
    pub fn log(&self, level: LogLevel, message: &str) {
        (self.table.log)(self.table.context, level, RStr::from(""), RStr::from(message));
    }

    /// Something that a person should know.
    pub fn warn(&self, message: &str) {
        self.log(LogLevel::WARN, message);
    }

    /// Adds to a counter of the run.
    pub fn metric(&self, name: &str, amount: i64) {
        (self.table.metric)(self.table.context, RStr::from(name), amount);
    }

    /// Whether to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
            || guard::is_cancelled()
            || (self.table.is_cancelled)(self.table.context)
    }

    /// An error of class `cancelled` when the run should stop: `host.stop_if_cancelled()?`.
    pub fn stop_if_cancelled(&self) -> Result<(), Error> {
        if self.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// The table of a service by its id, for one that has no method here. An error with the code `service.absent` when
    /// this host does not have it: whoever can do without goes on without.
    pub fn extension<T: usher_abi::export::StableAbi + Sync>(&self, id: &str) -> Result<&'static T, Error> {
        (self.table.get_extension)(self.table.context, RStr::from(id))
            .into_option()
            .ok_or_else(|| absent(id))?
            .get(id)
    }

    /// Files to read.
    pub fn input(&self) -> Result<Input, Error> {
        Ok(Input { table: self.extension(INPUT)?, context: Context(self.table.context) })
    }

    /// Files to write.
    pub fn output(&self) -> Result<Output, Error> {
        Ok(Output { table: self.extension(OUTPUT)?, context: Context(self.table.context) })
    }

    /// Time.
    pub fn clock(&self) -> Result<Clock, Error> {
        Ok(Clock { table: self.extension(CLOCK)?, context: Context(self.table.context) })
    }

    /// Durable values.
    pub fn state(&self) -> Result<State, Error> {
        Ok(State { table: self.extension(STATE)?, context: Context(self.table.context) })
    }

    /// Units sent in an unfinished run.
    pub fn ledger(&self) -> Result<Ledger, Error> {
        Ok(Ledger { table: self.extension(LEDGER)?, context: Context(self.table.context) })
    }

    /// Requests over the network.
    pub fn http(&self) -> Result<Http, Error> {
        Ok(Http::new(self.extension(HTTP)?, Context(self.table.context)))
    }
}

fn absent(id: &str) -> Error {
    let name = id.trim_start_matches("usher.").split('/').next().unwrap_or(id);
    Error::unsupported(
        "service.absent",
        format!(
            "the service `{id}` is not there; a plugin gets those that its `export!` lists (`wants = [\"{name}\", …]`), and \
             only sinks an output"
        ),
    )
}

/// The host's context pointer, which the boundary allows to be used from any thread.
#[derive(Clone, Copy, Debug)]
struct Context(*const c_void);
// SAFETY: every host function is `[any thread]`.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

/// `usher.input/1`: files to read, as slabs of bytes.
///
/// ```
/// # fn main() -> Result<(), usher_sdk::abi::Error> {
/// # let memory = usher_testkit::MemoryHost::new().with_input("users.csv", "email\nada@example.com\n");
/// # let services = memory.services();
/// # let host = usher_sdk::Host::new(services.table(), Default::default());
/// let input = host.input()?;
/// let mut bytes = 0;
/// for file in input.open("users.csv")? {
///     let mut reader = input.read(file.id, 0, u64::MAX)?;
///     while let Some(slab) = reader.next_slab()? {
///         bytes += slab.bytes().len();
///     }
/// }
/// assert_eq!(bytes, 22);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Input {
    table: &'static InputTable,
    context: Context,
}

impl Input {
    /// The inputs behind a path, a glob or `-` that stands in the connector's options, in reading order.
    pub fn open(&self, spec: &str) -> Result<Vec<InputFile>, Error> {
        Ok((self.table.open)(self.context.0, RStr::from(spec)).into_result()?.into())
    }

    /// A reader over the bytes `start..end` of an input (`u64::MAX`: to the end).
    pub fn read(&self, input: u32, start: u64, end: u64) -> Result<Reader, Error> {
        let id = (self.table.reader)(self.context.0, input, start, end).into_result()?;
        Ok(Reader { input: self.clone(), file: input, id })
    }
}

/// Bytes of an input, slab by slab.
#[derive(Debug)]
pub struct Reader {
    input: Input,
    file: u32,
    id: u64,
}

impl Reader {
    /// The next bytes, never empty; `None` at the end.
    pub fn next_slab(&mut self) -> Result<Option<Slab>, Error> {
        Ok((self.input.table.next)(self.input.context.0, self.id).into_result()?.into_option())
    }

    /// Another reader over the whole of the same input.
    pub fn again(&self) -> Result<Self, Error> {
        self.input.read(self.file, 0, u64::MAX)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        (self.input.table.close)(self.input.context.0, self.id);
    }
}

/// `usher.output/1`: files to write. The host names them, counts their records and makes them durable.
///
/// ```
/// # fn main() -> Result<(), usher_sdk::abi::Error> {
/// # let memory = usher_testkit::MemoryHost::new();
/// # let services = memory.services();
/// # let host = usher_sdk::Host::new(services.table(), Default::default());
/// use usher_sdk::abi::service::PartFormat;
///
/// let mut part = host.output()?.create("users", "csv", &PartFormat::csv(b',', true))?;
/// part.write(b"email\nada@example.com\n")?;
/// let name = part.finish(1)?; // records, the header not counted
/// assert!(name.ends_with("users-0001.csv"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Output {
    table: &'static OutputTable,
    context: Context,
}

impl Output {
    /// Begins a part; see [`usher_abi::service::OutputTable::create`].
    pub fn create(&self, stem: &str, extension: &str, format: &PartFormat) -> Result<PartHandle, Error> {
        let id = (self.table.create)(self.context.0, RStr::from(stem), RStr::from(extension), format)
            .into_result()?;
        Ok(PartHandle { output: self.clone(), id })
    }
}

/// A part that is being written. Dropped without [`finish`](Self::finish) it stays unfinished and is thrown away with
/// the run.
#[derive(Debug)]
pub struct PartHandle {
    output: Output,
    id: u64,
}

impl PartHandle {
    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        (self.output.table.write)(self.output.context.0, self.id, RSlice::from_slice(bytes)).into_result()
    }

    /// Reads back bytes written before; answers how many, 0 at the end.
    pub fn read_back(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        (self.output.table.read_back)(self.output.context.0, self.id, offset, RSliceMut::from_mut_slice(into))
            .into_result()
    }

    /// Ends the part, which holds `records` records (header not counted); answers its name.
    pub fn finish(self, records: u64) -> Result<String, Error> {
        Ok((self.output.table.finish)(self.output.context.0, self.id, records).into_result()?.into())
    }

    /// Throws the part away.
    pub fn discard(self) -> Result<(), Error> {
        (self.output.table.discard)(self.output.context.0, self.id).into_result()
    }
}

/// `usher.clock/1`: time, which tests can set.
///
/// ```
/// # fn main() -> Result<(), usher_sdk::abi::Error> {
/// # let memory = usher_testkit::MemoryHost::new();
/// # let services = memory.services();
/// # let host = usher_sdk::Host::new(services.table(), Default::default());
/// let clock = host.clock()?;
/// let before = clock.now_ms();
/// clock.sleep_ms(250)?; // ends early, with an error, when the run is cancelled
/// assert_eq!(clock.now_ms() - before, 250);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    table: &'static ClockTable,
    context: Context,
}

impl Clock {
    /// Milliseconds since the Unix epoch, UTC.
    pub fn now_ms(&self) -> u64 {
        (self.table.now_ms)(self.context.0)
    }

    /// Waits; an error of class `cancelled` when the run is cancelled meanwhile.
    pub fn sleep_ms(&self, ms: u64) -> Result<(), Error> {
        (self.table.sleep_ms)(self.context.0, ms).into_result()
    }
}

/// `usher.state/1`: values of this connector that outlive a run.
///
/// ```
/// # fn main() -> Result<(), usher_sdk::abi::Error> {
/// # let memory = usher_testkit::MemoryHost::new();
/// # let services = memory.services();
/// # let host = usher_sdk::Host::new(services.table(), Default::default());
/// let state = host.state()?;
/// state.put("cursor", b"2024-03-01")?;
/// assert_eq!(state.get("cursor")?.as_deref(), Some(&b"2024-03-01"[..]));
/// state.delete("cursor")?;
/// assert_eq!(state.get("cursor")?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct State {
    table: &'static StateTable,
    context: Context,
}

impl State {
    /// The value under a key of this connector.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok((self.table.get)(self.context.0, RStr::from(key)).into_result()?.into_option().map(Into::into))
    }

    /// Stores a value; on disk when it returns.
    pub fn put(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        (self.table.put)(self.context.0, RStr::from(key), RSlice::from_slice(value)).into_result()
    }

    /// Removes a key.
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        (self.table.delete)(self.context.0, RStr::from(key)).into_result()
    }
}

/// `usher.ledger/1`: what an unfinished run has already sent, so that it is not sent twice.
///
/// ```
/// # fn main() -> Result<(), usher_sdk::abi::Error> {
/// # let memory = usher_testkit::MemoryHost::new();
/// # let services = memory.services();
/// # let host = usher_sdk::Host::new(services.table(), Default::default());
/// let ledger = host.ledger()?;
/// let unit = b"hash of the unit's content";
/// if ledger.find("account", unit)?.is_none() {
///     // ... send it, then:
///     ledger.note("account", unit, b"id 17")?;
/// }
/// assert!(ledger.find("account", unit)?.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Ledger {
    table: &'static LedgerTable,
    context: Context,
}

impl Ledger {
    /// What an earlier attempt of this run noted for a unit.
    pub fn find(&self, account: &str, unit: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let found =
            (self.table.find)(self.context.0, RStr::from(account), RSlice::from_slice(unit)).into_result()?;
        Ok(found.into_option().map(Into::into))
    }

    /// Notes a unit; on disk when it returns.
    pub fn note(&self, account: &str, unit: &[u8], outcome: &[u8]) -> Result<(), Error> {
        let (unit, outcome) = (RSlice::from_slice(unit), RSlice::from_slice(outcome));
        (self.table.note)(self.context.0, RStr::from(account), unit, outcome).into_result()
    }
}
