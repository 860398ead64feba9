//! Messages over a socket: their length in four bytes, then the message. Whoever is at the other end may be hostile: a length
//! is believed only as far as bytes come.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
};

use serde::{Serialize, de::DeserializeOwned};

/// The longest message. Bytes of batches, slabs and parts are not in messages; reports of what a plugin rejected are.
const LONGEST: usize = 64 << 20;

/// Room for the messages that are usual.
const ROOM: usize = 16 << 10;

/// One end of a lane.
#[derive(Debug)]
pub(super) struct Wire {
    socket: UnixStream,
    /// What is sent is put together here, and what comes is read into it.
    buffer: Vec<u8>,
}

/// Why there is no message.
#[derive(Debug)]
pub(super) enum Broken {
    /// Nobody is at the other end any more.
    Closed,
    /// What came is no message, in words.
    Garbled(String),
    /// It took too long.
    GivenUp,
    /// It was to be cancelled, and took too long.
    Cancelled,
}

impl Wire {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self { socket, buffer: Vec::new() }
    }

    /// Sends a message.
    pub(super) fn send(&mut self, message: &impl Serialize) -> Result<(), Broken> {
        self.buffer.clear();
        self.buffer.extend_from_slice(&[0; 4]);
        let written = postcard::to_extend(message, std::mem::take(&mut self.buffer));
        self.buffer = written.map_err(|e| Broken::Garbled(format!("a message cannot be written: {e}")))?;
        let length = self.buffer.len() - 4;
        if length > LONGEST {
            return Err(Broken::Garbled(format!("a message of {length} bytes is too long")));
        }
        self.buffer[..4].copy_from_slice(&(length as u32).to_le_bytes());
        self.socket.write_all(&self.buffer).map_err(|_| Broken::Closed)
    }

    /// The next message. `wait` is asked whenever nothing has come for as long as the socket's time limit says.
    pub(super) fn receive<T: DeserializeOwned>(
        &mut self,
        mut wait: impl FnMut() -> bool,
    ) -> Result<T, Broken> {
        self.buffer.resize(ROOM, 0);
        let mut filled = 0;
        while filled < 4 {
            filled += self.read(filled, &mut wait)?;
        }
        let length = u32::from_le_bytes([self.buffer[0], self.buffer[1], self.buffer[2], self.buffer[3]]);
        let whole = 4 + length as usize;
        if whole > LONGEST + 4 {
            return Err(Broken::Garbled(format!("it says that a message of {length} bytes comes")));
        }
        while filled < whole {
            if filled == self.buffer.len() {
                self.buffer.resize((2 * filled).min(whole), 0);
            }
            filled += self.read(filled, &mut wait)?;
        }
        if filled > whole {
            return Err(Broken::Garbled("it spoke when it was not asked".to_owned()));
        }
        let message = postcard::take_from_bytes(&self.buffer[4..whole]);
        let (message, rest) = message.map_err(|e| Broken::Garbled(format!("no message: {e}")))?;
        let answer = if rest.is_empty() {
            Ok(message)
        } else {
            Err(Broken::Garbled("a message is too long".to_owned()))
        };
        self.buffer.truncate(ROOM);
        self.buffer.shrink_to(1 << 20);
        answer
    }

    fn read(&mut self, from: usize, wait: &mut impl FnMut() -> bool) -> Result<usize, Broken> {
        loop {
            match self.socket.read(&mut self.buffer[from..]) {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => return Ok(count),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    if !wait() {
                        return Err(Broken::GivenUp);
                    }
                }
                Err(_) => return Err(Broken::Closed),
            }
        }
    }
}
