//! JSON that is no list of records, and texts of which nobody has said what they are.

use serde_json::{Map, Value};

use super::{
    file::Judge,
    person::{FORGOTTEN, Person},
    records::{Form, copy},
};

/// Whether a value, or anything in it, is one of the person's keys.
pub(super) fn is_about(value: &Value, person: &Person) -> bool {
    match value {
        Value::String(text) => person.is(text),
        Value::Number(number) => person.is(&number.to_string()),
        Value::Array(items) => items.iter().any(|item| is_about(item, person)),
        Value::Object(members) => {
            members.iter().any(|(name, value)| person.is(name) || is_about(value, person))
        }
        Value::Null | Value::Bool(_) => false,
    }
}

/// Takes the person out: items of lists that are about them, whole; what else an object says that holds a key; and mentions.
/// Answers how often.
pub(super) fn forget(value: &mut Value, person: &Person) -> u64 {
    match value {
        Value::Array(items) => {
            let before = items.len();
            items.retain(|item| !is_about(item, person));
            let gone = (before - items.len()) as u64;
            gone + items.iter_mut().map(|item| forget(item, person)).sum::<u64>()
        }
        Value::Object(members) if members.values().any(|value| is_key(value, person)) => {
            members.values_mut().for_each(blank);
            1
        }
        Value::Object(members) => {
            let before = members.len();
            members.retain(|name, _| !person.is(name));
            let gone = (before - members.len()) as u64;
            gone + members.values_mut().map(|value| forget(value, person)).sum::<u64>()
        }
        _ => redact(value, person),
    }
}

fn is_key(value: &Value, person: &Person) -> bool {
    matches!(value, Value::String(_) | Value::Number(_)) && is_about(value, person)
}

fn blank(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Object(members) => members.values_mut().for_each(blank),
        Value::String(_) | Value::Number(_) => *value = FORGOTTEN.into(),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Takes mentions out of all texts; answers how many texts had one.
pub(super) fn redact(value: &mut Value, person: &Person) -> u64 {
    match value {
        Value::String(text) => match person.redacted(text) {
            Some(redacted) => {
                *text = redacted;
                1
            }
            None => 0,
        },
        Value::Array(items) => items.iter_mut().map(|item| redact(item, person)).sum(),
        Value::Object(members) => {
            let mut found = 0;
            let redacted: Map<String, Value> = std::mem::take(members)
                .into_iter()
                .map(|(name, mut value)| {
                    found += redact(&mut value, person);
                    let other = person.redacted(&name);
                    found += u64::from(other.is_some());
                    (other.unwrap_or(name), value)
                })
                .collect();
            *members = redacted;
            found
        }
        _ => 0,
    }
}

/// A text without the person, whatever it is; `None` if it has nothing about them. Answers how much went, too.
pub(super) fn forget_text(text: &str, person: &Person) -> Option<(String, u64)> {
    if !person.may_be_in(text.as_bytes()) {
        return None;
    }
    if let Ok(mut value) = serde_json::from_str::<Value>(text) {
        let gone = forget(&mut value, person);
        return (gone > 0).then(|| (value.to_string(), gone));
    }
    let form = match Form::of(text.as_bytes()) {
        // What claims to be one document and is none has lines at least.
        Form::Array | Form::Document => Form::Text,
        form => form,
    };
    let mut judge = Judge::values(person, form);
    let mut left = Vec::new();
    // Memory does not fail.
    let gone = copy(text.as_bytes(), form, &mut left, |record| judge.goes(record)).unwrap_or(0);
    let left = String::from_utf8_lossy(&left).into_owned();
    let redacted = person.redacted(&left);
    let more = u64::from(redacted.is_some());
    (gone + more > 0).then(|| (redacted.unwrap_or(left), gone + more))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada(text: &str) -> Option<(String, u64)> {
        forget_text(text, &Person::new(&["ada@x.com".to_owned()]).unwrap())
    }

    #[test]
    fn a_person_goes_with_the_whole_record_and_nobody_else() {
        for (text, expected) in [
            (
                "{\"users\":[{\"email\":\"Ada@x.com\",\"name\":\"Ada\"},{\"email\":\"eve@x.com\"}]}",
                "{\"users\":[{\"email\":\"eve@x.com\"}]}",
            ),
            ("{\"emails\":[\"ada@x.com\",\"eve@x.com\"],\"n\":2}", "{\"emails\":[\"eve@x.com\"],\"n\":2}"),
            (
                "{\"user\":{\"email\":\"ada@x.com\",\"name\":\"Ada\",\"ok\":true}}",
                "{\"user\":{\"email\":\"[forgotten]\",\"name\":\"[forgotten]\",\"ok\":true}}",
            ),
            (
                "{\"error\":\"no ada@x.com here\",\"code\":7}",
                "{\"error\":\"no [forgotten] here\",\"code\":7}",
            ),
            (
                "{\"email\":\"ada@x.com\",\"name\":\"Ada\"}\n{\"email\":\"eve@x.com\"}\n",
                "{\"email\":\"eve@x.com\"}\n",
            ),
            ("email,name\nada@x.com,Ada\neve@x.com,Eve\n", "email,name\neve@x.com,Eve\n"),
            ("cannot find ada@x.com.", "cannot find [forgotten]."),
        ] {
            assert_eq!(ada(text).unwrap().0, expected, "{text}");
        }
        for text in ["{\"email\":\"aada@x.com\"}", "eve@x.com", "[1,2", ""] {
            assert_eq!(ada(text), None, "{text}");
        }
    }
}
