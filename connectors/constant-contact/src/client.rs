//! Requests to the API that are waited for: with a token, within the limits, page by page.

use serde::de::DeserializeOwned;
use serde_json::Value;
use usher_sdk::{Clock, Host, Http, RequestBuilder, abi::Error};

use crate::{
    api::{self, Page, Refusal},
    limits,
    options::Options,
    refusals::{day_is_used_up, quota, refused},
    tokens::Tokens,
};

/// How long requests that come too fast are tried again, in milliseconds.
pub(crate) const PATIENCE_MS: u64 = 900_000;
/// How often a question is asked again that is answered with a page (HTML).
const PAGES_INSTEAD: u32 = 2;
/// Pages that are read of one thing.
const PAGES: usize = 50;

/// A text, or why there is none.
pub(crate) type Answer = Result<String, Refusal>;

/// The API, as one application sees it.
#[derive(Debug)]
pub(crate) struct Client {
    http: Http,
    pub(crate) clock: Clock,
    pub(crate) tokens: Tokens,
    base: String,
    /// Limits are by application key.
    key: String,
}

impl Client {
    pub(crate) fn new(host: &Host, options: &Options) -> Result<Self, Error> {
        let access = options.access()?;
        Ok(Self {
            http: host.http()?,
            clock: host.clock()?,
            tokens: Tokens::new(host, access)?,
            base: options.api_base.trim_end_matches('/').to_owned(),
            key: access.client_id.clone(),
        })
    }

    /// The address of a call.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A request with its token, whose number is answered beside it, and its limits. A 429 has two meanings, so it is handed
    /// on.
    pub(crate) fn dress(&mut self, request: RequestBuilder) -> Result<(RequestBuilder, u64), Error> {
        let (token, generation) = self.tokens.access_token()?;
        let request = request.bearer(&token).limit(limits::SECOND).limit(limits::DAY).account(&self.key);
        Ok((request.refused_once(), generation))
    }

    /// Whether anything may be sent at all. Called only where there is no login, or none that can be refreshed, so that there
    /// is no token to ask with: the host does not say otherwise what it lets out, and a machine on which nothing is to be
    /// asked needs no login. Where something may be sent, this one request is refused by the vendor, and what is missing is
    /// told.
    pub(crate) fn may_send(&self) -> bool {
        let asked = self.http.get(self.url(api::ACCOUNT)).limit(limits::SECOND).limit(limits::DAY);
        let asked = asked.account(&self.key).refused_once().max_attempts(1).send();
        !asked.is_err_and(|error| matches!(error.code.as_str(), "http.dry-run" | "service.absent"))
    }

    /// Reads something. `call` says what is done, for errors.
    pub(crate) fn get(&mut self, call: &str, url: &str, query: &[(&str, &str)]) -> Result<Answer, Error> {
        self.answered(call, |http| http.get(url).query(query.iter().copied()))
    }

    /// Creates something; in a dry run the error `http.dry-run`.
    pub(crate) fn post(&mut self, call: &str, path: &str, body: &Value) -> Result<Answer, Error> {
        let url = self.url(path);
        self.answered(call, |http| http.post(&url).json(body))
    }

    /// Sends until there is an answer that is one. A token that is refused is replaced once.
    fn answered(&mut self, call: &str, request: impl Fn(&Http) -> RequestBuilder) -> Result<Answer, Error> {
        let begun = self.clock.now_ms();
        let (mut renewed, mut pages, mut wait) = (false, 0, 1_000);
        loop {
            let (request, generation) = self.dress(request(&self.http))?;
            let reply = request.send().map_err(day_is_used_up)?;
            let status = reply.status();
            if reply.is_success() {
                let text = reply.text(limits::REPLY)?;
                // A gateway may put a page of its own in the place of an answer, for a moment.
                if pages < PAGES_INSTEAD && text.trim_start().starts_with('<') {
                    pages += 1;
                    self.clock.sleep_ms(1_000)?;
                    continue;
                }
                return Ok(Ok(text));
            }
            let refusal = Refusal::new(status, &reply.lossy_text(limits::REPLY).unwrap_or_default());
            if status == 401 && !renewed {
                renewed = true;
                self.tokens.forget(generation);
                continue;
            }
            if status != 429 {
                return Ok(Err(refusal));
            }
            let now = self.clock.now_ms();
            if refusal.is_quota() {
                return Err(quota(call, &refusal, now));
            }
            if now.saturating_sub(begun) + wait > PATIENCE_MS {
                return Err(refused(call, &refusal));
            }
            self.clock.sleep_ms(wait)?;
            wait = (wait * 2).min(30_000);
        }
    }

    /// The text of an answer, or the error that a refusal is.
    pub(crate) fn text(&mut self, call: &str, url: &str, query: &[(&str, &str)]) -> Result<String, Error> {
        self.get(call, url, query)?.map_err(|refusal| refused(call, &refusal))
    }

    /// Everything of a kind, page by page, until `until` is true of a page.
    pub(crate) fn pages<T: DeserializeOwned>(
        &mut self,
        call: &str,
        path: &str,
        query: &[(&str, &str)],
        name: &str,
        mut until: impl FnMut(&[T]) -> bool,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let whole = self.scan(call, path, query, name, PAGES, |page: Vec<T>| {
            let enough = until(&page);
            all.extend(page);
            enough
        })?;
        if whole {
            return Ok(all);
        }
        let message = format!("{call}: there are more than {PAGES} pages; report it");
        Err(Error::data("import.reply", message))
    }

    /// Hands on one page after the other, until `until` is true of one; answers whether there were no more than `most`.
    pub(crate) fn scan<T: DeserializeOwned>(
        &mut self,
        call: &str,
        path: &str,
        query: &[(&str, &str)],
        name: &str,
        most: usize,
        mut until: impl FnMut(Vec<T>) -> bool,
    ) -> Result<bool, Error> {
        let mut text = self.text(call, &self.url(path), query)?;
        for _ in 1..most {
            let Page { items, next } = api::page::<T>(&text, name)?;
            let enough = until(items);
            let Some(href) = next.filter(|_| !enough) else { return Ok(true) };
            let url = api::follow(&self.base, &href)?;
            text = self.text(call, &url, &[])?;
        }
        let Page { items, next } = api::page::<T>(&text, name)?;
        Ok(until(items) || next.is_none())
    }
}
