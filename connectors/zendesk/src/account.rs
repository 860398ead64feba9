//! What an account has, asked once before the first row is sent: who asks, user fields, organizations, roles, languages.

use std::collections::{BTreeMap, BTreeSet};

use usher_sdk::{
    abi::{Error, ErrorClass, Problem, nearest},
    checks::{Fault, Verdict, shown},
    field_pointer, option_pointer,
    options::{problem, warning},
};

use crate::{
    api::{FieldReply, LocaleReply, RoleReply},
    client::Client,
    columns::CUSTOM,
    fields::Kind,
    options::Options,
    refusals::anonymous,
    values,
};

/// See the module's head. What no column needs was not asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    fields: BTreeMap<String, Kind>,
    roles: Option<Vec<Role>>,
    locales: Option<Vec<String>>,
}

/// A role of agents.
#[derive(Clone, Debug)]
struct Role {
    name: String,
    id: i64,
    light: bool,
}

/// What was found out: the account, and what is wrong with options and columns.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) account: Account,
    pub(crate) problems: Vec<Problem>,
}

/// Asks the account about everything that the columns need. `None`: nothing is sent here, so nothing is known. An error
/// is trouble on the way, no fault of the options.
pub(crate) fn ask(client: &Client, options: &Options, columns: &[String]) -> Result<Option<Found>, Error> {
    let mut found = Found { account: Account::default(), problems: Vec::new() };
    let Some(known) = found.take(client, "/api", client.me())? else { return Ok(None) };
    let Some(me) = known else { return Ok(Some(found)) };
    // A wrong token is answered 200 (NODE), so that id and role are looked at.
    match (me.id, me.role.as_deref()) {
        (None, _) => found.add(client.api.credential_pointer(), &anonymous()),
        (_, Some("admin")) => {}
        (_, Some("agent")) => {
            let message = "these credentials are those of an agent: users are taken only if the agent's custom role may \
                           manage them";
            found.problems.push(warning("/api", "api.agent", message));
        }
        (_, role) => {
            let message = format!(
                "these credentials are those of a user with the role `{}`; use those of an administrator",
                role.unwrap_or("unknown")
            );
            found.problems.push(problem(client.api.credential_pointer(), "api.role", message));
        }
    }
    if found.problems.iter().any(|p| !p.warning) {
        return Ok(Some(found));
    }
    let given = |name: &str| columns.iter().find(|column| is(column, name));
    if columns.iter().any(|column| column.starts_with(CUSTOM)) {
        if let Some(Some(fields)) = found.take(client, "/api", client.user_fields())? {
            found.fields(options, columns, &fields);
        }
    }
    if given("organizations").is_some() {
        let ids = client.api.organization_ids.values().copied();
        if let Some(Some(known)) =
            found.take(client, "/api/organization_ids", client.known_organizations(ids))?
        {
            found.organizations(&client.api.organization_ids, &known);
        }
    }
    if let Some(column) = given("custom_role") {
        if let Some(Some(reply)) = found.take(client, &field_pointer(column), client.custom_roles())? {
            found.account.roles = Some(reply.custom_roles.into_iter().map(Role::of).collect());
        }
    }
    if let Some(column) = given("locale") {
        if let Some(Some(reply)) = found.take(client, &field_pointer(column), client.locales())? {
            let names = reply.locales.into_iter().map(|LocaleReply { locale }| locale);
            found.account.locales = Some(names.collect());
        }
    }
    if found.problems.iter().all(|problem| problem.warning) {
        let message = "whether data imports are enabled for the account cannot be asked for; the first request shows it, and \
                       goes alone";
        found.problems.push(warning("/api", "imports.unchecked", message));
    }
    Ok(Some(found))
}

/// Whether a column is this one, in any spelling.
fn is(column: &str, name: &str) -> bool {
    usher_sdk::find_rule(crate::columns::COLUMNS, column).is_some_and(|rule| rule.name == name)
}

impl Found {
    /// A reply; a refusal becomes a problem at `pointer` (`Some(None)`). `None`: nothing is sent here.
    fn take<T>(
        &mut self,
        client: &Client,
        pointer: &str,
        reply: Result<T, Error>,
    ) -> Result<Option<Option<T>>, Error> {
        let error = match reply {
            Ok(reply) => return Ok(Some(Some(reply))),
            Err(error) => error,
        };
        if matches!(error.code.as_str(), "http.dry-run" | "service.absent") {
            return Ok(None);
        }
        if !matches!(error.class, ErrorClass::AUTH | ErrorClass::PERMANENT | ErrorClass::DATA) {
            return Err(error);
        }
        let pointer = match error.code.as_str() {
            "api.credentials" => client.api.credential_pointer(),
            "api.subdomain" | "api.reply" => "/api/subdomain",
            code if code.starts_with("api.") => pointer,
            // Of the host or of a test: no fault of the options.
            _ => return Err(error),
        };
        self.add(pointer, &error);
        Ok(Some(None))
    }

    fn add(&mut self, pointer: &str, error: &Error) {
        self.problems.push(problem(pointer, error.code.to_string(), error.to_string()));
    }

    /// Holds the ids of organizations against those of the account.
    fn organizations(&mut self, ids: &BTreeMap<String, i64>, known: &BTreeSet<i64>) {
        for (name, id) in ids.iter().filter(|(_, id)| !known.contains(id)) {
            let message = format!(
                "the account has no organization with the id {id}; compare it with the address of the organization's page"
            );
            let pointer = option_pointer("api/organization_ids", name);
            self.problems.push(problem(pointer, "organization.unknown", message));
        }
    }

    /// Holds the columns of custom fields against those of the account.
    fn fields(&mut self, options: &Options, columns: &[String], fields: &[FieldReply]) {
        for key in columns.iter().filter_map(|column| column.strip_prefix(CUSTOM)) {
            let pointer = field_pointer(&format!("{CUSTOM}{key}"));
            let Some(field) = fields.iter().find(|field| field.key == key) else {
                let suggestion = nearest(key, fields.iter().map(|field| field.key.as_str()));
                let message = format!(
                    "the account has no user field with the key `{key}`; create it in Admin Center > People > Configuration > \
                     User fields, or leave the column out{suggestion}"
                );
                self.problems.push(problem(pointer, "field.unknown", message));
                continue;
            };
            if field.active == Some(false) {
                let message = format!("the user field `{key}` is not active; activate it in Admin Center");
                self.problems.push(problem(pointer.clone(), "field.inactive", message));
            }
            let kind = Kind::of(field);
            if let Some(said) = options.custom_field_types.get(key).filter(|said| !kind.is(**said)) {
                let message = format!(
                    "`custom_field_types` says `{}` of `{key}`, and the account says `{}`; correct it or leave it out",
                    said.name(),
                    field.kind
                );
                self.problems.push(problem(pointer.clone(), "field.type", message));
            }
            match &kind {
                Kind::Dropdown(None) | Kind::Multiselect(None) => {
                    let message = format!(
                        "the account does not list the options of `{key}`, so its values are sent unchecked; send a few users \
                         first (`canary`)"
                    );
                    self.problems.push(warning(pointer, "field.unverified", message));
                }
                Kind::Multiselect(_) => {
                    let message = format!(
                        "`{key}` takes several values, which are sent as an array of tags; the vendor's pages show no form \
                         for them, so send a few users first (`canary`)"
                    );
                    self.problems.push(warning(pointer, "field.unverified", message));
                }
                Kind::Other(name) => {
                    let message =
                        format!("`{key}` is of the type `{name}`, which is sent as text, unchecked");
                    self.problems.push(warning(pointer, "field.unverified", message));
                }
                _ => {}
            }
            self.account.fields.insert(key.to_owned(), kind);
        }
    }
}

impl Role {
    fn of(reply: RoleReply) -> Self {
        Self { name: reply.name, id: reply.id, light: reply.role_type == Some(1) }
    }
}

impl Account {
    /// What a custom field holds: by the account, or else by the options.
    pub(crate) fn kind(&self, options: &Options, key: &str) -> Kind {
        let said = || Kind::of_option(options.custom_field_types.get(key).copied());
        self.fields.get(key).cloned().unwrap_or_else(said)
    }

    /// Whether the account says what a custom field holds.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// The id of a role in place of its name (rule `role-id`); `custom-role.unknown` when the account has none of it.
    pub(crate) fn custom_role(&self, value: &str, out: &mut String) -> Verdict {
        let roles = self.roles.as_deref().unwrap_or_default();
        let name = value.trim();
        let light = name.eq_ignore_ascii_case("light agent");
        let found = roles.iter().find(|role| role.name == name);
        let found = found.or_else(|| roles.iter().find(|role| role.name.eq_ignore_ascii_case(name)));
        match found.or_else(|| roles.iter().find(|role| light && role.light)) {
            Some(role) => {
                out.push_str(&role.id.to_string());
                Verdict::Changed("role-id")
            }
            None => {
                let suggestion = nearest(name, roles.iter().map(|role| role.name.as_str()));
                let message = format!("the account has no role {}{suggestion}", shown(value));
                Verdict::Bad(Fault::new("custom-role.unknown", message))
            }
        }
    }

    /// A language of the account: by its tag, or the tag without its last parts (RFC 4647, lookup; rule `locale-lookup`).
    /// `locale.not-enabled` when the account has none of it.
    pub(crate) fn locale(&self, value: &str, out: &mut String) -> Verdict {
        let mut tidy = String::new();
        let (mut tag, rule) = match values::locale(value, &mut tidy) {
            Verdict::Keep => (value, "locale-lookup"),
            Verdict::Changed(rule) => (tidy.as_str(), rule),
            bad @ Verdict::Bad(_) => return bad,
        };
        let Some(locales) = &self.locales else {
            return if tidy.is_empty() {
                Verdict::Keep
            } else {
                out.push_str(&tidy);
                Verdict::Changed(rule)
            };
        };
        let mut shortened = false;
        loop {
            if let Some(known) = locales.iter().find(|known| known.eq_ignore_ascii_case(tag)) {
                if known == value {
                    return Verdict::Keep;
                }
                out.push_str(known);
                return Verdict::Changed(if known == tag && !shortened { rule } else { "locale-lookup" });
            }
            match tag.rfind('-') {
                Some(at) => (tag, shortened) = (&tag[..at], true),
                None => break,
            }
        }
        let listed: Vec<&str> = locales.iter().take(8).map(String::as_str).collect();
        let more = if locales.len() > 8 { ", …" } else { "" };
        let message =
            format!("{} is no language of the account, which has {}{more}", shown(value), listed.join(", "));
        Verdict::Bad(Fault::new("locale.not-enabled", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        let role = |name: &str, id, light| Role { name: name.to_owned(), id, light };
        Account {
            roles: Some(vec![role("Advisor", 7, false), role("Agent léger", 8, true)]),
            locales: Some(vec!["en-US".to_owned(), "fr".to_owned(), "pt-br".to_owned()]),
            ..Account::default()
        }
    }

    fn told(verdict: Verdict, value: &str, out: &str) -> String {
        match verdict {
            Verdict::Keep => format!("keep {value}"),
            Verdict::Changed(rule) => format!("{rule} -> {out}"),
            Verdict::Bad(fault) => format!("{}: {}", fault.code, fault.message),
        }
    }

    #[test]
    fn names_of_roles_become_ids() {
        let run = |value: &str| {
            let mut out = String::new();
            told(account().custom_role(value, &mut out), value, &out)
        };
        assert_eq!(run("Advisor"), "role-id -> 7");
        assert_eq!(run(" advisor"), "role-id -> 7");
        assert_eq!(run("Light agent"), "role-id -> 8");
        assert_eq!(
            run("Advisr"),
            "custom-role.unknown: the account has no role `Advisr`; did you mean `Advisor`?"
        );
    }

    #[test]
    fn languages_are_those_of_the_account() {
        let run = |value: &str| {
            let mut out = String::new();
            told(account().locale(value, &mut out), value, &out)
        };
        assert_eq!(run("fr"), "keep fr");
        assert_eq!(run("en-US"), "keep en-US");
        assert_eq!(run("en_US"), "bcp47 -> en-US");
        assert_eq!(run("fr-CA"), "locale-lookup -> fr");
        assert_eq!(run("fr_CA"), "locale-lookup -> fr");
        assert_eq!(run("pt-BR"), "locale-lookup -> pt-br");
        assert_eq!(
            run("de-AT"),
            "locale.not-enabled: `de-AT` is no language of the account, which has en-US, fr, pt-br"
        );
        assert!(run("english").starts_with("locale.syntax"));
    }
}
