//! Runs a source.

use arrow_array::RecordBatch;
use serde_json::Value;
use usher_abi::{Catalog, Error, ModuleRef, PlanRequest, Report, Split};

use crate::{MemoryHost, check::refuse, drive};

/// What a source answered.
#[derive(Debug)]
pub struct Read {
    /// The attributes of the input.
    pub catalog: Catalog,
    /// The splits that were planned.
    pub splits: Vec<Split>,
    /// The rows, split after split.
    pub batches: Vec<RecordBatch>,
    /// The input of each batch.
    pub inputs: Vec<u32>,
    /// The checkpoint after each batch.
    pub checkpoints: Vec<Vec<u8>>,
    /// The reports of all calls.
    pub report: Report,
}

impl Read {
    /// How many rows were read.
    pub fn rows(&self) -> u64 {
        self.batches.iter().map(|b| b.num_rows() as u64).sum()
    }
}

/// What to ask a source for.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadPlan<'a> {
    /// The attributes; `None`: all of the catalog.
    pub projection: Option<&'a [&'a str]>,
    /// How many splits are worth having; 0 counts as 1.
    pub max_splits: u32,
}

/// Runs a source to its end, through its real tables: `open`, `check`, `catalog`, `plan` (for one split),
/// `open_split`, `next`…, `close`. `projection` of `None` means all attributes of the catalog.
///
/// Problems that are more than warnings become an error of class `config` with the problems as details.
pub fn read(
    module: ModuleRef,
    component: &str,
    options: Value,
    host: &MemoryHost,
    projection: Option<&[&str]>,
) -> Result<Read, Error> {
    read_with(module, component, options, host, ReadPlan { projection, max_splits: 1 })
}

/// As [`read`](fn@read), with more to choose.
pub fn read_with(
    module: ModuleRef,
    component: &str,
    options: Value,
    host: &MemoryHost,
    plan: ReadPlan<'_>,
) -> Result<Read, Error> {
    let services = host.services();
    let mut source = drive::Source::open(module, component, &options.to_string(), &services)?;
    refuse(&source.check()?)?;
    let catalog = source.catalog()?;
    let all: Vec<&str> = catalog.attributes.iter().map(|a| a.path.as_str()).collect();
    let splits = source.plan(&PlanRequest {
        max_splits: plan.max_splits.max(1),
        ..PlanRequest::new(plan.projection.unwrap_or(&all).iter().copied())
    })?;
    let (mut batches, mut inputs, mut checkpoints) = (Vec::new(), Vec::new(), Vec::new());
    let mut report = Report::default();
    for split in &splits {
        let mut stream = source.open_split(split, &[])?;
        for pulled in stream.drain(&mut report)? {
            batches.push(pulled.batch);
            inputs.push(pulled.input);
            checkpoints.push(pulled.checkpoint);
        }
    }
    Ok(Read { catalog, splits, batches, inputs, checkpoints, report })
}
