//! A plugin that does everything right, unless an option tells it to do one thing wrong.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array, UInt64Array, cast::AsArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use schemars::JsonSchema;
use serde::Deserialize;
use usher_abi::{
    Attribute, Catalog, Column, Component, Error, Merged, Origin, Part, PlanRequest, Problem, Receipt,
    Reject, Report, Split, service::PartFormat,
};
use usher_sdk::{Host, PartHandle, Reader, Records, describe, options, records::origin_fields};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadOptions {
    /// The file.
    input: String,
    /// What to do wrong.
    #[serde(default)]
    fault: String,
}

/// Reads lines that are JSON texts.
pub(crate) struct Lines {
    options: ReadOptions,
    plans: u32,
    host: Host,
    columns: Vec<String>,
}

impl usher_sdk::Source for Lines {
    type Options = ReadOptions;
    type Stream = LineStream;

    fn component() -> Component {
        let text = Attribute { path: "text".into(), summary: "the line".into(), ..Attribute::default() };
        Component { attributes: vec![text], ..describe::source::<ReadOptions>("lines", "lines of text") }
    }

    fn open(options: ReadOptions, host: Host) -> Result<Self, Error> {
        if options.input.is_empty() {
            return Err(options::invalid("/input", "the name of the input is empty"));
        }
        Ok(Self { options, plans: 0, host, columns: Vec::new() })
    }

    fn catalog(&mut self) -> Result<Catalog, Error> {
        Ok(Catalog { attributes: Self::component().attributes, ..Catalog::default() })
    }

    fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
        if let Some(stranger) = request.columns.iter().find(|p| *p != "text") {
            return Err(Error::config("lines.attribute", format!("lines have no attribute `{stranger}`")));
        }
        self.columns = request.columns.clone();
        self.plans += 1;
        if self.options.fault == "once" && self.plans > 1 {
            return Ok(Vec::new());
        }
        let max_splits = request.max_splits as usize;
        let mut splits = Vec::new();
        for file in self.host.input()?.open(&self.options.input)? {
            let size = file
                .size
                .into_option()
                .filter(|_| file.splittable && self.options.fault != "no-split")
                .unwrap_or(0);
            let step = (size / max_splits as u64).max(1);
            let mut start = 0;
            while start + step < size && splits.len() + 1 < max_splits {
                splits.push(Split { input: file.id, start, end: start + step, details: Default::default() });
                start += step;
            }
            splits.push(Split { input: file.id, start, end: u64::MAX, details: Default::default() });
        }
        Ok(splits)
    }

    fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<LineStream, Error> {
        let (mut start, mut skip) = (split.start, split.start > 0);
        if let Ok(mark) = checkpoint.try_into() {
            (start, skip) = (u64::from_le_bytes(mark), false);
        }
        if skip && self.options.fault != "split" {
            // A record that begins exactly here is ours: look for the line end before it.
            start -= 1;
        }
        let reader = self.host.input()?.read(split.input, start, u64::MAX)?;
        Ok(LineStream {
            reader: Some(reader),
            fault: self.options.fault.clone(),
            text: !self.columns.is_empty(),
            input: split.input,
            bytes: Vec::new(),
            at: start,
            end: split.end,
            skip,
        })
    }
}

pub(crate) struct LineStream {
    reader: Option<Reader>,
    fault: String,
    text: bool,
    input: u32,
    /// Bytes from `at` on that are not yet rows.
    bytes: Vec<u8>,
    at: u64,
    end: u64,
    skip: bool,
}

static READS: AtomicU64 = AtomicU64::new(0);

impl LineStream {
    /// The next line and its place.
    fn line(&mut self) -> Result<Option<(u64, Vec<u8>)>, Error> {
        let mut looked = 0;
        loop {
            if let Some(end) = self.bytes[looked..].iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.bytes.drain(..=looked + end).collect();
                let at = self.at;
                self.at += line.len() as u64;
                return Ok(Some((at, line[..line.len() - 1].to_vec())));
            }
            looked = self.bytes.len();
            let slab = match &mut self.reader {
                Some(reader) => match reader.next_slab() {
                    Err(_) if self.fault == "swallow" => None,
                    slab => slab?,
                },
                None => None,
            };
            match slab {
                Some(slab) => {
                    self.bytes.extend_from_slice(slab.bytes());
                    if self.fault == "slab" && slab.len > 2 {
                        self.bytes.push(b'\n');
                    }
                }
                None if self.bytes.is_empty() => return Ok(None),
                None => {
                    let line = std::mem::take(&mut self.bytes);
                    let at = self.at;
                    self.at += line.len() as u64;
                    return Ok(Some((at, line)));
                }
            }
        }
    }
}

impl usher_sdk::Stream for LineStream {
    fn next(&mut self, report: &mut Report) -> Result<Option<Records>, Error> {
        if std::mem::take(&mut self.skip) {
            self.line()?;
        }
        let (mut texts, mut offsets, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        let mut more = false;
        while self.at < self.end {
            let Some((at, line)) = self.line()? else { break };
            more = true;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let length = line.len() as u32;
            let origin = Origin { input: self.input, length, offset: at };
            if self.fault == "panic" {
                std::str::from_utf8(&line).expect("a line is text");
            }
            match serde_json::from_slice::<String>(&line) {
                Ok(_) if self.fault == "lose" && texts.len() == 50 => {}
                Ok(text) => {
                    let run = READS.fetch_add(u64::from(self.fault == "random"), Ordering::SeqCst);
                    texts.push(if self.fault == "random" { format!("{text} {run}") } else { text });
                    offsets.push(if self.fault == "offset" { at + 1_000_000 } else { at });
                    lengths.push(length);
                }
                Err(e) => report.rejects.push(Reject::new(origin, "", "lines.json", e.to_string())),
            }
            if texts.len() == 1000 {
                break;
            }
        }
        if !more {
            if self.fault == "leak" {
                std::mem::forget(self.reader.take());
            }
            return Ok(None);
        }
        let mut fields = vec![Field::new("text", DataType::Utf8, true)];
        fields.extend(origin_fields());
        let texts: Vec<String> =
            if self.fault == "trim" { texts.iter().map(|t| t.trim().to_owned()).collect() } else { texts };
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(texts)),
            Arc::new(UInt64Array::from(offsets)),
            Arc::new(UInt32Array::from(lengths)),
        ];
        if !self.text && self.fault != "projection" {
            fields.remove(0);
            columns.remove(0);
        }
        if self.fault == "order" {
            fields.reverse();
            columns.reverse();
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|e| Error::bug("lines.batch", e.to_string()))?;
        let mark = if self.fault == "mark" { self.at + 1 } else { self.at };
        Ok(Some(Records { checkpoint: mark.to_le_bytes().to_vec(), ..Records::new(batch, self.input) }))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WriteOptions {
    /// What to do wrong.
    #[serde(default)]
    fault: String,
}

/// Writes a list of people.
pub(crate) struct People {
    fault: String,
    host: Host,
    part: Option<PartHandle>,
    flushes: u32,
    rows: u64,
    bytes: u64,
}

impl People {
    fn put(&mut self, line: &str) -> Result<(), Error> {
        self.bytes += line.len() as u64;
        let Some(part) = &mut self.part else { return Err(Error::bug("people.begin", "not begun")) };
        match part.write(line.as_bytes()) {
            Err(_) if self.fault == "swallow" => Ok(()),
            done => done,
        }
    }
}

impl usher_sdk::Sink for People {
    type Options = WriteOptions;

    fn component() -> Component {
        let column = |name: &str| Column {
            name: name.into(),
            summary: "a column".into(),
            source: "KB".into(),
            ..Column::default()
        };
        Component {
            columns: vec![column("email"), column("name")],
            ..describe::sink::<WriteOptions>("people", "a list of people")
        }
    }

    fn open(options: WriteOptions, host: Host) -> Result<Self, Error> {
        if options.fault == "refuse-me" {
            return Err(options::invalid("/fault", "there is no such fault"));
        }
        Ok(Self { fault: options.fault, host, part: None, flushes: 0, rows: 0, bytes: 0 })
    }

    fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
        let strangers = columns.iter().filter(|c| !matches!(c.as_str(), "email" | "name"));
        if self.fault == "any-column" {
            return Ok(Vec::new());
        }
        Ok(strangers
            .map(|c| {
                options::problem(
                    format!("/fields/{c}"),
                    "column.unknown",
                    format!("no column is named `{c}`"),
                )
            })
            .collect())
    }

    fn begin(&mut self, _: SchemaRef) -> Result<(), Error> {
        self.part = Some(self.host.output()?.create("people", "csv", &PartFormat::csv(b',', true))?);
        self.put("email,name\n")
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        let origins = records.origins()?;
        let cell = |name: &str, row: usize| -> String {
            let Some(column) = records.batch.column_by_name(name) else { return String::new() };
            if column.is_null(row) {
                return String::new();
            }
            match column.data_type() {
                DataType::Utf8View => column.as_string_view().value(row).to_owned(),
                _ => column.as_string::<i32>().value(row).to_owned(),
            }
        };
        if self.fault == "batch" {
            self.put(&format!("batch,{}\n", records.batch.num_rows()))?;
            self.rows += 1;
        }
        for row in 0..records.batch.num_rows() {
            let origin = origins.get(row);
            let (email, name) = (cell("email", row), cell("name", row));
            if email.is_empty() {
                let named =
                    if self.fault == "stranger" { Origin { offset: 12345, ..origin } } else { origin };
                report.rejects.push(Reject::new(named, "email", "people.email", "no address"));
                continue;
            }
            if name.is_empty() && self.fault == "lose" {
                continue;
            }
            let quoted = |text: &str| match self.fault.as_str() {
                "quote" => text.to_owned(),
                _ => format!("\"{}\"", text.replace('"', "\"\"")),
            };
            self.put(&format!("{},{}\n", quoted(&email), quoted(&name)))?;
            self.rows += 1;
            report.written.add(origin.input, origin.offset);
        }
        Ok(())
    }

    fn flush(&mut self, _: &mut Report) -> Result<(), Error> {
        self.flushes += 1;
        // Whoever flushes once, at the end, sees nothing of it.
        if self.fault == "flush" && self.flushes == 3 { self.put("\n") } else { Ok(()) }
    }

    fn finish(&mut self, _: &mut Report) -> Result<Receipt, Error> {
        let Some(part) = self.part.take() else { return Err(Error::bug("people.begin", "not begun")) };
        let name = part.finish(self.rows)?;
        let rows = if self.fault == "receipt" { self.rows + 1 } else { self.rows };
        Ok(Receipt {
            parts: vec![Part { name, rows, bytes: self.bytes, ..Part::default() }],
            ..Receipt::default()
        })
    }
}

/// Turns texts into capitals.
pub(crate) struct Capitals {
    fault: String,
}

impl usher_sdk::Transform for Capitals {
    type Options = WriteOptions;

    fn component() -> Component {
        describe::transform::<WriteOptions>("capitals", "texts in capitals")
    }

    fn open(options: WriteOptions, _: Host) -> Result<Self, Error> {
        Ok(Self { fault: options.fault })
    }

    fn output_schema(&mut self, input: SchemaRef) -> Result<Schema, Error> {
        Ok(input.as_ref().clone())
    }

    fn apply(&mut self, mut records: Records, report: &mut Report) -> Result<Option<Records>, Error> {
        let rows = records.batch.num_rows();
        match self.fault.as_str() {
            "lose" => records.batch = records.batch.slice(0, rows.saturating_sub(1)),
            "input" => records.input += 1,
            "survivor" if rows > 1 => {
                let (first, second) = (records.origins()?.get(0), records.origins()?.get(1));
                report.merged.push(Merged { origin: first, survivor: second });
                report.merged.push(Merged { origin: second, survivor: first });
                records.batch = records.batch.slice(2, rows - 2);
            }
            "silent" if rows > 0 => {
                report.rejects.push(Reject::new(records.origins()?.get(0), "", "", ""));
                records.batch = records.batch.slice(1, rows - 1);
            }
            _ => {}
        }
        let columns = records.batch.columns().iter().map(|column| match column.as_string_opt::<i32>() {
            Some(_) if self.fault == "panic" && column.null_count() > 0 => panic!("a null"),
            Some(texts) => {
                Arc::new(texts.iter().map(|t| t.map(str::to_uppercase)).collect::<StringArray>()) as ArrayRef
            }
            None => column.clone(),
        });
        let batch = RecordBatch::try_new(records.batch.schema(), columns.collect())
            .map_err(|e| Error::bug("capitals.batch", e.to_string()))?;
        Ok(Some(Records { batch, ..records }))
    }
}
