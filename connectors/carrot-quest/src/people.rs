//! People as they were sent, to be read back: parsed from a part's own text, and held against what the API shows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    options::{Lists, PropertyType},
    types,
};

/// What rows are made of: all columns but the key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'a> {
    pub(crate) headings: &'a [String],
    pub(crate) kinds: &'a [PropertyType],
    pub(crate) lists: Lists,
}

impl Table<'_> {
    /// What a property is.
    pub(crate) fn kind(&self, name: &str) -> PropertyType {
        let found = self.headings.iter().zip(self.kinds).find(|(heading, _)| *heading == name);
        found.map_or(PropertyType::Text, |(_, kind)| *kind)
    }
}

/// A person, as it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Person {
    /// Your own id.
    pub(crate) id: String,
    /// Without blanks.
    pub(crate) props: Vec<Property>,
}

/// A property, as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) kind: PropertyType,
    pub(crate) sent: Value,
}

/// What the API shows of a person.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shown {
    /// All that was sent.
    AsSent,
    /// Other values, or none, of these properties.
    Otherwise(Vec<String>),
    /// That somebody is there, but not everything that was sent.
    Bare,
    /// Nobody (any more).
    Nobody,
}

/// What the API shows of one thing that was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    Same,
    Other,
    /// It is not shown, or in a form that is not documented.
    Nothing,
}

impl Seen {
    fn when(same: bool) -> Self {
        if same { Self::Same } else { Self::Other }
    }
}

impl Person {
    /// Holds a user (USER) against what was sent, and the tags that everybody got. What is not shown is not confirmed.
    pub(crate) fn compare(&self, user: &Value, tags: &[String]) -> Shown {
        if user.get("removed").is_some_and(|removed| !removed.is_null()) {
            return Shown::Nobody;
        }
        let id = user.get("user_id").and_then(text);
        let id = id.map_or(Seen::Nothing, |id| Seen::when(id == self.id));
        let mut all = vec![("$user_id", id), ("tags", of_tags(tags, user))];
        all.extend(self.props.iter().map(|property| (property.name.as_str(), property.seen(user))));
        let of = |what| all.iter().filter(move |(_, seen)| *seen == what).map(|(name, _)| (*name).to_owned());
        let wrong: Vec<String> = of(Seen::Other).collect();
        match (wrong.is_empty(), of(Seen::Nothing).next()) {
            (false, _) => Shown::Otherwise(wrong),
            (true, Some(_)) => Shown::Bare,
            (true, None) => Shown::AsSent,
        }
    }
}

impl Property {
    /// What the vendor may write in another form is compared by what it means: whole numbers as numbers, days as days with
    /// the time 00:00:00 (in UTC, should it say so), addresses whatever their case, telephone numbers by their digits
    /// (PROPS). All other text must be the same to the letter: an import that guesses types makes 123 of `00123`.
    fn seen(&self, user: &Value) -> Seen {
        let group = if self.name.starts_with('$') { "props" } else { "props_custom" };
        let Some(group) = user.get(group).filter(|group| group.is_object()) else { return Seen::Nothing };
        let shown = group.get(&self.name).unwrap_or(&Value::Null);
        match (&self.sent, shown) {
            (Value::Array(sent), Value::Array(shown)) => {
                Seen::when(sent.iter().map(text).eq(shown.iter().map(text)))
            }
            // The import may not have read it as a list: how one stands in a cell is not documented.
            (Value::Array(_), Value::String(_)) => Seen::Nothing,
            (Value::String(sent), shown) => {
                Seen::when(text(shown).is_some_and(|shown| same(&self.name, self.kind, sent, &shown)))
            }
            (sent, shown) => Seen::when(match (sent.as_i64(), text(shown)) {
                (Some(sent), Some(shown)) => whole(&shown) == Some(sent),
                (None, Some(shown)) => shown.eq_ignore_ascii_case(&sent.to_string()),
                (_, None) => false,
            }),
        }
    }
}

/// Whether somebody has these tags. They are shown as objects whose fields are not documented (USER): as texts, or by a
/// `name`, they are understood.
fn of_tags(sent: &[String], user: &Value) -> Seen {
    if sent.is_empty() {
        return Seen::Same;
    }
    let name = |tag: &Value| tag.as_str().or_else(|| tag.get("name")?.as_str()).map(str::to_owned);
    let shown = user.get("tags").and_then(Value::as_array);
    match shown.and_then(|tags| tags.iter().map(name).collect::<Option<Vec<String>>>()) {
        Some(shown) => Seen::when(sent.iter().all(|tag| shown.contains(tag))),
        None => Seen::Nothing,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A whole number, exactly; with a fraction of zeros, should it have one.
fn whole(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.bytes().all(|b| b == b'0') { whole.parse().ok() } else { None }
}

fn same(name: &str, kind: PropertyType, sent: &str, shown: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    sent == shown
        || match (name, kind) {
            ("$email", _) => sent.to_lowercase() == shown.to_lowercase(),
            ("$phone", _) => !digits(sent).is_empty() && digits(sent) == digits(shown),
            (_, PropertyType::Date) => day(sent).is_some_and(|sent| day(shown) == Some(sent)),
            _ => false,
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
/// being the id, the others as `table` has them.
pub(crate) fn pick(
    records: &[u8],
    delimiter: u8,
    table: Table<'_>,
    wanted: &BTreeSet<u64>,
) -> BTreeMap<u64, Person> {
    let mut picked = BTreeMap::new();
    let mut rest = records;
    let mut row = 0;
    while !rest.is_empty() {
        let cells = cells(&mut rest, delimiter, wanted.contains(&row));
        if let Some((id, others)) = cells.split_first() {
            let named = table.headings.iter().zip(table.kinds).zip(others);
            let filled = named.filter(|(_, cell)| !cell.is_empty());
            let property = |((name, kind), cell): ((&String, &PropertyType), &String)| Property {
                name: name.clone(),
                kind: *kind,
                sent: types::value(cell, *kind, table.lists),
            };
            picked.insert(row, Person { id: id.clone(), props: filled.map(property).collect() });
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

    use PropertyType::{Boolean, Date, Integer, List, Text};

    fn person(props: &[(&str, PropertyType, &str)]) -> Person {
        let property = |(name, kind, cell): &(&str, PropertyType, &str)| Property {
            name: (*name).to_owned(),
            kind: *kind,
            sent: types::value(cell, *kind, Lists::Json),
        };
        Person { id: "7".to_owned(), props: props.iter().map(property).collect() }
    }

    fn otherwise(name: &str) -> Shown {
        Shown::Otherwise(vec![name.to_owned()])
    }

    #[test]
    fn what_is_shown_is_compared_by_what_it_means() {
        let sent = person(&[
            ("$name", Text, "Ada"),
            ("$email", Text, "Ada@example.com"),
            ("$phone", Text, "+7 912"),
            ("seats", Integer, "12"),
            ("vip", Boolean, "true"),
            ("since", Date, "2024-01-01"),
            ("likes", List, r#"["a","b"]"#),
        ]);
        let props = json!({ "$name": "Ada", "$email": "ada@EXAMPLE.com", "$phone": "7912", "more": 1 });
        let custom = json!({ "seats": 12, "vip": true, "since": "2024-01-01T00:00:00", "likes": ["a", "b"] });
        let user =
            json!({ "id": 1, "user_id": "7", "removed": null, "props": props, "props_custom": custom });
        assert_eq!(sent.compare(&user, &[]), Shown::AsSent);
        for (pointer, value, expected) in [
            ("/props/$name", json!("Eve"), otherwise("$name")),
            ("/props/$phone", json!(null), otherwise("$phone")),
            ("/props/$phone", json!(7912), Shown::AsSent),
            ("/props_custom/seats", json!(13), otherwise("seats")),
            ("/props_custom/seats", json!("0012"), Shown::AsSent),
            ("/props_custom/seats", json!(12.0), Shown::AsSent),
            ("/props_custom/seats", json!(12.5), otherwise("seats")),
            ("/props_custom/vip", json!(false), otherwise("vip")),
            ("/props_custom/vip", json!("True"), Shown::AsSent),
            ("/props_custom/since", json!("2024-01-01T00:00:00Z"), Shown::AsSent),
            ("/props_custom/since", json!("2024-01-01T01:00:00"), otherwise("since")),
            ("/props_custom/likes", json!(["b", "a"]), otherwise("likes")),
            ("/props_custom/likes", json!(null), otherwise("likes")),
            // As a text it may be the list or not.
            ("/props_custom/likes", json!("a,b"), Shown::Bare),
            ("/user_id", json!("8"), otherwise("$user_id")),
            ("/user_id", json!(7), Shown::AsSent),
            ("/user_id", json!(null), Shown::Bare),
            ("/removed", json!("2024-01-01T00:00:00"), Shown::Nobody),
            // A group that is not shown leaves something unseen, whatever the other shows.
            ("/props_custom", json!(null), Shown::Bare),
            ("/props", json!(null), Shown::Bare),
        ] {
            let mut user = user.clone();
            *user.pointer_mut(pointer).unwrap() = value.clone();
            assert_eq!(sent.compare(&user, &[]), expected, "{pointer} {value}");
        }
    }

    #[test]
    fn texts_are_the_same_to_the_letter() {
        for (name, sent, shown) in [
            ("note", "PIZZ", json!("PIZZZ")),
            ("$phone", "ask Ada", json!("ask Eve")),
            ("$name", "Ada", json!("ada")),
            ("$name", "Ada", json!("Ada ")),
            ("n", "1", json!(1.5)),
            // Zeros that were lost, and digits.
            ("zip", "00123", json!(123)),
            ("zip", "00123", json!("123")),
            ("serial", "12345678901234567891", json!(1.234_567_890_123_456_8e19)),
            ("serial", "12345678901234567891", json!("12345678901234567000")),
            ("price", "1.50", json!(1.5)),
            ("since", "2024-01-01", json!("2024-01-01T00:00:00")),
        ] {
            let group = if name.starts_with('$') { "props" } else { "props_custom" };
            let mut user = json!({ "user_id": "7" });
            user[group] = json!({ name: shown });
            assert_eq!(person(&[(name, Text, sent)]).compare(&user, &[]), otherwise(name), "{name} {sent}");
        }
        for (sent, shown) in [("7", json!(7)), ("true", json!(true)), ("00123", json!("00123"))] {
            let user = json!({ "user_id": "7", "props_custom": { "n": shown } });
            assert_eq!(person(&[("n", Text, sent)]).compare(&user, &[]), Shown::AsSent, "{sent}");
        }
        let (least, next) = ("-9007199254740992", json!(-9_007_199_254_740_993i64));
        let user = json!({ "user_id": "7", "props_custom": { "n": next } });
        assert_eq!(person(&[("n", Integer, least)]).compare(&user, &[]), otherwise("n"));
    }

    #[test]
    fn nothing_shown_is_nothing_known() {
        let named = person(&[("$name", Text, "Ada")]);
        assert_eq!(named.compare(&json!({ "id": 1 }), &[]), Shown::Bare);
        assert_eq!(named.compare(&json!({ "id": 1, "props": { "$name": "Ada" } }), &[]), Shown::Bare);
        assert_eq!(person(&[]).compare(&json!({ "id": 1 }), &[]), Shown::Bare);
        assert_eq!(person(&[]).compare(&json!({ "id": 1, "user_id": "7" }), &[]), Shown::AsSent);
    }

    #[test]
    fn tags_are_among_what_was_sent() {
        let told = |tags: Value| {
            let user = json!({ "user_id": "7", "tags": tags });
            person(&[]).compare(&user, &["a".to_owned(), "b".to_owned()])
        };
        assert_eq!(told(json!([{ "id": 1, "name": "b" }, { "name": "a" }, { "name": "c" }])), Shown::AsSent);
        assert_eq!(told(json!(["a", "b"])), Shown::AsSent);
        assert_eq!(told(json!(["a"])), otherwise("tags"));
        assert_eq!(told(json!([])), otherwise("tags"));
        for unknown in [json!(null), json!([{ "id": 1 }]), json!("a,b")] {
            assert_eq!(told(unknown.clone()), Shown::Bare, "{unknown}");
        }
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
            let table = Table { headings: &headings, kinds: &[Text, List], lists: Lists::Comma };
            let picked = pick(&text, delimiter, table, &wanted);
            for (number, row) in rows.iter().enumerate() {
                let sent = [("a", Text, json!(row[1])), ("b", List, row[2].split(',').collect())];
                let filled = sent.into_iter().zip(&row[1..]).filter(|(_, cell)| !cell.is_empty());
                let property =
                    |((name, kind, sent), _): ((&str, _, _), _)| Property { name: name.to_owned(), kind, sent };
                let expected = Person { id: row[0].clone(), props: filled.map(property).collect() };
                let number = number as u64;
                prop_assert_eq!(picked.get(&number), wanted.contains(&number).then_some(&expected));
            }
        }
    }
}
