//! One process at a time runs a chain into a folder, and one sends what a chain sends: two that go on with the same run
//! would send it twice.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use usher_abi::Error;

use super::{
    clock::Cancel,
    private::{create_private_folder, disk_error},
};

/// How often whoever waits looks whether the other is done.
const LOOK: Duration = Duration::from_millis(200);

/// The right to run a chain, or to send, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Exclusive {
    _locked: File,
}

/// What to do when another process has it.
#[derive(Clone, Copy)]
pub enum Busy<'a> {
    /// Fail.
    Fail,
    /// Wait for its end, after saying so.
    Wait(&'a Cancel, &'a dyn Fn(&str)),
}

/// What only one may do at a time.
#[derive(Clone, Copy)]
pub enum Right<'a> {
    /// Run a chain into this folder of results; else code `run.going-on`.
    Run(&'a Path),
    /// Send what a chain sends, by this state folder; else code `run.sending`.
    Send(&'a Path),
}

impl Right<'_> {
    /// Where the file is that is locked.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Run(folder) | Self::Send(folder) => folder,
        }
    }

    /// The file that is locked, the word for the folder in errors, what the other one does, the code.
    fn names(&self, chain: &str) -> (String, &'static str, &'static str, &'static str) {
        match self {
            Self::Run(_) => (format!(".{chain}.lock"), "output", "going on", "run.going-on"),
            Self::Send(_) => (format!("sending-{chain}.lock"), "state", "sending", "run.sending"),
        }
    }
}

impl Exclusive {
    /// For a run of a chain, by a file that says who has it. On a file system without locks everybody has it.
    pub fn new(right: Right<'_>, chain: &str, run: &str, busy: Busy<'_>) -> Result<Self, Error> {
        let (name, service, doing, code) = right.names(chain);
        let (folder, path) = (right.folder(), right.folder().join(name));
        let fault = |e: &std::io::Error| disk_error(service, &path, e);
        create_private_folder(folder).map_err(|e| disk_error(service, folder, &e))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(|e| fault(&e))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => {
                    return Err(fault(&error));
                }
                _ => break,
            }
            let Busy::Wait(cancel, tell) = busy else {
                let message = format!(
                    "another run of this chain is {doing} ({}); wait for its end (`--wait`), and run again",
                    holder(&mut file)
                );
                return Err(Error::transient(code, message));
            };
            if !std::mem::replace(&mut told, true) {
                tell(&format!(
                    "another run of chain `{chain}` is {doing} ({}); waiting for its end",
                    holder(&mut file)
                ));
            }
            if cancel.wait(LOOK) {
                return Err(Error::cancelled());
            }
        }
        let since = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
        let says = format!("process {}, run {run}, since {since}\n", std::process::id());
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(says.as_bytes()));
        written.map_err(|e| fault(&e))?;
        Ok(Self { _locked: file })
    }
}

/// Who has it, as the file says.
fn holder(file: &mut File) -> String {
    let mut says = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut says));
    match says.trim() {
        says if read.is_ok() && !says.is_empty() => says.to_owned(),
        _ => "it does not say which".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, thread};

    use super::*;

    #[test]
    fn a_chain_is_sent_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let take = |chain: &str| Exclusive::new(Right::Send(&state), chain, "r1", Busy::Fail);
        let first = take("main").unwrap();
        let error = take("main").unwrap_err();
        assert_eq!(error.code, "run.sending");
        assert!(
            error.message.contains(&format!("process {}, run r1, since 2", std::process::id())),
            "{error}"
        );
        take("other").unwrap();
        drop(first);
        take("main").unwrap();
    }

    #[test]
    fn who_waits_is_told_for_whom_and_gets_it_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let (told, cancel) = (Mutex::new(Vec::new()), Cancel::new());
        let right = Right::Run(folder.path());
        let first = Exclusive::new(right, "main", "r1", Busy::Fail).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let tell = |line: &str| told.lock().unwrap().push(line.to_owned());
                Exclusive::new(right, "main", "r2", Busy::Wait(&cancel, &tell)).unwrap();
            });
            while told.lock().unwrap().is_empty() {
                thread::sleep(Duration::from_millis(5));
            }
            drop(first);
        });
        let told = told.into_inner().unwrap();
        assert!(told.len() == 1 && told[0].contains("run r1"), "{told:?}");
    }

    #[test]
    fn who_waits_can_be_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let cancel = Cancel::new();
        let right = Right::Send(folder.path());
        let _first = Exclusive::new(right, "main", "r1", Busy::Fail).unwrap();
        cancel.cancel();
        let stopped = Exclusive::new(right, "main", "r2", Busy::Wait(&cancel, &|_| {}));
        assert_eq!(stopped.unwrap_err().code, "cancelled");
    }
}
