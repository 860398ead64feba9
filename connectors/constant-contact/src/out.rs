//! Where rows go: into files, or into the outbox.

use usher_sdk::{
    CsvDialect, CsvEncoder, CsvFile, Fate, Host, Row,
    abi::{Error, Part, service::PartFormat},
    checks::Fault,
    outbox::{Outbox, UnitLimits},
};

use crate::{
    access::Format,
    delivery::Way,
    layout::Layout,
    limits,
    options::{Deliver, Options},
};

/// See the module's head.
pub(crate) enum Out {
    File(Box<FileOut>),
    Api(Box<ApiOut>),
}

impl Out {
    pub(crate) fn new(host: &Host, layout: &Layout, options: &Options) -> Result<Self, Error> {
        Ok(match options.deliver {
            Deliver::Api => Self::Api(Box::new(ApiOut::new(host, layout, options)?)),
            _ => Self::File(Box::new(FileOut::new(host, layout, options))),
        })
    }

    /// Takes a row, and says what became of it; or why it is taken nowhere.
    pub(crate) fn push(&mut self, layout: &mut Layout, row: &Row) -> Result<Result<Fate, Fault>, Error> {
        match self {
            Self::File(file) => Ok(file.push(layout, row)?.map(|()| Fate::Written)),
            Self::Api(out) => Ok(out.push(layout, row)?.map(|()| Fate::Held)),
        }
    }
}

/// CSV files.
pub(crate) struct FileOut {
    file: CsvFile,
    count_lines: bool,
    /// Lines of the open part, the header counted.
    lines: u64,
}

impl FileOut {
    fn new(host: &Host, layout: &Layout, options: &Options) -> Self {
        let (dialect, limits) = (CsvDialect::default(), limits::of_parts(options));
        Self {
            file: CsvFile::new(host, "contacts", layout.headings(), dialect, limits),
            count_lines: options.deliver == Deliver::ApiFile,
            lines: 0,
        }
    }

    fn push(&mut self, layout: &mut Layout, row: &Row) -> Result<Result<(), Fault>, Error> {
        let cells = layout.cells(row);
        let more = if self.count_lines {
            1 + cells.clone().map(|cell| line_breaks(cell.text())).sum::<u64>()
        } else {
            0
        };
        if self.file.parts().open_rows() > 0 && self.lines + more > limits::API_LINES {
            self.file.parts().close()?;
        }
        if let Err(fault) = self.file.push_known(cells)? {
            return Ok(Err(fault));
        }
        // The header is the first line of a part.
        self.lines = more + if self.file.parts().open_rows() == 1 { 1 } else { self.lines };
        Ok(Ok(()))
    }

    pub(crate) fn finish(self) -> Result<Vec<Part>, Error> {
        self.file.finish()
    }
}

/// Rows on their way to the API.
pub(crate) struct ApiOut {
    pub(crate) outbox: Outbox,
    pub(crate) way: Way,
    encoder: CsvEncoder,
    /// Names of the cells, as literals of JSON.
    names: Vec<String>,
    record: Vec<u8>,
    /// Lines of the open unit of CSV, the header counted.
    lines: u64,
    breaks: bool,
    /// Rows of CSV with a blank cell.
    pub(crate) blanks: u64,
}

impl ApiOut {
    fn new(host: &Host, layout: &Layout, options: &Options) -> Result<Self, Error> {
        let access = options.access()?;
        let mut encoder = CsvEncoder::new(CsvDialect::default());
        let way = match (access.explicit_consent, access.format) {
            (true, _) => Way::SignUp,
            (false, Format::Json) => Way::Json,
            (false, Format::Csv) => Way::Csv(encoder.encode(layout.headings()).to_vec()),
        };
        let (header, extension, format) = match &way {
            Way::Csv(header) => (header.as_slice(), "csv", PartFormat::csv(b',', true)),
            Way::Json | Way::SignUp => (&[][..], "ndjson", PartFormat::ndjson()),
        };
        let (rows, bytes) = limits::vendors(Deliver::Api);
        let limits = UnitLimits {
            rows: if way == Way::SignUp { 1 } else { options.max_rows.unwrap_or(rows) },
            bytes: options.max_bytes.unwrap_or(bytes).saturating_sub(header.len() as u64),
        };
        let literal = |name: &str| serde_json::Value::from(name).to_string();
        Ok(Self {
            outbox: Outbox::new(host, "contacts", extension, &format, header, limits, access.canary)?,
            names: layout.headings().map(literal).collect(),
            way,
            encoder,
            record: Vec::new(),
            lines: 0,
            breaks: false,
            blanks: 0,
        })
    }

    fn push(&mut self, layout: &mut Layout, row: &Row) -> Result<Result<(), Fault>, Error> {
        let origin = row.origin();
        let cells = layout.cells(row).map(|cell| cell.text());
        if !matches!(self.way, Way::Csv(_)) {
            json(&self.names, cells, &mut self.record);
            return self.outbox.push(&self.record, origin);
        }
        let more = 1 + cells.clone().map(line_breaks).sum::<u64>();
        if self.outbox.open_rows() > 0 && self.lines + more > limits::API_LINES {
            self.outbox.cut();
        }
        let has_blank = cells.clone().any(str::is_empty);
        if let Err(fault) = self.outbox.push(self.encoder.encode(cells), origin)? {
            return Ok(Err(fault));
        }
        self.blanks += u64::from(has_blank);
        self.breaks |= more > 1;
        self.lines = more + if self.outbox.open_rows() == 1 { 1 } else { self.lines };
        Ok(Ok(()))
    }

    /// Whether lines and rows are the same, so that an error's line names a row.
    pub(crate) fn lines_are_rows(&self) -> bool {
        !self.breaks
    }
}

/// A row as an object on one line. Blanks are left out: what one does to a value that is there is not said.
fn json<'a>(names: &[String], cells: impl Iterator<Item = &'a str>, into: &mut Vec<u8>) {
    into.clear();
    into.push(b'{');
    for (name, cell) in names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        if into.len() > 1 {
            into.push(b',');
        }
        into.extend_from_slice(name.as_bytes());
        into.push(b':');
        // Month and day are the two numbers (OAS).
        let number = matches!(name.as_str(), "\"birthday_month\"" | "\"birthday_day\"")
            && cell.bytes().all(|b| b.is_ascii_digit());
        if number {
            into.extend_from_slice(cell.as_bytes());
        } else {
            into.extend_from_slice(serde_json::Value::from(cell).to_string().as_bytes());
        }
    }
    into.extend_from_slice(b"}\n");
}

/// Line breaks inside a cell, of either kind.
fn line_breaks(cell: &str) -> u64 {
    cell.bytes().filter(|b| matches!(b, b'\n' | b'\r')).count() as u64
}
