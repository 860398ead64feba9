//! Rows on their way to the API: held until all are known, since how many there are decides whether they are imported or
//! set one by one.

use usher_sdk::{
    CsvDialect, CsvEncoder, Host, Row,
    abi::{Error, Origin, Report, service::PartFormat},
    checks::Fault,
    outbox::{Outbox, Sent, UnitLimits},
};

use crate::{
    api,
    import::Import,
    limits,
    live::Live,
    options::{Lists, Options, PropertyType},
    people::Table,
    props::{Line, Props},
};

/// Rows for the API.
#[derive(Debug)]
pub(crate) struct Sending {
    host: Host,
    encoder: CsvEncoder,
    format: PartFormat,
    header: Vec<u8>,
    limits: UnitLimits,
    canary: u64,
    /// Of all columns but the key.
    headings: Vec<String>,
    kinds: Vec<PropertyType>,
    list_form: Lists,
    /// So many are set one by one, and kept in memory until there are more.
    few: usize,
    held: Vec<(Origin, Vec<String>)>,
    /// Once it is known that there are too many for that.
    import: Option<Outbox>,
}

impl Sending {
    pub(crate) fn new(
        host: &Host,
        options: &Options,
        headings: Vec<String>,
        kinds: &[PropertyType],
        dialect: CsvDialect,
    ) -> Result<Self, Error> {
        let live = live(options)?;
        let mut encoder = CsvEncoder::new(dialect);
        let header = encoder.encode(headings.iter().map(String::as_str)).to_vec();
        let limits = limits::of_units(options, header.len() as u64, api::frame_bytes(options));
        let headings = headings.get(1..).unwrap_or_default().to_vec();
        // A call sets so many properties, and one at least; whoever has others is imported.
        let can_be_set = (1..=limits::COLUMNS).contains(&headings.len());
        Ok(Self {
            host: host.clone(),
            encoder,
            format: PartFormat::csv(dialect.delimiter, true),
            header,
            limits,
            canary: live.canary,
            headings,
            kinds: kinds.get(1..).unwrap_or_default().to_vec(),
            list_form: options.lists,
            few: if can_be_set { usize::try_from(live.props_up_to).unwrap_or(usize::MAX) } else { 0 },
            held: Vec::new(),
            import: None,
        })
    }

    /// Takes a row; or says why it cannot be taken, which does not depend on how many there are.
    pub(crate) fn push(&mut self, row: &Row) -> Result<Result<(), Fault>, Error> {
        if self.import.is_none() {
            let (size, most) = (self.encoder.encode(row.cells()).len() as u64, self.limits.bytes);
            if size > most {
                return Ok(Err(too_long(size, most)));
            }
            if self.held.len() < self.few {
                self.held.push((row.origin(), row.cells().map(str::to_owned).collect()));
                return Ok(Ok(()));
            }
            self.begin_import()?;
        }
        let record = self.encoder.encode_known((0..row.len()).map(|column| row.known(column)));
        match &mut self.import {
            Some(outbox) => outbox.push(record, row.origin()),
            None => Err(Error::bug("carrot.outbox", "the import has not begun")),
        }
    }

    /// Hands on what was held.
    fn begin_import(&mut self) -> Result<(), Error> {
        let mut outbox =
            Outbox::new(&self.host, "users", "csv", &self.format, &self.header, self.limits, self.canary)?;
        for (origin, cells) in std::mem::take(&mut self.held) {
            outbox.push(self.encoder.encode(cells.iter().map(String::as_str)), origin)?.map_err(lost)?;
        }
        self.import = Some(outbox);
        Ok(())
    }

    /// Sends everything. Answers what came of it, and what a person should know beside.
    pub(crate) fn finish(
        mut self,
        options: &Options,
        report: &mut Report,
    ) -> Result<(Sent, Vec<String>), Error> {
        let (live, clock) = (live(options)?, self.host.clock()?);
        if !self.held.is_empty() {
            let outbox = self.one_by_one()?;
            let mut props = Props::new(options, live, self.table(), clock);
            let sent = outbox.deliver(&mut props, report)?;
            return Ok((sent, props.into_warnings()));
        }
        if self.import.is_none() {
            self.begin_import()?;
        }
        let outbox =
            self.import.take().ok_or_else(|| Error::bug("carrot.outbox", "the import has not begun"))?;
        let mut import = Import::new(options, live, &self.header, self.table(), clock);
        let sent = outbox.deliver(&mut import, report)?;
        Ok((sent, import.into_warnings()))
    }

    fn table(&self) -> Table<'_> {
        Table { headings: &self.headings, kinds: &self.kinds, lists: self.list_form }
    }

    /// What was held, a unit each.
    fn one_by_one(&mut self) -> Result<Outbox, Error> {
        let limits = UnitLimits { rows: 1, bytes: u64::MAX };
        let mut outbox =
            Outbox::new(&self.host, "users", "ndjson", &PartFormat::ndjson(), b"", limits, self.canary)?;
        for (origin, cells) in std::mem::take(&mut self.held) {
            let line = Line::new(&cells, self.table());
            outbox.push(&line.to_record()?, origin)?.map_err(lost)?;
        }
        Ok(outbox)
    }
}

fn live(options: &Options) -> Result<&Live, Error> {
    options.live().ok_or_else(|| Error::bug("carrot.outbox", "the options do not say that anything is sent"))
}

fn too_long(size: u64, most: u64) -> Fault {
    Fault::new("row.too-long", format!("the row has {size} bytes, {most} are allowed in a request"))
}

fn lost(fault: Fault) -> Error {
    Error::bug("carrot.outbox", format!("a row that was held is not taken: {}", fault.message))
}
