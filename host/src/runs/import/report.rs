//! The lines of a report.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use usher_abi::Error;

use super::{Columns, folded};
use crate::{report::list, runs::table::delimiter};

/// Headings that hold what is wrong, where nobody says which does.
const ERRORS: [&str; 8] =
    ["error", "errors", "error message", "error_message", "error details", "reason", "message", "details"];
/// Headings that hold a person's key, the best first, where nobody says which does.
const KEYS: [&str; 8] =
    ["external_id", "$user_id", "user_id", "$email", "email", "emails", "email address", "email_address"];

/// The largest report: a line of each of a million rows, and many times that.
const MOST: u64 = 256 << 20;

/// The most characters that are kept of what a vendor says.
const MOST_MESSAGE: usize = 1_000;

/// A line of a report that says what is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Its line in the report, from 1.
    pub line: u64,
    /// What the vendor says.
    pub message: String,
    /// Where the row is.
    pub place: Place,
}

/// How a report names a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// By a line of the part.
    Line(u64),
    /// By its number.
    Row(u64),
    /// By a value, trimmed and lower-cased; in the column of this heading.
    Key(String, String),
    /// Not at all: the cell is blank or no number.
    None,
}

/// The lines of a report that say what is wrong, and how many say nothing. `headings` are those of the parts.
pub fn read_report(
    path: &Path,
    columns: &Columns,
    headings: &[String],
) -> Result<(Vec<Reported>, u64), Error> {
    let broken = |why: &dyn std::fmt::Display| {
        let message = format!("`{}` cannot be read as a table ({why})", path.display());
        Error::config("reported.table", message)
    };
    let bytes = read(path).map_err(|error| broken(&error))?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}').as_bytes();
    let mut table = csv::ReaderBuilder::new().delimiter(delimiter(text)).flexible(true).from_reader(text);
    let own = table.headers().map_err(|error| broken(&error))?.iter().map(folded).collect();
    let sheet = Sheet { path, own, headings };
    let error = sheet.error(columns)?;
    let (at, name) = sheet.place(columns)?;
    let (mut reported, mut silent) = (Vec::new(), 0);
    let mut record = csv::StringRecord::new();
    let mut lines = Lines { text, counted: 0, line: 1 };
    while table.read_record(&mut record).map_err(|error| broken(&error))? {
        let line = lines.of(record.position().map_or(0, csv::Position::byte));
        let message = clean(record.get(error).unwrap_or_default());
        if message.is_empty() {
            silent += 1;
            continue;
        }
        let place = name.of(record.get(at).unwrap_or_default());
        reported.push(Reported { line, message, place });
    }
    Ok((reported, silent))
}

/// All of it, which is kept in memory.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::other("it is larger than 256 MiB; cut it, headings above each piece"));
    }
    Ok(bytes)
}

/// Which line a record begins in: the reader itself counts a line end of two bytes only with what follows it.
struct Lines<'a> {
    text: &'a [u8],
    counted: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the record that begins at this byte, or behind line ends that stand there; ever further on.
    fn of(&mut self, byte: u64) -> u64 {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let rest = self.text.get(byte as usize..).unwrap_or_default();
        let begins = byte as usize + rest.iter().take_while(|byte| is_end(byte)).count();
        let passed = self.text.get(self.counted..begins).unwrap_or_default();
        let ends = passed.iter().enumerate().filter(|(at, byte)| match byte {
            b'\r' => passed.get(at + 1) != Some(&b'\n'),
            byte => **byte == b'\n',
        });
        self.line += ends.count() as u64;
        self.counted = begins;
        self.line
    }
}

/// How a row is named by its cell.
enum Naming {
    Line,
    Row,
    /// By what stands in the part's column of this heading.
    Key(String),
}

impl Naming {
    fn of(&self, cell: &str) -> Place {
        match self {
            Self::Line => cell.trim().parse().map_or(Place::None, Place::Line),
            Self::Row => cell.trim().parse().map_or(Place::None, Place::Row),
            Self::Key(_) if cell.trim().is_empty() => Place::None,
            Self::Key(heading) => Place::Key(folded(cell), heading.clone()),
        }
    }
}

/// A report's headings, folded, and those of the parts.
struct Sheet<'a> {
    path: &'a Path,
    own: Vec<String>,
    headings: &'a [String],
}

impl Sheet<'_> {
    fn error(&self, columns: &Columns) -> Result<usize, Error> {
        match &columns.error {
            Some(heading) => self.named("error", heading),
            None => self.guess(&ERRORS, |_| true).ok_or_else(|| {
                self.wrong(&format!(
                    "does not say which column holds the error; say `--columns error=…` with one of {}",
                    list(&self.own)
                ))
            }),
        }
    }

    /// The column that names rows, and how.
    fn place(&self, columns: &Columns) -> Result<(usize, Naming), Error> {
        if let Some(heading) = &columns.line {
            return Ok((self.named("line", heading)?, Naming::Line));
        }
        if let Some(heading) = &columns.row {
            return Ok((self.named("row", heading)?, Naming::Row));
        }
        let in_parts = |wanted: &str| self.headings.iter().any(|heading| folded(heading) == folded(wanted));
        let (at, there) = match &columns.key {
            Some((heading, there)) => (self.named("key", heading)?, there.clone()),
            None => (self.guess(&KEYS, in_parts).ok_or_else(|| self.nameless())?, None),
        };
        let there = there.unwrap_or_else(|| self.own[at].clone());
        if in_parts(&there) {
            return Ok((at, Naming::Key(there)));
        }
        Err(self.wrong(&format!(
            "names rows by `{there}`, which no file of the connector has; say `--columns key={}:…` with one of {}",
            self.own[at],
            list(self.headings)
        )))
    }

    fn nameless(&self) -> Error {
        self.wrong(&format!(
            "does not say which column names the row; say `--columns key=…` (or `row=…`, `line=…`) with one of {}",
            list(&self.own)
        ))
    }

    fn named(&self, what: &str, heading: &str) -> Result<usize, Error> {
        self.own.iter().position(|own| *own == folded(heading)).ok_or_else(|| {
            self.wrong(&format!(
                "has no column `{heading}`; say `--columns {what}=…` with one of {}",
                list(&self.own)
            ))
        })
    }

    fn guess(&self, known: &[&str], also: impl Fn(&str) -> bool) -> Option<usize> {
        known.iter().find_map(|known| self.own.iter().position(|own| own == known && also(own)))
    }

    fn wrong(&self, what: &str) -> Error {
        Error::config("reported.table", format!("`{}` {what}", self.path.display()))
    }
}

/// In one line, and no longer than anybody reads.
fn clean(message: &str) -> String {
    let words: Vec<&str> = message.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let text = words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MOST_MESSAGE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str, columns: &str) -> Result<Vec<(u64, String, Place)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        fs::write(&path, text).unwrap();
        let columns = if columns.is_empty() { Columns::default() } else { columns.parse()? };
        let headings = ["name", "Emails", "external_id"].map(str::to_owned);
        let (lines, _) =
            read_report(&path, &columns, &headings).map_err(|error| error.message.to_string())?;
        Ok(lines.into_iter().map(|line| (line.line, line.message, line.place)).collect())
    }

    #[test]
    fn rows_are_named_by_line_number_or_key() {
        let text = "\u{feff}Row;E-Mail;emails;Error\n2;A@x ;B@x;\"no\n good\"\n3;c@x;;bad\n4;d@x;d@x;\n";
        let key = |key: &str, heading: &str| Place::Key(key.to_owned(), heading.to_owned());
        let places = |columns: &str| -> Vec<Place> {
            read(text, columns).unwrap().into_iter().map(|(.., place)| place).collect()
        };
        assert_eq!(read(text, "").unwrap()[0], (2, "no good".to_owned(), key("b@x", "emails")));
        assert_eq!(places(""), [key("b@x", "emails"), Place::None]);
        assert_eq!(places("key=e-mail:Emails"), [key("a@x", "Emails"), key("c@x", "Emails")]);
        assert_eq!(places("row=Row"), [Place::Row(2), Place::Row(3)]);
        assert_eq!(places("line=ROW,error=error"), [Place::Line(2), Place::Line(3)]);
    }

    #[test]
    fn lines_end_in_any_way() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["row,error", "1,bad", "", "2,\"a\nb\"", "3,bad"].join(end);
            let lines: Vec<u64> =
                read(&text, "row=row").unwrap().into_iter().map(|(line, ..)| line).collect();
            assert_eq!(lines, [2, 4, 6], "{end:?}");
        }
    }

    #[test]
    fn a_report_is_a_file_that_fits_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        let wrong = || read_report(&path, &Columns::default(), &[]).unwrap_err().message;
        assert!(wrong().contains("No such file"), "{}", wrong());
        fs::File::create(&path).unwrap().set_len(MOST + 1).unwrap();
        assert!(
            wrong().ends_with("(it is larger than 256 MiB; cut it, headings above each piece)"),
            "{}",
            wrong()
        );
    }

    #[test]
    fn what_nobody_can_know_is_asked_for() {
        let wrong = |text: &str, columns: &str| read(text, columns).unwrap_err();
        assert!(
            wrong("a,b\n", "")
                .contains("which column holds the error; say `--columns error=…` with one of `a`, `b`")
        );
        assert!(wrong("error,b\n", "").contains("which column names the row"));
        assert!(
            wrong("error,b\n", "key=b").contains("names rows by `b`, which no file of the connector has")
        );
        assert!(wrong("error,b\n", "key=c").contains("has no column `c`"));
        assert_eq!(wrong("error,b\n", "id=c"), "`id` is none of `error`, `key`, `line`, `row`");
    }
}
