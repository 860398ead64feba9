//! The two imports: what is read of a body, and what its rows do.

use std::collections::BTreeMap;

use csv::ReaderBuilder;
use serde_json::{Value, value::RawValue};

use super::{
    account::Account,
    activities::Work,
    columns,
    errors::{invalid, not_found, refused},
    settings::Blanks,
};
use crate::{
    faults::Faults,
    message::{Asked, Reply},
    multipart, text,
};

/// A row: values by column, as they came.
pub(crate) type Row = BTreeMap<String, String>;

/// What became of the rows of an import.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) errors: usize,
    pub(crate) correctable: usize,
    pub(crate) cannot_add: usize,
    pub(crate) messages: Vec<String>,
}

/// What is wrong with a row, and whether somebody can fix it in the interface.
enum Fault {
    Correctable(String),
    Error(String),
}

impl Account {
    pub(crate) fn import_file(&mut self, asked: &Asked, faults: &Faults) -> Result<Reply, Reply> {
        let unsupported = |message: &str| refused(415, "contacts.api.unsupported_media_type", message);
        let kind = asked.header("content-type").unwrap_or_default();
        let parts = multipart::parts(kind, &asked.body).map_err(|e| unsupported(&e))?;
        let part = |name: &str| parts.iter().find(|part| part.name == name);
        let file = part("file").ok_or_else(|| invalid("file is missing"))?;
        let file_name = file.file_name.clone().unwrap_or_default();
        if !file_name.to_lowercase().ends_with(".csv") {
            return Err(unsupported("wrong file format, upload file must be of type .csv"));
        }
        let lists = part("list_ids").map(|part| part.text()).unwrap_or_default();
        let lists = self.known_lists(
            lists.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()),
            not_found,
        )?;

        // What counts is the body; the file ends where the body is cut.
        let begin = file.content.as_ptr() as usize - asked.body.as_ptr() as usize;
        let kept = self.settings.largest_body.saturating_sub(begin).min(file.content.len());
        let is_cut = kept < file.content.len();
        let all = rows(file.content).map_err(|e| invalid(&e))?;
        let total = all.len();
        let most = self.settings.most_lines - 1;
        let end_of = |row: &(Row, u64)| row.1 as usize <= kept || !is_cut;
        let rows: Vec<Row> = all.into_iter().filter(end_of).take(most).map(|(row, _)| row).collect();
        let dropped = total - rows.len();
        self.start(Work::Import { lists }, rows, Some(file_name), dropped, faults, &asked.line())
    }

    pub(crate) fn import_json(&mut self, asked: &Asked, faults: &Faults) -> Result<Reply, Reply> {
        let malformed = |e: serde_json::Error| invalid(&format!("the JSON is malformed: {e}"));
        let body: BTreeMap<String, &RawValue> = serde_json::from_slice(&asked.body).map_err(malformed)?;
        let lists = body.get("list_ids").ok_or_else(|| invalid("list_ids are missing"))?;
        let lists: Vec<String> = serde_json::from_str(lists.get()).map_err(malformed)?;
        // The description has no 404 for this call.
        let lists = self.known_lists(lists.into_iter(), || invalid("there is no such list"))?;
        let data = body.get("import_data").ok_or_else(|| invalid("import_data is missing"))?;
        let data: Vec<&RawValue> = serde_json::from_str(data.get()).map_err(malformed)?;

        let begin = asked.body.as_ptr() as usize;
        let end_of = |row: &&RawValue| row.get().as_ptr() as usize + row.get().len() - begin;
        let total = data.len();
        let kept = data.into_iter().take_while(|row| end_of(row) <= self.settings.largest_body);
        let rows: Vec<Row> = kept.take(self.settings.most_lines).map(json_row).collect();
        let dropped = total - rows.len();
        self.start(Work::Import { lists }, rows, None, dropped, faults, &asked.line())
    }

    fn known_lists(
        &self,
        ids: impl Iterator<Item = String>,
        unknown: impl Fn() -> Reply,
    ) -> Result<Vec<String>, Reply> {
        let ids: Vec<String> = ids.collect();
        if ids.is_empty() || ids.len() > 50 {
            return Err(invalid("list_ids are 1 to 50"));
        }
        match ids.iter().all(|id| self.lists.iter().any(|list| list.id == *id)) {
            true => Ok(ids),
            false => Err(unknown()),
        }
    }

    pub(crate) fn take_rows(
        &mut self,
        rows: Vec<Row>,
        lists: &[String],
        activity: &str,
        has_header: bool,
    ) -> Tally {
        let mut tally = Tally::default();
        for (at, row) in rows.into_iter().enumerate() {
            let line = at + 1 + usize::from(has_header);
            match self.checked(&row, has_header) {
                Err(fault) => {
                    let message = match fault {
                        Fault::Correctable(message) => {
                            tally.correctable += 1;
                            message
                        }
                        Fault::Error(message) => {
                            tally.errors += 1;
                            message
                        }
                    };
                    tally.messages.push(match self.settings.names_lines {
                        true => format!("Line {line}: {message}"),
                        false => message,
                    });
                }
                Ok(()) => tally.cannot_add += usize::from(!self.take_row(row, lists, activity, has_header)),
            }
        }
        tally
    }

    fn takes_all(&self, is_csv: bool) -> bool {
        !is_csv || self.settings.csv_takes_all_columns
    }

    fn checked(&self, row: &Row, is_csv: bool) -> Result<(), Fault> {
        let value = |column: &str| row.get(column).map(|value| value.trim()).unwrap_or_default();
        let (email, sms) = (value("email"), value("sms_number"));
        if email.is_empty() && sms.is_empty() {
            return Err(Fault::Correctable("Missing email address".to_owned()));
        }
        if !email.is_empty() && !text::is_address(email) {
            return Err(Fault::Correctable("Invalid email address".to_owned()));
        }
        if self.settings.refuses.iter().any(|refused| refused.eq_ignore_ascii_case(email)) {
            return Err(Fault::Error("The contact could not be imported".to_owned()));
        }
        let (month, day) = (value("birthday_month"), value("birthday_day"));
        let has_birthday = !month.is_empty() || !day.is_empty();
        if has_birthday && !columns::is_birthday(month, day) {
            return Err(Fault::Correctable("Invalid birthday".to_owned()));
        }
        let anniversary = value("anniversary");
        if !anniversary.is_empty() && !columns::is_anniversary(anniversary) {
            return Err(Fault::Correctable("Invalid anniversary".to_owned()));
        }
        for (column, value) in row {
            let longest = match column.strip_prefix("cf:") {
                Some(_) => Some(columns::LONGEST_CUSTOM),
                None => columns::longest(column, self.takes_all(is_csv)),
            };
            if longest.is_some_and(|longest| value.chars().count() > longest) {
                return Err(Fault::Error(format!("{column} is too long")));
            }
        }
        let custom =
            row.iter().filter(|(column, value)| column.starts_with("cf:") && !value.is_empty()).count();
        if custom > columns::MOST_CUSTOM {
            return Err(Fault::Error("too many custom fields".to_owned()));
        }
        Ok(())
    }

    /// Whether the contact is on the lists now: unsubscribed people never are.
    fn take_row(&mut self, row: Row, lists: &[String], activity: &str, is_csv: bool) -> bool {
        let key = row.get("email").filter(|email| !email.trim().is_empty()).or_else(|| row.get("sms_number"));
        let key = key.map(|key| key.trim().to_owned()).unwrap_or_default();
        let is_new = self.contact(&key).is_none();
        if self.contact(&key).is_some_and(super::Contact::is_unsubscribed) {
            return false;
        }
        let (blanks, takes_all) = (self.settings.blanks, self.takes_all(is_csv));
        let names: Vec<String> = self.custom_fields.iter().map(|field| field.name.clone()).collect();
        let mut dropped = Vec::new();
        let contact = self.contact_mut(&key);
        for (column, value) in row {
            if column == "email" || value.is_empty() && blanks == Blanks::Keep {
                continue;
            }
            match column.strip_prefix("cf:") {
                // No error, no word: a field of that name does not exist. Nor does a column below.
                Some(name) if !names.iter().any(|known| known == name) => dropped.push(column),
                Some(name) => drop(contact.custom_fields.insert(name.to_owned(), value)),
                None if columns::longest(&column, takes_all).is_none() => dropped.push(column),
                None => drop(contact.properties.insert(column, value)),
            }
        }
        if is_new {
            (contact.permission, contact.opt_in_source) = ("implicit", "Account");
        }
        // Unverified: what an import does to a deleted contact is not said.
        contact.is_deleted = false;
        contact.lists.extend(lists.iter().cloned());
        contact.deliveries += 1;
        contact.activities.push(activity.to_owned());
        for column in dropped {
            *self.dropped_fields.entry(column).or_default() += 1;
        }
        true
    }
}

/// Rows of a file with the byte behind each, or what is wrong with it.
fn rows(file: &[u8]) -> Result<Vec<(Row, u64)>, String> {
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(file);
    let header = reader.headers().map_err(|e| e.to_string())?.clone();
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| e.to_string())? {
        let row =
            header.iter().zip(&record).map(|(column, cell)| (column.to_owned(), cell.to_owned())).collect();
        rows.push((row, reader.position().byte()));
    }
    Ok(rows)
}

/// A row of JSON: texts and numbers; objects, as `POST /contacts` has them, are not read.
fn json_row(row: &RawValue) -> Row {
    let row: Value = serde_json::from_str(row.get()).unwrap_or_default();
    let pairs = row.as_object().into_iter().flatten();
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    pairs.filter_map(|(column, value)| Some((column.clone(), text(value)?))).collect()
}
