//! The host's own count of the records in a part.

use usher_abi::{Error, service::PartFormat};

use super::{csv::CsvCounter, json::JsonCounter};

/// Counts the records of a part while its bytes pass by, cut anywhere.
#[derive(Debug)]
pub(super) enum Counter {
    Csv(CsvCounter),
    NdJson(LineCounter),
    Json(JsonCounter),
    /// Not counted: the sink is believed.
    Bytes,
}

impl Counter {
    /// The counter for a format.
    pub(super) fn new(format: &PartFormat) -> Result<Self, Error> {
        Ok(match format.name.as_str() {
            "csv" => Self::Csv(CsvCounter::new(format.delimiter, format.quote, format.header)),
            "ndjson" => Self::NdJson(LineCounter::default()),
            "json" => Self::Json(JsonCounter::default()),
            "bytes" => Self::Bytes,
            other => {
                return Err(Error::unsupported(
                    "output.format",
                    format!(
                        "this host cannot count records of format `{other}`; use `bytes`, or a newer host"
                    ),
                ));
            }
        })
    }

    /// Takes the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Csv(counter) => counter.update(bytes),
            Self::NdJson(counter) => counter.update(bytes),
            Self::Json(counter) => counter.update(bytes),
            Self::Bytes => {}
        }
    }

    /// The records in all of them; why they cannot be counted, in words.
    pub(super) fn finish(self) -> Result<Option<u64>, &'static str> {
        match self {
            Self::Csv(counter) => Ok(Some(counter.finish())),
            Self::NdJson(counter) => Ok(Some(counter.finish())),
            Self::Json(counter) => counter.finish().map(Some),
            Self::Bytes => Ok(None),
        }
    }
}

/// Counts lines that are not blank.
#[derive(Debug, Default)]
pub(super) struct LineCounter {
    lines: u64,
    /// The line that was begun holds something.
    begun: bool,
}

impl LineCounter {
    fn update(&mut self, bytes: &[u8]) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            self.lines += u64::from(self.begun || holds_something(&bytes[start..end]));
            self.begun = false;
            start = end + 1;
        }
        self.begun |= holds_something(&bytes[start..]);
    }

    fn finish(self) -> u64 {
        self.lines + u64::from(self.begun)
    }
}

fn holds_something(line: &[u8]) -> bool {
    line.iter().any(|byte| !byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(format: &PartFormat, text: &str) -> Option<u64> {
        let mut counter = Counter::new(format).unwrap();
        counter.update(text.as_bytes());
        let whole = counter.finish().unwrap();
        let mut counter = Counter::new(format).unwrap();
        text.as_bytes().iter().for_each(|byte| counter.update(&[*byte]));
        assert_eq!(counter.finish().unwrap(), whole, "cut anywhere, it is the same");
        whole
    }

    #[test]
    fn lines_are_counted_unless_blank() {
        let ndjson = |text| count(&PartFormat::ndjson(), text).unwrap();
        assert_eq!(ndjson(""), 0);
        assert_eq!(ndjson("\n\r\n \t\n"), 0);
        assert_eq!(ndjson("{}\n{}\r\n"), 2);
        assert_eq!(ndjson("{}\n\n  {}"), 2, "the last line needs no end");
    }

    #[test]
    fn bytes_are_not_counted_and_strangers_refused() {
        let mut format = PartFormat::ndjson();
        format.name = "bytes".into();
        assert_eq!(count(&format, "a\nb\n"), None);
        format.name = "xml".into();
        assert_eq!(Counter::new(&format).unwrap_err().code, "output.format");
    }
}
