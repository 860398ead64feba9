//! The rows that a report is about.

use std::collections::{BTreeMap, HashMap};

use usher_abi::Error;

use super::{Place, Reported, folded};
use crate::runs::{PartFile, Row, Run};

/// The row that a line of a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// A part's path, and the row's number in it.
    One(String, u64),
    /// No row is the one.
    Nothing,
    /// Several rows are.
    Several,
}

/// The row of each line, in order.
pub fn rows_of(run: &Run, parts: &[PartFile], reported: &[Reported]) -> Result<Vec<Match>, Error> {
    let mut found: HashMap<(&str, String), Match> = HashMap::new();
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in reported {
        if let Place::Key(key, heading) = &one.place {
            found.insert((heading, key.clone()), Match::Nothing);
            wanted.entry(heading).or_default().push(key);
        }
    }
    for part in parts {
        let own: Vec<String> = part.headings(&run.folder)?.iter().map(|own| folded(own)).collect();
        let columns: Vec<(&str, usize)> = wanted
            .keys()
            .filter_map(|heading| Some((*heading, own.iter().position(|own| *own == folded(heading))?)))
            .collect();
        if columns.is_empty() {
            continue;
        }
        part.read(&run.folder, |row| {
            let cells = part.cells(&row);
            for (heading, at) in &columns {
                // A cell may hold a list.
                let cell = cells.get(*at).map_or("", String::as_str);
                let mut keys: Vec<String> = cell.split([',', '\n']).chain([cell]).map(folded).collect();
                keys.sort_unstable();
                keys.dedup();
                for key in keys {
                    if let Some(found) = found.get_mut(&(*heading, key)) {
                        let one = Match::One(part.path.clone(), row.number);
                        *found = if *found == Match::Nothing { one } else { Match::Several };
                    }
                }
            }
            Ok(true)
        })?;
    }
    let only = || match parts {
        [part] => Ok(part),
        _ => Err(Error::config(
            "reported.part",
            "the report names rows by line or number, and the connector wrote several files: name the one with `--part`",
        )),
    };
    let by_line = lines_of(run, parts, reported)?;
    let row_of = |one: &Reported| {
        Ok(match &one.place {
            Place::None => Match::Nothing,
            Place::Key(key, heading) => {
                found.get(&(heading.as_str(), key.clone())).cloned().unwrap_or(Match::Nothing)
            }
            Place::Line(line) => by_line
                .get(line)
                .map_or(Ok(Match::Nothing), |row| only().map(|part| Match::One(part.path.clone(), *row)))?,
            Place::Row(row) => match only()? {
                part if (1..=part.rows).contains(row) => Match::One(part.path.clone(), *row),
                _ => Match::Nothing,
            },
        })
    };
    reported.iter().map(row_of).collect()
}

/// The rows of the lines that a report names.
fn lines_of(run: &Run, parts: &[PartFile], reported: &[Reported]) -> Result<BTreeMap<u64, u64>, Error> {
    let lines = reported.iter().filter_map(|one| match one.place {
        Place::Line(line) => Some((line, 0)),
        _ => None,
    });
    let mut lines: BTreeMap<u64, u64> = lines.collect();
    if let (Some(part), false) = (parts.first(), lines.is_empty()) {
        part.read(&run.folder, |Row { number, first, last, .. }| {
            lines.range_mut(first..=last).for_each(|(_, row)| *row = number);
            Ok(true)
        })?;
    }
    lines.retain(|_, row| *row > 0);
    Ok(lines)
}
