//! The device flow as requests: a code for a person, and the question whether it was entered.
//!
//! Sources: `GUIDE-DEV`, `STAFF-DEV`; what they do not say is taken from RFC 8628.

use usher_sdk::{
    Secret,
    abi::{Error, ErrorClass},
};

use crate::{
    api::read,
    lease::Lease,
    limits,
    oauth::{Device, TokenReply, Words, expired, has_scope, no_scope, spent},
    tokens::{TOKEN_PATH, Tokens},
};

/// Below `auth_base`.
const DEVICE_PATH: &str = "/oauth2/default/v1/device/authorize";
/// What a login asks for: imports, a connection test, and a refresh token (`OAS`).
const SCOPES: &str = "contact_data account_read offline_access";
/// How often a lease is waited for, half a second each, until a login is kept without one: its code is used up.
const LEASES: u32 = 150;

/// How far a login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// Nobody has entered the code yet.
    Pending,
    /// The same, and questions come too fast.
    SlowDown,
    /// It is kept.
    Done {
        /// With a refresh token.
        refreshes: bool,
        /// It took the place of one that had a refresh token.
        replaces: bool,
    },
}

impl Tokens {
    /// Begins a login on another device.
    pub(crate) fn device(&self) -> Result<Device, Error> {
        let form = [("client_id", self.access.client_id.as_str()), ("scope", SCOPES)];
        let reply = self.request(DEVICE_PATH).form(form).send()?;
        if !reply.is_success() {
            return Err(self.refusal(reply, &Secret::new("")));
        }
        let device: Device = read(&reply.text(limits::REPLY)?, "the beginning of a login")?;
        let shown = [Some(&device.verification_uri), device.verification_uri_complete.as_ref()];
        if shown
            .into_iter()
            .flatten()
            .any(|uri| !uri.starts_with("https://") && !uri.starts_with("http://127.0.0.1:"))
        {
            let message = "Constant Contact answered an address for the login that is not https; report it";
            return Err(Error::data("login.reply", message));
        }
        Ok(device)
    }

    /// Asks whether the code was entered; the login is kept when it was.
    pub(crate) fn waited(&mut self, device: &Device) -> Result<Waited, Error> {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", &self.access.client_id),
            ("device_code", device.device_code.reveal()),
        ];
        let reply = self.request(TOKEN_PATH).form(form).send()?;
        if reply.is_success() {
            let said: TokenReply = read(&reply.text(limits::REPLY)?, "a token")?;
            return self.logged_in(said);
        }
        let (status, text) = (reply.status(), reply.lossy_text(limits::REPLY).unwrap_or_default());
        match Words::new(&text).error.as_str() {
            "authorization_pending" => Ok(Waited::Pending),
            "slow_down" => Ok(Waited::SlowDown),
            "access_denied" => Err(Error::new(
                ErrorClass::AUTH,
                "login.denied",
                "the login was refused in the browser; run `usher login` again",
            )),
            "expired_token" => Err(expired()),
            "invalid_grant" => Err(spent()),
            _ => Err(self.meaning(status, &text, &device.device_code)),
        }
    }

    /// A login that is of no use does not take the place of one that is.
    fn logged_in(&mut self, said: TokenReply) -> Result<Waited, Error> {
        if let Some(scope) = said.scope.as_deref().filter(|scope| !has_scope(scope, "contact_data")) {
            return Err(no_scope(scope));
        }
        let (state, clock) = (self.state.clone(), self.clock.clone());
        // A run that refreshes the login before would else write over this one.
        let lease = (0..LEASES).find_map(|_| Lease::take(&state, &clock).unwrap_or_default());
        let refreshes = said.refresh_token.is_some();
        let before = self.kept().unwrap_or_default();
        let replaces = !refreshes && before.is_some_and(|kept| kept.refresh_token.is_some());
        if replaces {
            self.warn(
                "no refresh token came with this login: it takes the place of one that had a refresh token, and is good \
                 for a day",
            );
        }
        let ends_ms = self.keep(&said, None)?;
        drop(lease);
        self.hold(said.access_token, ends_ms);
        Ok(Waited::Done { refreshes, replaces })
    }
}
