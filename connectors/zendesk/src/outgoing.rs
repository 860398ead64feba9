//! Delivery over the API: users are held until all rows have passed, then organizations are created if asked, then users
//! are sent.

use serde_json::{Value, json};
use usher_sdk::{
    Columns, Host, Row,
    abi::{Error, LeftOut, OnInvalid, Origin, Receipt, Reject, Report, service::PartFormat},
    checks::Fault,
    outbox::Outbox,
};

use crate::{
    account::Account,
    api::Load,
    client::Client,
    delivery::Sending,
    duplicates::Additions,
    guide::sent as sent_guide,
    held::{Held, User, line},
    limits,
    names::{Created, Names},
    options::{ImportType, Options},
    patterns::Placed,
    user::{Encoder, UNRESOLVED, add, resolve, unresolved},
};

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Outgoing {
    host: Host,
    client: Client,
    import_type: ImportType,
    canary: u64,
    held: Held,
    names: Names,
    create: bool,
    /// What organizations do that cannot be delivered.
    on_invalid: OnInvalid,
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
            import_type: options.import_type,
            canary: client.api.canary,
            held: Held::new(host, encoder),
            names: Names::default(),
            create: client.api.create_organizations,
            on_invalid: columns.index("organizations").map(|at| columns.on_invalid(at)).unwrap_or_default(),
            client,
        }
    }

    /// Takes a row.
    pub(crate) fn push(&mut self, row: &Row) -> Result<Result<Placed, Fault>, Error> {
        self.held.push(row)
    }

    /// Organizations of a row that are not sent, since nothing says that they exist. When organizations are created, that
    /// shows at the end.
    pub(crate) fn unknown_organization(&self, row: &Row, column: usize) -> Option<Fault> {
        let ids = self.held.encoder.organization_ids();
        let unknown = row.items(column).find(|name| !ids.contains_key(*name)).filter(|_| !self.create)?;
        let message = format!(
            "`{unknown}` is not in `organization_ids`, and organizations are not created; give its id there, or say \
             `create_organizations = true`"
        );
        Some(Fault::new("organization.unknown", message))
    }

    /// Notes an organization that a row names.
    pub(crate) fn organization(&mut self, name: &str) {
        if self.create && !self.held.encoder.organization_ids().contains_key(name) {
            self.names.add(name);
        }
    }

    /// Sends everything.
    pub(crate) fn finish(self, additions: &Additions, report: &mut Report) -> Result<Receipt, Error> {
        let mut receipt = Receipt { guide: sent_guide(self.import_type), ..Receipt::default() };
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
        fill(&mut outbox, self.held, additions, &created, self.on_invalid, report)?;
        let mut sending = Sending::new(&self.host, &self.client, Load::Users(self.import_type))?;
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
    on_invalid: OnInvalid,
    report: &mut Report,
) -> Result<(), Error> {
    let given = held.encoder.organization_ids().clone();
    let id = |name: &str| given.get(name).or_else(|| created.ids.get(name)).copied();
    held.drain(|User { row, origin, mut text, unresolved: named }| {
        let addition = additions.get(&(0, row));
        if addition.is_some() || named {
            let Ok(Value::Object(mut user)) = serde_json::from_slice(&text) else {
                return Err(Error::bug("held.lost", "a user that was held is no object any more"));
            };
            addition.into_iter().for_each(|addition| add(&mut user, addition));
            // In a dry run nobody knows the ids; the names stay, and nothing is sent.
            if !unresolved(&user).is_empty() && !created.dry && !resolve(&mut user, id) {
                let names = unresolved(&user);
                let fault = no_id(names.iter().find(|name| id(name).is_none()).unwrap_or(&""));
                if on_invalid == OnInvalid::RejectRow {
                    report.rejects.push(Reject::new(origin, "organizations", fault.code, fault.message));
                    return Ok(());
                }
                report.left_out.push(left_out(origin, &names, fault));
                user.remove(UNRESOLVED);
            }
            text = line(&user)?;
        }
        if let Err(fault) = outbox.push(&text, origin)? {
            report.rejects.push(Reject::new(origin, "", fault.code, fault.message));
        }
        Ok(())
    })
}

fn left_out(origin: Origin, names: &[&str], fault: Fault) -> LeftOut {
    LeftOut {
        origin,
        column: "organizations".into(),
        value: names.join("|").chars().take(200).collect::<String>().into(),
        code: fault.code.into(),
        message: fault.message.into(),
    }
}

fn no_id(name: &str) -> Fault {
    let message = format!(
        "the user has several organizations, which go by their ids, and that of `{name}` is not known; give it in \
         `organization_ids`, or one organization only"
    );
    Fault::new("organization.no-id", message)
}
