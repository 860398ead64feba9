//! Counting CSV records as a reader would see them.

/// Counts records: cells may be quoted and hold line ends; a record ends with `\n`, `\r` or `\r\n`, the last one
/// needs no end; blank lines are no records; a byte order mark belongs to none. A quote opens a cell only at its
/// beginning, as in the `csv` crate and Python's `csv`.
#[derive(Debug)]
pub(super) struct CsvCounter {
    delimiter: u8,
    quote: u8,
    header: bool,
    records: u64,
    state: State,
    /// The record that was begun holds something.
    begun: bool,
    /// The byte before, outside quotes: whether a quote may open a cell depends on it.
    before: u8,
    /// How many bytes of a byte order mark were seen; 3 when there is none to come.
    mark: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Outside quotes.
    Open,
    /// Inside a quoted cell.
    Quoted,
    /// After a quote inside a quoted cell: its end, or the first of a pair.
    Quote,
}

const MARK: [u8; 3] = *b"\xef\xbb\xbf";

impl CsvCounter {
    pub(super) fn new(delimiter: u8, quote: u8, header: bool) -> Self {
        let (records, state, before) = (0, State::Open, b'\n');
        Self { delimiter, quote, header, records, state, begun: false, before, mark: 0 }
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while let (Some(expected), [first, rest @ ..]) = (MARK.get(usize::from(self.mark)), bytes) {
            if first == expected {
                self.mark += 1;
                bytes = rest;
            } else {
                // It was no mark after all: what was skipped begins the first cell.
                if self.mark > 0 {
                    (self.begun, self.before) = (true, MARK[0]);
                }
                self.mark = 3;
            }
        }
        let mut at = 0;
        while at < bytes.len() {
            at = match self.state {
                State::Open => self.open(bytes, at),
                State::Quoted => match memchr::memchr(self.quote, &bytes[at..]) {
                    Some(quote) => {
                        self.state = State::Quote;
                        at + quote + 1
                    }
                    None => bytes.len(),
                },
                State::Quote if bytes[at] == self.quote => {
                    self.state = State::Quoted;
                    at + 1
                }
                State::Quote => {
                    self.state = State::Open;
                    self.before = self.quote;
                    at
                }
            };
        }
    }

    /// Goes on outside quotes from `at` to behind the next line end or quote.
    fn open(&mut self, bytes: &[u8], at: usize) -> usize {
        let Some(step) = memchr::memchr3(self.quote, b'\n', b'\r', &bytes[at..]) else {
            self.begun = true;
            self.before = bytes[bytes.len() - 1];
            return bytes.len();
        };
        let found = at + step;
        if step > 0 {
            self.begun = true;
            self.before = bytes[found - 1];
        }
        if bytes[found] == self.quote {
            if !self.begun || self.before == self.delimiter {
                self.state = State::Quoted;
            }
            self.begun = true;
            self.before = self.quote;
        } else {
            self.records += u64::from(self.begun);
            self.begun = false;
            self.before = b'\n';
        }
        found + 1
    }

    pub(super) fn finish(self) -> u64 {
        let partial_mark = self.mark > 0 && self.mark < 3;
        let records = self.records + u64::from(self.begun || partial_mark);
        records.saturating_sub(u64::from(self.header))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(bytes: &[u8], delimiter: u8, cut: usize) -> u64 {
        let mut counter = CsvCounter::new(delimiter, b'"', false);
        bytes.chunks(cut.max(1)).for_each(|chunk| counter.update(chunk));
        counter.finish()
    }

    fn reference(bytes: &[u8], delimiter: u8) -> u64 {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(bytes);
        let mut record = csv::ByteRecord::new();
        let mut records = 0;
        while reader.read_byte_record(&mut record).unwrap() {
            records += 1;
        }
        records
    }

    fn check(text: &str, expected: u64) {
        for cut in 1..=text.len().max(1) {
            assert_eq!(count(text.as_bytes(), b',', cut), expected, "{text:?} cut every {cut}");
        }
        assert_eq!(reference(text.as_bytes(), b','), expected, "{text:?} by the csv crate");
    }

    #[test]
    fn records_are_what_a_reader_sees() {
        check("", 0);
        check("a,b\n1,2\n", 2);
        check("a,b\r\n1,2", 2);
        check("a,\"b\nc\",d\n\"e\"\"\n\",f\n", 2);
        check("\n\r\n\na\n\n", 1);
        check("\"\"\n\"\"\n", 2);
        check(",\n,\n", 2);
        check("5\" pipe,x\n6\" pipe,y\n", 2);
        check("a,\"b\"c\"\nd\n", 2);
        check("\u{feff}\"a\nb\",c\n", 1);
        check("\u{feff}", 0);
        check("a,\"open\nto the end", 1);
        check("a\rb\r", 2);
    }

    #[test]
    fn a_header_is_no_record() {
        for (text, expected) in [("", 0), ("a,b\n", 0), ("a,b\n1,2\n", 1)] {
            let mut counter = CsvCounter::new(b',', b'"', true);
            counter.update(text.as_bytes());
            assert_eq!(counter.finish(), expected, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Any text made of the bytes that matter, well-formed or not, is counted as the `csv` crate does.
        #[test]
        fn as_the_csv_crate(
            text in proptest::collection::vec(
                prop::sample::select(b"\"\"\"\n\n\r,,;a\x20".to_vec()), 0..60),
            cut in 1usize..9,
            semicolon: bool,
        ) {
            let delimiter = if semicolon { b';' } else { b',' };
            prop_assert_eq!(count(&text, delimiter, cut), reference(&text, delimiter));
        }

        /// What the `csv` crate writes is counted as what was written.
        #[test]
        fn as_written(
            rows in proptest::collection::vec(
                proptest::collection::vec("[a\" ,\r\né]{0,6}", 1..5), 0..20),
            crlf: bool,
            cut in 1usize..50,
        ) {
            let mut writer = csv::WriterBuilder::new()
                .flexible(true)
                .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
                .from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            prop_assert_eq!(count(&bytes, b',', cut), rows.len() as u64);
        }
    }
}
