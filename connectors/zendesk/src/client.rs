//! One call each. The host sends them, and retries those that it may.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use usher_sdk::{
    Host, Http, Reply, RequestBuilder,
    abi::{Error, ErrorClass},
};

use crate::{
    access::{Api, Credential},
    api::{
        self, FieldReply, FieldsReply, Load, LocalesReply, Me, MeReply, OrganizationsReply, RolesReply,
        UsersReply,
    },
    limits::{PAGES, READS, REPLY_BYTES},
    options::Plan,
    refusals::{Call, refused, unreadable},
    users::Known,
};

/// The calls to one account.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: Http,
    pub(crate) api: Api,
    /// Name of the rate limit.
    pub(crate) limit: &'static str,
}

impl Client {
    pub(crate) fn new(host: &Host, api: &Api, plan: Option<Plan>) -> Result<Self, Error> {
        Ok(Self { http: host.http()?, api: api.clone(), limit: api.rate(plan).0.name() })
    }

    /// Who asks.
    pub(crate) fn me(&self) -> Result<Me, Error> {
        Ok(self.read::<MeReply>(Call::Me, api::ME, "a user")?.user)
    }

    /// The user fields, page by page.
    pub(crate) fn user_fields(&self) -> Result<Vec<FieldReply>, Error> {
        let (mut fields, mut path) = (Vec::new(), api::USER_FIELDS.to_owned());
        for _ in 0..PAGES {
            let page: FieldsReply = self.read(Call::Fields, &path, "a list of user fields")?;
            fields.extend(page.user_fields);
            match page.next_page.as_deref().and_then(api::path_of) {
                Some(next) => next.clone_into(&mut path),
                None => break,
            }
        }
        Ok(fields)
    }

    /// The roles of agents.
    pub(crate) fn custom_roles(&self) -> Result<RolesReply, Error> {
        self.read(Call::Roles, api::CUSTOM_ROLES, "a list of roles")
    }

    /// The languages of the account.
    pub(crate) fn locales(&self) -> Result<LocalesReply, Error> {
        self.read(Call::Locales, api::LOCALES, "a list of languages")
    }

    /// Which of these users the account has.
    pub(crate) fn known_users<'k>(
        &self,
        external_ids: impl Iterator<Item = &'k str>,
    ) -> Result<Known, Error> {
        let mut known = Known::default();
        for path in api::users_paths(external_ids) {
            let reply: UsersReply = self.read_again(Call::Users, &path, "a list of users")?;
            for user in reply.users {
                if let Some(external_id) = &user.external_id {
                    known.add(external_id, user.id);
                }
            }
        }
        Ok(known)
    }

    /// Which of these organizations the account has.
    pub(crate) fn known_organizations(&self, ids: impl Iterator<Item = i64>) -> Result<BTreeSet<i64>, Error> {
        let mut known = BTreeSet::new();
        for path in api::organizations_paths(ids) {
            let reply: OrganizationsReply =
                self.read(Call::Organizations, &path, "a list of organizations")?;
            known.extend(reply.organizations.iter().map(|organization| organization.id));
        }
        Ok(known)
    }

    /// The request that sends records. What creates is not sent again by the host: the first attempt may have had its
    /// effect (sheet: safe for the upsert; an update puts the same values again). A 429 may be `TooManyJobs`, which is
    /// over when one of our own jobs is: the host is not to wait for that.
    pub(crate) fn load(&self, load: Load, records: &[u8]) -> RequestBuilder {
        let (method, path) = load.call();
        let request = self.http.request(method, self.api.url(path)).refused_once();
        let request = self.dressed(request).body("application/json", load.body(records));
        if load.is_idempotent() { request.idempotent() } else { request }
    }

    /// Asks a question; the reply may have any status.
    pub(crate) fn ask(&self, path: &str) -> Result<Answer, Error> {
        Answer::of(self.dressed(self.http.get(self.api.url(path))).send()?)
    }

    fn read<T: DeserializeOwned>(&self, call: Call, path: &str, what: &str) -> Result<T, Error> {
        for _ in 0..READS {
            let answer = self.ask(path)?;
            if !answer.is_success() {
                return Err(self.refusal(call, &answer));
            }
            if let Ok(read) = serde_json::from_str(&answer.text) {
                return Ok(read);
            }
        }
        // The text may hold anything, so no error repeats it.
        Err(unreadable(call, what))
    }

    /// As [`read`](Self::read) in the middle of a delivery, whose options were found to be right: a page in place of an
    /// answer is trouble on the way.
    fn read_again<T: DeserializeOwned>(&self, call: Call, path: &str, what: &str) -> Result<T, Error> {
        self.read(call, path, what).map_err(|error| {
            let class = if error.code == "api.reply" { ErrorClass::TRANSIENT } else { error.class };
            Error { class, ..error }
        })
    }

    /// The error that a refusal is.
    pub(crate) fn refusal(&self, call: Call, answer: &Answer) -> Error {
        let words = api::words(&answer.text).map(|words| self.api.without_secrets(&words));
        let by_oauth = matches!(self.api.credential(), Some(Credential::Bearer(_)));
        refused(call, answer.status, words.as_deref(), answer.retry_after_ms, by_oauth)
    }

    /// DEV-REQ: `Accept` as JSON; who asks; and whose rate limit it is.
    fn dressed(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.header("Accept", "application/json");
        let request = request.limit(self.limit).account(&self.api.subdomain);
        match self.api.credential() {
            Some(Credential::Token(email, token)) => request.basic(&format!("{email}/token"), token),
            Some(Credential::Bearer(token)) => request.bearer(token),
            None => request,
        }
    }
}

/// A reply, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) retry_after_ms: Option<u64>,
    /// Until another job is taken, by the header of the job limit (DEV-RATE).
    pub(crate) jobs_reset_ms: Option<u64>,
}

impl Answer {
    /// What is no UTF-8 is shown as such: it cannot be understood anyhow.
    pub(crate) fn of(reply: Reply) -> Result<Self, Error> {
        let status = reply.status();
        let retry_after_ms = reply.head().retry_after_ms;
        let jobs_reset_ms = reply.header("zendesk-ratelimit-inflight-jobs").and_then(resets_ms);
        let text = match reply.bytes(REPLY_BYTES) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            // A refusal whose body cannot be read is one all the same.
            Err(error) if error.class != ErrorClass::CANCELLED && !(200..300).contains(&status) => {
                String::new()
            }
            Err(error) => return Err(error),
        };
        Ok(Self { status, text, retry_after_ms, jobs_reset_ms })
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// `total=30; remaining=0; resets=60`.
fn resets_ms(header: &str) -> Option<u64> {
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.filter(|(name, _)| *name == "resets").find_map(|(_, value)| value.parse::<u64>().ok());
    found.map(|seconds| seconds.saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use super::resets_ms;

    #[test]
    fn the_header_of_the_job_limit() {
        assert_eq!(resets_ms("total=30; remaining=29; resets=60"), Some(60_000));
        assert_eq!(resets_ms("total=30"), None);
        assert_eq!(resets_ms("resets=soon"), None);
    }
}
