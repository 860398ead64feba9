//! The addresses of a unit's records, read back from what was written.

use serde_json::Value;
use usher_sdk::{abi::Error, outbox::Unit};

use crate::delivery::Way;

/// The address of each record, in lower case; `None` where there is none.
pub(crate) fn emails(way: &Way, unit: &Unit) -> Result<Vec<Option<String>>, Error> {
    let emails: Vec<Option<String>> = match way {
        Way::Json | Way::SignUp => unit.records.split_inclusive(|byte| *byte == b'\n').map(of_json).collect(),
        Way::Csv(header) => {
            let heading = rows(header).into_iter().next().unwrap_or_default();
            let place = heading.iter().position(|name| name == "email");
            let email = |row: Vec<String>| place.and_then(|place| row.get(place).cloned());
            rows(&unit.records).into_iter().map(email).collect()
        }
    };
    if emails.len() as u64 != unit.rows {
        let message = format!("{} records where {} were written", emails.len(), unit.rows);
        return Err(Error::bug("import.record", message));
    }
    let some = |email: String| Some(email.to_lowercase()).filter(|email| !email.is_empty());
    Ok(emails.into_iter().map(|email| email.and_then(some)).collect())
}

fn of_json(line: &[u8]) -> Option<String> {
    let record: Value = serde_json::from_slice(line).ok()?;
    record["email"].as_str().map(str::to_owned)
}

/// The cells of CSV as it is written here: a comma between cells, quotes doubled.
fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), Vec::new(), false);
    let text = |cell: &mut Vec<u8>| String::from_utf8_lossy(&std::mem::take(cell)).into_owned();
    let mut bytes = bytes.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.peek() == Some(&b'"') => cell.extend(bytes.next()),
            b'"' => quoted = !quoted,
            b',' if !quoted => row.push(text(&mut cell)),
            b'\n' if !quoted => {
                row.push(text(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            b'\r' if !quoted => {}
            byte => cell.push(byte),
        }
    }
    if !row.is_empty() || !cell.is_empty() {
        row.push(text(&mut cell));
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use usher_sdk::{CsvDialect, CsvEncoder};

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            cells in prop::collection::vec(prop::collection::vec("[a-zé,\"\n\r ]{0,6}", 2), 1..5),
        ) {
            let mut encoder = CsvEncoder::new(CsvDialect::default());
            let mut file = Vec::new();
            for row in &cells {
                file.extend_from_slice(encoder.encode(row.iter().map(String::as_str)));
            }
            prop_assert_eq!(rows(&file), cells);
        }
    }

    #[test]
    fn addresses_of_both_forms() {
        let unit = |records: &str, rows| Unit {
            number: 0,
            rows,
            records: records.as_bytes().to_vec(),
            id: String::new(),
        };
        let expected = Ok(vec![Some("ada@example.com".to_owned()), None]);
        let json = unit("{\"email\":\"Ada@example.com\"}\n{\"sms_number\":\"1\"}\n", 2);
        assert_eq!(emails(&Way::Json, &json), expected);
        let csv = Way::Csv(b"first_name,email\r\n".to_vec());
        assert_eq!(emails(&csv, &unit("\"A, \"\"d\"\"\na\",Ada@example.com\r\nB,\r\n", 2)), expected);
        assert_eq!(emails(&csv, &unit("A,a@b.co\r\n", 2)).unwrap_err().code, "import.record");
    }
}
