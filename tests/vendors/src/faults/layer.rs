//! The layer between the socket and a vendor that makes general faults.

use axum::{
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};

use super::{
    body::{Cut, Drip},
    plan::{Fault, Faults},
};
use crate::{message::Reply, simulator::response, socket::Breaker};

/// What the layer needs: the plan, and errors in the vendor's own form.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) faults: Faults,
    pub(crate) refusal: fn(u16) -> Reply,
}

/// Draws a fault for a request and makes it: before the vendor hears of the request, or after it has done the work.
pub(crate) async fn layer(
    State(layer): State<Layer>,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    request: Request,
    next: Next,
) -> Response {
    let line = format!("{} {}", request.method(), request.uri().path());
    let Some(fault) = layer.faults.strike(&Fault::GENERAL, &line) else { return next.run(request).await };
    if !fault.is_after_the_effect() {
        // The body is read all the same: a client that is still sending sees a reset and not the answer.
        drop(to_bytes(request.into_body(), usize::MAX).await);
        return response(before(fault, &layer), None);
    }
    let (head, body) = next.run(request).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default().to_vec();
    let header = |name: &axum::http::HeaderName| name != "content-length";
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers =
        head.headers.iter().filter(|(n, _)| header(n)).map(|(n, v)| (n.to_string(), text(v))).collect();
    let reply = Reply { status: head.status.as_u16(), headers, body };
    match fault {
        Fault::Error503After => response((layer.refusal)(503), None),
        Fault::Html => response(Reply::html(200, "please stand by"), None),
        Fault::Reset => {
            let cut = Body::new(Cut::new(&reply.body, breaker));
            response(reply, Some(cut))
        }
        _ => {
            let drip = Body::new(Drip::new(reply.body.clone(), layer.faults.breath()));
            response(reply, Some(drip))
        }
    }
}

fn before(fault: Fault, layer: &Layer) -> Reply {
    match fault {
        Fault::TooManyWithRetryAfter => (layer.refusal)(429).with("retry-after", layer.faults.retry_after()),
        Fault::TooMany => (layer.refusal)(429),
        Fault::Error500 => (layer.refusal)(500),
        Fault::Error502 => Reply::html(502, "bad gateway"),
        _ => (layer.refusal)(503),
    }
}
