//! Bodies that do not come as they should: cut in the middle, or drop by drop.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Bytes, HttpBody};
use http_body::Frame;
use tokio::time::{Sleep, sleep};

use crate::socket::Breaker;

/// Half of the bytes, then the connection is reset.
pub(crate) struct Cut {
    half: Option<Bytes>,
    breaker: Breaker,
    pause: Pin<Box<Sleep>>,
}

impl Cut {
    pub(crate) fn new(body: &[u8], breaker: Breaker) -> Self {
        let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
        // The first half must be on its way before the reset, which would overtake it.
        Self { half: Some(half), breaker, pause: Box::pin(sleep(Duration::from_millis(20))) }
    }
}

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if self.pause.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.breaker.trip();
        Poll::Ready(Some(Err(io::Error::other("broken off on purpose"))))
    }
}

/// Ten pieces, with a breath before each.
pub(crate) struct Drip {
    left: Bytes,
    piece: usize,
    breath: Duration,
    pause: Pin<Box<Sleep>>,
}

impl Drip {
    pub(crate) fn new(body: Vec<u8>, breath: Duration) -> Self {
        let piece = body.len().div_ceil(10).max(1);
        Self { left: Bytes::from(body), piece, breath, pause: Box::pin(sleep(breath)) }
    }
}

impl HttpBody for Drip {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        if self.pause.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let length = self.piece.min(self.left.len());
        let piece = self.left.split_to(length);
        self.pause = Box::pin(sleep(self.breath));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
