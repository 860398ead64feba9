//! One process at a time sends what a chain sends: two that go on with the same run would send it twice.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use usher_abi::Error;

use super::private::{create_private_folder, disk_error};

/// The right to send, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Exclusive {
    _locked: File,
}

impl Exclusive {
    /// For a chain, by a file in the state folder; code `run.sending` when another process has it. On a file system
    /// without locks everybody has it.
    pub fn new(state: &Path, chain: &str) -> Result<Self, Error> {
        let path = state.join(format!("sending-{chain}.lock"));
        create_private_folder(state).map_err(|e| disk_error("state", state, &e))?;
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = opened.map_err(|e| disk_error("state", &path, &e))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(Error::transient(
                "run.sending",
                "another run of this chain is sending; wait for its end, and run again",
            )),
            Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => {
                Err(disk_error("state", &path, &error))
            }
            _ => Ok(Self { _locked: file }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_sent_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Exclusive::new(&folder.path().join("state"), "main").unwrap();
        assert_eq!(Exclusive::new(&folder.path().join("state"), "main").unwrap_err().code, "run.sending");
        Exclusive::new(&folder.path().join("state"), "other").unwrap();
        drop(first);
        Exclusive::new(&folder.path().join("state"), "main").unwrap();
    }
}
