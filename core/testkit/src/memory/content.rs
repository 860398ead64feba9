//! The bytes of a part: in memory, or in an unnamed file for runs that watch their memory.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
};

use usher_abi::Error;

#[derive(Debug)]
pub(super) enum Content {
    Memory(Vec<u8>),
    Disk(File),
}

impl Content {
    pub(super) fn on_disk() -> Result<Self, Error> {
        tempfile::tempfile().map(Self::Disk).map_err(failed)
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Memory(content) => {
                content.extend_from_slice(bytes);
                Ok(())
            }
            Self::Disk(file) => {
                file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(bytes)).map_err(failed)
            }
        }
    }

    /// Fills `into` from a place on; answers how many bytes there were.
    pub(super) fn read(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        match self {
            Self::Memory(content) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
                let len = into.len().min(content.len() - from);
                into[..len].copy_from_slice(&content[from..from + len]);
                Ok(len)
            }
            Self::Disk(file) => {
                file.seek(SeekFrom::Start(offset)).and_then(|_| file.read(into)).map_err(failed)
            }
        }
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::permanent("test.file", format!("the scratch file of a part: {error}"))
}
