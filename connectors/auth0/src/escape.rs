//! Whether a CSV file has the leading `'` that Auth0 puts before texts.

use usher_sdk::{
    abi::{Error, Report, service::InputFile},
    source::{DelimitedReader, Header, Inputs},
    words::thousands,
};

use crate::columns::standard;

/// Records that are looked at after one text without `'` has told that the file is not escaped, to see whether it is
/// one with a few cells changed by hand.
const SECOND_LOOK: u64 = 1_000;

/// What the text cells of a file say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Text cells that begin with `'`.
    marked: u64,
    /// Text cells that hold anything.
    all: u64,
    /// Whether the whole file was read.
    whole: bool,
}

impl Evidence {
    /// Reads the cells of columns that the exporter always escapes (`user_id`, `email`, names…): the whole file as long
    /// as all of them begin with `'`.
    pub(crate) fn read(
        inputs: &Inputs,
        file: &InputFile,
        header: &Header,
        paths: &[String],
        limit: usize,
    ) -> Result<Self, Error> {
        let columns: Vec<usize> =
            (0..paths.len()).filter(|i| standard(&paths[*i]).is_some_and(|row| row.escaped)).collect();
        let mut found = Self { whole: true, ..Self::default() };
        if columns.is_empty() {
            return Ok(found);
        }
        let mut reader = DelimitedReader::open(inputs.service(), file, header.body, header.dialect, limit)?;
        let (mut report, mut records) = (Report::default(), 0);
        while let Some(record) = reader.next(&mut report)? {
            // Broken records are the stream's to reject.
            report.rejects.clear();
            if record.len() != paths.len() {
                continue;
            }
            for column in &columns {
                let cell = record.cell(*column);
                found.all += u64::from(!cell.is_empty());
                found.marked += u64::from(cell.first() == Some(&b'\''));
            }
            records += 1;
            if found.marked < found.all && records >= SECOND_LOOK {
                found.whole = false;
                break;
            }
        }
        Ok(found)
    }

    /// Whether to take the `'` off, and why, for the run's report. Most cells with `'` but not all is an error: either
    /// answer would damage the others.
    pub(crate) fn decide(self, name: &str) -> Result<(bool, String), Error> {
        let Self { marked, all, whole } = self;
        let cells = format!("{} of {} text cells begin with '", thousands(marked), thousands(all));
        let part = if whole { "" } else { " in the first rows" };
        if all == 0 {
            return Ok((
                false,
                format!("escape: off for {name} (no text cell to tell by; `escape` may say otherwise)"),
            ));
        }
        if marked == all {
            return Ok((true, format!("escape: on for {name} ({cells})")));
        }
        if marked * 2 > all {
            let message = format!(
                "`{name}`: {cells}{part}, most but not all; say escape = \"on\" if the file is as Auth0 wrote it, \
                 \"off\" if the ' belong to the values"
            );
            return Err(Error::config("escape.unclear", message));
        }
        Ok((false, format!("escape: off for {name} ({cells}{part})")))
    }
}

#[cfg(test)]
mod tests {
    use super::Evidence;

    #[test]
    fn the_decision_needs_every_cell() {
        let decide = |marked, all| Evidence { marked, all, whole: true }.decide("u.csv");
        assert_eq!(
            decide(12_345, 12_345),
            Ok((true, "escape: on for u.csv (12,345 of 12,345 text cells begin with ')".into()))
        );
        assert_eq!(decide(1, 6).map(|d| d.0), Ok(false));
        assert_eq!(decide(3, 6).map(|d| d.0), Ok(false));
        assert_eq!(decide(0, 0).map(|d| d.0), Ok(false));
        assert_eq!(decide(5, 6).map_err(|e| e.code.to_string()), Err("escape.unclear".to_owned()));
    }
}
