//! Zendesk's data importer for users (`vendors/zendesk.md` §2: KB-USR, SEED-001, KB-ERR).
//!
//! Where the sheet leaves room, the double takes what hurts most: rows come in any order, a user on two rows fails on
//! both, a blank cell erases, a number alone identifies a user only when nothing else could.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    account::{Account, ImportResult, Importer, Index, User, fold, is_email},
    table::{Row, Table},
};

/// The columns, in the order in which they must stand; `custom_fields.*` come after them.
const ORDER: [&str; 23] = [
    "name",
    "emails",
    "ticket_restriction",
    "external_id",
    "details",
    "notes",
    "phones",
    "shared_phone",
    "role",
    "custom_role",
    "skip_verify_email",
    "time_zone",
    "locale",
    "local_id",
    "moderator",
    "only_private_comments",
    "remote_photo_url",
    "signature",
    "suspended",
    "alias",
    "organizations",
    "default_group_id",
    "tags",
];

const CUSTOM: &str = "custom_fields.";

/// What is chosen in the Admin Center.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Rows of users that exist are passed over.
    CreateOnly,
    /// Rows of users that do not exist are passed over.
    UpdateOnly,
    /// Upsert.
    CreateAndUpdate,
}

/// Type of a user field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Anything.
    Text,
    /// `true` or `false`.
    Checkbox,
    /// One of these tags.
    DropDown(BTreeSet<String>),
    /// `YY/MM/DD` or `YYYY-MM-DD`.
    Date,
}

/// The choices of an import, and what the account is set up with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The type of the import.
    pub(crate) kind: Kind,
    /// Decides the order of the rows; printed with every import.
    pub(crate) seed: u64,
    /// The account's user fields by key.
    pub(crate) fields: BTreeMap<String, Field>,
    /// The account's role names.
    pub(crate) roles: BTreeSet<String>,
    /// Not on the Team plan.
    pub(crate) several_organizations: bool,
    /// Largest file.
    pub(crate) max_bytes: u64,
    /// Most rows below the header.
    pub(crate) max_rows: u64,
    /// Longest row.
    pub(crate) max_row_bytes: u64,
}

impl Settings {
    /// The vendor's limits, no user fields, and an order of rows that the variable `IMPORTER_SEED` repeats.
    pub(crate) fn new(kind: Kind) -> Self {
        let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_nanos() as u64);
        let seed = std::env::var("IMPORTER_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(now);
        Self {
            kind,
            seed,
            fields: BTreeMap::new(),
            roles: BTreeSet::from(["Light agent".to_owned()]),
            several_organizations: true,
            max_bytes: 1_000_000_000,
            max_rows: 499_999,
            max_row_bytes: 128_000,
        }
    }

    fn check_headings(&self, table: &Table) -> Result<(), String> {
        if table.headings.len() > 200 {
            return Err(format!("{} columns, 200 are allowed", table.headings.len()));
        }
        let mut last = (0, "");
        for heading in &table.headings {
            let place = match heading.strip_prefix(CUSTOM) {
                Some(key) if self.fields.contains_key(key) => ORDER.len(),
                _ => ORDER.iter().position(|h| h == heading).ok_or(format!("unknown header `{heading}`"))?,
            };
            if place < last.0 {
                return Err(format!("header `{heading}` after `{}`", last.1));
            }
            last = (place, heading);
        }
        let update = (self.kind == Kind::UpdateOnly).then_some("external_id");
        for needed in ["name", "emails"].into_iter().chain(update) {
            if table.place(needed).is_none() {
                return Err(format!("missing mandatory header `{needed}`"));
            }
        }
        Ok(())
    }
}

impl Importer for Settings {
    fn run(&self, account: &mut Account, file: &[u8]) -> ImportResult {
        eprintln!("zendesk importer: IMPORTER_SEED={}", self.seed);
        if file.len() as u64 > self.max_bytes {
            return ImportResult::refused(format!("{} bytes, {} are allowed", file.len(), self.max_bytes));
        }
        let mut table = match Table::parse(file, b',') {
            Ok(table) => table,
            Err(reason) => return ImportResult::refused(format!("import aborted: {reason}")),
        };
        if let Err(reason) = self.check_headings(&table) {
            return ImportResult::refused(reason);
        }
        if table.rows.len() as u64 > self.max_rows {
            return ImportResult::refused(format!(
                "{} rows, {} are allowed",
                table.rows.len(),
                self.max_rows
            ));
        }
        let mut rows = std::mem::take(&mut table.rows);
        shuffle(&mut rows, self.seed);
        let mut run =
            Run { settings: self, table: &table, keys: HashMap::new(), index: Index::of(account, keys_of) };
        for row in &rows {
            for key in run.identity(row) {
                *run.keys.entry(key).or_default() += 1;
            }
        }
        let mut result = ImportResult::default();
        for row in &rows {
            if let Err(reason) = run.apply(account, row, &mut result) {
                result.fail(row.number, reason);
            }
        }
        result
    }
}

/// Everything that a user may be found by.
fn keys_of(user: &User) -> Vec<String> {
    let id = user.fields.get("external_id").map(|id| format!("id {id}"));
    let emails = user.emails.iter().map(|e| format!("email {}", fold(e)));
    id.into_iter().chain(emails).chain(user.phones.iter().map(|p| format!("phone {p}"))).collect()
}

/// The order of the rows is not guaranteed (KB-USR).
fn shuffle(rows: &mut [Row], seed: u64) {
    let mut state = seed;
    for last in (1..rows.len()).rev() {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        rows.swap(last, ((z ^ (z >> 31)) % (last as u64 + 1)) as usize);
    }
}

struct Run<'a> {
    settings: &'a Settings,
    table: &'a Table,
    /// Identities in the file, and on how many rows each is.
    keys: HashMap<String, u32>,
    index: Index,
}

impl Run<'_> {
    fn cell<'r>(&self, row: &'r Row, heading: &str) -> &'r str {
        row.cell(self.table.place(heading))
    }

    fn items<'r>(&self, row: &'r Row, heading: &str, separator: char) -> impl Iterator<Item = &'r str> {
        self.cell(row, heading).split(separator).filter(|item| !item.is_empty())
    }

    /// Who the row speaks of, apart from phone numbers, which users may share.
    fn identity(&self, row: &Row) -> BTreeSet<String> {
        let id = self.cell(row, "external_id");
        let id = (!id.is_empty()).then(|| format!("id {id}"));
        id.into_iter().chain(self.items(row, "emails", '|').map(|e| format!("email {}", fold(e)))).collect()
    }

    fn apply(&mut self, account: &mut Account, row: &Row, result: &mut ImportResult) -> Result<(), String> {
        if row.bytes > self.settings.max_row_bytes {
            return Err(format!("{} bytes, {} are allowed", row.bytes, self.settings.max_row_bytes));
        }
        let identity = self.identity(row);
        if let Some(key) = identity.iter().find(|key| self.keys[*key] > 1) {
            return Err(format!("the user with {key} is on several rows"));
        }
        if self.settings.kind == Kind::UpdateOnly && self.cell(row, "external_id").is_empty() {
            return Err("an update needs `external_id`".to_owned());
        }
        let phones: BTreeSet<String> = self.items(row, "phones", '|').map(|p| format!("phone {p}")).collect();
        let keys = if identity.is_empty() { &phones } else { &identity };
        let found: BTreeSet<u64> = keys.iter().flat_map(|key| self.index.get(key)).collect();
        if found.len() > 1 {
            return Err("matches more than one user".to_owned());
        }
        let known = found.first().and_then(|id| account.users.get(id));
        self.check(account, row, known)?;
        let is_new = known.is_none();
        if is_new && identity.is_empty() {
            return Err("a new user needs an address or `external_id`".to_owned());
        }
        if is_new == (self.settings.kind == Kind::UpdateOnly) && self.settings.kind != Kind::CreateAndUpdate {
            result.ignored += 1;
            return Ok(());
        }
        let id = match found.first() {
            Some(id) => *id,
            None => account.add(User::default()),
        };
        let user = account.users.entry(id).or_default();
        self.put(user, row, result);
        for key in keys_of(user) {
            self.index.add(key, id);
        }
        if is_new {
            result.created += 1;
            result.mails +=
                u64::from(!user.emails.is_empty() && self.cell(row, "skip_verify_email") != "true");
        } else {
            result.updated += 1;
        }
        Ok(())
    }

    /// What is wrong with the values.
    fn check(&self, account: &Account, row: &Row, known: Option<&User>) -> Result<(), String> {
        let bad = |heading: &str, value: &str| Err(format!("`{value}` is no good `{heading}`"));
        if known.is_none() && self.cell(row, "name").is_empty() {
            return Err("a new user needs a name".to_owned());
        }
        if let Some(email) = self.items(row, "emails", '|').find(|email| !is_email(email)) {
            return bad("emails", email);
        }
        let phones = self.items(row, "phones", '|').chain(self.items(row, "shared_phone", '\0'));
        if let Some(phone) = phones.into_iter().find(|phone| !is_e164(phone)) {
            return bad("phones", phone);
        }
        for heading in ["skip_verify_email", "moderator", "only_private_comments", "suspended"] {
            if !matches!(self.cell(row, heading), "" | "true" | "false") {
                return bad(heading, self.cell(row, heading));
            }
        }
        let zone = self.cell(row, "time_zone");
        if !zone.is_empty() && !is_time_zone(zone) {
            return bad("time_zone", zone);
        }
        let locale = self.cell(row, "locale");
        if !locale.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return bad("locale", locale);
        }
        for heading in ["local_id", "default_group_id"] {
            if !self.cell(row, heading).bytes().all(|b| b.is_ascii_digit()) {
                return bad(heading, self.cell(row, heading));
            }
        }
        let photo = self.cell(row, "remote_photo_url");
        if !photo.is_empty() && !photo.starts_with("https://") && !photo.starts_with("http://") {
            return bad("remote_photo_url", photo);
        }
        let organizations: BTreeSet<&str> = self.items(row, "organizations", '|').collect();
        if let Some(unknown) = organizations.iter().find(|o| !account.organizations.contains(**o)) {
            return Err(format!("organization `{unknown}` does not exist"));
        }
        if organizations.len() > if self.settings.several_organizations { 50 } else { 1 } {
            return Err(format!("{} organizations are too many", organizations.len()));
        }
        for (key, field) in &self.settings.fields {
            let heading = format!("{CUSTOM}{key}");
            let value = self.cell(row, &heading);
            let good = match field {
                _ if value.is_empty() => true,
                Field::Text => true,
                Field::Checkbox => matches!(value, "true" | "false"),
                Field::DropDown(tags) => tags.contains(value),
                Field::Date => is_date(value),
            };
            if !good {
                return bad(&heading, value);
            }
        }
        self.check_role(row, known)
    }

    fn check_role(&self, row: &Row, known: Option<&User>) -> Result<(), String> {
        let role = match self.table.place("role") {
            Some(_) => self.cell(row, "role"),
            None => known.map_or("", |user| user.field("role")),
        };
        let restriction = self.cell(row, "ticket_restriction");
        let custom_role = self.cell(row, "custom_role");
        match role {
            "agent" => match restriction {
                "assigned" | "groups" | "none" | "organization" | "requested" => Ok(()),
                "" if known.is_some() || !custom_role.is_empty() => Ok(()),
                "" => Err("an agent needs `ticket_restriction` or `custom_role`".to_owned()),
                _ => Err(format!("`{restriction}` is no good `ticket_restriction`")),
            },
            "" | "end-user" if !matches!(restriction, "" | "organization" | "requested") => {
                Err(format!("`{restriction}` is no `ticket_restriction` of end users"))
            }
            "" | "end-user" if !custom_role.is_empty() => Err("`custom_role` is for agents".to_owned()),
            "" | "end-user" if !self.cell(row, "default_group_id").is_empty() => {
                Err("`default_group_id` is not for end users".to_owned())
            }
            "" | "end-user" => Ok(()),
            _ => Err(format!("`{role}` is no good `role`")),
        }
    }

    /// Writes the row's values: those of all its columns, blank ones too.
    fn put(&self, user: &mut User, row: &Row, result: &mut ImportResult) {
        for (heading, value) in self.table.headings.iter().zip(&row.cells) {
            match heading.as_str() {
                "emails" => self.items(row, "emails", '|').for_each(|email| user.append_email(email)),
                "phones" => {
                    for phone in self.items(row, "phones", '|') {
                        if !user.phones.iter().any(|p| p == phone) {
                            user.phones.push(phone.to_owned());
                        }
                    }
                }
                "organizations" => {
                    user.organizations = self.items(row, "organizations", '|').map(str::to_owned).collect();
                    user.default_organization = user.organizations.first().cloned();
                }
                "tags" => user.tags = self.items(row, "tags", ',').map(str::to_owned).collect(),
                "skip_verify_email" => {}
                "custom_role" if !value.is_empty() && !self.settings.roles.contains(value) => {
                    result
                        .silent
                        .push(format!("row {}: role `{value}` does not exist, now Light agent", row.number));
                    user.put("custom_role", "Light agent");
                }
                name => user.put(name, value),
            }
        }
        if user.field("role").is_empty() {
            user.put("role", "end-user");
        }
    }
}

fn is_e164(phone: &str) -> bool {
    phone.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

/// `YY/MM/DD` or `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let is = |separator: char, year: usize| {
        let parts: Vec<&str> = text.split(separator).collect();
        let number = |part: &str| part.parse::<u32>().unwrap_or_default();
        let digits = parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_digit()));
        let lengths: Vec<usize> = parts.iter().map(|p| p.len()).collect();
        digits
            && lengths == [year, 2, 2]
            && (1..=12).contains(&number(parts[1]))
            && (1..=31).contains(&number(parts[2]))
    };
    is('/', 2) || is('-', 4)
}

/// One of the 153 names of Zendesk's own list (TZ).
fn is_time_zone(name: &str) -> bool {
    let quoted = format!("\"{name}\"");
    include_str!("../data/zendesk_time_zones.csv").lines().skip(1).any(|line| {
        [name, &quoted].iter().any(|n| line.strip_prefix(*n).is_some_and(|rest| rest.starts_with(',')))
    })
}

#[cfg(test)]
#[path = "zendesk_tests.rs"]
mod tests;
