//! A column table, bound to the columns that come: takes batches, checks every value, hands on rows.

use std::{collections::BTreeMap, ops::Range};

use arrow_array::cast::AsArray;
use arrow_schema::Schema;
use usher_abi::{Changed, Error, LeftOut, OnInvalid, Origin, Reject, Report, ValueKind};

use super::{
    ahead::{GROUP, Upcoming},
    cells::{Cells, Value},
    row::{BLANK, Cell, Given, Note, Row},
    rule::{ColumnRule, find_rule},
};
use crate::{
    Records,
    checks::{BoxedCheck, Fault, Verdict, shown},
    json_text::read_list,
    records::{given, is_unique},
};

/// In which order the columns stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As in the table (columns of one pattern: as they come).
    Table,
    /// As they come.
    AsGiven,
}

/// What becomes of a row once its values have passed; the answer of the closure given to [`Columns::write`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is in a file.
    Written,
    /// It was queued; the sink reports it later itself.
    Held,
    /// It is not taken, because of this column (empty: of the whole row).
    Rejected(String, Fault),
    /// It went into an earlier row.
    Merged(Origin),
}

impl Fate {
    /// A reject that blames no single column.
    pub fn rejected(code: &'static str, message: impl Into<String>) -> Self {
        Self::Rejected(String::new(), Fault::new(code, message))
    }
}

/// See the module's head. Made by [`Columns::bind`] in a sink's `begin`.
pub struct Columns {
    bound: Vec<Bound>,
    row: Row,
    scratch: Scratch,
    tally: Tally,
}

/// A column of the file.
struct Bound {
    name: String,
    rule: ColumnRule,
    on_invalid: OnInvalid,
    check: Option<BoxedCheck>,
    /// Index in the batch; `None` for a column that the sink fills by itself.
    from: Option<usize>,
    comes_once: bool,
}

#[derive(Default)]
struct Scratch {
    text: String,
    replaced: String,
    items: Vec<Range<usize>>,
    left_out: Vec<LeftOut>,
    changes: Vec<(usize, &'static str)>,
}

impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.bound.iter().map(|b| &b.name)).finish()
    }
}

impl Columns {
    /// Binds the columns of `schema` (the origin columns aside) and those in `extra`, which the sink fills by itself,
    /// to their rules. Columns the table does not cover are an error; `check_names` has said so before.
    ///
    /// Names in `on_invalid` are column names in any spelling.
    pub fn bind(
        table: &[ColumnRule],
        schema: &Schema,
        extra: &[&str],
        order: Order,
        on_invalid: &BTreeMap<String, OnInvalid>,
    ) -> Result<Self, Error> {
        let mut names: Vec<(String, Option<usize>)> =
            given(schema).map(|(i, f)| (f.name().clone(), Some(i))).collect();
        for name in extra {
            if !names.iter().any(|(n, _)| find_rule(table, n).is_some_and(|r| r.covers(name))) {
                names.push(((*name).to_owned(), None));
            }
        }
        let mut bound = Vec::with_capacity(names.len());
        for (name, from) in names {
            let rule = find_rule(table, &name)
                .ok_or_else(|| Error::bug("column.unknown", format!("no rule for the column `{name}`")))?;
            let chosen =
                on_invalid.iter().find(|(n, _)| rule.covers(n) && (!rule.name.ends_with('*') || **n == name));
            bound.push(Bound {
                name: if rule.name.ends_with('*') { name } else { rule.name.to_owned() },
                rule: *rule,
                on_invalid: chosen.map_or(rule.on_invalid, |(_, choice)| *choice),
                check: None,
                from,
                comes_once: from.is_some_and(|index| is_unique(schema.field(index))),
            });
        }
        if order == Order::Table {
            let place = |rule: &ColumnRule| table.iter().position(|r| r.name == rule.name);
            bound.sort_by_key(|b| place(&b.rule));
        }
        Ok(Self { bound, row: Row::default(), scratch: Scratch::default(), tally: Tally::default() })
    }

    /// The column names, in the order of the file.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.bound.iter().map(|b| b.name.as_str())
    }

    /// The place of a column in the file.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.bound.iter().position(|b| b.name == name)
    }

    /// The rule of a column in the file.
    pub fn rule(&self, column: usize) -> &ColumnRule {
        &self.bound[column].rule
    }

    /// The rule of a column in the file, to adapt it to options (another limit, another kind) before the first batch.
    pub fn rule_mut(&mut self, column: usize) -> &mut ColumnRule {
        &mut self.bound[column].rule
    }

    /// What a bad value of this column does.
    pub fn on_invalid(&self, column: usize) -> OnInvalid {
        if self.bound[column].rule.required { OnInvalid::RejectRow } else { self.bound[column].on_invalid }
    }

    /// Whether the rows that come fill this column (`false`: the sink does).
    pub fn is_given(&self, column: usize) -> bool {
        self.bound[column].from.is_some()
    }

    /// Whether the host has seen to it that each text of this column comes once, case and white space aside, so that the
    /// sink need not look for those that come twice. It is said of the texts as they come: not of what a check makes of them
    /// (but for trimming), nor of the items of a list.
    pub fn comes_once(&self, column: usize) -> bool {
        self.bound[column].comes_once
    }

    /// Replaces the table's check of every column that the rule named `rule` covers.
    pub fn override_check(
        &mut self,
        rule: &str,
        check: impl Fn(&str, &mut String) -> Verdict + Send + Clone + 'static,
    ) {
        for bound in self.bound.iter_mut().filter(|b| b.rule.name == rule || b.name == rule) {
            bound.check = Some(Box::new(check.clone()));
        }
    }

    /// Replaces the check of one column.
    pub fn override_check_at(
        &mut self,
        column: usize,
        check: impl Fn(&str, &mut String) -> Verdict + Send + 'static,
    ) {
        self.bound[column].check = Some(Box::new(check));
    }

    /// Counts a change that the sink made by itself.
    pub fn count_change(&mut self, column: usize, rule: &'static str) {
        self.tally.add(column, rule);
    }

    /// Checks every row of a batch and hands the good ones to `each`, in order; books everything into `report`.
    ///
    /// A row that is rejected leaves no traces among the left-out and changed values.
    pub fn write(
        &mut self,
        records: &Records,
        report: &mut Report,
        mut each: impl FnMut(&mut Row) -> Result<Fate, Error>,
    ) -> Result<(), Error> {
        self.write_ahead(records, report, &mut each, |_, _| {}, |each, row| each(row))
    }

    /// As [`write`](Self::write); `ahead` sees the rows, good and bad, in groups, each before the first of its rows comes to
    /// `each`. Both have `state`.
    pub fn write_ahead<S>(
        &mut self,
        records: &Records,
        report: &mut Report,
        state: &mut S,
        mut ahead: impl FnMut(&mut S, &Upcoming<'_>),
        mut each: impl FnMut(&mut S, &mut Row) -> Result<Fate, Error>,
    ) -> Result<(), Error> {
        let origins = records.origins()?;
        let mut cells = Vec::with_capacity(self.bound.len());
        self.row.given.clear();
        for bound in &self.bound {
            let column = bound.from.map(|i| records.batch.column(i));
            let read = column.map(|c| Cells::new(&bound.name, c)).transpose()?;
            let (bytes, separator) = (read.as_ref().and_then(Cells::bytes), bound.rule.separator);
            let list = bound.rule.kind == ValueKind::List;
            self.row.given.push(Given {
                texts: column.and_then(|c| c.as_string_opt().cloned()),
                plain: bytes.is_some_and(is_plain),
                separator: list.then_some(separator),
                without_separator: list && bytes.is_some_and(|bytes| is_without(bytes, separator)),
            });
            cells.push(read);
        }
        let rows = records.batch.num_rows();
        for index in 0..rows {
            if index % GROUP == 0 {
                ahead(state, &Upcoming { given: &self.row.given, rows: index..rows.min(index + GROUP) });
            }
            (self.row.origin, self.row.index) = (origins.get(index), index);
            let fate = match self.fill(&cells, index) {
                Ok(()) => each(state, &mut self.row)?,
                Err((column, fault)) => Fate::Rejected(column, fault),
            };
            self.settle(fate, report);
        }
        // The batch goes with its last row.
        self.row.given.clear();
        self.tally.report(&self.bound, report);
        Ok(())
    }

    /// Fills the row from the batch; the first bad value that rejects it ends it.
    fn fill(&mut self, cells: &[Option<Cells<'_>>], index: usize) -> Result<(), (String, Fault)> {
        self.row.text.clear();
        self.row.cells.clear();
        self.row.notes.clear();
        self.scratch.left_out.clear();
        self.scratch.changes.clear();
        for (column, (bound, cells)) in self.bound.iter().zip(cells).enumerate() {
            let Some(cells) = cells else {
                self.row.cells.push(BLANK);
                continue;
            };
            let cell = match bound.cell(column, cells, index, &mut self.row, &mut self.scratch) {
                Ok(cell) => cell,
                Err(fault) => return Err((bound.name.clone(), fault)),
            };
            if bound.rule.required && matches!(cell, Cell::Own(start, end) if start == end) {
                return Err((
                    bound.name.clone(),
                    Fault::new("value.missing", format!("`{}` must be filled", bound.name)),
                ));
            }
            self.row.cells.push(cell);
        }
        Ok(())
    }

    fn settle(&mut self, fate: Fate, report: &mut Report) {
        let origin = self.row.origin;
        match fate {
            Fate::Rejected(column, fault) => {
                report.rejects.push(Reject::new(origin, column, fault.code, fault.message));
                return;
            }
            Fate::Written => report.written.add(origin.input, origin.offset),
            Fate::Held => {}
            Fate::Merged(survivor) => report.merged.push(usher_abi::Merged { origin, survivor }),
        }
        report.left_out.extend(self.scratch.left_out.drain(..));
        for (column, rule) in self.scratch.changes.drain(..) {
            self.tally.add(column, rule);
        }
        for note in self.row.notes.drain(..) {
            match note {
                Note::Changed(column, rule) => self.tally.add(column, rule),
                Note::LeftOut(column, value, fault) => report.left_out.push(LeftOut {
                    origin,
                    column: self.bound[column].name.clone().into(),
                    value: value.into(),
                    code: fault.code.into(),
                    message: fault.message.into(),
                }),
            }
        }
    }
}

impl Bound {
    fn run_check(&self, value: &str, out: &mut String) -> Verdict {
        match &self.check {
            Some(check) => check(value, out),
            None => (self.rule.check)(value, out),
        }
    }

    /// The cell of a row, checked.
    #[inline]
    fn cell(
        &self,
        column: usize,
        cells: &Cells<'_>,
        index: usize,
        row: &mut Row,
        scratch: &mut Scratch,
    ) -> Result<Cell, Fault> {
        let value = cells.value(index);
        let text = match value {
            Value::Null | Value::Text("") => return Ok(BLANK),
            Value::Text(text) => Some(text),
            _ => None,
        };
        let list = self.rule.kind == ValueKind::List;
        let start = row.text.len();
        // The text of a list may be one of several items.
        let several = |text: &str, without: bool| {
            list && (text.starts_with('[') || (!without && text.contains(self.rule.separator)))
        };
        if let Some(text) = text.filter(|text| !several(text, row.given[column].without_separator)) {
            scratch.replaced.clear();
            let verdict = self.run_check(text, &mut scratch.replaced);
            let fits = self.rule.max_chars.is_none_or(|max| text.len() <= max as usize);
            // Nearly all values are good as they stand.
            if matches!(verdict, Verdict::Keep) && fits && row.given[column].texts.is_some() {
                return Ok(Cell::Given);
            }
            if !several(&scratch.replaced, false) {
                self.checked(column, text, verdict, row, scratch)?;
                return Ok(Cell::Own(start, row.text.len()));
            }
        }
        if list {
            self.list(column, cells, index, row, scratch)?;
        } else {
            let mut value = std::mem::take(&mut scratch.text);
            value.clear();
            cells.append_text(index, &mut value);
            scratch.replaced.clear();
            let taken = if value.is_empty() {
                Ok(())
            } else {
                let verdict = self.run_check(&value, &mut scratch.replaced);
                self.checked(column, &value, verdict, row, scratch)
            };
            scratch.text = value;
            taken?;
        }
        Ok(Cell::Own(start, row.text.len()))
    }

    /// Appends a value that was checked, as the verdict says.
    fn checked(
        &self,
        column: usize,
        value: &str,
        verdict: Verdict,
        row: &mut Row,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        match verdict {
            Verdict::Keep => self.append(column, value, row, &mut scratch.left_out, &mut scratch.changes),
            Verdict::Changed(rule) => {
                scratch.changes.push((column, rule));
                self.append(column, &scratch.replaced, row, &mut scratch.left_out, &mut scratch.changes)
            }
            Verdict::Bad(fault) => self.bad(value, fault, row.origin, &mut scratch.left_out),
        }
    }

    /// Appends the items of a list to the row, checked and joined. A text that is no JSON array is one item.
    fn list(
        &self,
        column: usize,
        cells: &Cells<'_>,
        index: usize,
        row: &mut Row,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        scratch.text.clear();
        scratch.items.clear();
        match cells.value(index) {
            Value::Null => return Ok(()),
            Value::List => {
                for item in cells.items(index) {
                    let start = scratch.text.len();
                    scratch.text.push_str(item);
                    scratch.items.push(start..scratch.text.len());
                }
            }
            Value::Text(text) if read_list(text, &mut scratch.text, &mut scratch.items) => {}
            _ => {
                cells.append_text(index, &mut scratch.text);
                scratch.items.push(0..scratch.text.len());
            }
        }
        let begin = row.text.len();
        let mut count = 0;
        for item in &scratch.items {
            let value = &scratch.text[item.clone()];
            if value.is_empty() {
                continue;
            }
            scratch.replaced.clear();
            let value = match self.run_check(value, &mut scratch.replaced) {
                Verdict::Keep => value,
                Verdict::Changed(rule) => {
                    scratch.changes.push((column, rule));
                    scratch.replaced.as_str()
                }
                Verdict::Bad(fault) => {
                    self.bad(value, fault, row.origin, &mut scratch.left_out)?;
                    continue;
                }
            };
            if value.contains(self.rule.separator) {
                let message = format!(
                    "{} holds `{}`, which stands between the items of `{}`; split it first",
                    shown(value),
                    self.rule.separator,
                    self.name
                );
                let fault = Fault::new("value.contains-separator", message);
                self.bad(value, fault, row.origin, &mut scratch.left_out)?;
                continue;
            }
            if self.rule.max_items.is_some_and(|max| count >= max) {
                let max = self.rule.max_items.unwrap_or_default();
                let fault = Fault::new("list.too-many", format!("`{}` takes at most {max} items", self.name));
                self.bad(value, fault, row.origin, &mut scratch.left_out)?;
                continue;
            }
            let mark = row.text.len();
            if mark > begin {
                row.text.push(self.rule.separator);
            }
            let before = row.text.len();
            self.append(column, value, row, &mut scratch.left_out, &mut scratch.changes)?;
            if row.text.len() == before {
                row.text.truncate(mark);
            } else {
                count += 1;
            }
        }
        Ok(())
    }

    /// Appends a good value, held against the longest text.
    fn append(
        &self,
        column: usize,
        value: &str,
        row: &mut Row,
        left_out: &mut Vec<LeftOut>,
        changes: &mut Vec<(usize, &'static str)>,
    ) -> Result<(), Fault> {
        // A text of so many bytes has no more characters.
        let max = self.rule.max_chars.map(|m| m as usize).filter(|max| value.len() > *max);
        if let Some((max, (cut, _))) = max.and_then(|max| Some((max, value.char_indices().nth(max)?))) {
            if self.on_invalid == OnInvalid::Truncate {
                changes.push((column, "truncate"));
                row.text.push_str(&value[..cut]);
                return Ok(());
            }
            let count = value.chars().count();
            let message = format!("{} has {count} characters, `{}` takes {max}", shown(value), self.name);
            return self.bad(value, Fault::new("value.too-long", message), row.origin, left_out);
        }
        row.text.push_str(value);
        Ok(())
    }

    fn bad(
        &self,
        value: &str,
        fault: Fault,
        origin: Origin,
        left_out: &mut Vec<LeftOut>,
    ) -> Result<(), Fault> {
        if self.rule.required && self.rule.kind != ValueKind::List || self.on_invalid == OnInvalid::RejectRow
        {
            return Err(fault);
        }
        left_out.push(LeftOut {
            origin,
            column: self.name.clone().into(),
            value: value.chars().take(200).collect::<String>().into(),
            code: fault.code.into(),
            message: fault.message.into(),
        });
        Ok(())
    }
}

/// Whether none of the bytes makes a cell need quotes, whatever stands between cells; see [`Row::is_plain`].
fn is_plain(bytes: &[u8]) -> bool {
    memchr::memchr3(b'"', b'\n', b'\r', bytes).is_none()
        && memchr::memchr3(b',', b';', b'\t', bytes).is_none()
        && memchr::memchr(b'|', bytes).is_none()
}

/// Whether the separator of a list's items is nowhere in the texts of a column.
fn is_without(bytes: &[u8], separator: char) -> bool {
    u8::try_from(separator)
        .is_ok_and(|separator| separator.is_ascii() && memchr::memchr(separator, bytes).is_none())
}

/// Changes by column and rule, since the last report.
#[derive(Default)]
struct Tally(Vec<(usize, &'static str, u64)>);

impl Tally {
    fn add(&mut self, column: usize, rule: &'static str) {
        match self.0.iter_mut().find(|(c, r, _)| *c == column && *r == rule) {
            Some((_, _, count)) => *count += 1,
            None => self.0.push((column, rule, 1)),
        }
    }

    fn report(&mut self, bound: &[Bound], report: &mut Report) {
        for (column, rule, count) in self.0.drain(..) {
            report.changed.push(Changed {
                column: bound[column].name.clone().into(),
                rule: rule.into(),
                count,
            });
        }
    }
}
