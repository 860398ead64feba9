//! What a sink wants to know again of every row, kept on disk instead of in memory.

use usher_abi::{Error, service::PartFormat};

use crate::{Host, PartHandle};

/// Bytes collected before they are handed to the host.
const CHUNK: usize = 64 * 1024;

/// Notes of `N` bytes each, numbered from 0 in the order in which they come.
///
/// They are in a part of the host's that is never finished and so never published; memory is a buffer of 64 KiB. Reading
/// one note is one read from disk: good for the few rows that need it, not for all.
#[derive(Debug)]
pub struct Aside<const N: usize> {
    host: Host,
    handle: Option<PartHandle>,
    buffer: Vec<u8>,
    /// Bytes that the host has.
    stored: u64,
}

impl<const N: usize> Aside<N> {
    /// No notes.
    pub fn new(host: &Host) -> Self {
        Self { host: host.clone(), handle: None, buffer: Vec::new(), stored: 0 }
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        (self.stored + self.buffer.len() as u64) / N as u64
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a note; answers its number.
    pub fn push(&mut self, note: &[u8; N]) -> Result<u64, Error> {
        let number = self.len();
        self.buffer.extend_from_slice(note);
        if self.buffer.len() >= CHUNK {
            if self.handle.is_none() {
                let format = PartFormat::bytes();
                self.handle = Some(self.host.output()?.create("aside", "tmp", &format)?);
            }
            if let Some(handle) = &mut self.handle {
                handle.write(&self.buffer)?;
            }
            self.stored += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(number)
    }

    /// The note of that number, which must have been added.
    pub fn get(&mut self, number: u64) -> Result<[u8; N], Error> {
        let lost = || Error::bug("aside.lost", format!("there is no note {number}, or the host has lost it"));
        let (at, mut note) = (number * N as u64, [0; N]);
        if let Some(within) = at.checked_sub(self.stored) {
            let within = usize::try_from(within).map_err(|_| lost())?;
            note.copy_from_slice(self.buffer.get(within..within + N).ok_or_else(lost)?);
            return Ok(note);
        }
        let handle = self.handle.as_mut().ok_or_else(lost)?;
        let mut done = 0;
        while done < N {
            match handle.read_back(at + done as u64, &mut note[done..])? {
                0 => return Err(lost()),
                read => done += read,
            }
        }
        Ok(note)
    }

    /// Throws all notes away.
    pub fn discard(mut self) -> Result<(), Error> {
        self.handle.take().map_or(Ok(()), PartHandle::discard)
    }
}
