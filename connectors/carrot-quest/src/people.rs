//! People as they were sent, to be read back: parsed from a part's own text, and held against what the API shows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A person, as it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Person {
    /// Your own id.
    pub(crate) id: String,
    /// Property and value, without blanks and lists.
    pub(crate) props: Vec<(String, String)>,
}

/// What the API shows of a person.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shown {
    /// What was sent.
    AsSent,
    /// Other values, or none, of these properties.
    Otherwise(Vec<String>),
    /// That somebody is there, but no properties.
    Bare,
    /// Nobody (any more).
    Nobody,
}

impl Person {
    /// Holds a user (USER) against what was sent. What the vendor may write in another form is compared by what it means:
    /// numbers as numbers, days as days with the time 00:00:00 (in UTC, should it say so), telephone numbers by their digits (PROPS).
    pub(crate) fn compare(&self, user: &Value) -> Shown {
        if user.get("removed").is_some_and(|removed| !removed.is_null()) {
            return Shown::Nobody;
        }
        let mut wrong = Vec::new();
        if user.get("user_id").and_then(text).is_some_and(|id| id.trim() != self.id) {
            wrong.push("$user_id".to_owned());
        }
        let mut compared = self.props.is_empty();
        for (name, sent) in &self.props {
            let group = if name.starts_with('$') { "props" } else { "props_custom" };
            let Some(group) = user.get(group).filter(|group| group.is_object()) else { continue };
            compared = true;
            if !group.get(name).and_then(text).is_some_and(|shown| same(name, sent, &shown)) {
                wrong.push(name.clone());
            }
        }
        match (wrong.is_empty(), compared) {
            (false, _) => Shown::Otherwise(wrong),
            (true, true) => Shown::AsSent,
            (true, false) => Shown::Bare,
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn same(name: &str, sent: &str, shown: &str) -> bool {
    let (sent, shown) = (sent.trim(), shown.trim());
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    sent == shown
        || match name {
            "$email" => sent.to_lowercase() == shown.to_lowercase(),
            "$phone" => !digits(sent).is_empty() && digits(sent) == digits(shown),
            _ => {
                let numbers = sent.parse::<f64>().ok().zip(shown.parse::<f64>().ok());
                numbers.is_some_and(|(a, b)| a == b) || day(sent).is_some_and(|sent| day(shown) == Some(sent))
            }
        }
}

/// A date without its zone, which is UTC, and without the time that a day alone gets; `None` for what is no date.
fn day(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let is_date = bytes.len() >= 10 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-';
    let local = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00")).unwrap_or(text);
    is_date.then(|| local.strip_suffix("T00:00:00").unwrap_or(local))
}

/// The rows of a part that are wanted, by number from 0: its records as [`usher_sdk::CsvEncoder`] writes them, column 0
/// being the id. Lists are left out: in which form they are shown is not documented.
pub(crate) fn pick(
    records: &[u8],
    delimiter: u8,
    headings: &[String],
    lists: &[usize],
    wanted: &BTreeSet<u64>,
) -> BTreeMap<u64, Person> {
    let mut picked = BTreeMap::new();
    let mut rest = records;
    let mut row = 0;
    while !rest.is_empty() {
        let cells = cells(&mut rest, delimiter, wanted.contains(&row));
        if let Some((id, others)) = cells.split_first() {
            let named = headings.iter().zip(others.iter()).enumerate();
            let filled = named.filter(|(column, (_, cell))| !lists.contains(column) && !cell.is_empty());
            let props = filled.map(|(_, (name, cell))| (name.clone(), cell.clone())).collect();
            picked.insert(row, Person { id: id.clone(), props });
        }
        row += 1;
    }
    picked
}

/// Takes the next record off; its cells, if they are `wanted`.
fn cells(rest: &mut &[u8], delimiter: u8, wanted: bool) -> Vec<String> {
    let (mut cells, mut cell) = (Vec::new(), Vec::new());
    let mut quoted = false;
    while let Some((&byte, tail)) = rest.split_first() {
        *rest = tail;
        match byte {
            b'"' if quoted && tail.first() == Some(&b'"') => {
                cell.push(b'"');
                *rest = &tail[1..];
            }
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if byte == delimiter && !quoted => {
                if wanted {
                    cells.push(String::from_utf8_lossy(&cell).into_owned());
                }
                cell.clear();
            }
            _ if wanted => cell.push(byte),
            _ => {}
        }
    }
    if wanted {
        cells.push(String::from_utf8_lossy(&cell).into_owned());
    }
    cells
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use usher_sdk::{CsvDialect, CsvEncoder};

    use super::*;

    fn person(props: &[(&str, &str)]) -> Person {
        let props = props.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Person { id: "7".to_owned(), props }
    }

    #[test]
    fn what_is_shown_is_compared_by_what_it_means() {
        let sent = person(&[
            ("$name", "Ada"),
            ("$email", "Ada@example.com"),
            ("$phone", "+7 912"),
            ("zip", "0012"),
            ("vip", "true"),
            ("since", "2024-01-01"),
        ]);
        let props = json!({ "$name": "Ada", "$email": "ada@EXAMPLE.com", "$phone": "7912", "more": 1 });
        let custom = json!({ "zip": 12, "vip": true, "since": "2024-01-01T00:00:00" });
        let user =
            json!({ "id": 1, "user_id": "7", "removed": null, "props": props, "props_custom": custom });
        assert_eq!(sent.compare(&user), Shown::AsSent);
        let changed = |pointer: &str, value: Value| {
            let mut user = user.clone();
            *user.pointer_mut(pointer).unwrap() = value;
            sent.compare(&user)
        };
        let otherwise = |name: &str| Shown::Otherwise(vec![name.to_owned()]);
        assert_eq!(changed("/props/$name", json!("Eve")), otherwise("$name"));
        assert_eq!(changed("/props/$phone", json!(null)), otherwise("$phone"));
        assert_eq!(changed("/props_custom/zip", json!(13)), otherwise("zip"));
        assert_eq!(changed("/props_custom/vip", json!(false)), otherwise("vip"));
        assert_eq!(changed("/user_id", json!("8")), otherwise("$user_id"));
        assert_eq!(changed("/user_id", json!(7)), Shown::AsSent);
        assert_eq!(changed("/props_custom/since", json!("2024-01-01T00:00:00Z")), Shown::AsSent);
        assert_eq!(changed("/props_custom/since", json!("2024-01-01T01:00:00")), otherwise("since"));
        assert_eq!(changed("/removed", json!("2024-01-01T00:00:00")), Shown::Nobody);
        // One group that is not shown leaves the other to be compared.
        assert_eq!(changed("/props_custom", json!(null)), Shown::AsSent);
    }

    #[test]
    fn texts_are_the_same_to_the_letter() {
        for (name, sent, shown) in [
            ("note", "PIZZ", "PIZZZ"),
            ("$phone", "ask Ada", "ask Eve"),
            ("$name", "Ada", "ada"),
            ("n", "1", "1.5"),
        ] {
            assert!(!same(name, sent, shown), "{name} {sent} {shown}");
        }
        assert!(same("n", "007", "7") && same("n", "-9007199254740992", "-9007199254740992"));
    }

    #[test]
    fn nothing_shown_is_nothing_known() {
        assert_eq!(person(&[("$name", "Ada")]).compare(&json!({ "id": 1 })), Shown::Bare);
        assert_eq!(person(&[]).compare(&json!({ "id": 1 })), Shown::AsSent);
    }

    proptest! {
        #[test]
        fn records_are_read_as_they_were_written(
            rows in prop::collection::vec(prop::collection::vec("[ a,;|\"\r\n\té]{0,6}", 3), 1..8),
            delimiter in prop::sample::select(b"\t,|; ".to_vec()),
            wanted in prop::collection::btree_set(0..8u64, 0..5),
        ) {
            let mut encoder = CsvEncoder::new(CsvDialect { delimiter, ..CsvDialect::default() });
            let mut text = Vec::new();
            rows.iter().for_each(|row| text.extend_from_slice(encoder.encode(row.iter().map(String::as_str))));
            let headings = ["a".to_owned(), "b".to_owned()];
            let picked = pick(&text, delimiter, &headings, &[1], &wanted);
            for (number, row) in rows.iter().enumerate() {
                let expected = Person {
                    id: row[0].clone(),
                    props: (!row[1].is_empty()).then(|| ("a".to_owned(), row[1].clone())).into_iter().collect(),
                };
                let number = number as u64;
                prop_assert_eq!(picked.get(&number), wanted.contains(&number).then_some(&expected));
            }
        }
    }
}
