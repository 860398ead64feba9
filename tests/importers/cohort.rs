//! Cohort's import of users (`vendors/cohort.md` §1, §2: IMPEXP, LISTS, CUSTOM).
//!
//! Unverified and taken at its worst: two rows of one address both fail; a value that is not of its property's type
//! fails the row; the file must be smaller than 10,000,000 bytes.

use std::collections::{BTreeMap, HashMap};

use super::{
    account::{Account, ImportResult, Importer, Index, User, fold, is_email},
    table::{Row, Table},
};

/// Type of a custom property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Property {
    /// Anything.
    Text,
    /// Digits with `.` as the decimal sign.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `YYYY-MM-DD`.
    Date,
}

/// The choices of an import, and what the account is set up with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The account's custom properties, by name or reference ID.
    pub(crate) properties: BTreeMap<String, Property>,
    /// The static list that the users become members of.
    pub(crate) list: Option<String>,
    /// The first size that is too large.
    pub(crate) too_many_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { properties: BTreeMap::new(), list: None, too_many_bytes: 10_000_000 }
    }
}

impl Importer for Settings {
    fn run(&self, account: &mut Account, file: &[u8]) -> ImportResult {
        if file.len() as u64 >= self.too_many_bytes {
            return ImportResult::refused(format!("{} bytes, up to 10 Mb are allowed", file.len()));
        }
        let table = match Table::parse(file, b',') {
            Ok(table) => table,
            Err(reason) => return ImportResult::refused(reason),
        };
        let Some(email) = table.headings.iter().position(|h| core(h) == Some("email")) else {
            return ImportResult::refused("no column with email addresses");
        };
        let mut result = ImportResult::default();
        // The person who clicks maps what there is a property for.
        let mut mapped = Vec::new();
        for (place, heading) in table.headings.iter().enumerate() {
            match core(heading).map(|name| (name, Property::Text)).or(self.property(heading)) {
                Some((name, property)) => mapped.push((place, name, property)),
                None => result.silent.push(format!("column `{heading}` has no property and is not imported")),
            }
        }
        let mut index = Index::of(account, |user| user.emails.iter().map(|e| fold(e)).collect());
        let mut times: HashMap<String, u32> = HashMap::new();
        for row in &table.rows {
            *times.entry(fold(&row.cells[email])).or_default() += 1;
        }
        for row in &table.rows {
            let address = &row.cells[email];
            if let Err(reason) = check(row, address, &mapped, &times) {
                result.fail(row.number, reason);
                continue;
            }
            let known = index.get(&fold(address)).next();
            let id = known.unwrap_or_else(|| account.add(User::with_email(address)));
            let user = account.users.entry(id).or_default();
            for (place, name, _) in
                mapped.iter().filter(|(place, name, _)| *name != "email" && !row.cells[*place].is_empty())
            {
                user.put(name, &row.cells[*place]);
            }
            user.lists.extend(self.list.clone());
            index.add(fold(address), id);
            *if known.is_some() { &mut result.updated } else { &mut result.created } += 1;
        }
        result
    }
}

impl Settings {
    fn property(&self, heading: &str) -> Option<(&str, Property)> {
        self.properties.get_key_value(heading).map(|(name, property)| (name.as_str(), *property))
    }
}

/// The core property behind a heading, as a person would recognise it.
fn core(heading: &str) -> Option<&'static str> {
    match heading {
        "Email" | "email" => Some("email"),
        "First Name" | "first_name" => Some("first_name"),
        "Last Name" | "last_name" => Some("last_name"),
        _ => None,
    }
}

fn check(
    row: &Row,
    address: &str,
    mapped: &[(usize, &str, Property)],
    times: &HashMap<String, u32>,
) -> Result<(), String> {
    if address.is_empty() {
        return Err("no email address".to_owned());
    }
    if !is_email(address) {
        return Err(format!("`{address}` is no email address"));
    }
    if times[&fold(address)] > 1 {
        return Err(format!("`{address}` is on several rows"));
    }
    for (place, name, property) in mapped {
        let value = row.cells[*place].as_str();
        let good = match property {
            _ if value.is_empty() => true,
            Property::Text => true,
            Property::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
            Property::Boolean => matches!(value, "true" | "false"),
            Property::Date => is_date(value),
        };
        if !good {
            return Err(format!("`{value}` is no good `{name}`"));
        }
    }
    Ok(())
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|p| p.len()).collect();
    let number = |part: &str| part.parse::<u32>().unwrap_or_default();
    lengths == [4, 2, 2]
        && parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_digit()))
        && (1..=12).contains(&number(parts[1]))
        && (1..=31).contains(&number(parts[2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let properties = [
            ("plan", Property::Text),
            ("score", Property::Number),
            ("vip", Property::Boolean),
            ("since", Property::Date),
        ];
        Settings { properties: properties.map(|(n, p)| (n.to_owned(), p)).into(), ..Settings::default() }
    }

    #[test]
    fn values_overwrite_and_blanks_are_skipped() {
        let mut account = Account::default();
        let file = b"Email,First Name,plan\nada@example.com,Ada,pro\n";
        assert_eq!(account.import(file, &settings()).created, 1);
        let again = Settings { list: Some("spring".to_owned()), ..settings() };
        let result =
            account.import(b"Email,First Name,plan\nADA@example.com,,free\nbob@example.com,,\n", &again);
        assert_eq!((result.created, result.updated, result.silent.len()), (1, 1, 0));
        let ada = account.by_email("ada@example.com").unwrap();
        assert_eq!((ada.field("first_name"), ada.field("plan"), ada.lists.len()), ("Ada", "free", 1));
    }

    #[test]
    fn rows_that_fail() {
        let file = "Email,score,vip,since\n,,,\nnobody,,,\na@example.com,,,\nA@example.com,,,\n\
                    b@example.com,many,,\nc@example.com,,yes,\nd@example.com,,,2024-13-01\ne@example.com,1.5,true,2024-12-01\n";
        let mut account = Account::default();
        let result = account.import(file.as_bytes(), &settings());
        assert_eq!(result.created, 1);
        let reasons: Vec<&str> = result.failed.iter().map(|(_, reason)| reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "no email address",
                "`nobody` is no email address",
                "`a@example.com` is on several rows",
                "`A@example.com` is on several rows",
                "`many` is no good `score`",
                "`yes` is no good `vip`",
                "`2024-13-01` is no good `since`",
            ]
        );
    }

    #[test]
    fn files() {
        let mut account = Account::default();
        let refused = |file: &[u8], settings: &Settings| Account::default().import(file, settings).refused;
        assert!(refused(b"Name\nAda\n", &settings()).is_some());
        assert!(refused(b"Email\nx\n", &Settings { too_many_bytes: 9, ..settings() }).is_none());
        assert!(refused(b"Email\nx\n", &Settings { too_many_bytes: 8, ..settings() }).is_some());
        let result = account.import(b"Email,colour\na@example.com,red\n", &settings());
        assert_eq!(result.silent, ["column `colour` has no property and is not imported"]);
        assert_eq!(account.by_email("a@example.com").unwrap().field("colour"), "");
    }
}
