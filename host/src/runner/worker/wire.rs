//! Messages over a socket: their length in four bytes, then the message. Whoever is at the other end may be hostile: a length
//! is believed only as far as bytes come.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
};

use serde::{Serialize, de::DeserializeOwned};
use usher_abi::Error;

use super::protocol::{Answer, ToWorker};

/// The longest message. Bytes of batches, slabs and parts are not in messages; reports of what a plugin rejected are, a hundred
/// thousand rows of them. What a message becomes in memory is some twenty times as much at worst.
const LONGEST: usize = 32 << 20;

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
    /// This side has not what it takes to speak, in words.
    Unable(String),
    /// What is to be sent has so many bytes, more than a message may have; nothing was sent.
    TooLong(usize),
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
            self.buffer = Vec::new();
            return Err(Broken::TooLong(length));
        }
        self.buffer[..4].copy_from_slice(&(length as u32).to_le_bytes());
        self.socket.write_all(&self.buffer).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                Broken::Garbled("it does not take what it is sent".to_owned())
            }
            _ => Broken::Closed,
        })
    }

    /// Answers a question; what is too long for a message is an error that says so.
    pub(super) fn answer(&mut self, answer: Result<Answer, Error>) -> Result<(), Broken> {
        match self.send(&ToWorker::Answer(answer)) {
            Err(Broken::TooLong(length)) => self.send(&ToWorker::Answer(Err(too_long(length)))),
            sent => sent,
        }
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
            // Bytes that drip keep nobody waiting for longer than silence does.
            if filled < whole && !wait() {
                return Err(Broken::GivenUp);
            }
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

/// What is told instead of what is too long.
pub(super) fn too_long(length: usize) -> Error {
    let most = LONGEST / 1_000_000;
    Error::bug(
        "worker.memory",
        format!("what is to be told has {length} bytes, more than the {most} MB of a message"),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn pair() -> (Wire, UnixStream) {
        let (here, there) = UnixStream::pair().unwrap();
        here.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        (Wire::new(here), there)
    }

    #[test]
    fn messages_of_any_length_come_as_they_were_sent() {
        let (mut here, there) = pair();
        let mut there = Wire::new(there);
        for length in [0, 1, ROOM - 5, ROOM, ROOM + 1, 5_000_000] {
            let message: Vec<u8> = (0..length).map(|i| i as u8).collect();
            std::thread::scope(|scope| {
                scope.spawn(|| there.send(&message).unwrap());
                let received: Vec<u8> = here.receive(|| true).unwrap();
                assert!(received == message, "{length}");
            });
            assert!(here.buffer.capacity() <= 1 << 20, "what was long is not kept");
        }
    }

    #[test]
    fn what_is_too_long_is_not_sent_and_harms_nothing() {
        let (mut here, there) = pair();
        let long = vec![0_u8; LONGEST];
        assert!(matches!(here.send(&long), Err(Broken::TooLong(length)) if length > LONGEST));
        here.send(&7_u32).unwrap();
        assert_eq!(Wire::new(there).receive::<u32>(|| true).unwrap(), 7);
    }

    #[test]
    fn nonsense_is_no_message() {
        let said = |bytes: &[u8]| {
            let (mut here, mut there) = pair();
            there.write_all(bytes).unwrap();
            drop(there);
            here.receive::<(u32, String)>(|| true).unwrap_err()
        };
        assert!(matches!(said(&[]), Broken::Closed));
        assert!(matches!(said(&[1, 0]), Broken::Closed));
        assert!(matches!(said(&[9, 0, 0, 0, 1]), Broken::Closed), "it is cut");
        assert!(matches!(said(&[255; 64]), Broken::Garbled(what) if what.contains("4294967295 bytes")));
        assert!(matches!(said(&[2, 0, 0, 0, 1, 9]), Broken::Garbled(what) if what.contains("no message")));
        assert!(matches!(said(&[2, 0, 0, 0, 1, 0, 7]), Broken::Garbled(what) if what.contains("not asked")));
        assert!(matches!(said(&[3, 0, 0, 0, 1, 0, 7]), Broken::Garbled(what) if what.contains("too long")));
    }

    #[test]
    fn who_waits_may_give_up() {
        let (mut here, _there) = pair();
        let mut left = 3;
        let given_up = here.receive::<u32>(|| {
            left -= 1;
            left > 0
        });
        assert!(matches!(given_up, Err(Broken::GivenUp)));
        assert_eq!(left, 0);
    }
}
