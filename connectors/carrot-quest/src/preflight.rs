//! What can be found out before a row is sent: the least that an app lets itself be asked is one of its users (APPUSERS).
//!
//! Which right of a token the import needs is not documented, so a token that may not list users may still import.

use usher_sdk::{
    Host,
    abi::{Error, ErrorClass, Problem},
    options::{problem, warning},
};

use crate::{api, client::Client, options::Options, refusals::Call};

/// Asks for one user of the app. `None` when nothing is sent now.
pub(crate) fn ask(host: &Host, client: &Client, options: &Options) -> Result<Option<Vec<Problem>>, Error> {
    let path = api::users_path(&options.app);
    let asked = host.http().and_then(|http| client.ask(|| client.get(&http, &path).query([("limit", "1")])));
    let said = match asked {
        Ok(said) => said,
        Err(error) if matches!(error.code.as_str(), "http.dry-run" | "service.absent") => return Ok(None),
        Err(error) => return Err(error),
    };
    if said.success().is_some() {
        return Ok(Some(Vec::new()));
    }
    let Some(error) = said.refusal(Call::Users) else {
        let message = "it answered something that is no answer of Carrot quest; see `api_base`";
        return Ok(Some(vec![problem("/api_base", "carrot.reply", message)]));
    };
    let (code, message) = (error.code.as_str(), error.message.as_str());
    Ok(Some(vec![match (code, error.class) {
        (_, ErrorClass::TRANSIENT | ErrorClass::RATE_LIMITED) => return Err(error),
        ("carrot.token", _) => problem("/api/token", code, message),
        ("carrot.permission", _) => {
            let more = "it may import all the same: listing users needs the right `users-list`, and which the import needs is not \
                        documented";
            warning("/api/token", code, format!("{message}; {more}"))
        }
        ("carrot.lookup", _) if options.app != "$self_app" => problem("/app", code, message),
        ("carrot.lookup" | "carrot.validation" | "carrot.bad-request", _) => {
            let more = "the token was taken; whether the app is right could not be made sure of";
            warning("/app", code, format!("{message}; {more}"))
        }
        _ => problem("/api_base", code, message),
    }]))
}
