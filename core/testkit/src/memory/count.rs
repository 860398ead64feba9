//! Counts the records of a part by its format, independently of whoever wrote it.

use usher_abi::{Error, service::PartFormat};

/// How many records `bytes` hold, the header not counted; `None` for formats that are not counted.
pub(super) fn count(format: &PartFormat, bytes: &[u8]) -> Result<Option<u64>, Error> {
    Ok(match format.name.as_str() {
        "csv" => Some(csv(format, bytes)?),
        "ndjson" => {
            Some(bytes.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()).count() as u64)
        }
        "json" => Some(array(bytes)?),
        "bytes" => None,
        other => return Err(Error::bug("output.format", format!("there is no part format `{other}`"))),
    })
}

/// Records end with CR, LF or CRLF outside of quotes; blank lines are none, as every reader of CSV takes it.
fn csv(format: &PartFormat, bytes: &[u8]) -> Result<u64, Error> {
    let (mut records, mut filled) = (0u64, false);
    let (mut field_start, mut quoted) = (true, false);
    let mut rest = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if quoted {
            if byte == format.quote {
                match rest.split_first() {
                    Some((&next, tail)) if next == format.quote => rest = tail,
                    _ => quoted = false,
                }
            }
        } else if byte == b'\n' || byte == b'\r' {
            records += u64::from(filled);
            (filled, field_start) = (false, true);
        } else {
            quoted = field_start && byte == format.quote;
            field_start = byte == format.delimiter;
            filled = true;
        }
    }
    if quoted {
        return Err(Error::bug("output.quote", "a part ends inside of a quoted value"));
    }
    records += u64::from(filled);
    if format.header && records == 0 && !bytes.is_empty() {
        return Err(Error::bug("output.header", "a part with a header lacks it"));
    }
    Ok(records.saturating_sub(u64::from(format.header)))
}

fn array(bytes: &[u8]) -> Result<u64, Error> {
    let values: Vec<serde_json::Value> = serde_json::from_slice(bytes)
        .map_err(|e| Error::bug("output.json", format!("a part of format `json` is no JSON array: {e}")))?;
    Ok(values.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::{PartFormat, count};

    fn csv(text: &str) -> u64 {
        count(&PartFormat::csv(b',', true), text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn line_ends_within_quotes_do_not_end_a_record() {
        assert_eq!(csv("a,b\r\n1,2\r\n"), 1);
        assert_eq!(csv("a,b\r\n1,\"x\r\ny\"\r\n"), 1);
        assert_eq!(csv("a,b\n1,\"x\"\"\n\"\n2,3"), 2);
        assert_eq!(csv("\u{feff}\"a\n\",b\n1,2\n"), 1);
        assert_eq!(csv("a\n\"\"\n"), 1);
    }

    #[test]
    fn blank_lines_are_no_records_and_quotes_within_a_value_are_text() {
        assert_eq!(csv("a\n\n\n1\n"), 1);
        assert_eq!(csv("a,b\n1,6\" pipe\n2,3\n"), 2);
        assert_eq!(csv("a\n"), 0);
        assert_eq!(csv(""), 0);
        assert!(count(&PartFormat::csv(b',', true), b"a\n\"1\n").is_err());
    }

    #[test]
    fn json_is_counted_by_lines_or_items() {
        assert_eq!(count(&PartFormat::ndjson(), b"{}\n{}\n").unwrap(), Some(2));
        assert_eq!(count(&PartFormat::json(), b"[1,[2],3]").unwrap(), Some(3));
        assert!(count(&PartFormat::json(), b"[1,").is_err());
    }
}
