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
    refusals::DAY,
    stopped::stopped,
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
            // Where nothing is to be asked, on the machine of a build, say, a login may be missing, and the state be such
            // that nothing can be written to it.
            Err(error) if is_local(&error) && !self.client.as_ref().is_some_and(Client::may_send) => {
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

    /// Looks at the account, and creates what is missing; answers what was created.
    fn prepare(&mut self, columns: &[String]) -> Result<Vec<String>, Error> {
        let problems = self.look(columns)?;
        let (Some(client), Some(account)) = (&mut self.client, &mut self.account) else {
            let said: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            let details = serde_json::to_string(&problems).unwrap_or_default();
            return Err(Error::config("import.account", said.join("; ")).details(details));
        };
        account.create(client, &self.host)
    }

    /// Sends everything.
    pub(crate) fn deliver(
        &mut self,
        out: ApiOut,
        columns: &[String],
        report: &mut Report,
    ) -> Result<Receipt, Error> {
        let made = match self.prepare(columns) {
            Ok(made) => made,
            Err(error) => {
                let account = self.account.as_ref().map(|account| account.id.as_str()).unwrap_or_default();
                return stopped(out.outbox, account, error, report);
            }
        };
        let (Some(client), Some(account)) = (&mut self.client, &self.account) else {
            return Err(Error::bug("import.account", "the account was not looked at"));
        };
        let mut receipt = Receipt::default();
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
        let (ledger, sms) = (self.host.ledger()?, self.options.sms_permission_to_send);
        let mut delivery = Delivery::new(client, account, ledger, way, sms, first_line);
        let mut sent = outbox.deliver(&mut delivery, report)?;
        if let Some(stopped) = &mut sent.delivery.stopped {
            // The outbox's own requests were counted by the host, which knows nothing of the vendor's days.
            if stopped.code == "http.rate-limit" {
                stopped.message = format!("{DAY}: {}", stopped.message);
            }
        }
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

/// Whether an error is of this machine, so that it says nothing of what was sent.
fn is_local(error: &Error) -> bool {
    let code = error.code.as_str();
    let is_foreign = ["login.", "import.", "http.", "service."].iter().any(|begin| code.starts_with(begin));
    matches!(code, "login.needed" | "login.ended") || !is_foreign
}
