//! A delivery over the API from beginning to end: the account is looked at, what is missing is created, contacts are sent.

use serde_json::Value;
use usher_sdk::{
    Host,
    abi::{Error, Problem, Receipt, Report},
    words::counted,
};

use crate::{
    account::{Account, as_problem},
    client::Client,
    delivery::{Delivery, Way},
    options::Options,
    out::ApiOut,
};

/// See the module's head. What was found is remembered: a run checks first and delivers later.
#[derive(Debug)]
pub(crate) struct Remote {
    host: Host,
    options: Options,
    client: Option<Client>,
    account: Option<Account>,
}

impl Remote {
    pub(crate) fn new(host: &Host, options: &Options) -> Self {
        Self { host: host.clone(), options: options.clone(), client: None, account: None }
    }

    /// Looks at the account with requests that only read; nothing where none may be sent.
    pub(crate) fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
        match self.look(columns) {
            Ok(problems) => Ok(problems),
            // A login may be missing where nothing is to be asked: on the machine of a build, say.
            Err(error)
                if matches!(error.code.as_str(), "login.needed" | "login.ended")
                    && !self.client.as_ref().is_some_and(Client::may_send) =>
            {
                Ok(Vec::new())
            }
            Err(error) => Ok(as_problem(error)?.into_iter().collect()),
        }
    }

    fn look(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
        if self.client.is_none() {
            self.client = Some(Client::new(&self.host, &self.options)?);
        }
        let (Some(client), None) = (&mut self.client, &self.account) else { return Ok(Vec::new()) };
        let (account, problems) = Account::look(client, &self.host, &self.options, columns)?;
        if problems.iter().all(|problem| problem.warning) {
            self.account = Some(account);
        }
        Ok(problems)
    }

    /// Sends everything.
    pub(crate) fn deliver(
        &mut self,
        out: ApiOut,
        columns: &[String],
        report: &mut Report,
    ) -> Result<Receipt, Error> {
        let problems = self.look(columns)?;
        let (Some(client), Some(account)) = (&mut self.client, &mut self.account) else {
            let said: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            let details = serde_json::to_string(&problems).unwrap_or_default();
            return Err(Error::config("import.account", said.join("; ")).details(details));
        };
        let mut receipt = Receipt::default();
        let made = account.create(client, &self.host)?;
        for (fact, names) in [("created", made), ("would be created", account.missing())] {
            if !names.is_empty() {
                receipt.facts.insert(fact.to_owned(), names.into());
            }
        }
        let access = self.options.access()?;
        // A line names a row only where every row is one line.
        let first_line = access.first_line().filter(|_| out.lines_are_rows());
        let way = out.way;
        if matches!(way, Way::Csv(_)) && out.blanks > 0 {
            receipt.warnings.push(format!(
                "{} with a blank cell: what it does to a value that is there is not documented; `format = \"json\"` leaves \
                 blanks out",
                counted(out.blanks, "contact goes out", "contacts go out")
            ));
        }
        let outbox = out.outbox;
        let signs_up = way == Way::SignUp;
        let mut delivery =
            Delivery::new(client, account, way, self.options.sms_permission_to_send, first_line);
        let sent = outbox.deliver(&mut delivery, report)?;
        receipt.warnings.extend(delivery.warnings);
        receipt.warnings.extend(sent.warnings);
        if !access.tags.is_empty() && !delivery.tagged && sent.delivery.stopped.is_none() {
            receipt.warnings.push(
                "the tags were not given, because it is not known of all contacts what became of them"
                    .to_owned(),
            );
        }
        let permission = if signs_up { "explicit, or pending_confirmation" } else { "implicit" };
        receipt.facts.insert("permission_to_send of new contacts".to_owned(), Value::from(permission));
        receipt.delivery = Some(sent.delivery);
        receipt.parts.extend(sent.parts);
        Ok(receipt)
    }
}
