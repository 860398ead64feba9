//! OAuth: from a login to a token for each request.
//!
//! A refresh token may be good for one use only (the application's setting, STAFF-TOK): one process at a time refreshes
//! (`lease.rs`), the new token is on disk before the access token that came with it is used, and a request that may have
//! arrived is never sent again. Sources: `GUIDE-SRV`, `STAFF-TOK`, RFC 6749.

use usher_sdk::{
    Clock, Host, Http, Reply, RequestBuilder, Secret, State,
    abi::{Error, ErrorClass},
};

use crate::{
    access::Access,
    api::read,
    kept::{Kept, refresh_token},
    lease::Lease,
    limits,
    oauth::{TokenReply, has_scope, lost, meaning, no_scope},
};

/// Below `auth_base`.
pub(crate) const TOKEN_PATH: &str = "/oauth2/default/v1/token";
/// An access token is not used in its last minutes.
const MARGIN_MS: u64 = 300_000;
/// How long one is good when the reply does not say (STAFF-TOK: 24 h).
const DAY_S: u64 = 86_400;
/// What recorded exchanges have in place of a token: one that is replayed must not take the place of a real one.
const MASKED: &str = "[secret]";
/// How long the reply to a request for a token may take, in milliseconds: shorter than a lease lives.
const REPLY_MS: u64 = 30_000;
/// How long another may refresh the login until nobody waits any more.
const BUSY_MS: u64 = 180_000;
/// Between two attempts, and how many there are: with no connection (ten minutes), and when tokens are asked for too
/// often.
const AGAIN_MS: u64 = 5_000;
const TRIES_UNREACHABLE: u32 = 120;
const TRIES_THROTTLED: u32 = 5;
/// How long another process may need to keep what it was given, in milliseconds.
const KEEPS_MS: u64 = 2_000;

/// The login of one connector, and the access token made from it.
#[derive(Debug)]
pub(crate) struct Tokens {
    host: Host,
    http: Http,
    pub(crate) clock: Clock,
    pub(crate) state: State,
    pub(crate) access: Access,
    held: Option<Held>,
    /// An access token that was refused: not to be taken from the state again.
    refused: Option<Secret>,
    /// How many access tokens there were.
    generation: u64,
    /// All tokens that were met: no answer that is kept may hold one.
    seen: Vec<Secret>,
}

#[derive(Clone, Debug)]
struct Held {
    token: Secret,
    ends_ms: u64,
}

impl Tokens {
    pub(crate) fn new(host: &Host, access: &Access) -> Result<Self, Error> {
        let (http, clock, state) = (host.http()?, host.clock()?, host.state()?);
        let (host, access) = (host.clone(), access.clone());
        let seen = [&access.client_secret, &access.refresh_token].into_iter().flatten().cloned().collect();
        Ok(Self { host, http, clock, state, access, held: None, refused: None, generation: 0, seen })
    }

    /// A token for a request, and its number.
    pub(crate) fn access_token(&mut self) -> Result<(Secret, u64), Error> {
        let begun = self.clock.now_ms();
        if let Some(held) = self.held.as_ref().filter(|held| begun < held.ends_ms) {
            return Ok((held.token.clone(), self.generation));
        }
        loop {
            let kept = self.kept()?;
            if let Some(good) = self.take_good(kept.as_ref()) {
                return Ok(good);
            }
            // Without a refresh token there is nothing to keep others from.
            self.refresh_token(kept.as_ref())?;
            let (state, clock) = (self.state.clone(), self.clock.clone());
            if let Some(lease) = Lease::take(&state, &clock)? {
                return self.refresh(&lease);
            }
            if self.clock.now_ms().saturating_sub(begun) > BUSY_MS {
                let message =
                    "another process has been refreshing the login for minutes; run again when it is done";
                return Err(Error::transient("login.busy", message));
            }
        }
    }

    /// The token of this number was refused: the next request gets another.
    pub(crate) fn forget(&mut self, generation: u64) {
        if generation == self.generation {
            self.refused = self.held.take().map(|held| held.token);
        }
    }

    /// A text of the vendor without any token that was met here, and without the client's secret.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        let secrets = self.seen.iter().map(Secret::reveal).filter(|secret| !secret.is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    /// The refresh token that is kept, for a machine on which nobody can log in.
    pub(crate) fn export(&mut self) -> Result<Secret, Error> {
        let (code, message) = match self.kept()? {
            Some(Kept { refresh_token: Some(token), .. }) => return Ok(Secret::new(token)),
            Some(_) => (
                "login.no-refresh-token",
                "no refresh token is kept: the login brought none; see that the application is one of the device flow, or \
                 of the server flow with a rotating or long-lived refresh token",
            ),
            None => (
                "login.needed",
                "nobody has logged in here with this application; run `usher login <connector>` first, and export then",
            ),
        };
        Err(Error::new(ErrorClass::AUTH, code, message))
    }

    /// The login that is kept, if it is of this application.
    pub(crate) fn kept(&mut self) -> Result<Option<Kept>, Error> {
        let kept = Kept::load(&self.state, &self.access.client_id)?;
        if let Some(kept) = &kept {
            let tokens = [Some(&kept.access_token), kept.refresh_token.as_ref()];
            for token in tokens.into_iter().flatten() {
                self.see(Secret::new(token.clone()));
            }
        }
        Ok(kept)
    }

    fn see(&mut self, token: Secret) {
        if !self.seen.iter().any(|seen| seen.reveal() == token.reveal()) {
            self.seen.push(token);
        }
    }

    fn refresh_token(&self, kept: Option<&Kept>) -> Result<Secret, Error> {
        refresh_token(kept, self.access.refresh_token.as_ref())
    }

    /// The access token that is kept, if it is good.
    fn take_good(&mut self, kept: Option<&Kept>) -> Option<(Secret, u64)> {
        let kept = kept?;
        let refused = self.refused.as_ref().is_some_and(|token| token.reveal() == kept.access_token);
        let is_old = kept.is_older_than(self.access.refresh_token.as_ref());
        let is_good = !refused && !is_old && self.clock.now_ms() < kept.ends_ms;
        is_good.then(|| self.hold(Secret::new(kept.access_token.clone()), kept.ends_ms))
    }

    pub(crate) fn hold(&mut self, token: Secret, ends_ms: u64) -> (Secret, u64) {
        self.generation += 1;
        self.see(token.clone());
        self.held = Some(Held { token: token.clone(), ends_ms });
        (token, self.generation)
    }

    /// Makes an access token of the refresh token, unless another process has done so by now.
    fn refresh(&mut self, lease: &Lease<'_>) -> Result<(Secret, u64), Error> {
        let mut void: Option<Secret> = None;
        loop {
            let kept = self.kept()?;
            if let Some(good) = self.take_good(kept.as_ref()) {
                return Ok(good);
            }
            let token = self.refresh_token(kept.as_ref())?;
            match self.ask(lease, &token) {
                // It may be void because another process, which knew nothing of leases, was given the next one.
                Err(error) if error.code == "login.refused" && void.is_none() => {
                    self.clock.sleep_ms(KEEPS_MS)?;
                    let now = self.kept()?;
                    if self.refresh_token(now.as_ref()).is_ok_and(|now| now.reveal() == token.reveal()) {
                        return Err(error);
                    }
                    void = Some(token);
                }
                answer => return answer,
            }
        }
    }

    /// Sends a refresh token, once it can be sent, and keeps what comes back.
    fn ask(&mut self, lease: &Lease<'_>, token: &Secret) -> Result<(Secret, u64), Error> {
        let mut tries = 0;
        let reply = loop {
            tries += 1;
            // What cannot be begun has not left.
            let answer = self.refresh_request(token).begin()?.wait();
            let most = match &answer {
                Err(error) if error.code == "http.unreachable" => TRIES_UNREACHABLE,
                Ok(reply) if reply.status() == 429 => TRIES_THROTTLED,
                _ => 0,
            };
            if tries >= most {
                break answer.map_err(|error| self.lost(error))?;
            }
            self.clock.sleep_ms(AGAIN_MS)?;
            lease.renew()?;
        };
        if !reply.is_success() {
            return Err(self.refusal(reply, token));
        }
        // Only a reply that is read whole has the new refresh token in it.
        let text = reply.text(limits::REPLY).map_err(|error| self.lost(error))?;
        let said: TokenReply = read(&text, "a token").map_err(|error| self.lost(error))?;
        // Whatever it is good for: the refresh token before may be void.
        let ends_ms = self.keep(&said, Some(token))?;
        if let Some(scope) = said.scope.as_deref().filter(|scope| !has_scope(scope, "contact_data")) {
            return Err(no_scope(scope));
        }
        Ok(self.hold(said.access_token, ends_ms))
    }

    fn refresh_request(&self, token: &Secret) -> RequestBuilder {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token.reveal())];
        if self.access.client_secret.is_none() {
            form.push(("client_id", &self.access.client_id));
        }
        // One attempt, not idempotent: a refresh token of one use is void when the request arrives, whatever becomes of
        // the reply. Attempts that did not leave are made again here, where the lease is renewed.
        let request = self.request(TOKEN_PATH).form(form).max_attempts(1).timeout_ms(REPLY_MS);
        match &self.access.client_secret {
            Some(secret) => request.basic(&self.access.client_id, secret),
            None => request,
        }
    }

    /// The error of a reply that did not come. One who stops the run sees no error, and must know all the same.
    fn lost(&self, error: Error) -> Error {
        let error = lost(error);
        if error.class == ErrorClass::CANCELLED {
            self.host.warn(&error.message);
        }
        error
    }

    /// Puts a login on disk, before anything of it is used; answers when its access token ends.
    pub(crate) fn keep(&mut self, said: &TokenReply, before: Option<&Secret>) -> Result<u64, Error> {
        let life = said.expires_in.unwrap_or(DAY_S).saturating_mul(1_000).saturating_sub(MARGIN_MS);
        let ends_ms = self.clock.now_ms().saturating_add(life);
        for token in [Some(&said.access_token), said.refresh_token.as_ref()].into_iter().flatten() {
            self.see(token.clone());
        }
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
        kept.store(&self.state, &self.clock)?;
        Ok(ends_ms)
    }

    /// Something a person should know at once.
    pub(crate) fn warn(&self, message: &str) {
        self.host.warn(message);
    }

    pub(crate) fn request(&self, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.access.auth_base.trim_end_matches('/'));
        // A token changes nothing in the account, so that dry runs may ask for one.
        self.http.post(url).reads().limit(limits::TOKEN).account(&self.access.client_id)
    }

    pub(crate) fn refusal(&self, reply: Reply, token: &Secret) -> Error {
        let status = reply.status();
        // A refusal whose body cannot be read is one all the same.
        let text = reply.lossy_text(limits::REPLY).unwrap_or_default();
        self.meaning(status, &text, token)
    }

    pub(crate) fn meaning(&self, status: u16, text: &str, token: &Secret) -> Error {
        let secrets: Vec<&Secret> = self.access.client_secret.iter().chain([token]).collect();
        meaning(status, text, &secrets)
    }
}
