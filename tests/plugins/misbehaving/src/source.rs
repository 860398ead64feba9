//! The source `rows`: a delimited file, read as the SDK does, and spoilt.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::{
    Host, Records, Source, Stream,
    abi::{Catalog, Component, Error, PlanRequest, Problem, Report, Split},
    describe,
    source::{Declared, Delimiter, MAX_RECORD_BYTES, Profile, STANDARD_CLAIMS, TableStream, Tables},
};

use crate::{batch::spoilt_batch, fault::Fault, words::spoilt};

/// Options of the source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// The file
    input: String,
    /// What goes wrong
    #[serde(default)]
    fault: Fault,
}

/// A delimited file.
#[derive(Debug)]
pub(crate) struct Rows {
    fault: Fault,
    tables: Tables,
}

impl Source for Rows {
    type Options = Options;
    type Stream = Spoilt;

    fn component() -> Component {
        spoilt(Component { open: true, ..describe::source::<Options>("rows", "Rows of a delimited file") })
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        options.fault.open();
        let profile = Profile {
            input: options.input,
            delimiter: Delimiter::default(),
            quote: b'"',
            declared: Declared { claims: BTreeMap::new(), kinds: BTreeMap::new() },
            usual: |heading| STANDARD_CLAIMS.iter().copied().find(|claim| *claim == heading),
            limit: MAX_RECORD_BYTES,
        };
        Ok(Self { fault: options.fault, tables: Tables::new(profile, host) })
    }

    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        self.fault.panic_if(Fault::PanicInCheck);
        Ok(self.tables.check())
    }

    fn catalog(&mut self) -> Result<Catalog, Error> {
        self.fault.panic_if(Fault::PanicInCatalog);
        self.tables.catalog()
    }

    fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
        self.fault.panic_if(Fault::PanicInPlan);
        self.tables.plan(request)
    }

    fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<Spoilt, Error> {
        self.fault.panic_if(Fault::PanicInOpenSplit);
        Ok(Spoilt { fault: self.fault, rows: self.tables.open_split(split, checkpoint)?, read: 0 })
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.fault.panic_if(Fault::PanicInClose);
    }
}

/// Good rows with something wrong about them.
#[derive(Debug)]
pub(crate) struct Spoilt {
    fault: Fault,
    rows: TableStream,
    read: u64,
}

impl Stream for Spoilt {
    fn next(&mut self, report: &mut Report) -> Result<Option<Records>, Error> {
        self.fault.panic_if(Fault::PanicInNext);
        self.fault.work(self.read)?;
        let Some(records) = self.rows.next(report)? else { return Ok(None) };
        self.read += records.batch.num_rows() as u64;
        spoilt_batch(self.fault, records).map(Some)
    }
}
