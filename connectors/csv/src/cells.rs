//! Values as the text of cells.

use std::ops::Range;

use usher_sdk::{
    Cells, CsvEncoder, Texts, Value,
    abi::{LeftOut, OnInvalid, Origin, ValueKind},
    checks::{Fault, shown},
    read_list,
};

/// A column of the file.
#[derive(Debug)]
pub(crate) struct Column {
    /// Its name, not its heading.
    pub(crate) name: String,
    /// Its place in the batch.
    pub(crate) index: usize,
    /// What the source said of it.
    pub(crate) kind: ValueKind,
    pub(crate) on_invalid: OnInvalid,
    /// Texts that were guarded and not reported yet.
    pub(crate) guarded: u64,
}

/// Turns values into cells; its buffers are used again and again.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) list_separator: String,
    pub(crate) formula_guard: bool,
    text: String,
    texts: String,
    items: Vec<Range<usize>>,
    /// Values left out of the row that is being written.
    pub(crate) left_out: Vec<LeftOut>,
    /// Columns of the row that is being written whose text was guarded.
    pub(crate) guarded: Vec<usize>,
}

impl Writer {
    pub(crate) fn new(list_separator: String, formula_guard: bool) -> Self {
        let (text, texts, items) = (String::new(), String::new(), Vec::new());
        Self { list_separator, formula_guard, text, texts, items, left_out: Vec::new(), guarded: Vec::new() }
    }

    /// Adds all cells of a row to the encoder; the column and what is wrong when the row is not to be taken. Of each column
    /// there are the texts, if none of them needs quotes.
    #[inline]
    pub(crate) fn row(
        &mut self,
        columns: &[Column],
        cells: &[(Cells<'_>, Option<Texts<'_>>)],
        row: usize,
        origin: Origin,
        into: &mut CsvEncoder,
    ) -> Result<(), (usize, Fault)> {
        into.clear();
        self.left_out.clear();
        self.guarded.clear();
        for (place, (column, (cells, plain))) in columns.iter().zip(cells).enumerate() {
            if let Some(texts) = plain {
                let part = texts.part(row);
                if !self.is_formula(texts.bytes().get(part.start).filter(|_| !part.is_empty())) {
                    into.plain_part(texts.bytes(), part);
                    continue;
                }
            }
            match cells.value(row) {
                Value::Null => into.cell(""),
                Value::Text(text) if column.kind != ValueKind::List => self.guard(place, text, into),
                value => self
                    .other(place, column, cells, row, value, origin, into)
                    .map_err(|fault| (place, fault))?,
            }
        }
        Ok(())
    }

    /// Whether a text must be guarded that begins with this byte.
    #[inline]
    fn is_formula(&self, first: Option<&u8>) -> bool {
        self.formula_guard && matches!(first, Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r'))
    }

    /// A text, guarded if it must be.
    #[inline]
    fn guard(&mut self, place: usize, text: &str, into: &mut CsvEncoder) {
        if self.is_formula(text.as_bytes().first()) {
            self.guarded.push(place);
            self.texts.clear();
            self.texts.push('\'');
            self.texts.push_str(text);
            into.cell(&self.texts);
        } else {
            into.cell(text);
        }
    }

    /// Anything but a plain text.
    #[expect(clippy::too_many_arguments, reason = "everything that is known of one value")]
    fn other(
        &mut self,
        place: usize,
        column: &Column,
        cells: &Cells<'_>,
        row: usize,
        value: Value<'_>,
        origin: Origin,
        into: &mut CsvEncoder,
    ) -> Result<(), Fault> {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let done = match value {
            Value::List | Value::Text(_) => {
                self.texts.clear();
                self.items.clear();
                let listed = match value {
                    Value::Text(json) => read_list(json, &mut self.texts, &mut self.items),
                    _ => {
                        for item in cells.items(row) {
                            let start = self.texts.len();
                            self.texts.push_str(item);
                            self.items.push(start..self.texts.len());
                        }
                        true
                    }
                };
                if listed {
                    self.join(column, origin, &mut text)
                } else {
                    cells.append_text(row, &mut text);
                    Ok(())
                }
                .map(|()| self.guard(place, &text, into))
            }
            // Numbers, times and the like are no formulas, whatever they begin with.
            _ => {
                cells.append_text(row, &mut text);
                if text.is_empty() { self.bad(column, origin, "", no_time()) } else { Ok(()) }
                    .map(|()| into.cell(&text))
            }
        };
        self.text = text;
        done
    }

    /// The items of a list in one text.
    fn join(&mut self, column: &Column, origin: Origin, text: &mut String) -> Result<(), Fault> {
        let mut first = true;
        for i in 0..self.items.len() {
            let item = &self.texts[self.items[i].clone()];
            if item.contains(&self.list_separator) {
                let message = format!(
                    "{} holds `{}`, which stands between the items of `{}`; choose another `list_separator`",
                    shown(item),
                    self.list_separator,
                    column.name
                );
                let item = item.to_owned();
                self.bad(column, origin, &item, Fault::new("value.contains-separator", message))?;
                continue;
            }
            if !std::mem::replace(&mut first, false) {
                text.push_str(&self.list_separator);
            }
            text.push_str(item);
        }
        Ok(())
    }

    fn bad(&mut self, column: &Column, origin: Origin, value: &str, fault: Fault) -> Result<(), Fault> {
        if column.on_invalid == OnInvalid::RejectRow {
            return Err(fault);
        }
        self.left_out.push(LeftOut {
            origin,
            column: column.name.clone().into(),
            value: value.chars().take(200).collect::<String>().into(),
            code: fault.code.into(),
            message: fault.message.into(),
        });
        Ok(())
    }
}

fn no_time() -> Fault {
    Fault::new("value.not-date", "the time lies outside of the years -9999 to 9999")
}
