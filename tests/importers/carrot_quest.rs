//! Carrot quest's import of users (`vendors/carrot-quest.md` §2, §5: IMPORT, PROPS, HELP-RU, HELP-EN).
//!
//! Unverified and taken at its worst: an unknown `$…` column, a heading or a key with stray white space are errors; a
//! blank cell erases when `blanks_erase` says so.

use super::{
    account::{Account, ImportResult, Importer, Index, User, fold},
    table::Table,
};

/// Columns that begin with `$` and may be written (§5).
const SYSTEM: [&str; 17] = [
    "$user_id",
    "$email",
    "$name",
    "$phone",
    "$cart_amount",
    "$viewed_products",
    "$cart_items",
    "$last_order_status",
    "$last_payment",
    "$revenue",
    "$profit",
    "$group",
    "$discount",
    "$orders_count",
    "$ordered_items",
    "$ordered_categories",
    "$viewed_categories",
];

/// The parameters of an import.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `$user_id` or `$email`.
    pub(crate) merge_field: &'static str,
    /// One of `,` `|` `;` tab blank.
    pub(crate) delimiter: u8,
    /// Tags for everyone in the file.
    pub(crate) tags: Vec<String>,
    /// Uploaded by hand in the panel: 4,000 people at most.
    pub(crate) by_hand: bool,
    /// What an empty cell does is unverified: whether it clears the property.
    pub(crate) blanks_erase: bool,
    /// Largest file.
    pub(crate) max_bytes: u64,
    /// Most people of an upload by hand.
    pub(crate) max_people: u64,
}

impl Default for Settings {
    /// The vendor's: merged by `$user_id`, tab between cells, through the API.
    fn default() -> Self {
        Self {
            merge_field: "$user_id",
            delimiter: b'\t',
            tags: Vec::new(),
            by_hand: false,
            blanks_erase: false,
            max_bytes: 30_000_000,
            max_people: 4_000,
        }
    }
}

impl Importer for Settings {
    fn run(&self, account: &mut Account, file: &[u8]) -> ImportResult {
        let table = match self.accept(file) {
            Ok(table) => table,
            Err(reason) => return ImportResult::refused(reason),
        };
        let key = table.place(self.merge_field);
        let mut index = Index::of(account, |user| self.keys_of(user));
        let mut result = ImportResult::default();
        for row in &table.rows {
            let value = row.cell(key);
            if value.is_empty() {
                result.fail(row.number, format!("`{}` is blank", self.merge_field));
            } else if !is_clean(value) {
                result.fail(row.number, format!("`{}` has stray characters", self.merge_field));
            } else if let Some(long) = row.cells.iter().position(|cell| cell.chars().count() > 255) {
                result.fail(row.number, format!("`{}` has more than 255 characters", table.headings[long]));
            } else {
                let value = self.fold(value);
                // Of several with one address, the one seen last is written to.
                let known =
                    index.get(&value).max_by_key(|id| account.users[id].field("$last_seen").to_owned());
                let id = known.unwrap_or_else(|| account.add(User::default()));
                let user = account.users.entry(id).or_default();
                for (heading, cell) in table.headings.iter().zip(&row.cells) {
                    if cell.is_empty() && !self.blanks_erase {
                        continue;
                    }
                    if heading == "$email" {
                        user.emails = Some(cell.clone()).into_iter().filter(|c| !c.is_empty()).collect();
                    } else {
                        user.put(heading, cell);
                    }
                }
                user.tags.extend(self.tags.iter().cloned());
                index.add(value, id);
                *if known.is_some() { &mut result.updated } else { &mut result.created } += 1;
            }
        }
        result
    }
}

impl Settings {
    fn accept(&self, file: &[u8]) -> Result<Table, String> {
        if file.len() as u64 > self.max_bytes {
            return Err(format!("{} bytes, {} are allowed", file.len(), self.max_bytes));
        }
        if !b",|;\t ".contains(&self.delimiter) {
            return Err("this delimiter is not allowed".to_owned());
        }
        let table = Table::parse(file, self.delimiter)?;
        for heading in &table.headings {
            if heading.starts_with('$') && !SYSTEM.contains(&heading.as_str()) {
                return Err(format!("`{heading}` is no system property"));
            }
            if !is_clean(heading) {
                return Err(format!("the heading `{}` has stray characters", heading.escape_debug()));
            }
        }
        if table.place(self.merge_field).is_none() {
            return Err(format!("no column `{}`", self.merge_field));
        }
        if self.by_hand && table.rows.len() as u64 > self.max_people {
            return Err(format!("{} people, {} are allowed", table.rows.len(), self.max_people));
        }
        Ok(table)
    }

    fn keys_of(&self, user: &User) -> Vec<String> {
        match self.merge_field {
            "$email" => user.emails.iter().map(|email| self.fold(email)).collect(),
            field => user.fields.get(field).cloned().into_iter().collect(),
        }
    }

    /// Case does not count in addresses, and does in ids.
    fn fold(&self, key: &str) -> String {
        if self.merge_field == "$email" { fold(key) } else { key.to_owned() }
    }
}

/// No white space at the ends, nothing invisible.
fn is_clean(text: &str) -> bool {
    let invisible = |c: char| c.is_control() || matches!(c, '\u{A0}' | '\u{200B}'..='\u{200F}' | '\u{FEFF}');
    text.trim().len() == text.len() && !text.contains(invisible)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_email() -> Settings {
        Settings { merge_field: "$email", delimiter: b';', ..Settings::default() }
    }

    #[test]
    fn people_are_merged_by_their_key() {
        let mut account = Account::default();
        let settings = Settings { tags: vec!["sync".to_owned()], ..Settings::default() };
        let result = account.import(b"$user_id\t$name\tplan\n1\tAda\tpro\n2\tBob\t\n", &settings);
        assert_eq!((result.created, result.updated), (2, 0));
        let result = account.import(b"$user_id\t$name\tplan\n1\t\tfree\n3\tCy\t\n", &settings);
        assert_eq!((result.created, result.updated), (1, 1));
        let ada = &account.users[&1];
        assert_eq!((ada.field("$name"), ada.field("plan"), ada.tags.len()), ("Ada", "free", 1));
        let settings = Settings { blanks_erase: true, ..settings };
        account.import(b"$user_id\tplan\n1\t\n", &settings);
        assert_eq!(account.users[&1].field("plan"), "");
    }

    #[test]
    fn of_several_with_one_address_the_one_seen_last_is_written_to() {
        let mut account = Account::default();
        for seen in ["2024-01-01", "2025-01-01", "2023-01-01"] {
            let mut user = User::with_email("ada@example.com");
            user.put("$last_seen", seen);
            account.add(user);
        }
        let result = account.import(b"$email;$name\nADA@example.com;Ada\n", &by_email());
        assert_eq!(result.updated, 1);
        assert_eq!(account.users[&2].field("$name"), "Ada");
    }

    #[test]
    fn rows_that_fail() {
        let long = "x".repeat(256);
        let file = format!(
            "$email;plan\n;a\n a@example.com;b\nb@example.com;{long}\nc@example.com;{}\n",
            "é".repeat(255)
        );
        let result = Account::default().import(file.as_bytes(), &by_email());
        assert_eq!(result.created, 1);
        let reasons =
            ["`$email` is blank", "`$email` has stray characters", "`plan` has more than 255 characters"];
        assert_eq!(result.failed, [1, 2, 3].map(|n| (n, reasons[n as usize - 1].to_owned())));
    }

    #[test]
    fn files() {
        let refused =
            |file: &str, settings: &Settings| Account::default().import(file.as_bytes(), settings).refused;
        for (file, reason) in [
            ("$user_id;plan\n", "no column `$email`"),
            ("$email,plan\n", "`$email,plan` is no system property"),
            ("$email;$first_name\n", "`$first_name` is no system property"),
            ("$email; plan\n", "the heading ` plan` has stray characters"),
            ("\u{FEFF}$email\n", "the heading `\\u{feff}$email` has stray characters"),
            ("$email;\n", "a column without a heading"),
        ] {
            assert_eq!(refused(file, &by_email()).as_deref(), Some(reason));
        }
        let file = "$email\na@example.com\nb@example.com\n";
        assert!(refused(file, &Settings { by_hand: true, max_people: 1, ..by_email() }).is_some());
        assert!(refused(file, &Settings { by_hand: false, max_people: 1, ..by_email() }).is_none());
        assert!(refused(file, &Settings { max_bytes: file.len() as u64 - 1, ..by_email() }).is_some());
        assert!(refused(file, &Settings { delimiter: b'/', ..by_email() }).is_some());
    }
}
