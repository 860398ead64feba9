//! What is not the same in two runs of a chain: what they were made of, what became of the records, and the rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use usher_abi::Error;

use super::{Connector, FileDigest, PartFile, Receipt, Run, parts, summary};

/// Headings by which rows are the same person's, the best first.
const KEYS: [&str; 8] =
    ["external_id", "$user_id", "user_id", "id", "$email", "email", "emails", "email address"];

/// Then and now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair<T> {
    /// In the first run.
    pub before: T,
    /// In the second.
    pub after: T,
}

/// Two runs of a chain, held against each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Their chain.
    pub chain: String,
    /// Their ids.
    pub runs: Pair<String>,
    /// Whether chain and connectors say the same; comments and the order of keys aside.
    pub same_manifest: bool,
    /// Plugins that are not the same file, by name, with their versions.
    pub plugins: BTreeMap<String, Pair<Option<String>>>,
    /// Inputs that do not have the same bytes, by path, with their sizes.
    pub inputs: BTreeMap<String, Pair<Option<u64>>>,
    /// Records.
    pub read: Pair<u64>,
    /// The sinks of either.
    pub connectors: Vec<ConnectorDiff>,
}

/// What became of the records in one sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConnectorDiff {
    /// Its name.
    pub name: String,
    /// Terms of the books (`written`, `filtered: where`, …), and `parts`; those that are 0 in both are left out.
    pub books: BTreeMap<String, Pair<u64>>,
    /// Rejects by code.
    pub rejected: BTreeMap<String, Pair<u64>>,
    /// The rows of both, where both have files that can be read.
    pub rows: Option<RowsDiff>,
    /// Why the rows were not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_compared: Option<String>,
}

/// Rows of two runs, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowsDiff {
    /// The heading by which a row is somebody's; without one a row that has changed is one gone and one added.
    pub key: Option<String>,
    /// With the same values.
    pub same: u64,
    /// Of the same key, with other values.
    pub changed: u64,
    /// In the second run only.
    pub added: u64,
    /// In the first run only.
    pub gone: u64,
}

/// Holds two runs of one chain against each other. It takes 16 bytes of memory for each row of both.
pub fn diff(before: &Run, after: &Run) -> Result<Diff, Error> {
    if before.chain != after.chain {
        let message = format!(
            "run {} is of chain `{}`, run {} of `{}`: only runs of one chain are compared",
            before.id, before.chain, after.id, after.chain
        );
        return Err(Error::config("diff.chains", message));
    }
    let receipts = (Receipt::read(&before.folder)?, Receipt::read(&after.folder)?);
    let (a, b) = (summary(&before.folder)?, summary(&after.folder)?);
    let names: BTreeSet<&str> =
        [&a, &b].iter().flat_map(|s| &s.connectors).map(|c| c.name.as_str()).collect();
    let connector = |name: &&str| {
        let of = |connectors: &'_ [Connector]| connectors.iter().find(|c| c.name == **name).cloned();
        let pair = Pair { before: of(&a.connectors), after: of(&b.connectors) };
        let (rows, not_compared) = match rows(before, after, name) {
            Ok(rows) => (rows, None),
            Err(error) => (None, Some(error.message.to_string())),
        };
        let rejected = merged(&pair, rejected);
        ConnectorDiff { name: (*name).to_owned(), books: merged(&pair, books), rejected, rows, not_compared }
    };
    Ok(Diff {
        chain: before.chain.clone(),
        runs: Pair { before: before.id.clone(), after: after.id.clone() },
        same_manifest: receipts.0.made_of.says == receipts.1.made_of.says,
        plugins: changed(&receipts, |receipt| {
            receipt
                .made_of
                .plugins
                .iter()
                .map(|p| (p.name.clone(), (p.file.clone(), p.version.clone())))
                .collect()
        }),
        inputs: changed(&receipts, |receipt| {
            receipt
                .made_of
                .inputs
                .iter()
                .map(|i| (i.file.path.clone(), (i.file.clone(), i.file.bytes)))
                .collect()
        }),
        read: Pair { before: a.read.records, after: b.read.records },
        connectors: names.iter().map(connector).collect(),
    })
}

/// What is not the same file in both, with what is told of it.
fn changed<T: Clone>(
    receipts: &(Receipt, Receipt),
    of: impl Fn(&Receipt) -> BTreeMap<String, (FileDigest, T)>,
) -> BTreeMap<String, Pair<Option<T>>> {
    let (before, after) = (of(&receipts.0), of(&receipts.1));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let digest = |file: Option<&(FileDigest, T)>| file.map(|(file, _)| file.digest.clone());
    let told = |file: Option<&(FileDigest, T)>| file.map(|(_, told)| told.clone());
    names
        .into_iter()
        .filter(|name| digest(before.get(*name)) != digest(after.get(*name)))
        .map(|name| (name.clone(), Pair { before: told(before.get(name)), after: told(after.get(name)) }))
        .collect()
}

/// Counts of both, by name; what is nothing in both is left out.
fn merged(
    pair: &Pair<Option<Connector>>,
    counts: impl Fn(&Connector) -> Vec<(String, u64)>,
) -> BTreeMap<String, Pair<u64>> {
    let of = |connector: &Option<Connector>| -> BTreeMap<String, u64> {
        connector.as_ref().map(&counts).unwrap_or_default().into_iter().collect()
    };
    let (before, after) = (of(&pair.before), of(&pair.after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let count = |of: &BTreeMap<String, u64>, name: &str| of.get(name).copied().unwrap_or_default();
    let pairs = names
        .into_iter()
        .map(|name| (name.clone(), Pair { before: count(&before, name), after: count(&after, name) }));
    pairs.filter(|(_, pair)| pair.before + pair.after > 0).collect()
}

fn books(connector: &Connector) -> Vec<(String, u64)> {
    let books = &connector.books;
    let terms = [
        ("written", books.written),
        ("confirmed", books.confirmed),
        ("accepted", books.accepted),
        ("unknown", books.unknown),
        ("not_sent", books.not_sent),
        ("merged", books.merged),
        ("rejected", books.rejected),
        ("parts", connector.parts.len() as u64),
    ];
    let filtered = books.filtered.iter().map(|(reason, rows)| (format!("filtered: {reason}"), *rows));
    terms.into_iter().map(|(term, rows)| (term.to_owned(), rows)).chain(filtered).collect()
}

fn rejected(connector: &Connector) -> Vec<(String, u64)> {
    let of =
        |reject: &serde_json::Value| Some((reject["code"].as_str()?.to_owned(), reject["count"].as_u64()?));
    connector.rejected.iter().filter_map(of).collect()
}

/// The rows of a connector in both; none where it has no files in one.
fn rows(before: &Run, after: &Run, connector: &str) -> Result<Option<RowsDiff>, Error> {
    let of = |run: &Run| -> Result<Vec<PartFile>, Error> {
        let parts = parts(&run.folder)?.into_iter();
        Ok(parts.filter(|part| part.connector == connector && !part.extra).collect())
    };
    let (a, b) = (of(before)?, of(after)?);
    if a.is_empty() || b.is_empty() {
        return Ok(None);
    }
    let headings = |run: &Run, parts: &[PartFile]| -> Result<BTreeSet<String>, Error> {
        let mut common: Option<BTreeSet<String>> = None;
        for part in parts {
            let own: BTreeSet<String> = part.names(&run.folder)?.into_iter().collect();
            common = Some(common.map_or(own.clone(), |common| common.intersection(&own).cloned().collect()));
        }
        Ok(common.unwrap_or_default())
    };
    let (of_a, of_b) = (headings(before, &a)?, headings(after, &b)?);
    let find = |key: &&str| of_a.intersection(&of_b).find(|heading| heading.to_lowercase() == **key).cloned();
    let key = KEYS.iter().find_map(find);
    let (a, b) = (prints(before, &a, key.as_deref())?, prints(after, &b, key.as_deref())?);
    Ok(Some(RowsDiff { key, ..compare(&a, &b) }))
}

/// Of each row the digests of key and values, sorted. A value that is blank is none, and the order of columns is no
/// matter.
fn prints(run: &Run, parts: &[PartFile], key: Option<&str>) -> Result<Vec<(u64, u64)>, Error> {
    let mut prints = Vec::new();
    for part in parts {
        part.check(run)?;
        let names = part.names(&run.folder)?;
        part.read(&run.folder, |row| {
            let mut values = part.values(&row, &names);
            values.retain(|(_, value)| !value.is_empty());
            values.sort();
            let of_row = print(values.iter().flat_map(|(name, value)| [name.as_str(), value]));
            let own = values.iter().find(|(name, _)| Some(name.as_str()) == key);
            let of_key = own.map(|(_, value)| print([value.trim().to_lowercase().as_str()]));
            // A row without a key is nobody's but its own.
            prints.push((of_key.unwrap_or(of_row), of_row));
            Ok(true)
        })?;
    }
    prints.sort_unstable();
    Ok(prints)
}

fn print<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// Two sorted lists, key by key.
fn compare(before: &[(u64, u64)], after: &[(u64, u64)]) -> RowsDiff {
    let mut diff = RowsDiff::default();
    let (mut a, mut b) = (before, after);
    while let Some(key) = a.first().into_iter().chain(b.first()).map(|(key, _)| *key).min() {
        let (of_a, of_b) = (take(&mut a, key), take(&mut b, key));
        let same = common(of_a, of_b);
        let (only_a, only_b) = (of_a.len() as u64 - same, of_b.len() as u64 - same);
        let changed = only_a.min(only_b);
        diff.same += same;
        diff.changed += changed;
        diff.gone += only_a - changed;
        diff.added += only_b - changed;
    }
    diff
}

/// Takes the rows of a key from the beginning.
fn take<'a>(rows: &mut &'a [(u64, u64)], key: u64) -> &'a [(u64, u64)] {
    let (of_key, rest) = rows.split_at(rows.partition_point(|(own, _)| *own <= key));
    *rows = rest;
    of_key
}

/// How many rows two sorted lists have in common.
fn common(mut a: &[(u64, u64)], mut b: &[(u64, u64)]) -> u64 {
    let mut same = 0;
    while let (Some(of_a), Some(of_b)) = (a.first(), b.first()) {
        same += u64::from(of_a == of_b);
        (a, b) = (&a[usize::from(of_a <= of_b)..], &b[usize::from(of_b <= of_a)..]);
    }
    same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_compared_key_by_key() {
        let diff = |a: &[(u64, u64)], b: &[(u64, u64)]| {
            let RowsDiff { same, changed, added, gone, .. } = compare(a, b);
            (same, changed, added, gone)
        };
        assert_eq!(diff(&[(1, 1), (2, 2), (3, 3)], &[(2, 2), (3, 4), (5, 5)]), (1, 1, 1, 1));
        assert_eq!(diff(&[], &[(1, 1)]), (0, 0, 1, 0));
        // Several rows of one key.
        assert_eq!(diff(&[(1, 1), (1, 1), (1, 2)], &[(1, 1), (1, 3)]), (1, 1, 0, 1));
        assert_eq!(print(["a", "b"]), print(["a", "b"]));
        assert_ne!(print(["ab"]), print(["a", "b"]));
    }
}
