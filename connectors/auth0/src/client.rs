//! One call each: a token, an order, a job, a download. The host sends them, and retries those that it may.

use usher_sdk::{
    Clock, Host, Http, Reply, RequestBuilder, Secret,
    abi::{Error, service::InputFile},
};

use crate::{
    api::{self, Job},
    limits::{MANAGEMENT, REPLY_BYTES, TOKEN_MARGIN_MS},
    order::Order,
    refusals::{Call, refused},
    tenant::{ExportFormat, Tenant},
};

/// The calls to one tenant, and the token that they share. It is kept in memory only: a token of a day is not worth a
/// secret on the disk.
#[derive(Debug)]
pub(crate) struct Client {
    http: Http,
    clock: Clock,
    tenant: Tenant,
    token: Option<Token>,
}

#[derive(Clone, Debug)]
struct Token {
    text: Secret,
    ends_ms: u64,
    scope: Option<String>,
}

impl Client {
    pub(crate) fn new(host: &Host, tenant: &Tenant) -> Result<Self, Error> {
        Ok(Self { http: host.http()?, clock: host.clock()?, tenant: tenant.clone(), token: None })
    }

    /// What the application may do, if the token says so.
    pub(crate) fn scope(&mut self) -> Result<Option<String>, Error> {
        Ok(self.token()?.scope)
    }

    /// Orders an export. Sent once: a second order would be a second export.
    pub(crate) fn order(&mut self, order: &Order) -> Result<Job, Error> {
        let url = self.tenant.url(api::EXPORTS);
        let reply = self.authorized(|http| http.post(&url).json(order).reads())?;
        api::job(&self.text(Call::Order, reply)?)
    }

    /// Asks how far a job is.
    pub(crate) fn job(&mut self, id: &str) -> Result<Job, Error> {
        let url = self.tenant.url(&api::job_path(id));
        let reply = self.authorized(|http| http.get(&url))?;
        api::job(&self.text(Call::Job, reply)?)
    }

    /// Downloads a file and makes it an input. The link is signed, and its host is not Auth0's: no credential goes there.
    pub(crate) fn download(&self, location: &Secret, job: &str) -> Result<InputFile, Error> {
        let link = api::link(location, &self.tenant)?;
        let reply = self.http.get(link.reveal()).send()?;
        if !reply.is_success() {
            return Err(self.refusal(Call::Download, reply));
        }
        let ending = match self.tenant.format {
            ExportFormat::Json => "ndjson",
            ExportFormat::Csv => "csv",
        };
        reply.keep(&format!("{}-{job}.{ending}", self.tenant.domain.replace([':', '[', ']'], "-")))
    }

    /// Sends a request with the token. One that is refused may have been revoked: a new one is tried once.
    fn authorized(&mut self, request: impl Fn(&Http) -> RequestBuilder) -> Result<Reply, Error> {
        let held = self.token.is_some();
        let reply = self.send(&request)?;
        if reply.status() != 401 || !held {
            return Ok(reply);
        }
        self.token = None;
        self.send(&request)
    }

    fn send(&mut self, request: impl Fn(&Http) -> RequestBuilder) -> Result<Reply, Error> {
        let token = self.token()?.text;
        request(&self.http).bearer(&token).limit(MANAGEMENT).account(&self.tenant.domain).send()
    }

    fn token(&mut self) -> Result<Token, Error> {
        let now = self.clock.now_ms();
        if let Some(token) = self.token.as_ref().filter(|token| now < token.ends_ms) {
            return Ok(token.clone());
        }
        // A token more changes nothing there, so that dry runs may ask for one, and the host may ask again.
        let request = self.http.post(self.tenant.url(api::TOKEN)).form(api::token_form(&self.tenant));
        let reply = request.reads().idempotent().account(&self.tenant.domain).send()?;
        let said = api::token(&self.text(Call::Token, reply)?)?;
        let life = said.expires_in.saturating_mul(1_000).saturating_sub(TOKEN_MARGIN_MS);
        let token = Token { text: said.access_token, ends_ms: now.saturating_add(life), scope: said.scope };
        self.token = Some(token.clone());
        Ok(token)
    }

    /// The text of a reply, or the error that a refusal is.
    fn text(&self, call: Call, reply: Reply) -> Result<String, Error> {
        if reply.is_success() { reply.text(REPLY_BYTES) } else { Err(self.refusal(call, reply)) }
    }

    fn refusal(&self, call: Call, reply: Reply) -> Error {
        let (status, wait) = (reply.status(), reply.head().retry_after_ms);
        // A refusal whose body cannot be read is one all the same.
        let words = reply.text(REPLY_BYTES).ok().and_then(|text| api::words(&text));
        let words = words.map(|words| self.without_secrets(&words));
        refused(call, status, words.as_deref(), wait)
    }

    /// Auth0's words without what must not be shown, should it repeat what it was sent.
    fn without_secrets(&self, words: &str) -> String {
        let token = self.token.as_ref().map(|token| &token.text);
        let secrets = [Some(&self.tenant.client_secret), token].into_iter().flatten();
        secrets.fold(words.to_owned(), |words, secret| words.replace(secret.reveal(), "***"))
    }
}
