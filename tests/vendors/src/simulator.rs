//! A vendor behind a socket: what all simulators have in common.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::from_fn_with_state,
    response::Response,
};

use crate::{
    contract::Contract,
    exchanges,
    faults::{FaultPlan, Faults, Layer, Struck, layer},
    message::{Asked, Reply},
    server::Server,
    text,
};

/// No vendor takes more in one request; a simulator must not fill the memory either.
const LARGEST_BODY: usize = 128 << 20;

/// Nothing that holds an account takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// An account at a vendor: what it holds, and what it answers.
pub trait Vendor: Send + 'static {
    /// Does what is due by now: jobs that have taken their time. Called before every look and every request.
    fn advance(&mut self);

    /// The reply to a request, with its effects. `faults` may strike where only the vendor knows the place.
    fn answer(&mut self, asked: &Asked, faults: &Faults) -> Reply;

    /// An error in the vendor's own form, for faults that are made before a request arrives here.
    fn refusal(status: u16) -> Reply;

    /// What the vendor's description says, if it has published one.
    fn contract() -> Option<&'static Contract> {
        None
    }

    /// Notes a request that arrived, and where it, or the reply, departs from the description.
    fn note(&mut self, asked: Asked, violations: Vec<String>);
}

/// A vendor on a port of this machine. It ends when dropped.
pub struct Simulator<V: Vendor> {
    server: Server,
    account: Arc<Mutex<V>>,
    faults: Faults,
}

impl<V: Vendor> Simulator<V> {
    /// Serves an account that is made once the address is known; port 0 is a free one.
    ///
    /// # Panics
    /// When the port is taken.
    pub(crate) fn serve(port: u16, plan: FaultPlan, account: impl FnOnce() -> V) -> Self {
        let faults = Faults::new(plan);
        let account = Arc::new(Mutex::new(account()));
        let layered = Layer { faults: faults.clone(), refusal: V::refusal };
        let router = Router::new()
            .fallback(handle::<V>)
            .with_state((account.clone(), faults.clone()))
            .layer(from_fn_with_state(layered, layer));
        let server = Server::start(port, router).expect("a port of the loopback address");
        Self { server, account, faults }
    }

    /// `http://127.0.0.1:<port>`
    pub fn url(&self) -> String {
        format!("http://{}", self.domain())
    }

    /// `127.0.0.1:<port>`
    pub fn domain(&self) -> String {
        self.server.address().to_string()
    }

    /// The account as it is now, locked: no request is answered while it is held.
    ///
    /// # Panics
    /// When it stays locked, as it does when one statement asks for it twice.
    pub fn account(&self) -> MutexGuard<'_, V> {
        let began = Instant::now();
        let mut account = loop {
            match self.account.try_lock() {
                Ok(account) => break account,
                Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    assert!(
                        began.elapsed() < PATIENCE,
                        "the account is held elsewhere: twice in one statement?"
                    );
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        };
        account.advance();
        account
    }

    /// The faults that struck so far.
    pub fn faults(&self) -> Vec<Struck> {
        self.faults.struck()
    }

    /// Seed and faults in words, for the message of a test that failed.
    pub fn fault_report(&self) -> String {
        self.faults.to_string()
    }
}

async fn handle<V: Vendor>(
    State((account, faults)): State<(Arc<Mutex<V>>, Faults)>,
    request: Request,
) -> Response {
    let asked = match read(request).await {
        Ok(asked) => asked,
        Err(reason) => return response(Reply::text(400, &reason), None),
    };
    if let Some(contract) = V::contract() {
        exchanges::keep(contract, &asked);
    }
    let mut account = account.lock().unwrap_or_else(PoisonError::into_inner);
    account.advance();
    let reply = account.answer(&asked, &faults);
    let violations = V::contract().map(|contract| contract.check(&asked, &reply)).unwrap_or_default();
    account.note(asked, violations);
    response(reply, None)
}

async fn read(request: Request) -> Result<Asked, String> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await.map_err(|e| format!("the body did not arrive: {e}"))?;
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Ok(Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: text::pairs(head.uri.query().unwrap_or_default()),
        headers: head.headers.iter().map(header).collect(),
        body: body.to_vec(),
    })
}

/// A reply on the wire; `body` takes the place of the reply's own, whose length is still announced.
pub(crate) fn response(reply: Reply, body: Option<Body>) -> Response {
    let mut response = Response::builder().status(reply.status).header("content-length", reply.body.len());
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let body = body.unwrap_or_else(|| Body::from(reply.body));
    response.body(body).expect("a status and headers that HTTP allows")
}
