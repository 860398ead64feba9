//! Delivery over the API: users are held until all rows have passed, then organizations are created if asked, then users
//! are sent.

use serde_json::{Value, json};
use usher_sdk::{
    Columns, Host, Row,
    abi::{Error, Receipt, Reject, Report, service::PartFormat},
    checks::Fault,
    outbox::Outbox,
};

use crate::{
    account::Account,
    api::Load,
    client::Client,
    delivery::Sending,
    duplicates::Additions,
    held::{Held, line},
    limits,
    names::{Created, Names},
    options::Options,
    patterns::Placed,
    user::{Encoder, UNRESOLVED, add, resolve, unresolved},
};

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Outgoing {
    host: Host,
    client: Client,
    load: Load,
    canary: u64,
    held: Held,
    names: Names,
    create: bool,
}

impl Outgoing {
    pub(crate) fn new(
        host: &Host,
        client: Client,
        options: &Options,
        account: &Account,
        columns: &Columns,
    ) -> Self {
        let kind = |key: &str| account.kind(options, key);
        let encoder = Encoder::new(columns, kind, client.api.organization_ids.clone());
        Self {
            host: host.clone(),
            load: Load::Users(options.import_type),
            canary: client.api.canary,
            held: Held::new(host, encoder),
            names: Names::default(),
            create: client.api.create_organizations,
            client,
        }
    }

    /// Takes a row.
    pub(crate) fn push(&mut self, row: &Row) -> Result<Result<Placed, Fault>, Error> {
        self.held.push(row)
    }

    /// Organizations of a row that could not be sent: several, and one of them without an id. When organizations are
    /// created, that shows at the end.
    pub(crate) fn without_id(&self, row: &Row, column: usize) -> Option<Fault> {
        let mut names = row.items(column);
        let several = row.items(column).count() > 1;
        let ids = self.held.encoder.organization_ids();
        let unknown = names.find(|name| !ids.contains_key(*name)).filter(|_| several && !self.create)?;
        Some(no_id(unknown))
    }

    /// Notes an organization that a row names.
    pub(crate) fn organization(&mut self, name: &str) {
        if self.create && !self.held.encoder.organization_ids().contains_key(name) {
            self.names.add(name);
        }
    }

    /// Sends everything.
    pub(crate) fn finish(self, additions: &Additions, report: &mut Report) -> Result<Receipt, Error> {
        let mut receipt = Receipt::default();
        let wanted = self.names.len();
        let created = self.names.create(&self.host, &self.client)?;
        receipt.warnings.extend(created.warnings.iter().cloned());
        if self.create {
            let fact = if created.dry { "organizations_to_create" } else { "organizations_created" };
            let count = if created.dry { wanted as u64 } else { created.count };
            receipt.facts.insert(fact.to_owned(), json!(count));
        }
        if let Some(stopped) = created.stopped {
            receipt.parts.extend(created.parts);
            receipt.warnings.push("creating organizations was not finished, so no user was sent".to_owned());
            receipt.delivery = Some(stopped);
            self.held.discard()?;
            return Ok(receipt);
        }
        let format = PartFormat::ndjson();
        let limits = limits::of_a_request();
        let mut outbox = Outbox::new(&self.host, "users", "ndjson", &format, b"", limits, self.canary)?;
        fill(&mut outbox, self.held, additions, &created, report)?;
        let mut sending = Sending::new(&self.host, &self.client, self.load)?;
        let sent = outbox.deliver(&mut sending, report)?;
        receipt.parts.extend(created.parts);
        receipt.parts.extend(sent.parts);
        receipt.warnings.extend(sent.warnings);
        receipt.warnings.extend(sending.warnings());
        receipt.delivery = Some(sent.delivery);
        Ok(receipt)
    }
}

/// Moves users from where they are held to the outbox, whole: with what merged rows add and the ids of organizations.
fn fill(
    outbox: &mut Outbox,
    held: Held,
    additions: &Additions,
    created: &Created,
    report: &mut Report,
) -> Result<(), Error> {
    let given = held.encoder.organization_ids().clone();
    let id = |name: &str| given.get(name).or_else(|| created.ids.get(name)).copied();
    let mark = format!("\"{UNRESOLVED}\":");
    held.drain(|row, origin, mut text| {
        let addition = additions.get(&(0, row));
        let named = memory_has(&text, mark.as_bytes());
        if addition.is_some() || named {
            let Ok(Value::Object(mut user)) = serde_json::from_slice(&text) else {
                return Err(Error::bug("held.lost", "a user that was held is no object any more"));
            };
            addition.into_iter().for_each(|addition| add(&mut user, addition));
            // In a dry run nobody knows the ids; the names stay, and nothing is sent.
            if !unresolved(&user).is_empty() && !created.dry && !resolve(&mut user, id) {
                let unknown =
                    unresolved(&user).into_iter().find(|name| id(name).is_none()).unwrap_or_default();
                let fault = no_id(unknown);
                report.rejects.push(Reject::new(origin, "organizations", fault.code, fault.message));
                return Ok(());
            }
            text = line(&user)?;
        }
        if let Err(fault) = outbox.push(&text, origin)? {
            report.rejects.push(Reject::new(origin, "", fault.code, fault.message));
        }
        Ok(())
    })
}

/// Whether these bytes stand somewhere in a text; where they stand within a value, no harm is done.
fn memory_has(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

fn no_id(name: &str) -> Fault {
    let message = format!(
        "the user has several organizations, which go by their ids, and that of `{name}` is not known; give it in \
         `organization_ids`, or one organization only"
    );
    Fault::new("organization.no-id", message)
}
