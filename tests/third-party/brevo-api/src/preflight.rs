//! What Brevo itself says against the options, before a row is sent: with requests that only read.

use usher_sdk::{
    Host,
    abi::{Error, Problem},
    field_pointer,
    options::problem,
};

use crate::{
    api::{Attributes, Client, REPLY_BYTES, refusal},
    columns::EMAIL,
    options::Options,
};

/// Everything that is wrong; `None` when nothing is sent now, as in `usher check` without `--online`.
pub(crate) fn ask(
    host: &Host,
    client: &Client,
    options: &Options,
    columns: &[String],
) -> Result<Option<Vec<Problem>>, Error> {
    let http = host.http()?;
    let reply = match client.get(&http, "/contacts/attributes").send() {
        Ok(reply) => reply,
        Err(error) if error.code == "http.dry-run" => return Ok(None),
        Err(error) => return Err(error),
    };
    if matches!(reply.status(), 401 | 403) {
        let message = refusal(reply)?.message.to_string();
        return Ok(Some(vec![problem("/api_key", "brevo.key", message)]));
    }
    let account: Attributes = reply.error_for_status()?.json(REPLY_BYTES)?;
    let mut problems = Vec::new();
    // The import ignores what it does not know, and says nothing of it (IMPORT).
    for column in columns.iter().filter(|column| *column != EMAIL) {
        if !account.attributes.iter().any(|attribute| attribute.name == *column) {
            let message =
                format!("the account has no attribute `{column}`; create it in Brevo, or leave it out");
            problems.push(problem(field_pointer(column), "brevo.no-attribute", message));
        }
    }
    for (n, list) in options.lists.iter().enumerate() {
        let reply = client.get(&http, &format!("/contacts/lists/{list}")).send()?;
        if reply.status() == 404 {
            let message = format!("the account has no list {list}; see Brevo for the ids of its lists");
            problems.push(problem(format!("/lists/{n}"), "brevo.no-list", message));
        } else {
            reply.error_for_status()?;
        }
    }
    Ok(Some(problems))
}
