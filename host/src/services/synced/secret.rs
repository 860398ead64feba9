//! The secret of this machine: without it nobody can tell from the database whom it is about.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _, Write as _},
    path::Path,
};

use usher_abi::Error;

use crate::services::private::{create_private_file, create_private_folder, disk_error};

/// The file's name in the state folder.
const FILE: &str = "synced.key";

/// A person's key in the database: the first 128 bits of a keyed BLAKE3 hash.
pub type Key = [u8; 16];

/// Makes keys of texts, and texts of people unreadable to whoever has not got it.
#[derive(Clone)]
pub struct Secret {
    keys: [u8; 32],
    rows: [u8; 32],
    texts: [u8; 32],
}

impl Secret {
    /// The secret in the state folder; `None` when there is none.
    pub fn load(state: &Path) -> Result<Option<Self>, Error> {
        let path = state.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk_error("state", &path, &error)),
        };
        let seed: [u8; 32] = bytes.try_into().map_err(|_| {
            let message = format!(
                "`{}` is no secret of 32 bytes: restore it from a backup, or remove it together with `synced.db`, and every row \
                 counts as new",
                path.display()
            );
            Error::permanent("state.corrupt", message)
        })?;
        Ok(Some(Self::of(seed)))
    }

    /// As [`load`](Self::load); makes one when there is none.
    pub fn load_or_create(state: &Path) -> Result<Self, Error> {
        if let Some(secret) = Self::load(state)? {
            return Ok(secret);
        }
        let path = state.join(FILE);
        let fault = |error: &std::io::Error| disk_error("state", &path, error);
        create_private_folder(state).map_err(|error| disk_error("state", state, &error))?;
        let seed = random()?;
        match create_private_file(&path) {
            Ok(mut file) => {
                file.write_all(&seed).and_then(|()| file.sync_all()).map_err(|error| fault(&error))?;
                Ok(Self::of(seed))
            }
            // Another process was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Self::load(state)?.ok_or_else(|| fault(&error))
            }
            Err(error) => Err(fault(&error)),
        }
    }

    /// One that nobody keeps: what is made with it means something to this process only.
    pub fn ephemeral() -> Result<Self, Error> {
        random().map(Self::of)
    }

    fn of(seed: [u8; 32]) -> Self {
        let derive = |what: &str| blake3::derive_key(what, &seed);
        Self {
            keys: derive("usher synced 1: keys of people"),
            rows: derive("usher synced 1: rows"),
            texts: derive("usher synced 1: texts"),
        }
    }

    /// The key of a text, which is folded already (see [`usher_keys::fold`]).
    pub fn key(&self, folded: &str) -> Key {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::keyed_hash(&self.keys, folded.as_bytes()).as_bytes()[..16]);
        key
    }

    /// Begins a hash of a row, which nobody can guess without the secret.
    pub fn row_hasher(&self) -> blake3::Hasher {
        blake3::Hasher::new_keyed(&self.rows)
    }

    /// Makes `text` unreadable, or readable again. `key` must be the key of the text: each text has a stream of its own
    /// then, so that nothing is learnt by laying two over each other.
    pub fn seal(&self, key: &Key, text: &mut [u8]) {
        let mut stream = blake3::Hasher::new_keyed(&self.texts).update(key).finalize_xof();
        let mut block = [0; 64];
        for chunk in text.chunks_mut(block.len()) {
            stream.fill(&mut block);
            chunk.iter_mut().zip(&block).for_each(|(byte, with)| *byte ^= with);
        }
    }
}

/// Says nothing of itself.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

fn random() -> Result<[u8; 32], Error> {
    const SOURCE: &str = "/dev/urandom";
    let mut bytes = [0; 32];
    let read = File::open(SOURCE).and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|error| Error::permanent("state.random", format!("cannot read `{SOURCE}` ({error})")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn one_secret_is_kept_and_its_owner_alone_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        assert!(Secret::load(&state).unwrap().is_none());
        let first = Secret::load_or_create(&state).unwrap();
        let again = Secret::load(&state).unwrap().unwrap();
        assert_eq!(first.key("ada@example.com"), again.key("ada@example.com"));
        assert_ne!(first.key("ada@example.com"), Secret::ephemeral().unwrap().key("ada@example.com"));
        let mode = state.join(FILE).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(state.join(FILE), "short").unwrap();
        assert_eq!(Secret::load(&state).unwrap_err().code, "state.corrupt");
    }

    #[test]
    fn a_sealed_text_is_opened_by_its_key() {
        let secret = Secret::ephemeral().unwrap();
        let text = "ada@example.com".repeat(10);
        let key = secret.key(&text);
        let mut sealed = text.clone().into_bytes();
        secret.seal(&key, &mut sealed);
        assert!(!String::from_utf8_lossy(&sealed).contains("example"));
        secret.seal(&key, &mut sealed);
        assert_eq!(sealed, text.into_bytes());
    }
}
