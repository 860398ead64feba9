//! OAuth: from a login to a token for each request.
//!
//! A refresh token may be good for one use only (the application's setting, STAFF-TOK): the new one is on disk before the
//! access token that came with it is used, and a request for one is never sent twice. Sources: `GUIDE-SRV`, `GUIDE-DEV`,
//! `STAFF-TOK`, `STAFF-DEV`; what they do not say of the device flow is taken from RFC 8628.

use serde::{Deserialize, Serialize};
use usher_sdk::{
    Clock, Host, Http, Reply, RequestBuilder, Secret, State,
    abi::{Error, ErrorClass},
};

use crate::{
    access::Access,
    api::read,
    limits,
    oauth::{Device, TokenReply, Words, expired, has_scope, lost, meaning, no_scope},
};

/// Below `auth_base`.
const TOKEN_PATH: &str = "/oauth2/default/v1/token";
const DEVICE_PATH: &str = "/oauth2/default/v1/device/authorize";
/// What a login asks for: imports, a connection test, and a refresh token (`OAS`).
const SCOPES: &str = "contact_data account_read offline_access";
/// Under which the login is kept in the state of the connector.
const KEY: &str = "login";
/// An access token is not used in its last minutes.
const MARGIN_MS: u64 = 300_000;
/// How long one is good when the reply does not say (STAFF-TOK: 24 h).
const DAY_S: u64 = 86_400;
/// What recorded exchanges have in place of a token: one that is replayed must not take the place of a real one.
const MASKED: &str = "[secret]";

/// The login of one connector, and the access token made from it.
#[derive(Debug)]
pub(crate) struct Tokens {
    http: Http,
    clock: Clock,
    state: State,
    access: Access,
    held: Option<Held>,
    /// An access token that was refused: not to be taken from the state again.
    refused: Option<Secret>,
    /// How many access tokens there were.
    generation: u64,
}

#[derive(Clone, Debug)]
struct Held {
    token: Secret,
    ends_ms: u64,
}

/// The login as it is kept.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    /// Of the application that it belongs to.
    client_id: String,
    /// None: the login did not bring one.
    refresh_token: Option<String>,
    access_token: String,
    /// When the access token ends, in milliseconds since 1970.
    ends_ms: u64,
    /// Fingerprint of the option `refresh_token` when it was last looked at.
    option: Option<String>,
}

/// How far a login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// Nobody has entered the code yet.
    Pending,
    /// The same, and questions come too fast.
    SlowDown,
    /// It is kept; whether with a refresh token.
    Done(bool),
}

impl Tokens {
    pub(crate) fn new(host: &Host, access: &Access) -> Result<Self, Error> {
        let (http, clock, state) = (host.http()?, host.clock()?, host.state()?);
        let access = access.clone();
        Ok(Self { http, clock, state, access, held: None, refused: None, generation: 0 })
    }

    /// A token for a request, and its number.
    pub(crate) fn access_token(&mut self) -> Result<(Secret, u64), Error> {
        let now = self.clock.now_ms();
        if let Some(held) = self.held.as_ref().filter(|held| now < held.ends_ms) {
            return Ok((held.token.clone(), self.generation));
        }
        let kept = self.kept()?;
        let good = |kept: &&Kept| {
            let refused = self.refused.as_ref().is_some_and(|token| token.reveal() == kept.access_token);
            !refused && now < kept.ends_ms && !self.option_is_newer(kept)
        };
        if let Some(kept) = kept.as_ref().filter(good) {
            let token = Secret::new(kept.access_token.clone());
            return Ok(self.hold(token, kept.ends_ms));
        }
        self.refresh(kept)
    }

    /// The token of this number was refused: the next request gets another.
    pub(crate) fn forget(&mut self, generation: u64) {
        if generation == self.generation {
            self.refused = self.held.take().map(|held| held.token);
        }
    }

    /// The refresh token that is kept, for a machine on which nobody can log in.
    pub(crate) fn export(&mut self) -> Result<Secret, Error> {
        self.kept()?.and_then(|kept| kept.refresh_token).map(Secret::new).ok_or_else(|| {
            let message = "no refresh token is kept: the login brought none; see that the application is one of the device \
                           flow, or of the server flow with a rotating or long-lived refresh token";
            Error::new(ErrorClass::AUTH, "login.no-refresh-token", message)
        })
    }

    /// The login that is kept, if it is of this application.
    fn kept(&self) -> Result<Option<Kept>, Error> {
        let text = self.state.get(KEY)?;
        let kept = text.and_then(|text| serde_json::from_slice::<Kept>(&text).ok());
        Ok(kept.filter(|kept| kept.client_id == self.access.client_id))
    }

    /// Whether the option `refresh_token` was changed since it was last looked at: then it is newer than what is kept.
    fn option_is_newer(&self, kept: &Kept) -> bool {
        let option = self.access.refresh_token.as_ref().map(Secret::fingerprint);
        option.is_some() && option != kept.option
    }

    fn hold(&mut self, token: Secret, ends_ms: u64) -> (Secret, u64) {
        self.generation += 1;
        self.held = Some(Held { token: token.clone(), ends_ms });
        (token, self.generation)
    }

    fn refresh(&mut self, kept: Option<Kept>) -> Result<(Secret, u64), Error> {
        let option = self.access.refresh_token.clone();
        let kept = kept.filter(|kept| !self.option_is_newer(kept)).and_then(|kept| kept.refresh_token);
        let token = kept.map(Secret::new).or(option).ok_or_else(|| {
            let message = "nobody has logged in; run `usher login <connector>` once, or give `refresh_token` within `api` (as \
                           `usher login <connector> --export` prints it)";
            Error::new(ErrorClass::AUTH, "login.needed", message)
        })?;
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token.reveal())];
        if self.access.client_secret.is_none() {
            form.push(("client_id", &self.access.client_id));
        }
        // Not idempotent: a refresh token of one use is void when the request arrives, whatever becomes of the reply.
        let mut request = self.request(TOKEN_PATH).form(form);
        if let Some(secret) = &self.access.client_secret {
            request = request.basic(&self.access.client_id, secret);
        }
        let reply = request.send().map_err(lost)?;
        if !reply.is_success() {
            return Err(self.refusal(reply, &token));
        }
        // Only a reply that is read whole has the new refresh token in it.
        let text = reply.text(limits::REPLY).map_err(lost)?;
        let said: TokenReply = read(&text, "a token").map_err(lost)?;
        if let Some(scope) = said.scope.as_deref().filter(|scope| !has_scope(scope, "contact_data")) {
            self.keep(&said, Some(&token))?;
            return Err(no_scope(scope));
        }
        let ends_ms = self.keep(&said, Some(&token))?;
        Ok(self.hold(said.access_token, ends_ms))
    }

    /// Puts a login on disk, before anything of it is used; answers when its access token ends.
    fn keep(&self, said: &TokenReply, before: Option<&Secret>) -> Result<u64, Error> {
        let life = said.expires_in.unwrap_or(DAY_S).saturating_mul(1_000).saturating_sub(MARGIN_MS);
        let ends_ms = self.clock.now_ms().saturating_add(life);
        let refresh = said.refresh_token.as_ref().or(before).map(|token| token.reveal().to_owned());
        if said.access_token.reveal() == MASKED || refresh.as_deref() == Some(MASKED) {
            return Ok(ends_ms);
        }
        let kept = Kept {
            client_id: self.access.client_id.clone(),
            refresh_token: refresh,
            access_token: said.access_token.reveal().to_owned(),
            ends_ms,
            option: self.access.refresh_token.as_ref().map(Secret::fingerprint),
        };
        let text = serde_json::to_vec(&kept).map_err(|e| Error::bug("login.state", e.to_string()))?;
        self.state.put(KEY, &text).map_err(|error| {
            error.context(
                "the new refresh token could not be kept, and the one before may be void; when the state can be written \
                 again, run `usher login <connector>`",
            )
        })?;
        Ok(ends_ms)
    }

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
            let ends_ms = self.keep(&said, None)?;
            if let Some(scope) = said.scope.as_deref().filter(|scope| !has_scope(scope, "contact_data")) {
                return Err(no_scope(scope));
            }
            let refreshes = said.refresh_token.is_some();
            self.hold(said.access_token, ends_ms);
            return Ok(Waited::Done(refreshes));
        }
        let (status, text) = (reply.status(), reply.text(limits::REPLY).unwrap_or_default());
        match Words::new(&text).error.as_str() {
            "authorization_pending" => Ok(Waited::Pending),
            "slow_down" => Ok(Waited::SlowDown),
            "access_denied" => Err(Error::new(
                ErrorClass::AUTH,
                "login.denied",
                "the login was refused in the browser; run `usher login` again",
            )),
            "expired_token" => Err(expired()),
            _ => Err(self.meaning(status, &text, &device.device_code)),
        }
    }

    fn request(&self, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.access.auth_base.trim_end_matches('/'));
        // A token changes nothing in the account, so that dry runs may ask for one.
        self.http.post(url).reads().limit(limits::TOKEN).account(&self.access.client_id)
    }

    fn refusal(&self, reply: Reply, token: &Secret) -> Error {
        let status = reply.status();
        // A refusal whose body cannot be read is one all the same.
        let text = reply.text(limits::REPLY).unwrap_or_default();
        self.meaning(status, &text, token)
    }

    fn meaning(&self, status: u16, text: &str, token: &Secret) -> Error {
        let secrets: Vec<&Secret> = self.access.client_secret.iter().chain([token]).collect();
        meaning(status, text, &secrets)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
