//! Constant Contact's imports of contacts: the upload page and the API's file import (`vendors/constant-contact.md`
//! §1–§5: OAS, GUIDE-IMP, KB-HEAD, KB-FMT, KB-FAQ).
//!
//! Unverified and taken at its worst: a heading that matches nothing is skipped (page) or refuses the file (API); a
//! value over its limit fails the row; a blank cell erases when `blanks_erase` says so. Contacts that have a text
//! message number only are not doubled.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    account::{Account, ImportResult, Importer, Index, User, fold, is_email},
    table::{Row, Table},
};

/// Headings of the upload page, the API's name of the same thing, and the longest text.
const PAGE: [(&str, &str, usize); 17] = [
    ("Email Address", "email", 80),
    ("First Name", "first_name", 50),
    ("Last Name", "last_name", 50),
    ("Job Title", "job_title", 50),
    ("Company", "company_name", 50),
    ("Birthday", "birthday", 20),
    ("Anniversary", "anniversary", 20),
    ("Home Address Line 1", "home_street", 50),
    ("Home Address Line 2", "home_street2", 50),
    ("Work Address Line 1", "work_street", 50),
    ("Work Address Line 2", "work_street2", 50),
    ("City", "city", 50),
    ("State / Province", "state", 50),
    ("Zip / Postal Code", "zip", 25),
    ("Country", "country", 25),
    ("Phone Number - Home", "home_phone", 25),
    ("Phone Number - Work", "work_phone", 25),
];

/// Headings of the API's file import, and the longest text; `cf:*` come beside them.
const API: [(&str, usize); 17] = [
    ("email", 80),
    ("first_name", 50),
    ("last_name", 50),
    ("phone", 50),
    ("job_title", 50),
    ("anniversary", 50),
    ("birthday_day", 2),
    ("birthday_month", 2),
    ("company_name", 50),
    ("street", 255),
    ("street2", 255),
    ("city", 50),
    ("state", 50),
    ("zip", 50),
    ("country", 50),
    ("sms_number", 16),
    ("sms_consent_date", 16),
];

/// The way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The upload page: 1,000,000 rows, 100 MB.
    Page,
    /// `POST /activities/contacts_file_import`: 40,000 lines with the header, 4 MB with the rest of the request.
    Api,
}

/// The choices of an import, and what the account is set up with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The way in.
    pub(crate) form: Form,
    /// The lists, 1 to 50 of them.
    pub(crate) lists: Vec<String>,
    /// The account's custom fields by their API names.
    pub(crate) custom_fields: BTreeSet<String>,
    /// Page: what a person says of headings that match nothing: the custom field.
    pub(crate) mapping: BTreeMap<String, String>,
    /// Whether a blank cell clears what is stored.
    pub(crate) blanks_erase: bool,
    /// API: bytes of the request beside the file.
    pub(crate) envelope: u64,
    /// Rows below the header that are looked at.
    pub(crate) max_rows: u64,
    /// Bytes that are looked at.
    pub(crate) max_bytes: u64,
}

impl Settings {
    /// One list, no custom fields, the vendor's limits.
    pub(crate) fn new(form: Form) -> Self {
        let (max_rows, max_bytes) = match form {
            Form::Page => (1_000_000, 100_000_000),
            Form::Api => (39_999, 4_000_000),
        };
        Self {
            form,
            lists: vec!["General".to_owned()],
            custom_fields: BTreeSet::new(),
            mapping: BTreeMap::new(),
            blanks_erase: false,
            envelope: 0,
            max_rows,
            max_bytes,
        }
    }

    /// The property behind a heading (custom fields as `cf:…`) and its longest text.
    fn property(&self, heading: &str, result: &mut ImportResult) -> Result<Option<(String, usize)>, String> {
        let custom = match self.form {
            Form::Page => {
                if let Some((_, name, max)) = PAGE.iter().find(|(h, ..)| *h == heading) {
                    return Ok(Some(((*name).to_owned(), *max)));
                }
                self.mapping.get(heading).map_or("", String::as_str)
            }
            Form::Api => {
                if let Some((name, max)) = API.iter().find(|(name, _)| *name == heading) {
                    return Ok(Some(((*name).to_owned(), *max)));
                }
                heading.strip_prefix("cf:").ok_or(format!("unknown column `{heading}`"))?
            }
        };
        if self.custom_fields.contains(custom) {
            return Ok(Some((format!("cf:{custom}"), 255)));
        }
        result.silent.push(format!("column `{heading}` matches nothing and is not filled"));
        Ok(None)
    }
}

struct Column {
    place: usize,
    name: String,
    max: usize,
}

impl Importer for Settings {
    fn run(&self, account: &mut Account, file: &[u8]) -> ImportResult {
        if self.lists.is_empty() || self.lists.len() > 50 {
            return ImportResult::refused("1 to 50 lists are needed");
        }
        let table = match Table::parse(file, b',') {
            Ok(table) => table,
            Err(reason) => return ImportResult::refused(reason),
        };
        let mut result = ImportResult::default();
        let mut columns = Vec::new();
        for (place, heading) in table.headings.iter().enumerate() {
            match self.property(heading, &mut result) {
                Ok(Some((name, max))) => columns.push(Column { place, name, max }),
                Ok(None) => {}
                Err(reason) => return ImportResult::refused(reason),
            }
        }
        let mut index = Index::of(account, |user| user.emails.iter().map(|e| fold(e)).collect());
        for row in &table.rows {
            if row.number > self.max_rows || row.end + self.envelope > self.max_bytes {
                result.dropped += 1;
                continue;
            }
            match contact(row, &columns) {
                Ok(contact) => self.put(account, &mut index, contact, &mut result),
                Err(Fault { reason, correctable }) => {
                    result.correctable += u64::from(correctable);
                    result.fail(row.number, reason);
                }
            }
        }
        result
    }
}

impl Settings {
    fn put(&self, account: &mut Account, index: &mut Index, contact: Contact<'_>, result: &mut ImportResult) {
        let key = fold(contact.email);
        let known = index.get(&key).next();
        let id = known.unwrap_or_else(|| {
            let mut user = User::with_email(contact.email);
            user.put("permission", "implicit");
            account.add(user)
        });
        index.add(key, id);
        *if known.is_some() { &mut result.updated } else { &mut result.created } += 1;
        let user = account.users.entry(id).or_default();
        for (name, value) in contact.values {
            if !value.is_empty() || self.blanks_erase {
                user.put(name, &value);
            }
        }
        if user.unsubscribed {
            result.cannot_add_to_list += 1;
        } else {
            user.lists.extend(self.lists.iter().cloned());
        }
    }
}

struct Contact<'a> {
    email: &'a str,
    values: Vec<(&'a str, String)>,
}

struct Fault {
    reason: String,
    correctable: bool,
}

/// A row as a contact, or what is wrong with it.
fn contact<'a>(row: &'a Row, columns: &'a [Column]) -> Result<Contact<'a>, Fault> {
    let fault = |reason: String, correctable| Err(Fault { reason, correctable });
    let value = |name: &str| row.cell(columns.iter().find(|c| c.name == name).map(|c| c.place));
    let email = value("email");
    if email.is_empty() {
        let nameless = value("first_name").is_empty() && value("last_name").is_empty();
        return fault("no email address".to_owned(), nameless);
    }
    if !is_email(email) {
        return fault(format!("`{email}` is no email address"), true);
    }
    if value("birthday_month").is_empty() != value("birthday_day").is_empty() {
        return fault("a birthday needs month and day".to_owned(), true);
    }
    let mut values = Vec::new();
    for Column { place, name, max } in columns.iter().filter(|c| c.name != "email") {
        let text = row.cells[*place].as_str();
        if text.chars().count() > *max {
            return fault(format!("`{name}` has more than {max} characters"), false);
        }
        let good = match name.as_str() {
            _ if text.is_empty() => Some(String::new()),
            "birthday" => month_and_day(text),
            "anniversary" => full_date(text),
            "birthday_month" => number(text, 12).map(|_| text.to_owned()),
            "birthday_day" => number(text, 31).map(|_| text.to_owned()),
            _ => Some(text.to_owned()),
        };
        match good {
            Some(good) => values.push((name.as_str(), good)),
            None => return fault(format!("`{text}` is no good `{name}`"), true),
        }
    }
    if values.iter().filter(|(name, value)| name.starts_with("cf:") && !value.is_empty()).count() > 25 {
        return fault("more than 25 custom fields".to_owned(), false);
    }
    if columns.iter().any(|c| c.name == "email" && email.chars().count() > c.max) {
        return fault("`email` has more than 80 characters".to_owned(), false);
    }
    Ok(Contact { email, values })
}

fn number(text: &str, most: u32) -> Option<u32> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| digits && (1..=most).contains(n))
}

/// MM/DD/YYYY, M/D/YYYY, YYYY/MM/DD, YYYY/M/D, YYYY-MM-DD, YYYY-M-D, MM-DD-YYYY, M-D-YYYY, as YYYY-MM-DD.
fn full_date(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(if text.contains('/') { '/' } else { '-' }).collect();
    let [a, b, c] = parts[..] else { return None };
    let (year, month, day) = if a.len() == 4 { (a, b, c) } else { (c, a, b) };
    let year = Some(year).filter(|y| y.len() == 4 && y.bytes().all(|b| b.is_ascii_digit()))?;
    Some(format!("{year}-{:02}-{:02}", number(month, 12)?, number(day, 31)?))
}

/// The dates with a year but for those with `-` and the year last, DD-Month, D-Month, DD-Month-YY; without the year.
fn month_and_day(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let parts: Vec<&str> = text.split('-').collect();
    if let [day, name] | [day, name, _] = parts[..]
        && let Some(month) = MONTHS.iter().position(|m| *m == name)
    {
        return Some(format!("{:02}-{:02}", month + 1, number(day, 31)?));
    }
    let year_last = parts.len() == 3 && parts[2].len() == 4;
    full_date(text).filter(|_| !year_last).map(|date| date[5..].to_owned())
}

#[cfg(test)]
#[path = "constant_contact_tests.rs"]
mod tests;
