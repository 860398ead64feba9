//! Requests over the network, sent by the host.

mod encode;
mod multipart;
mod reply;
mod request;

use usher_abi::{
    Error, RSlice, RStr,
    service::{HttpTable, InputFile, Slab},
};

use super::Context;

pub use multipart::Multipart;
pub use reply::{PendingReply, Reply};
pub use request::RequestBuilder;

/// `usher.http/1`: requests to the network hosts that the plugin's [`export!`](crate::export) lists in `hosts`. Rate
/// limits, retries, redirects, timeouts and proxies are the host's affair.
///
/// ```
/// # fn main() -> Result<(), usher_sdk::abi::Error> {
/// # use serde_json::{Value, json};
/// # use usher_sdk::Secret;
/// # let memory = usher_testkit::MemoryHost::new()
/// #     .with_reply("POST", "https://api.example.com/imports", usher_testkit::Reply::new(202).json(&json!({ "id": 7 })));
/// # let services = memory.services();
/// # let host = usher_sdk::Host::new(services.table(), Default::default());
/// # let (token, users) = (Secret::new("t"), json!([{ "email": "ada@example.com" }]));
/// let http = host.http()?;
/// let reply = http
///     .post("https://api.example.com/imports")
///     .bearer(&token)
///     .json(&users)
///     .idempotent() // the vendor matches by e-mail, so sending it twice does no harm
///     .limit("imports") // as declared in `Component::rate_limits`
///     .send()?
///     .error_for_status()?;
/// let job: Value = reply.json(1 << 20)?; // at most 1 MiB
/// assert_eq!(job["id"], 7);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Http {
    table: &'static HttpTable,
    context: Context,
}

impl Http {
    pub(super) fn new(table: &'static HttpTable, context: Context) -> Self {
        Self { table, context }
    }

    /// A request that reads: it is sent in dry runs, too, and again if need be.
    pub fn get(&self, url: impl Into<String>) -> RequestBuilder {
        self.request("GET", url).reads().idempotent()
    }

    /// As [`get`](Self::get), for the headers alone.
    pub fn head(&self, url: impl Into<String>) -> RequestBuilder {
        self.request("HEAD", url).reads().idempotent()
    }

    /// A request that writes, and is sent once unless it says that it is [`idempotent`](RequestBuilder::idempotent).
    pub fn post(&self, url: impl Into<String>) -> RequestBuilder {
        self.request("POST", url)
    }

    /// A request that replaces, so that it may be sent again.
    pub fn put(&self, url: impl Into<String>) -> RequestBuilder {
        self.request("PUT", url).idempotent()
    }

    /// A request that changes a part, and is sent once unless it says that it is
    /// [`idempotent`](RequestBuilder::idempotent).
    pub fn patch(&self, url: impl Into<String>) -> RequestBuilder {
        self.request("PATCH", url)
    }

    /// A request that removes, so that it may be sent again.
    pub fn delete(&self, url: impl Into<String>) -> RequestBuilder {
        self.request("DELETE", url).idempotent()
    }

    /// A request of any method, taken for a write that must not be sent twice.
    pub fn request(&self, method: &str, url: impl Into<String>) -> RequestBuilder {
        RequestBuilder::new(self.clone(), method, url.into())
    }

    fn begin(&self, head: &str, body: &[u8]) -> Result<Ticket, Error> {
        let id =
            (self.table.begin)(self.context.0, RStr::from(head), RSlice::from_slice(body)).into_result()?;
        Ok(Ticket { http: self.clone(), id })
    }
}

/// A request that was begun; dropping it closes it.
#[derive(Debug)]
struct Ticket {
    http: Http,
    id: u64,
}

impl Ticket {
    fn wait(&self) -> Result<String, Error> {
        Ok((self.http.table.wait)(self.http.context.0, self.id).into_result()?.into())
    }

    fn next(&self) -> Result<Option<Slab>, Error> {
        Ok((self.http.table.next)(self.http.context.0, self.id).into_result()?.into_option())
    }

    fn keep(&self, name: &str) -> Result<InputFile, Error> {
        (self.http.table.keep)(self.http.context.0, self.id, RStr::from(name)).into_result()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        (self.http.table.close)(self.http.context.0, self.id);
    }
}
