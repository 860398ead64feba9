//! The bytes of a reply.

use std::{io::Read, time::Instant};

use flate2::read::MultiGzDecoder;
use usher_abi::{Error, HttpReply};

use super::wire::{Missed, Received, missed_body};

/// Bytes of a slab. As many of a body are read before the reply counts as there: what is cut within them is tried
/// again, and a reply that is no larger holds no connection while its reader takes its time.
pub(super) const SLAB: usize = 256 << 10;

/// A body, of which the first bytes are here.
pub(super) struct Body {
    reader: Box<dyn Read + Send>,
    first: Option<Vec<u8>>,
    ended: bool,
    /// Bytes that may still come.
    left: u64,
    most: u64,
}

/// The head of a reply with its body, of which the first bytes have come before `deadline`; at most `most` may come
/// in all. Unpacked when it is packed and that was asked for.
pub(super) fn open(
    received: Received,
    gzip: bool,
    most: u64,
    deadline: Instant,
) -> Result<(HttpReply, Body), Missed> {
    let Received { status, mut headers, body: mut reader } = received;
    let packed =
        |(name, value): &(String, String)| name == "content-encoding" && value.eq_ignore_ascii_case("gzip");
    if gzip && headers.iter().any(packed) {
        reader = Box::new(MultiGzDecoder::new(reader));
        headers.retain(|(name, _)| name != "content-encoding" && name != "content-length");
    }
    let mut body = Body { reader, first: None, ended: false, left: most, most };
    body.first = Some(body.fill(Some(deadline))?);
    Ok((HttpReply { status, headers, ..HttpReply::default() }, body))
}

impl Body {
    /// The next bytes, never empty; none at the end. `name` is the request's, for messages.
    pub(super) fn next(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let bytes = match self.first.take() {
            Some(first) => first,
            None => self.fill(None).map_err(|missed| missed.error(name, ""))?,
        };
        if bytes.len() as u64 > self.left {
            return Err(Error::data(
                "http.too-large",
                format!("the reply to {name} is larger than {} bytes; ask for less at once", self.most),
            ));
        }
        self.left -= bytes.len() as u64;
        Ok((!bytes.is_empty()).then_some(bytes))
    }

    /// As much as a slab holds, less at the end; empty after it.
    fn fill(&mut self, deadline: Option<Instant>) -> Result<Vec<u8>, Missed> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 16 << 10];
        while !self.ended && bytes.len() < SLAB {
            let room = chunk.len().min(SLAB - bytes.len());
            match self.reader.read(&mut chunk[..room]) {
                Ok(0) => self.ended = true,
                Ok(read) => bytes.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(missed_body(error)),
            }
            if !self.ended && deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return Err(Missed::TimedOut("the reply came too slowly".to_owned()));
            }
        }
        Ok(bytes)
    }
}
