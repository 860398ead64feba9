//! The login as it is kept in the state of the connector.

use serde::{Deserialize, Serialize};
use usher_sdk::{
    Clock, Secret, State,
    abi::{Error, ErrorClass},
};

/// Under which it is kept.
const KEY: &str = "login";
/// The waits between attempts to keep it, in milliseconds: what is not kept is lost, since the token before is void.
const WAITS_MS: [u64; 4] = [100, 500, 2_000, 5_000];

/// See the module's head.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Of the application that it belongs to.
    pub(crate) client_id: String,
    /// None: the login did not bring one.
    pub(crate) refresh_token: Option<String>,
    pub(crate) access_token: String,
    /// When the access token ends, in milliseconds since 1970.
    pub(crate) ends_ms: u64,
    /// Fingerprint of the option `refresh_token` when it was last looked at.
    pub(crate) option: Option<String>,
}

impl Kept {
    /// The login that is kept, if it is of this application.
    pub(crate) fn load(state: &State, client_id: &str) -> Result<Option<Self>, Error> {
        let text = state.get(KEY)?;
        let kept = text.and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        Ok(kept.filter(|kept| kept.client_id == client_id))
    }

    /// Puts it on disk; what fails is tried again for some seconds.
    pub(crate) fn store(&self, state: &State, clock: &Clock) -> Result<(), Error> {
        let text = serde_json::to_vec(self).map_err(|e| Error::bug("login.state", e.to_string()))?;
        let mut waits = WAITS_MS.iter();
        loop {
            let Err(error) = state.put(KEY, &text) else { return Ok(()) };
            let Some(wait) = waits.next() else {
                return Err(error.context(
                    "the new refresh token could not be kept, and the one before may be void; when the state can be \
                     written again, run `usher login <connector>`",
                ));
            };
            // Even when somebody wants to stop: the next attempt comes at once then.
            drop(clock.sleep_ms(*wait));
        }
    }

    /// Whether the option `refresh_token` was changed since it was last looked at: then it is newer than what is kept.
    pub(crate) fn is_older_than(&self, option: Option<&Secret>) -> bool {
        let option = option.map(Secret::fingerprint);
        option.is_some() && option != self.option
    }
}

/// The refresh token to use: of what is kept, or of the option. An error says how to come by one.
pub(crate) fn refresh_token(kept: Option<&Kept>, option: Option<&Secret>) -> Result<Secret, Error> {
    let newer = kept.filter(|kept| !kept.is_older_than(option));
    let token = newer.and_then(|kept| kept.refresh_token.clone()).map(Secret::new);
    token.or_else(|| option.cloned()).ok_or_else(|| match kept {
        Some(_) => {
            let message = "the login has ended: it was good for a day only, since no refresh token came with it; run `usher \
                           login <connector>` again, and see in the developer portal that the application may use \
                           refresh tokens";
            Error::new(ErrorClass::AUTH, "login.ended", message)
        }
        None => {
            let message = "nobody has logged in; run `usher login <connector>` once, or give `refresh_token` within `api` (as \
                           `usher login <connector> --export` prints it)";
            Error::new(ErrorClass::AUTH, "login.needed", message)
        }
    })
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
