//! The names of columns.

use usher_sdk::{
    abi::{Problem, ValueKind},
    check_names, field_pointer,
    options::{problem, warning},
};

use crate::{
    access::Format,
    api,
    columns::{COLUMNS, find},
    limits,
    options::{Deliver, Options},
};

/// Columns whose heading is not in the part of KB-HEAD that could be read.
const NOT_STANDARD: &[&str] = &[
    "phone",
    "mobile_phone",
    "other_phone",
    "street",
    "street2",
    "home_city",
    "home_state",
    "home_zip",
    "home_country",
    "work_city",
    "work_state",
    "work_zip",
    "work_country",
    "other_street",
    "other_street2",
    "other_city",
    "other_state",
    "other_zip",
    "other_country",
    "sms_number",
    "sms_consent_date",
];

/// Columns that the CSV import of the API lists (OAS); others it may take as the JSON import does.
const IN_CSV_IMPORT: &[&str] = &[
    "email",
    "first_name",
    "last_name",
    "phone",
    "job_title",
    "anniversary",
    "birthday",
    "birthday_day",
    "birthday_month",
    "company_name",
    "street",
    "street2",
    "city",
    "state",
    "zip",
    "country",
    "sms_number",
    "sms_consent_date",
    "cf:*",
];

/// The heading of a column in the file.
pub(crate) fn heading(column: &str, deliver: Deliver) -> &str {
    match deliver {
        Deliver::ApiFile | Deliver::Api => column,
        Deliver::UiFile => match column.strip_prefix("cf:") {
            Some(custom) => custom,
            None => find(column).and_then(|rule| rule.aliases.first().copied()).unwrap_or(column),
        },
    }
}

/// Columns that have to be matched by hand on the upload page.
pub(crate) fn by_hand<'a>(columns: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let unknown = |name: &&str| {
        name.starts_with("cf:") || find(name).is_some_and(|rule| NOT_STANDARD.contains(&rule.name))
    };
    columns.into_iter().filter(unknown).map(|name| heading(name, Deliver::UiFile)).collect()
}

/// What is wrong with the columns that are going to come.
pub(crate) fn check(columns: &[String], options: &Options) -> Vec<Problem> {
    let mut problems = check_names(COLUMNS, columns);
    let given = |name: &str| columns.iter().find(|column| find(column).is_some_and(|rule| rule.name == name));
    if given("email").is_none() && (given("sms_number").is_none() || given("sms_consent_date").is_none()) {
        let message = "no contact without `email`, or `sms_number` and `sms_consent_date`; give one of them in `fields`";
        problems.push(problem(field_pointer("email"), "column.missing", message));
    }
    match (given("birthday"), given("birthday_month"), given("birthday_day")) {
        (Some(whole), Some(other), _) | (Some(whole), _, Some(other)) => {
            let message = format!("`{other}` and `{whole}` say the same; keep one of them");
            problems.push(problem(field_pointer(other), "column.twice", message));
        }
        (None, Some(one), None) | (None, None, Some(one)) => {
            let message = "month and day of birth need each other; give both, or `birthday`";
            problems.push(problem(field_pointer(one), "column.missing", message));
        }
        _ => {}
    }
    problems.extend(unverified(columns, options));
    problems.extend(custom(columns, options.deliver));
    problems
}

/// Columns of which it is not known that the API's import takes them. What the upload page does not match by itself is a
/// step of the guide ([`by_hand`]).
fn unverified(columns: &[String], options: &Options) -> Option<Problem> {
    let deliver = options.deliver;
    let (form, taken): (&str, fn(&str) -> bool) = match (deliver, &options.api) {
        (Deliver::UiFile, _) => return None,
        (Deliver::Api, Some(access)) if access.explicit_consent => ("a sign-up", api::signs_up_with),
        // All other columns are documented there (OAS).
        (Deliver::Api, Some(access)) if access.format == Format::Json => {
            ("the JSON import", |name| name != "home_country")
        }
        _ => ("the CSV import", |name| IN_CSV_IMPORT.contains(&name)),
    };
    let names = columns.iter().filter_map(|name| find(name)).map(|rule| rule.name);
    let names: Vec<String> =
        names.filter(|name| !taken(name)).map(|name| format!("`{}`", heading(name, deliver))).collect();
    if names.is_empty() {
        return None;
    }
    if form == "a sign-up" {
        let message = format!(
            "`explicit_consent` signs contacts up one by one, which does not take {}; leave them out of `fields`",
            names.join(", ")
        );
        return Some(problem("/fields", "column.unsupported", message));
    }
    let mut message =
        format!("not among the columns that {form} is documented to take: {}", names.join(", "));
    if names.iter().any(|name| name == "`home_country`") {
        message += "; the contract prints `home_country` as `home country`, with a blank";
    }
    Some(warning("/fields", "column.unverified", message))
}

/// Names of custom fields.
fn custom(columns: &[String], deliver: Deliver) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (i, name) in columns.iter().enumerate() {
        let Some(custom) = name.strip_prefix("cf:") else { continue };
        let pointer = field_pointer(name);
        if custom.is_empty() {
            // `check_names` has said so.
            continue;
        }
        if custom.trim().is_empty() {
            problems.push(problem(
                pointer,
                "column.empty",
                "a custom field without a name; give it one after `cf:`",
            ));
            continue;
        }
        let same =
            |other: &str| heading(other, deliver).trim().eq_ignore_ascii_case(heading(name, deliver).trim());
        // Standard columns before and after, custom ones only before: each pair is named once.
        let rivals = columns.iter().enumerate().filter(|(j, other)| *j < i || !other.starts_with("cf:"));
        if let Some((_, other)) = rivals.map(|(j, o)| (j, o.as_str())).find(|(_, other)| same(other)) {
            let message = format!("`{name}` and `{other}` have the same heading; keep one of them");
            problems.push(problem(&pointer, "column.twice", message));
        } else if deliver == Deliver::UiFile && COLUMNS.iter().any(|rule| same(rule.name)) {
            let message = format!(
                "the upload page takes `{custom}` for its own column; give the custom field another name"
            );
            problems.push(warning(&pointer, "column.standard-name", message));
        }
        // Over the API the account itself says what the name is.
        if deliver == Deliver::ApiFile && custom.contains(char::is_whitespace) {
            let right = custom.split_whitespace().collect::<Vec<_>>().join("_");
            let message = format!(
                "the API's name of a custom field has `_` for blanks, and a name that is not known is passed over silently; \
                 did you mean `cf:{right}`?"
            );
            problems.push(warning(&pointer, "column.custom-name", message));
        }
        if custom.chars().count() > limits::LABEL {
            let message = format!("a custom field's label has at most {} characters", limits::LABEL);
            problems.push(warning(&pointer, "column.custom-name", message));
        }
    }
    problems
}

/// Whether a column's values are a list, which stands in the file as JSON text.
pub(crate) fn is_list(field: &arrow_schema::Field) -> bool {
    usher_sdk::records::kind(field) == Some(ValueKind::List)
        || matches!(field.data_type(), arrow_schema::DataType::List(_))
}
