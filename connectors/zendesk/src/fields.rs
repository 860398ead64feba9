//! User fields of the account: what each holds, and how a cell is checked and written for it (OAS, KB-USR).

use std::sync::Arc;

use serde_json::{Value, json};
use usher_sdk::{
    checks::{self, Fault, Verdict, shown},
    read_list,
};

use crate::{
    api::{FieldReply, OptionReply},
    columns::CHECKBOX,
    options::FieldType,
};

/// Most options that a message lists.
const SHOWN: usize = 8;

/// What a field holds, as the account says it or else the option `custom_field_types`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Checkbox,
    Date,
    Integer,
    Decimal,
    /// Tags of its options, with their names; `None`: not known.
    Dropdown(Option<Arc<[Choice]>>),
    /// The same.
    Multiselect(Option<Arc<[Choice]>>),
    Lookup,
    /// Also `textarea` and `regexp`.
    Text,
    /// A type that the vendor's pages do not name.
    Other(String),
}

/// An option of a drop-down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    tag: String,
    name: String,
}

impl Kind {
    /// As the account says it.
    pub(crate) fn of(field: &FieldReply) -> Self {
        let choice = |option: &OptionReply| Choice { tag: option.value.clone(), name: option.name.clone() };
        let choices = || field.custom_field_options.as_ref().map(|all| all.iter().map(choice).collect());
        match field.kind.as_str() {
            "checkbox" => Self::Checkbox,
            "date" => Self::Date,
            "integer" => Self::Integer,
            "decimal" => Self::Decimal,
            "dropdown" => Self::Dropdown(choices()),
            "multiselect" => Self::Multiselect(choices()),
            "lookup" => Self::Lookup,
            "text" | "textarea" | "regexp" => Self::Text,
            other => Self::Other(other.to_owned()),
        }
    }

    /// As the options say it, where the account was not asked.
    pub(crate) fn of_option(kind: Option<FieldType>) -> Self {
        match kind {
            Some(FieldType::Checkbox) => Self::Checkbox,
            Some(FieldType::Date) => Self::Date,
            Some(FieldType::Number) => Self::Decimal,
            Some(FieldType::Dropdown) => Self::Dropdown(None),
            Some(FieldType::Lookup) => Self::Lookup,
            Some(FieldType::Text | FieldType::Regexp) | None => Self::Text,
        }
    }

    /// Whether the option says the same.
    pub(crate) fn is(&self, said: FieldType) -> bool {
        match said {
            FieldType::Checkbox => *self == Self::Checkbox,
            FieldType::Date => *self == Self::Date,
            FieldType::Number => matches!(self, Self::Integer | Self::Decimal),
            FieldType::Dropdown => matches!(self, Self::Dropdown(_)),
            FieldType::Lookup => *self == Self::Lookup,
            FieldType::Text | FieldType::Regexp => *self == Self::Text,
        }
    }

    /// The check of a cell.
    pub(crate) fn check(&self, value: &str, out: &mut String) -> Verdict {
        match self {
            Self::Checkbox => CHECKBOX(value, out),
            Self::Date => checks::iso_date(value, out),
            Self::Integer => checks::integer(value, out),
            Self::Decimal => checks::number(value, out),
            Self::Dropdown(None) | Self::Lookup => checks::clean_text(value, out),
            Self::Dropdown(Some(choices)) => one_of(choices, value, out),
            // A text, or an array of them: there is nothing to hold them against.
            Self::Multiselect(None) => Verdict::Keep,
            Self::Multiselect(Some(choices)) => {
                for item in items(value) {
                    match one_of(choices, &item, out) {
                        Verdict::Keep => {}
                        // An array is not rewritten for a blank at the edge of an item.
                        Verdict::Changed(_) => out.clear(),
                        bad @ Verdict::Bad(_) => return bad,
                    }
                }
                Verdict::Keep
            }
            Self::Text | Self::Other(_) => Verdict::Keep,
        }
    }

    /// A good cell as JSON. Dates are written as days; they are read back with a time (OAS).
    pub(crate) fn value(&self, cell: &str) -> Value {
        match self {
            Self::Checkbox => json!(cell == "true"),
            Self::Integer | Self::Decimal => number(cell),
            Self::Multiselect(_) => items(cell).into_iter().map(|item| json!(item.trim())).collect(),
            _ => json!(cell),
        }
    }
}

/// A number as JSON has it; the text itself where JSON has none for it.
fn number(cell: &str) -> Value {
    match (cell.parse::<i64>(), cell.parse::<f64>()) {
        (Ok(whole), _) => json!(whole),
        (_, Ok(number)) if number.is_finite() => json!(number),
        _ => json!(cell),
    }
}

/// The texts of a JSON array; any other text is one.
fn items(cell: &str) -> Vec<String> {
    let (mut texts, mut places) = (String::new(), Vec::new());
    if read_list(cell, &mut texts, &mut places) {
        places.into_iter().map(|place| texts[place].to_owned()).collect()
    } else {
        vec![cell.to_owned()]
    }
}

fn one_of(choices: &[Choice], value: &str, out: &mut String) -> Verdict {
    let trimmed = value.trim();
    if choices.iter().any(|choice| choice.tag == trimmed) {
        if trimmed.len() == value.len() {
            return Verdict::Keep;
        }
        out.push_str(trimmed);
        return Verdict::Changed("trim");
    }
    let by_name = choices.iter().find(|choice| choice.name.eq_ignore_ascii_case(trimmed));
    let message = if let Some(choice) = by_name {
        format!("{} is the name of an option; write its tag `{}`", shown(value), choice.tag)
    } else {
        let listed: Vec<String> = choices.iter().take(SHOWN).map(|c| format!("`{}`", c.tag)).collect();
        let more = if choices.len() > SHOWN { ", …" } else { "" };
        format!("{} is no option of the field; it has {}{more}", shown(value), listed.join(", "))
    };
    Verdict::Bad(Fault::new("field.not-an-option", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(kind: &str) -> Kind {
        let field = json!({ "key": "k", "type": kind, "custom_field_options": [
            { "name": "Pro plan", "value": "pro" }, { "name": "Free", "value": "free" },
        ] });
        Kind::of(&serde_json::from_value(field).unwrap())
    }

    fn run(kind: &Kind, value: &str) -> String {
        let mut out = String::new();
        match kind.check(value, &mut out) {
            Verdict::Keep => kind.value(value).to_string(),
            Verdict::Changed(rule) => format!("{rule} {}", kind.value(&out)),
            Verdict::Bad(fault) => format!("{}: {}", fault.code, fault.message),
        }
    }

    #[test]
    fn cells_become_values_of_their_type() {
        assert_eq!(run(&kind("checkbox"), "true"), "true");
        assert!(run(&kind("checkbox"), "maybe").starts_with("value.not-boolean"));
        assert_eq!(run(&kind("date"), "2024-03-31"), r#""2024-03-31""#);
        assert_eq!(run(&kind("integer"), "6164063675162"), "6164063675162");
        assert!(run(&kind("integer"), "1.5").starts_with("value.not-integer"));
        assert_eq!(run(&kind("decimal"), "1.50"), "1.5");
        assert_eq!(run(&kind("lookup"), "616"), r#""616""#);
        assert_eq!(run(&kind("textarea"), "a\nb"), r#""a\nb""#);
        assert_eq!(run(&kind("never heard of"), "x"), r#""x""#);
        assert_eq!(run(&kind("multiselect"), r#"["pro","free"]"#), r#"["pro","free"]"#);
        assert_eq!(run(&kind("multiselect"), "pro"), r#"["pro"]"#);
        assert!(run(&kind("multiselect"), r#"["pro","gold"]"#).starts_with("field.not-an-option: `gold`"));
    }

    #[test]
    fn options_are_known_by_their_tag() {
        assert_eq!(run(&kind("dropdown"), "pro"), r#""pro""#);
        assert_eq!(run(&kind("dropdown"), " pro"), r#"trim "pro""#);
        assert_eq!(
            run(&kind("dropdown"), "Pro Plan"),
            "field.not-an-option: `Pro Plan` is the name of an option; write its tag `pro`"
        );
        assert_eq!(
            run(&kind("dropdown"), "gold"),
            "field.not-an-option: `gold` is no option of the field; it has `pro`, `free`"
        );
        assert_eq!(run(&Kind::of_option(Some(FieldType::Dropdown)), "gold"), r#""gold""#);
    }

    #[test]
    fn options_that_the_account_does_not_list_are_not_checked() {
        for (name, sent) in [("dropdown", r#""gold""#), ("multiselect", r#"["gold"]"#)] {
            let field = json!({ "key": "k", "type": name });
            let kind = Kind::of(&serde_json::from_value(field).unwrap());
            assert_eq!(run(&kind, "gold"), sent);
        }
    }

    #[test]
    fn what_the_options_say_is_held_against_the_account() {
        for (name, said) in [
            ("checkbox", FieldType::Checkbox),
            ("date", FieldType::Date),
            ("integer", FieldType::Number),
            ("decimal", FieldType::Number),
            ("dropdown", FieldType::Dropdown),
            ("lookup", FieldType::Lookup),
            ("textarea", FieldType::Text),
            ("regexp", FieldType::Regexp),
        ] {
            assert!(kind(name).is(said), "{name}");
            assert!(!kind(if name == "date" { "text" } else { "date" }).is(said), "{name}");
        }
    }
}
