//! A file without the person.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read as _, Write},
    path::Path,
};

use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};
use serde_json::Value;
use tempfile::NamedTempFile;
use usher_abi::Error;

use super::{
    document::{forget_text, is_about},
    person::Person,
    places::Places,
    records::{Form, Record, copy},
};
use crate::{
    runs::{
        FileDigest,
        guarded::unguarded,
        replace::{fault, temporary},
        unreadable,
    },
    services::Packing,
};

/// Bytes read at once; so many are looked at to tell what a file is.
const CHUNK: usize = 256 * 1024;

/// Which records go.
#[derive(Clone, Debug)]
pub(super) struct Judge<'a> {
    person: &'a Person,
    form: Form,
    book: Option<Book<'a>>,
    headings: Vec<String>,
}

/// A table of the run itself, or its rejects: who it is about stands in texts, or nowhere but in the place of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Book<'a> {
    /// The columns, or members, whose texts may name people. All others are numbers and names of the chain's.
    pub(super) texts: &'static [&'static str],
    /// Where the person's records stood.
    pub(super) places: &'a Places,
}

/// A file without the person, which may take the place of the other.
#[derive(Debug)]
pub(super) struct Without {
    /// Records, or mentions, that are not in it.
    pub(super) records: u64,
    /// What it is made of.
    pub(super) form: Form,
    pub(super) file: NamedTempFile,
    /// Of its bytes.
    pub(super) digest: FileDigest,
}

impl<'a> Judge<'a> {
    /// Records go that have a value that is one of the person's keys.
    pub(super) fn values(person: &'a Person, form: Form) -> Self {
        Self { person, form, book: None, headings: Vec::new() }
    }

    /// Records of a book go that name the person, or a record of theirs.
    pub(super) fn book(person: &'a Person, form: Form, book: Book<'a>) -> Self {
        Self { book: Some(book), ..Self::values(person, form) }
    }

    /// Whether this one goes. They are asked for in the order of the file.
    pub(super) fn goes(&mut self, record: Record<'_>) -> bool {
        let has_headings = matches!(self.form, Form::Csv { header: true, .. });
        if has_headings && record.first {
            self.headings = self.cells(record.bytes);
            return false;
        }
        match self.book {
            None if !self.person.may_be_in(record.bytes) => false,
            None => self.is_about(record.bytes),
            Some(book) => self.is_entry_about(book, record.bytes),
        }
    }

    fn is_about(&self, record: &[u8]) -> bool {
        match self.form {
            Form::Csv { .. } => self.cells(record).iter().any(|cell| self.person.is(cell)),
            Form::Text => false,
            _ => match serde_json::from_slice::<Value>(record) {
                Ok(value) => is_about(&value, self.person),
                Err(_) => self.person.is_named_in(&String::from_utf8_lossy(record)),
            },
        }
    }

    fn is_entry_about(&self, book: Book<'_>, record: &[u8]) -> bool {
        let named = |text: &str| self.person.is(text) || self.person.is_named_in(text);
        if let Form::Csv { .. } = self.form {
            let cells = self.cells(record);
            let cell = |name: &str| {
                let at = self.headings.iter().position(|heading| heading == name);
                at.and_then(|at| cells.get(at)).map_or("", |cell| unguarded(cell))
            };
            let line = cell("line").parse().unwrap_or(0);
            return book.texts.iter().any(|name| named(cell(name))) || book.places.has(cell("input"), line);
        }
        let Ok(entry) = serde_json::from_slice::<Value>(record) else {
            return named(&String::from_utf8_lossy(record));
        };
        let in_text = |name: &&str| match &entry[*name] {
            Value::String(text) => named(text),
            Value::Null => false,
            value => named(&value.to_string()),
        };
        let origin = &entry["origin"];
        book.texts.iter().any(in_text)
            || book.places.has(origin["input"].as_str().unwrap_or(""), origin["line"].as_u64().unwrap_or(0))
    }

    fn cells(&self, record: &[u8]) -> Vec<String> {
        let delimiter = if let Form::Csv { delimiter, .. } = self.form { delimiter } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(record.len().max(1))
            .from_reader(record);
        let mut cells = csv::ByteRecord::new();
        // Reading from memory does not fail, and any bytes are some cells.
        let _ = reader.read_byte_record(&mut cells);
        cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
    }
}

/// The file at `path` without the person, if it has them; `name` is its path in the run's folder. `judge` answers which
/// records go of a file of some form, which is told by its first bytes.
pub(super) fn without<'a>(
    path: &Path,
    name: &str,
    person: &'a Person,
    judge: impl Fn(Form) -> Judge<'a>,
) -> Result<Option<Without>, Error> {
    let cannot = |error: &io::Error| unreadable(path, error);
    let (packing, form) = look(path, &judge).map_err(|error| cannot(&error))?;
    if matches!(form, Form::Document | Form::Text) {
        return text_without(path, name, person, form);
    }
    let copied = |to: &mut dyn Write| {
        let mut judge = judge(form);
        copy(plain(path)?, form, &mut &mut *to, |record| judge.goes(record))
    };
    // Most files have nobody to forget: nothing is written before somebody was found.
    if copied(&mut io::sink()).map_err(|error| cannot(&error))? == 0 {
        return Ok(None);
    }
    let file = temporary(path)?;
    let write = || -> io::Result<u64> {
        let mut to = BufWriter::with_capacity(CHUNK, file.as_file());
        let records = match packing {
            Packing::Plain => copied(&mut to)?,
            Packing::Gzip => {
                let mut packed = GzEncoder::new(&mut to, Compression::default());
                let records = copied(&mut packed)?;
                packed.finish()?;
                records
            }
            Packing::Zstd => {
                let mut packed = zstd::stream::write::Encoder::new(&mut to, 0)?;
                let records = copied(&mut packed)?;
                packed.finish()?;
                records
            }
        };
        to.flush()?;
        Ok(records)
    };
    let records = write().map_err(|error| fault(path, &error))?;
    finish(file, name, records, form).map(Some)
}

/// A file that is read whole: mentions go out of it, too.
fn text_without(path: &Path, name: &str, person: &Person, form: Form) -> Result<Option<Without>, Error> {
    let mut text = Vec::new();
    plain(path).and_then(|mut file| file.read_to_end(&mut text)).map_err(|error| unreadable(path, &error))?;
    let text = String::from_utf8_lossy(&text);
    let found = match form {
        // Said to be no records, whatever it looks like.
        Form::Text => person.redacted(&text).map(|text| (text, 1)),
        _ => forget_text(&text, person),
    };
    let Some((text, records)) = found else { return Ok(None) };
    made(path, name, text.as_bytes(), records, form).map(Some)
}

/// Bytes that may take the place of a file.
pub(super) fn made(
    path: &Path,
    name: &str,
    bytes: &[u8],
    records: u64,
    form: Form,
) -> Result<Without, Error> {
    let mut file = temporary(path)?;
    file.write_all(bytes).map_err(|error| fault(path, &error))?;
    finish(file, name, records, form)
}

fn finish(file: NamedTempFile, name: &str, records: u64, form: Form) -> Result<Without, Error> {
    let digest = FileDigest::of_file(name, file.path()).map_err(|error| unreadable(file.path(), &error))?;
    Ok(Without { records, form, file, digest })
}

/// What a file is: packed or not, and its form, as whoever judges its records knows it, or told by its first bytes.
fn look<'a>(path: &Path, judge: &impl Fn(Form) -> Judge<'a>) -> io::Result<(Packing, Form)> {
    let mut start = [0; 4];
    let read = File::open(path)?.read(&mut start)?;
    let packing = Packing::of(&start[..read]);
    let form = Form::of(plain(path)?.fill_buf()?);
    Ok((packing, judge(form).form))
}

/// The bytes of a file, unpacked.
pub(super) fn plain(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut stored = BufReader::with_capacity(CHUNK, File::open(path)?);
    Ok(match Packing::of(stored.fill_buf()?) {
        Packing::Plain => Box::new(stored),
        Packing::Gzip => Box::new(BufReader::with_capacity(CHUNK, MultiGzDecoder::new(stored))),
        Packing::Zstd => {
            Box::new(BufReader::with_capacity(CHUNK, zstd::stream::read::Decoder::with_buffer(stored)?))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn packed_files_stay_packed() {
        let folder = tempfile::tempdir().unwrap();
        let ada = Person::new(&["ada@x.com".to_owned()]).unwrap();
        let text = "{\"email\":\"ADA@x.com\"}\n{\"email\":\"eve@x.com\"}\n";
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        let zstd = zstd::encode_all(text.as_bytes(), 0).unwrap();
        for bytes in [gzip.finish().unwrap(), zstd, text.as_bytes().to_vec()] {
            let path = folder.path().join("users");
            fs::write(&path, &bytes).unwrap();
            let found = without(&path, "users", &ada, |form| Judge::values(&ada, form)).unwrap().unwrap();
            let mut left = String::new();
            plain(found.file.path()).unwrap().read_to_string(&mut left).unwrap();
            assert_eq!((left.as_str(), found.records), ("{\"email\":\"eve@x.com\"}\n", 1));
            let stored = fs::read(found.file.path()).unwrap();
            assert_eq!(stored[0], bytes[0], "packed as it was");
            assert_eq!(found.digest, FileDigest::of_bytes("users", &stored));
            fs::write(&path, &stored).unwrap();
            assert!(without(&path, "users", &ada, |form| Judge::values(&ada, form)).unwrap().is_none());
        }
    }
}
