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
        let mut note = [[0; N]];
        self.fill(number, &mut note)?;
        let [note] = note;
        Ok(note)
    }

    /// The notes `first..first + count`, which must have been added.
    pub fn read(&mut self, first: u64, count: u64) -> Result<Vec<[u8; N]>, Error> {
        let mut notes = vec![[0; N]; usize::try_from(count).map_err(|_| lost(first))?];
        self.fill(first, &mut notes)?;
        Ok(notes)
    }

    fn fill(&mut self, first: u64, notes: &mut [[u8; N]]) -> Result<(), Error> {
        let bytes = notes.as_flattened_mut();
        let mut at = first * N as u64;
        let mut done = 0;
        while done < bytes.len() {
            let rest = &mut bytes[done..];
            let read = if let Some(within) = at.checked_sub(self.stored) {
                let within = usize::try_from(within).map_err(|_| lost(first))?;
                let held = self.buffer.get(within..within + rest.len()).ok_or_else(|| lost(first))?;
                rest.copy_from_slice(held);
                held.len()
            } else {
                // The host has the beginning, the buffer may have the end.
                let most = usize::try_from(self.stored - at).map_or(rest.len(), |most| most.min(rest.len()));
                let handle = self.handle.as_mut().ok_or_else(|| lost(first))?;
                handle.read_back(at, &mut rest[..most])?
            };
            if read == 0 {
                return Err(lost(first));
            }
            done += read;
            at += read as u64;
        }
        Ok(())
    }

    /// Throws all notes away.
    pub fn discard(mut self) -> Result<(), Error> {
        self.handle.take().map_or(Ok(()), PartHandle::discard)
    }
}

fn lost(number: u64) -> Error {
    Error::bug("aside.lost", format!("there is no note {number}, or the host has lost it"))
}
