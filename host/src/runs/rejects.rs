//! What a run did not take, by connector and code.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use serde::{Deserialize, Serialize};
use usher_abi::Error;

use super::unreadable;

/// The most examples of a group.
pub const EXAMPLES: usize = 3;

/// Rejects of one connector for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The connector that did not take them.
    pub connector: String,
    /// The reason; `docs/reject-codes.md` says what to do.
    pub code: String,
    /// How many there are.
    pub count: u64,
    /// The first ones.
    pub examples: Vec<Example>,
}

/// One reject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The input, by its name.
    pub input: String,
    /// From 1.
    pub line: u64,
    /// The column at fault, if one is.
    pub field: String,
    /// For people. It may quote what stands in the record; empty where that is not to be shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// A line of `rejects.ndjson`, without the record itself.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    connector: Cow<'a, str>,
    #[serde(borrow)]
    origin: Origin<'a>,
    #[serde(borrow)]
    field: Cow<'a, str>,
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Origin<'a> {
    #[serde(borrow)]
    input: Cow<'a, str>,
    line: u64,
}

/// The rejects of the run in this folder: by connector, the most frequent reason first.
pub fn rejects(run: &Path) -> Result<Vec<Group>, Error> {
    let path = run.join("rejects.ndjson");
    let mut reader = BufReader::new(File::open(&path).map_err(|error| unreadable(&path, &error))?);
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    let (mut text, mut number) = (String::new(), 0u64);
    while reader.read_line(&mut text).map_err(|error| unreadable(&path, &error))? > 0 {
        number += 1;
        let line: Line<'_> = serde_json::from_str(&text).map_err(|error| {
            let message = format!(
                "`{}`, line {number}, is no reject ({error}); see that the run is whole",
                path.display()
            );
            Error::permanent("run.unreadable", message)
        })?;
        let key = (line.connector.into_owned(), line.code.into_owned());
        let group = groups.entry(key.clone()).or_insert_with(|| Group {
            connector: key.0,
            code: key.1,
            count: 0,
            examples: Vec::new(),
        });
        group.count += 1;
        if group.examples.len() < EXAMPLES {
            group.examples.push(Example {
                input: line.origin.input.into_owned(),
                line: line.origin.line,
                field: line.field.into_owned(),
                message: line.message.into_owned(),
            });
        }
        text.clear();
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    // The sort is stable: reasons of the same count stay in the order of their codes.
    groups.sort_by(|a, b| a.connector.cmp(&b.connector).then(b.count.cmp(&a.count)));
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(connector: &str, code: &str, line: u64) -> String {
        format!(
            "{{\"connector\":\"{connector}\",\"origin\":{{\"input\":\"u.csv\",\"line\":{line},\"offset\":1,\"length\":2}},\
             \"field\":\"email\",\"code\":\"{code}\",\"message\":\"not \\\"one\\\"\",\"raw\":\"x\"}}\n"
        )
    }

    #[test]
    fn rejects_are_grouped_with_their_first_examples() {
        let run = tempfile::tempdir().unwrap();
        let lines =
            [("b", "x", 1), ("a", "y", 2), ("a", "x", 3), ("a", "x", 4), ("a", "x", 5), ("a", "x", 6)];
        let text: String = lines.iter().map(|(connector, code, at)| line(connector, code, *at)).collect();
        std::fs::write(run.path().join("rejects.ndjson"), &text).unwrap();
        let told: Vec<_> = rejects(run.path())
            .unwrap()
            .into_iter()
            .map(|g| (g.connector, g.code, g.count, g.examples.iter().map(|e| e.line).collect::<Vec<_>>()))
            .collect();
        let group = |connector: &str, code: &str, count, lines: &[u64]| {
            (connector.to_owned(), code.to_owned(), count, lines.to_vec())
        };
        assert_eq!(
            told,
            [group("a", "x", 4, &[3, 4, 5]), group("a", "y", 1, &[2]), group("b", "x", 1, &[1])]
        );
        std::fs::write(run.path().join("rejects.ndjson"), text + "{\n").unwrap();
        assert!(rejects(run.path()).unwrap_err().message.contains("line 7, is no reject"));
    }
}
