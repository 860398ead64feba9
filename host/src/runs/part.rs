//! The files that a run wrote, row by row.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;
use usher_abi::{Error, nearest};

use super::{FileDigest, Receipt, Run, all, unreadable};

/// A file of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartFile {
    /// The connector that wrote it.
    pub connector: String,
    /// Its path in the run's folder.
    pub path: String,
    /// Its rows, headings not counted.
    pub rows: u64,
    /// `csv`, `ndjson` or `json`; rows of others cannot be told apart.
    pub format: String,
    /// Of `csv`: what stands between cells.
    pub delimiter: u8,
    /// Of `csv`: whether the first record holds headings.
    pub header: bool,
    /// Whether it holds something else than rows of records, such as the organizations that users name.
    pub extra: bool,
}

/// Where in a part, as a person names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// A line of the file, from 1; any line that a row takes up.
    Line(u64),
    /// A row, from 1, headings not counted.
    Row(u64),
}

/// A row of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// From 1, headings not counted.
    pub number: u64,
    /// Its first line in the file, from 1.
    pub first: u64,
    /// Its last line.
    pub last: u64,
    /// The record as it stands there.
    pub text: Vec<u8>,
}

#[derive(Deserialize)]
struct Report {
    connectors: Vec<ReportConnector>,
}

#[derive(Deserialize)]
struct ReportConnector {
    name: String,
    parts: Vec<ReportPart>,
}

#[derive(Deserialize)]
struct ReportPart {
    path: String,
    rows: u64,
    format: String,
    delimiter: String,
    header: bool,
}

/// All parts of a run, by connector and in the order in which they were finished.
pub fn parts(run: &Path) -> Result<Vec<PartFile>, Error> {
    let path = run.join("report.json");
    let text = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
    let report: Report = serde_json::from_slice(&text).map_err(|error| {
        let message =
            format!("`{}` is no report of this usher ({error}); see that the run is whole", path.display());
        Error::permanent("run.unreadable", message)
    })?;
    let extra: Vec<String> = Receipt::read(run)?.extra_parts();
    let part = |connector: &str, part: ReportPart| PartFile {
        connector: connector.to_owned(),
        extra: extra.contains(&part.path),
        path: part.path,
        rows: part.rows,
        format: part.format,
        delimiter: part.delimiter.bytes().next().unwrap_or(b','),
        header: part.header,
    };
    let of = |ReportConnector { name, parts }| -> Vec<PartFile> {
        parts.into_iter().map(|p| part(&name, p)).collect()
    };
    Ok(report.connectors.into_iter().flat_map(of).collect())
}

/// The part of this name and its run: a path to the file, its path in the run's folder, or its bare name.
pub fn find_part(out: &Path, name: &str) -> Result<(Run, PartFile), Error> {
    let wanted = fs::canonicalize(name).unwrap_or_else(|_| PathBuf::from(name));
    let mut names = Vec::new();
    for run in all(out)? {
        let folder = fs::canonicalize(&run.folder).unwrap_or_else(|_| run.folder.clone());
        // A run that cannot be read has no part that could be found.
        for part in parts(&run.folder).unwrap_or_default() {
            let bare = part.path.rsplit('/').next().unwrap_or_default();
            if folder.join(&part.path) == wanted || part.path == name || bare == name {
                return Ok((run, part));
            }
            names.push(bare.to_owned());
        }
    }
    let near = nearest(name, names.iter().map(String::as_str));
    let message = format!("there is no part `{name}` in the runs below `{}`{near}", out.display());
    Err(Error::config("part.unknown", message))
}

impl PartFile {
    /// An error unless the file is still what the run wrote: of any other, nobody knows what its lines are.
    pub fn check(&self, run: &Run) -> Result<(), Error> {
        let place = run.folder.join(&self.path);
        let found = FileDigest::of_file(&self.path, &place).map_err(|error| unreadable(&place, &error))?;
        if Receipt::read(&run.folder)?.files.contains(&found) {
            return Ok(());
        }
        let message = format!(
            "`{}` has changed since the run wrote it, so that its lines are not those of the run; take the file as it was",
            place.display()
        );
        Err(Error::config("part.changed", message))
    }

    /// Hands out every row in order, until `take` answers false.
    pub fn read(&self, run: &Path, mut take: impl FnMut(Row) -> Result<bool, Error>) -> Result<(), Error> {
        let path = run.join(&self.path);
        let fault = |error: std::io::Error| unreadable(&path, &error);
        if !["csv", "ndjson", "json"].contains(&self.format.as_str()) {
            let message =
                format!("`{}` is no table and no JSON: its rows are not told apart", path.display());
            return Err(Error::unsupported("part.format", message));
        }
        let mut reader = BufReader::new(File::open(&path).map_err(fault)?);
        let (mut line, mut number) = (0, 0);
        // Headings are a record before the first row.
        let mut headings = self.format == "csv" && self.header;
        loop {
            let (mut text, first) = (Vec::new(), line + 1);
            // Within quotes a line goes on in the next.
            while reader.read_until(b'\n', &mut text).map_err(fault)? > 0 {
                line += 1;
                let quotes = memchr::memchr_iter(b'"', &text).count();
                if self.format != "csv" || quotes.is_multiple_of(2) || text.last() != Some(&b'\n') {
                    break;
                }
            }
            if text.is_empty() {
                return Ok(());
            }
            if std::mem::take(&mut headings) || !self.is_row(&text) {
                continue;
            }
            number += 1;
            if !take(Row { number, first, last: line, text })? {
                return Ok(());
            }
        }
    }

    /// Whether a record is a row: no blank line, no bracket of a list.
    fn is_row(&self, text: &[u8]) -> bool {
        match (self.format.as_str(), text.trim_ascii()) {
            (_, []) => false,
            ("json", text) => text.starts_with(b"{"),
            _ => true,
        }
    }

    /// The number of the row at a place.
    pub fn row_at(&self, run: &Run, at: At) -> Result<u64, Error> {
        let (mut found, mut last) = (None, 0);
        self.read(&run.folder, |row| {
            last = row.number;
            found = match at {
                At::Row(number) => (row.number == number).then_some(number),
                At::Line(line) => (row.first..=row.last).contains(&line).then_some(row.number),
            };
            Ok(found.is_none())
        })?;
        found.ok_or_else(|| {
            let place = match at {
                At::Line(line) => format!("line {line} of `{}` is of no row", self.path),
                At::Row(row) => format!("`{}` has no row {row}", self.path),
            };
            Error::config("part.no-row", format!("{place}; it has {last} rows"))
        })
    }

    /// The headings, of a table that has any.
    pub fn headings(&self, run: &Path) -> Result<Vec<String>, Error> {
        if self.format != "csv" || !self.header {
            return Ok(Vec::new());
        }
        let path = run.join(&self.path);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .from_path(&path)
            .map_err(|error| unreadable(&path, &error.into()))?;
        let headings = reader.headers().map_err(|error| unreadable(&path, &error.into()))?;
        Ok(headings.iter().map(str::to_owned).collect())
    }

    /// What values are called: headings, or the keys of the first object.
    pub fn names(&self, run: &Path) -> Result<Vec<String>, Error> {
        let mut names = self.headings(run)?;
        if self.format != "csv" {
            self.read(run, |row| {
                names = self.values(&row, &[]).into_iter().map(|(name, _)| name).collect();
                Ok(false)
            })?;
        }
        Ok(names)
    }

    /// The values of a row by their names; those of a table by its `headings`, or else by their place.
    pub fn values(&self, row: &Row, headings: &[String]) -> Vec<(String, String)> {
        if self.format == "csv" {
            let name = |at: usize| headings.get(at).cloned().unwrap_or_else(|| at.to_string());
            return self.cells(row).into_iter().enumerate().map(|(at, cell)| (name(at), cell)).collect();
        }
        // In a list a comma stands behind each but the last.
        let text = row.text.trim_ascii();
        let text = text.strip_suffix(b",").unwrap_or(text);
        let object: BTreeMap<String, Value> = serde_json::from_slice(text).unwrap_or_default();
        let shown = |value: Value| match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        object.into_iter().map(|(name, value)| (name, shown(value))).collect()
    }

    /// The cells of a row of a table.
    pub fn cells(&self, row: &Row) -> Vec<String> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .has_headers(false)
            .from_reader(row.text.as_slice());
        let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
        record.iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(format: &str, header: bool, text: &str) -> Vec<(u64, u64, u64, Vec<String>)> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("p"), text).unwrap();
        let (connector, path, format) = ("c".to_owned(), "p".to_owned(), format.to_owned());
        let part = PartFile { connector, path, rows: 0, format, delimiter: b';', header, extra: false };
        let mut rows = Vec::new();
        part.read(folder.path(), |row| {
            rows.push((row.number, row.first, row.last, part.cells(&row)));
            Ok(true)
        })
        .unwrap();
        rows
    }

    #[test]
    fn a_row_is_all_lines_that_it_takes_up() {
        let table = "\u{feff}a;\"b\nc\"\r\n1;\"x\r\n\"\"y\"\"\n\"\r\n\r\n2;z";
        let cells = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        assert_eq!(
            rows("csv", true, table),
            [(1, 3, 5, cells(["1", "x\r\n\"y\"\n"])), (2, 7, 7, cells(["2", "z"]))]
        );
        assert_eq!(rows("csv", false, "1;2\n")[0].0, 1);
        let numbers = |rows: Vec<(u64, u64, u64, Vec<String>)>| -> Vec<(u64, u64)> {
            rows.into_iter().map(|(number, first, ..)| (number, first)).collect()
        };
        assert_eq!(numbers(rows("ndjson", false, "{}\n\n{\"a\":\"\\\"\"}\n{}")), [(1, 1), (2, 3), (3, 4)]);
        assert_eq!(numbers(rows("json", false, "[\n{},\n{}\n]\n")), [(1, 2), (2, 3)]);
    }
}
