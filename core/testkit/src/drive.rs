//! The tables of a plugin behind safe calls: one struct a role, closed when dropped.
//!
//! Calls come one at a time per instance because they take `&mut self`; a [`Canceller`] works from any thread. This
//! is the one file of the crate with `unsafe`.

use std::{ffi::c_void, sync::Arc};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use usher_abi::{
    ArrowSchema, Batch, Catalog, CheckRequest, Checked, Error, Instance, Kind, LOGIN, LoginProgress,
    LoginPrompt, LoginTable, ModuleRef, NOTHING_MORE, PlanRequest, Problem, RSlice, RStr, Receipt, Report,
    Services, SinkTable, SourceTable, Split, Status, StreamTable, TransformTable, export_batch,
    export_schema, import_batch, import_schema,
};

/// An open handle; closes itself before what it depends on.
struct Live {
    this: *mut c_void,
    close: extern "C" fn(*mut c_void),
    cancel: extern "C" fn(*mut c_void),
    /// A stream's source, which is to be closed after it.
    _parent: Option<Arc<Live>>,
    /// What the host's table points at.
    services: Arc<Services>,
}

// SAFETY: instances may move between threads between calls (the boundary's contract).
unsafe impl Send for Live {}
// SAFETY: through a shared `Live` only `cancel` is called, which is `[any thread]`.
unsafe impl Sync for Live {}

impl Drop for Live {
    fn drop(&mut self) {
        (self.close)(self.this);
    }
}

/// Cancels an instance or a stream, from any thread.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "an opaque handle")]
pub struct Canceller(Arc<Live>);

impl Canceller {
    /// Makes running and later calls answer `cancelled` soon.
    pub fn cancel(&self) {
        (self.0.cancel)(self.0.this);
    }
}

fn open(
    module: ModuleRef,
    kind: Kind,
    component: &str,
    options: &str,
    services: &Arc<Services>,
) -> Result<Instance, Error> {
    module.open()(kind, RStr::from(component), RStr::from(options), services.table()).into_result()
}

/// The table that an instance must have.
fn table<T>(pointer: *const T, role: &str) -> Result<&'static T, Error> {
    // SAFETY: an instance's tables live as long as the plugin, which is never unloaded; null is a `None`.
    unsafe { pointer.as_ref() }
        .ok_or_else(|| Error::bug("plugin.table", format!("`open` answered no table of a {role}")))
}

fn unreadable(entry: &str) -> impl FnOnce(serde_json::Error) -> Error {
    move |e| Error::bug("plugin.json", format!("`{entry}` answered unreadable JSON: {e}"))
}

fn to_json(request: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(request).map_err(|e| Error::bug("test.json", e.to_string()))
}

fn problems(json: &str) -> Result<Vec<Problem>, Error> {
    let checked: Checked = serde_json::from_str(json).map_err(unreadable("check"))?;
    Ok(checked.problems)
}

/// Rows as a producer filled them in.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The rows.
    pub batch: RecordBatch,
    /// The input that they come from.
    pub input: u32,
    /// The producer's checkpoint after them.
    pub checkpoint: Vec<u8>,
}

fn pulled(mut batch: Batch) -> Result<Pulled, Error> {
    let (input, checkpoint) = (batch.input, std::mem::take(&mut batch.checkpoint).into());
    Ok(Pulled { batch: import_batch(&mut batch)?, input, checkpoint })
}

/// An open source.
#[expect(missing_debug_implementations, reason = "an opaque handle")]
pub struct Source {
    live: Arc<Live>,
    table: &'static SourceTable,
}

impl Source {
    /// Opens a source; `options` is JSON text.
    pub fn open(
        module: ModuleRef,
        component: &str,
        options: &str,
        services: &Arc<Services>,
    ) -> Result<Self, Error> {
        let instance = open(module, Kind::SOURCE, component, options, services)?;
        let table = table(instance.source, "source")?;
        let (close, cancel) = (table.close, table.cancel);
        let live = Live { this: instance.this, close, cancel, _parent: None, services: services.clone() };
        Ok(Self { live: Arc::new(live), table })
    }

    /// What is wrong with the options.
    pub fn check(&mut self) -> Result<Vec<Problem>, Error> {
        problems(&(self.table.check)(self.live.this, NOTHING_MORE.into()).into_result()?)
    }

    /// The attributes of the input.
    pub fn catalog(&mut self) -> Result<Catalog, Error> {
        let json = (self.table.catalog)(self.live.this, NOTHING_MORE.into()).into_result()?;
        serde_json::from_str(&json).map_err(unreadable("catalog"))
    }

    /// Says which attributes are needed and asks for splits.
    pub fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
        let json = to_json(request)?;
        Ok((self.table.plan)(self.live.this, RStr::from(json.as_str())).into_result()?.into())
    }

    /// Opens a planned split, from its start or from a checkpoint.
    pub fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<Stream, Error> {
        let handle =
            (self.table.open_split)(self.live.this, split, RSlice::from_slice(checkpoint)).into_result()?;
        let table = table(handle.table, "stream")?;
        let live = Live {
            this: handle.this,
            close: table.close,
            cancel: table.cancel,
            _parent: Some(self.live.clone()),
            services: self.live.services.clone(),
        };
        Ok(Stream { live: Arc::new(live), table })
    }

    /// Cancels this source and its streams.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.live.clone())
    }
}

/// An open stream of a source; the source lives at least as long.
#[expect(missing_debug_implementations, reason = "an opaque handle")]
pub struct Stream {
    live: Arc<Live>,
    table: &'static StreamTable,
}

impl Stream {
    /// The next rows, or `None` at the end; what happened to records goes into `report`.
    pub fn next(&mut self, report: &mut Report) -> Result<Option<Pulled>, Error> {
        loop {
            let mut batch = Batch::empty();
            match (self.table.next)(self.live.this, &mut batch, report).into_result()? {
                Status::OK => return pulled(batch).map(Some),
                Status::END => return Ok(None),
                Status::AGAIN => {}
                other => {
                    return Err(Error::bug(
                        "plugin.status",
                        format!("`next` answered the unknown {other:?}"),
                    ));
                }
            }
        }
    }

    /// All rows that are left.
    pub fn drain(&mut self, report: &mut Report) -> Result<Vec<Pulled>, Error> {
        let mut all = Vec::new();
        loop {
            let mut fresh = Report::default();
            let pulled = self.next(&mut fresh)?;
            report.merge(fresh);
            match pulled {
                Some(pulled) => all.push(pulled),
                None => return Ok(all),
            }
        }
    }

    /// Cancels this stream.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.live.clone())
    }
}

/// An open sink.
#[expect(missing_debug_implementations, reason = "an opaque handle")]
pub struct Sink {
    live: Arc<Live>,
    table: &'static SinkTable,
}

impl Sink {
    /// Opens a sink; `options` is JSON text.
    pub fn open(
        module: ModuleRef,
        component: &str,
        options: &str,
        services: &Arc<Services>,
    ) -> Result<Self, Error> {
        let instance = open(module, Kind::SINK, component, options, services)?;
        let table = table(instance.sink, "sink")?;
        let (close, cancel) = (table.close, table.cancel);
        let live = Live { this: instance.this, close, cancel, _parent: None, services: services.clone() };
        Ok(Self { live: Arc::new(live), table })
    }

    /// What is wrong with the options and with the columns that are going to come.
    pub fn check(&mut self, columns: &[&str]) -> Result<Vec<Problem>, Error> {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        let json = to_json(&CheckRequest { columns })?;
        problems(&(self.table.check)(self.live.this, RStr::from(json.as_str())).into_result()?)
    }

    /// Says what the batches look like.
    pub fn begin(&mut self, schema: &Schema) -> Result<(), Error> {
        (self.table.begin)(self.live.this, &export_schema(schema)?).into_result()
    }

    /// Hands rows over.
    pub fn write(&mut self, batch: &RecordBatch, input: u32, report: &mut Report) -> Result<(), Error> {
        let mut batch = export_batch(batch, input, Vec::new())?;
        (self.table.write)(self.live.this, &mut batch, report).into_result()
    }

    /// Has everything buffered handed on.
    pub fn flush(&mut self, report: &mut Report) -> Result<(), Error> {
        (self.table.flush)(self.live.this, report).into_result()
    }

    /// Ends the work.
    pub fn finish(&mut self, report: &mut Report) -> Result<Receipt, Error> {
        let json = (self.table.finish)(self.live.this, NOTHING_MORE.into(), report).into_result()?;
        serde_json::from_str(&json).map_err(unreadable("finish"))
    }

    /// Cancels this sink.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.live.clone())
    }
}

/// So many times in a row a transform may hand on nothing at its end, as the host has it.
const MOST_IDLE: usize = 1_000;

/// An open transform.
#[expect(missing_debug_implementations, reason = "an opaque handle")]
pub struct Transform {
    live: Arc<Live>,
    table: &'static TransformTable,
    /// Rows that went in.
    given: usize,
}

impl Transform {
    /// Opens a transform; `options` is JSON text.
    pub fn open(
        module: ModuleRef,
        component: &str,
        options: &str,
        services: &Arc<Services>,
    ) -> Result<Self, Error> {
        let instance = open(module, Kind::TRANSFORM, component, options, services)?;
        let table = table(instance.transform, "transform")?;
        let (close, cancel) = (table.close, table.cancel);
        let live = Live { this: instance.this, close, cancel, _parent: None, services: services.clone() };
        Ok(Self { live: Arc::new(live), table, given: 0 })
    }

    /// What is wrong with the options.
    pub fn check(&mut self) -> Result<Vec<Problem>, Error> {
        problems(&(self.table.check)(self.live.this, NOTHING_MORE.into()).into_result()?)
    }

    /// The schema that comes out when this one goes in.
    pub fn output_schema(&mut self, input: &Schema) -> Result<SchemaRef, Error> {
        let mut output = ArrowSchema::empty();
        (self.table.output_schema)(self.live.this, &export_schema(input)?, &mut output).into_result()?;
        import_schema(&output)
    }

    /// One batch in; `None` when rows are held back.
    pub fn apply(
        &mut self,
        batch: &RecordBatch,
        input: u32,
        report: &mut Report,
    ) -> Result<Option<Pulled>, Error> {
        self.given += batch.num_rows();
        let mut batch = export_batch(batch, input, Vec::new())?;
        let mut out = Batch::empty();
        match (self.table.apply)(self.live.this, &mut batch, &mut out, report).into_result()? {
            Status::OK => pulled(out).map(Some),
            Status::AGAIN => Ok(None),
            other => Err(Error::bug("plugin.status", format!("`apply` answered the unexpected {other:?}"))),
        }
    }

    /// What was held back, or `None` at the end.
    pub fn flush(&mut self, report: &mut Report) -> Result<Option<Pulled>, Error> {
        loop {
            let mut out = Batch::empty();
            match (self.table.flush)(self.live.this, &mut out, report).into_result()? {
                Status::OK => return pulled(out).map(Some),
                Status::END => return Ok(None),
                Status::AGAIN => {}
                other => {
                    return Err(Error::bug(
                        "plugin.status",
                        format!("`flush` answered the unknown {other:?}"),
                    ));
                }
            }
        }
    }

    /// All that was held back. An end that does not come is an error.
    pub fn flush_all(&mut self, report: &mut Report) -> Result<Vec<Pulled>, Error> {
        let (mut held, mut rows, mut idle) = (Vec::new(), 0, 0);
        loop {
            let mut fresh = Report::default();
            let pulled = self.flush(&mut fresh)?;
            let told = fresh.rejects.len() + fresh.merged.len();
            report.merge(fresh);
            let Some(pulled) = pulled else { return Ok(held) };
            let more = pulled.batch.num_rows();
            rows += more;
            idle = if more + told == 0 { idle + 1 } else { 0 };
            if rows > self.given || idle == MOST_IDLE {
                let what = if idle == 0 { "more rows than went in" } else { "nothing, again and again" };
                return Err(Error::bug("plugin.flush", format!("`flush` does not end: it hands on {what}")));
            }
            held.push(pulled);
        }
    }

    /// Cancels this transform.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.live.clone())
    }
}

/// An open login.
#[expect(missing_debug_implementations, reason = "an opaque handle")]
pub struct Login {
    live: Arc<Live>,
    table: &'static LoginTable,
}

impl Login {
    /// Opens the login of a plugin that has one; `options` is JSON text.
    pub fn open(module: ModuleRef, options: &str, services: &Arc<Services>) -> Result<Self, Error> {
        let extension = module.get_extension()(RStr::from(LOGIN)).into_option();
        let extension = extension.ok_or_else(|| Error::bug("plugin.login", "this plugin has no login"))?;
        let table: &'static LoginTable = extension.get(LOGIN)?;
        let handle = (table.open)(RStr::from(options), services.table()).into_result()?;
        let (close, cancel) = (table.close, table.cancel);
        let live = Live { this: handle.this, close, cancel, _parent: None, services: services.clone() };
        Ok(Self { live: Arc::new(live), table })
    }

    /// Begins it.
    pub fn begin(&mut self) -> Result<LoginPrompt, Error> {
        let json = (self.table.begin)(self.live.this).into_result()?;
        serde_json::from_str(&json).map_err(unreadable("begin"))
    }

    /// Asks whether it is done.
    pub fn poll(&mut self) -> Result<LoginProgress, Error> {
        let json = (self.table.poll)(self.live.this).into_result()?;
        serde_json::from_str(&json).map_err(unreadable("poll"))
    }

    /// The secret for another machine.
    pub fn export(&mut self) -> Result<String, Error> {
        Ok((self.table.export)(self.live.this).into_result()?.into())
    }
}
