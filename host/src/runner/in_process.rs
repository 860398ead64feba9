//! A plugin in the host's own process: its tables, called directly.

use std::{ffi::c_void, sync::Arc};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde::{Serialize, de::DeserializeOwned};
use usher_abi::{
    ArrowSchema, Batch, Catalog, CheckRequest, Checked, Error, ErrorClass, Instance, NOTHING_MORE,
    PlanRequest, Problem, RSlice, RStr, RString, Receipt, Report, Role, Services, SinkTable, SourceTable,
    Split, Status, StreamHandle, StreamTable, TransformTable, export_batch, export_schema, import_batch,
    import_schema,
};

use super::{Cancel, Sink, Source, Stream, Transform};
use crate::plugins::Plugin;

/// A handle that closes its instance when the last user is gone, be it the component or one of its cancellers.
struct Handle<T: 'static> {
    this: *mut c_void,
    table: &'static T,
    close: extern "C" fn(*mut c_void),
    label: String,
    /// The instance's services live as long as the instance.
    services: Option<Arc<Services>>,
}

// SAFETY: instances may move between threads; only `cancel`, which is `[any thread]`, is called through a shared
// reference (see `canceller`), everything else through the one component that owns the handle.
unsafe impl<T> Send for Handle<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Handle<T> {}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        (self.close)(self.this);
    }
}

impl<T> Handle<T> {
    /// Adds plugin and version to what it answers. That it was cancelled is believed only when the run was: nobody else
    /// cancels an instance, and a chain that nobody interrupted must not end as if somebody had.
    fn blame<R>(&self, result: Result<R, Error>) -> Result<R, Error> {
        let is_cancelled = || self.services.as_ref().is_some_and(|services| services.log.is_cancelled());
        result.map_err(|mut error| {
            if error.class == ErrorClass::CANCELLED && !is_cancelled() {
                let message = format!("it says that it was cancelled, which nobody did ({})", error.message);
                error = Error { context: error.context, ..Error::bug("plugin.cancelled", message) };
            }
            error.context(self.label.clone())
        })
    }

    fn json<R: DeserializeOwned>(&self, text: Result<RString, Error>) -> Result<R, Error> {
        let text = self.blame(text)?;
        let parsed = serde_json::from_str(text.as_str()).map_err(|e| {
            Error::bug("plugin.json", format!("it answered unreadable JSON ({e}); rebuild the plugin"))
        });
        self.blame(parsed)
    }
}

fn canceller<T: Sync>(handle: &Arc<Handle<T>>, cancel: extern "C" fn(*mut c_void)) -> Cancel {
    // Weak: a way to stop an instance must not keep it open.
    let handle = Arc::downgrade(handle);
    Arc::new(move || {
        if let Some(handle) = handle.upgrade() {
            cancel(handle.this);
        }
    })
}

fn open<T: 'static>(
    plugin: &Plugin,
    role: Role,
    component: &str,
    options: &str,
    services: Arc<Services>,
    table: impl Fn(&Instance) -> *const T,
    close: impl Fn(&'static T) -> extern "C" fn(*mut c_void),
) -> Result<Arc<Handle<T>>, Error> {
    let label = plugin.label();
    let instance =
        plugin.open(role, component, options, services.table()).map_err(|e| e.context(label.clone()))?;
    // SAFETY: the tables of a loaded plugin are static (it is never unloaded), and their layout was checked with the
    // root module's.
    let table = unsafe { table(&instance).as_ref() }.ok_or_else(|| {
        Error::bug("plugin.table", "it opened a component of another role; rebuild the plugin")
            .context(label.clone())
    })?;
    Ok(Arc::new(Handle { this: instance.this, table, close: close(table), label, services: Some(services) }))
}

/// Opens a source of a loaded plugin.
pub fn open_source(
    plugin: &Plugin,
    component: &str,
    options: &str,
    services: Arc<Services>,
) -> Result<Box<dyn Source>, Error> {
    let handle =
        open(plugin, Role::Source, component, options, services, |i| i.source, |t: &SourceTable| t.close)?;
    Ok(Box::new(InProcessSource(handle)))
}

/// Opens a transform of a loaded plugin.
pub fn open_transform(
    plugin: &Plugin,
    component: &str,
    options: &str,
    services: Arc<Services>,
) -> Result<Box<dyn Transform>, Error> {
    let handle = open(
        plugin,
        Role::Transform,
        component,
        options,
        services,
        |i| i.transform,
        |t: &TransformTable| t.close,
    )?;
    Ok(Box::new(InProcessTransform(handle)))
}

/// Opens a sink of a loaded plugin.
pub fn open_sink(
    plugin: &Plugin,
    component: &str,
    options: &str,
    services: Arc<Services>,
) -> Result<Box<dyn Sink>, Error> {
    let handle = open(plugin, Role::Sink, component, options, services, |i| i.sink, |t: &SinkTable| t.close)?;
    Ok(Box::new(InProcessSink(handle)))
}

struct InProcessSource(Arc<Handle<SourceTable>>);

impl Source for InProcessSource {
    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        let checked: Checked =
            self.0.json((self.0.table.check)(self.0.this, NOTHING_MORE.into()).into_result())?;
        Ok(checked.problems)
    }

    fn catalog(&mut self) -> Result<Catalog, Error> {
        self.0.json((self.0.table.catalog)(self.0.this, NOTHING_MORE.into()).into_result())
    }

    fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
        let request = to_json(request)?;
        let splits = (self.0.table.plan)(self.0.this, RStr::from(request.as_str())).into_result();
        Ok(self.0.blame(splits)?.into())
    }

    fn open_split(&mut self, split: &Split) -> Result<Box<dyn Stream>, Error> {
        let handle =
            self.0.blame((self.0.table.open_split)(self.0.this, split, RSlice::EMPTY).into_result())?;
        let StreamHandle { this, table } = handle;
        // SAFETY: as for the other tables: static and layout-checked.
        let table: &'static StreamTable = unsafe { table.as_ref() }.ok_or_else(|| {
            Error::bug("plugin.table", "it opened a stream without a table; rebuild the plugin")
        })?;
        let (label, services) = (self.0.label.clone(), self.0.services.clone());
        Ok(Box::new(InProcessStream(Arc::new(Handle { this, table, close: table.close, label, services }))))
    }

    fn canceller(&self) -> Cancel {
        canceller(&self.0, self.0.table.cancel)
    }
}

struct InProcessStream(Arc<Handle<StreamTable>>);

impl Stream for InProcessStream {
    fn next(&mut self, report: &mut Report) -> Result<Option<(RecordBatch, u32)>, Error> {
        loop {
            let mut batch = Batch::empty();
            let status = (self.0.table.next)(self.0.this, &mut batch, report).into_result();
            match self.0.blame(status)? {
                Status::OK => {
                    let input = batch.input;
                    return Ok(Some((self.0.blame(import_batch(&mut batch))?, input)));
                }
                Status::END => return Ok(None),
                Status::AGAIN => {}
                other => return self.0.blame(Err(unknown_status(other))),
            }
        }
    }

    fn canceller(&self) -> Cancel {
        canceller(&self.0, self.0.table.cancel)
    }
}

struct InProcessTransform(Arc<Handle<TransformTable>>);

impl InProcessTransform {
    fn output(
        &self,
        status: Result<Status, Error>,
        mut batch: Batch,
    ) -> Result<Option<(RecordBatch, u32)>, Error> {
        match self.0.blame(status)? {
            Status::OK => {
                let input = batch.input;
                Ok(Some((self.0.blame(import_batch(&mut batch))?, input)))
            }
            Status::END | Status::AGAIN => Ok(None),
            other => self.0.blame(Err(unknown_status(other))),
        }
    }
}

impl Transform for InProcessTransform {
    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        let checked: Checked =
            self.0.json((self.0.table.check)(self.0.this, NOTHING_MORE.into()).into_result())?;
        Ok(checked.problems)
    }

    fn output_schema(&mut self, input: &SchemaRef) -> Result<SchemaRef, Error> {
        let mut output = ArrowSchema::empty();
        let result =
            (self.0.table.output_schema)(self.0.this, &export_schema(input)?, &mut output).into_result();
        self.0.blame(result)?;
        self.0.blame(import_schema(&output))
    }

    fn apply(
        &mut self,
        batch: &RecordBatch,
        input: u32,
        report: &mut Report,
    ) -> Result<Option<(RecordBatch, u32)>, Error> {
        let (mut into, mut out) = (export_batch(batch, input, Vec::new())?, Batch::empty());
        let status = (self.0.table.apply)(self.0.this, &mut into, &mut out, report).into_result();
        self.output(status, out)
    }

    fn flush(&mut self, report: &mut Report) -> Result<Option<(RecordBatch, u32)>, Error> {
        loop {
            let mut out = Batch::empty();
            match (self.0.table.flush)(self.0.this, &mut out, report).into_result() {
                Ok(Status::AGAIN) => {}
                status => return self.output(status, out),
            }
        }
    }

    fn canceller(&self) -> Cancel {
        canceller(&self.0, self.0.table.cancel)
    }
}

struct InProcessSink(Arc<Handle<SinkTable>>);

impl Sink for InProcessSink {
    fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
        let request = to_json(&CheckRequest { columns: columns.to_vec() })?;
        let checked: Checked =
            self.0.json((self.0.table.check)(self.0.this, RStr::from(request.as_str())).into_result())?;
        Ok(checked.problems)
    }

    fn begin(&mut self, schema: &SchemaRef) -> Result<(), Error> {
        self.0.blame((self.0.table.begin)(self.0.this, &export_schema(schema)?).into_result())
    }

    fn write(&mut self, batch: &RecordBatch, input: u32, report: &mut Report) -> Result<(), Error> {
        let mut batch = export_batch(batch, input, Vec::new())?;
        self.0.blame((self.0.table.write)(self.0.this, &mut batch, report).into_result())
    }

    fn flush(&mut self, report: &mut Report) -> Result<(), Error> {
        self.0.blame((self.0.table.flush)(self.0.this, report).into_result())
    }

    fn finish(&mut self, report: &mut Report) -> Result<Receipt, Error> {
        self.0.json((self.0.table.finish)(self.0.this, NOTHING_MORE.into(), report).into_result())
    }

    fn canceller(&self) -> Cancel {
        canceller(&self.0, self.0.table.cancel)
    }
}

fn to_json(request: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(request).map_err(|e| Error::bug("host.json", e.to_string()))
}

fn unknown_status(status: Status) -> Error {
    Error::bug("plugin.status", format!("it answered the unknown status {}; rebuild the plugin", status.0))
}
