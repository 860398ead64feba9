//! A CSV file as every vendor reads it: UTF-8, a header, rows of as many cells as the header has.

/// The file.
#[derive(Debug)]
pub(super) struct Table {
    /// The header as it stands: a byte order mark, blanks and case count.
    pub(super) headings: Vec<String>,
    /// The rows.
    pub(super) rows: Vec<Row>,
}

/// A row.
#[derive(Debug)]
pub(super) struct Row {
    /// 1 for the first row below the header.
    pub(super) number: u64,
    /// As many as there are headings.
    pub(super) cells: Vec<String>,
    /// Bytes of the row in the file, its line end counted.
    pub(super) bytes: u64,
    /// Bytes of the file up to the end of the row.
    pub(super) end: u64,
}

impl Table {
    /// Reads a file; the reason when it is none.
    pub(super) fn parse(file: &[u8], delimiter: u8) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(file);
        let mut record = csv::StringRecord::new();
        let mut table = Self { headings: Vec::new(), rows: Vec::new() };
        let mut start = 0;
        let mut first = true;
        while reader.read_record(&mut record).map_err(|e| e.to_string())? {
            let cells = record.iter().map(str::to_owned).collect();
            let end = reader.position().byte();
            if first {
                table.headings = cells;
                first = false;
            } else {
                let number = table.rows.len() as u64 + 1;
                table.rows.push(Row { number, cells, bytes: end - start, end });
            }
            start = end;
        }
        // The csv crate takes a byte order mark away; no vendor is known to.
        if let Some(heading) = table.headings.first_mut().filter(|_| file.starts_with(b"\xEF\xBB\xBF")) {
            heading.insert(0, '\u{FEFF}');
        }
        let mut sorted = table.headings.clone();
        sorted.sort();
        if first || table.headings.iter().any(String::is_empty) {
            return Err("a column without a heading".to_owned());
        }
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("two columns `{}`", pair[0])),
            None => Ok(table),
        }
    }

    /// The place of a heading.
    pub(super) fn place(&self, heading: &str) -> Option<usize> {
        self.headings.iter().position(|h| h == heading)
    }
}

impl Row {
    /// A cell by the place of its heading; blank when there is no such column.
    pub(super) fn cell(&self, place: Option<usize>) -> &str {
        place.map_or("", |place| &self.cells[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_sizes() {
        let table = Table::parse(b"a,b\n1,2\n\"x\ny\",4\n", b',').unwrap();
        assert_eq!(table.headings, ["a", "b"]);
        assert_eq!((table.place("b"), table.place("c")), (Some(1), None));
        let row = &table.rows[1];
        assert_eq!((row.number, row.bytes, row.end), (2, 8, 16));
        assert_eq!((row.cell(Some(0)), row.cell(None)), ("x\ny", ""));
    }

    #[test]
    fn what_is_no_table() {
        for (file, reason) in [
            (&b""[..], "a column without a heading"),
            (b"a,,b\n", "a column without a heading"),
            (b"a,b,a\n", "two columns `a`"),
            (b"a,b\n1\n", "found record with 1 fields"),
            (b"a\n\xFF\n", "invalid utf-8"),
        ] {
            let error = Table::parse(file, b',').unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        let marked = Table::parse(b"\xEF\xBB\xBFa\n1\n", b',').unwrap();
        assert_eq!(marked.place("a"), None, "no vendor is known to take a byte order mark away");
    }
}
