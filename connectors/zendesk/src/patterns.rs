//! The files of users. In updates a blank cell erases what is stored, so rows go into files by the columns they fill,
//! and a file has no column that its rows leave blank.

use std::fmt::Write as _;

use usher_sdk::{
    CsvDialect, CsvFile, Host, PartLimits, Row,
    abi::{Error, Part},
    checks::Fault,
};

use crate::{
    duplicates::{Additions, append},
    layout::Layout,
    row_size::{most_bytes, most_bytes_of},
};

/// Most groups of files.
const GROUPS: usize = 8;

/// One bit per column; there are at most 200.
type Filled = [u64; 4];

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Files {
    host: Host,
    names: Vec<String>,
    emails: usize,
    phones: Option<usize>,
    limits: PartLimits,
    hold: bool,
    grouped: bool,
    groups: Vec<Group>,
    last: usize,
}

/// Files of the same columns.
#[derive(Debug)]
struct Group {
    filled: Filled,
    columns: Vec<usize>,
    file: CsvFile,
    rows: u32,
    /// Most bytes of a row.
    most: u64,
}

/// Where a row was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    pub(crate) group: u32,
    pub(crate) row: u32,
    /// The most bytes that it has; 0 when files are not held.
    pub(crate) bytes: u64,
}

/// Files of one group, finished.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) columns: Vec<String>,
    pub(crate) parts: Vec<Part>,
}

impl Files {
    /// No files yet. `hold`: keep them open to the end, so that merged rows can be added; `grouped`: see the module's
    /// head.
    pub(crate) fn new(host: &Host, layout: &Layout, limits: PartLimits, hold: bool, grouped: bool) -> Self {
        Self {
            host: host.clone(),
            names: layout.names.clone(),
            emails: layout.emails,
            phones: layout.phones,
            limits,
            hold,
            grouped,
            groups: Vec::new(),
            last: 0,
        }
    }

    /// Writes a row.
    pub(crate) fn push(&mut self, row: &Row) -> Result<Result<Placed, Fault>, Error> {
        let filled = if self.grouped { self.filled(row) } else { [u64::MAX; 4] };
        if self.groups.get(self.last).is_none_or(|group| group.filled != filled) {
            self.last = match self.groups.iter().position(|group| group.filled == filled) {
                Some(found) => found,
                None => self.add(filled)?,
            };
        }
        let group = &mut self.groups[self.last];
        let bytes = if self.hold { most_bytes_of(row, &group.columns) } else { 0 };
        if let Err(fault) = group.file.push_known(group.columns.iter().map(|column| row.known(*column)))? {
            return Ok(Err(fault));
        }
        let placed = Placed { group: self.last as u32, row: group.rows, bytes };
        group.rows = group
            .rows
            .checked_add(1)
            .ok_or_else(|| Error::data("rows.too-many", "too many rows; split the input"))?;
        Ok(Ok(placed))
    }

    /// The most bytes that a row of a group may have.
    pub(crate) fn most_bytes(&self, group: u32) -> u64 {
        self.groups.get(group as usize).map_or(0, |group| group.most)
    }

    /// Ends the files, with what merged rows add.
    pub(crate) fn finish(self, mut additions: Additions) -> Result<Vec<Finished>, Error> {
        let mut finished = Vec::new();
        for (number, group) in (0u32..).zip(self.groups) {
            let place =
                |column: Option<usize>| column.and_then(|c| group.columns.iter().position(|own| *own == c));
            let (emails, phones) = (place(Some(self.emails)), place(self.phones));
            let rows: Vec<u64> = additions
                .range((number, 0)..=(number, u32::MAX))
                .map(|((_, row), _)| u64::from(*row))
                .collect();
            let parts = group.file.finish_changed(&rows, |row, cells| {
                let addition = u32::try_from(row).ok().and_then(|row| additions.remove(&(number, row)));
                if let Some(addition) = addition {
                    emails
                        .and_then(|at| cells.get_mut(at))
                        .into_iter()
                        .for_each(|cell| append(cell, &addition.emails));
                    phones
                        .and_then(|at| cells.get_mut(at))
                        .into_iter()
                        .for_each(|cell| append(cell, &addition.phones));
                }
                Ok(())
            })?;
            let columns = group.columns.iter().map(|column| self.names[*column].clone()).collect();
            finished.push(Finished { columns, parts });
        }
        Ok(finished)
    }

    /// The columns that a row needs: those it fills, addresses and phones always, since blanks there erase nothing.
    fn filled(&self, row: &Row) -> Filled {
        let mut filled = [0; 4];
        for column in 0..self.names.len() {
            if row.is_filled(column) || column == self.emails || Some(column) == self.phones {
                set(&mut filled, column);
            }
        }
        filled
    }

    fn add(&mut self, filled: Filled) -> Result<usize, Error> {
        if self.groups.len() == GROUPS {
            return Err(self.too_many(filled));
        }
        let columns: Vec<usize> = (0..self.names.len()).filter(|column| has(&filled, *column)).collect();
        let names = || columns.iter().map(|column| self.names[*column].as_str());
        let mut file = CsvFile::new(&self.host, "users", names(), CsvDialect::default(), self.limits);
        if self.hold {
            file = file.hold();
        }
        let body = self.limits.bytes.map(|bytes| bytes.saturating_sub(most_bytes(names())));
        let most = self.limits.row_bytes.into_iter().chain(body).min().unwrap_or(u64::MAX);
        self.groups.push(Group { filled, columns, file, rows: 0, most });
        Ok(self.groups.len() - 1)
    }

    /// The error that shows which columns the rows fill, and which to drop.
    fn too_many(&self, one_more: Filled) -> Error {
        let mut ways: Vec<(u64, Filled)> =
            self.groups.iter().map(|g| (u64::from(g.rows), g.filled)).collect();
        ways.push((1, one_more));
        let differs =
            |column: &usize| ways.iter().any(|(_, way)| has(way, *column) != has(&one_more, *column));
        let columns: Vec<usize> = (0..self.names.len()).filter(differs).collect();
        let without = |column: usize| {
            let mut left: Vec<Filled> = ways.iter().map(|(_, way)| *way).collect();
            left.iter_mut().for_each(|way| clear(way, column));
            left.sort_unstable();
            left.dedup();
            left.len()
        };
        let mut message = format!(
            "the rows fill their columns in more than {GROUPS} different ways, and each way needs files of its own, since \
             a blank cell of an update erases what Zendesk has stored"
        );
        let filled = |column: usize| {
            ways.iter().filter(|(_, way)| has(way, column)).map(|(rows, _)| rows).sum::<u64>()
        };
        let best = columns.iter().map(|column| (without(*column), filled(*column), *column)).min();
        if let Some((left, _, column)) = best {
            let _ = write!(message, "; drop `{}` ({left} ways are left so far)", self.names[column]);
        }
        message.push_str(", fill the gaps in `fields`, or say `on_blank = \"erase_stored\"`\n");
        let _ = write!(message, "{:>10}", "rows");
        for column in &columns {
            let _ = write!(message, "  {}", self.names[*column]);
        }
        for (rows, way) in &ways {
            let _ = write!(message, "\n{rows:>10}");
            for column in &columns {
                let mark = if has(way, *column) { "x" } else { "-" };
                let _ = write!(message, "  {mark:<width$}", width = self.names[*column].chars().count());
            }
            message.truncate(message.trim_end().len());
        }
        Error::data("blank.patterns", message)
    }
}

fn set(filled: &mut Filled, column: usize) {
    filled[column / 64] |= 1 << (column % 64);
}

fn clear(filled: &mut Filled, column: usize) {
    filled[column / 64] &= !(1 << (column % 64));
}

fn has(filled: &Filled, column: usize) -> bool {
    filled[column / 64] & 1 << (column % 64) != 0
}
