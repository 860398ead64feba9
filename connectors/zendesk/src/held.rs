//! Users on their way to the API, kept on disk until the end: what merged rows add to them and the ids of organizations
//! that are created are known only then.

use serde_json::{Map, Value};
use usher_sdk::{
    Host, PartHandle, Row,
    abi::{Error, Origin, service::PartFormat},
    checks::Fault,
};

use crate::{
    limits,
    patterns::Placed,
    user::{Encoder, UNRESOLVED},
};

/// Bytes collected before they are handed to the host, and read back at once.
const CHUNK: usize = 256 * 1024;

/// Bytes before each user: length, where it came from, whether it names organizations without ids.
const HEAD: usize = 4 + 16 + 1;

/// A user that was held.
#[derive(Debug)]
pub(crate) struct User {
    /// Its number.
    pub(crate) row: u32,
    pub(crate) origin: Origin,
    /// A line of JSON.
    pub(crate) text: Vec<u8>,
    /// It has [`UNRESOLVED`](crate::user::UNRESOLVED) organizations.
    pub(crate) unresolved: bool,
}

/// See the module's head. Memory is one buffer.
#[derive(Debug)]
pub(crate) struct Held {
    host: Host,
    pub(crate) encoder: Encoder,
    part: Option<PartHandle>,
    buffer: Vec<u8>,
    rows: u32,
}

impl Held {
    pub(crate) fn new(host: &Host, encoder: Encoder) -> Self {
        Self { host: host.clone(), encoder, part: None, buffer: Vec::new(), rows: 0 }
    }

    /// Takes a row.
    pub(crate) fn push(&mut self, row: &Row) -> Result<Result<Placed, Fault>, Error> {
        let user = self.encoder.encode(row);
        let text = line(&user)?;
        let bytes = text.len() as u64;
        if bytes > limits::API_ROW_BYTES {
            let message = format!(
                "the user has {bytes} bytes as JSON, {} are allowed; shorten its texts",
                limits::API_ROW_BYTES
            );
            return Ok(Err(Fault::new("row.too-long", message)));
        }
        let placed = Placed { group: 0, row: self.rows, bytes };
        let origin = row.origin();
        self.buffer.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.buffer.extend_from_slice(&origin.input.to_le_bytes());
        self.buffer.extend_from_slice(&origin.length.to_le_bytes());
        self.buffer.extend_from_slice(&origin.offset.to_le_bytes());
        self.buffer.push(u8::from(user.contains_key(UNRESOLVED)));
        self.buffer.extend_from_slice(&text);
        self.rows = self
            .rows
            .checked_add(1)
            .ok_or_else(|| Error::data("rows.too-many", "too many rows; split the input"))?;
        if self.buffer.len() >= CHUNK {
            self.store()?;
        }
        Ok(Ok(placed))
    }

    fn store(&mut self) -> Result<(), Error> {
        let part = match &mut self.part {
            Some(part) => part,
            None => {
                let new = self.host.output()?.create("held", "tmp", &PartFormat::bytes())?;
                self.part.insert(new)
            }
        };
        part.write(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Hands out all users in their order, and throws them away.
    pub(crate) fn drain(mut self, mut each: impl FnMut(User) -> Result<(), Error>) -> Result<(), Error> {
        let Some(mut part) = self.part.take() else {
            let mut reader = Back { part: None, stored: 0, ready: self.buffer, at: 0 };
            return reader.all(self.rows, &mut each);
        };
        part.write(&self.buffer)?;
        let mut reader = Back { part: Some(&mut part), stored: 0, ready: Vec::new(), at: 0 };
        reader.all(self.rows, &mut each)?;
        part.discard()
    }

    /// Throws all users away.
    pub(crate) fn discard(mut self) -> Result<(), Error> {
        self.part.take().map_or(Ok(()), PartHandle::discard)
    }
}

/// A user as a line of JSON.
pub(crate) fn line(user: &Map<String, Value>) -> Result<Vec<u8>, Error> {
    let mut text = serde_json::to_vec(user).map_err(|e| Error::bug("user.json", e.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

/// Reads back from the beginning.
struct Back<'a> {
    part: Option<&'a mut PartHandle>,
    /// Bytes read from the part so far.
    stored: u64,
    ready: Vec<u8>,
    at: usize,
}

impl Back<'_> {
    fn all(&mut self, rows: u32, each: &mut impl FnMut(User) -> Result<(), Error>) -> Result<(), Error> {
        for row in 0..rows {
            let head: [u8; HEAD] = self.take(HEAD)?.try_into().map_err(|_| lost())?;
            let four = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| head[at + i]));
            let offset = u64::from_le_bytes(std::array::from_fn(|i| head[12 + i]));
            let origin = Origin { input: four(4), length: four(8), offset };
            let length = usize::try_from(four(0)).map_err(|_| lost())?;
            let text = self.take(length)?;
            each(User { row, origin, text, unresolved: head[HEAD - 1] == 1 })?;
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>, Error> {
        while self.ready.len() - self.at < count {
            let part = self.part.as_deref_mut().ok_or_else(lost)?;
            self.ready.drain(..self.at);
            self.at = 0;
            let before = self.ready.len();
            self.ready.resize(before + CHUNK.max(count), 0);
            let read = part.read_back(self.stored, &mut self.ready[before..])?;
            self.ready.truncate(before + read);
            self.stored += read as u64;
            if read == 0 {
                return Err(lost());
            }
        }
        let taken = self.ready[self.at..self.at + count].to_vec();
        self.at += count;
        Ok(taken)
    }
}

fn lost() -> Error {
    Error::bug("held.lost", "a user that was held cannot be read back")
}
