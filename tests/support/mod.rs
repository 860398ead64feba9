//! The real binary on a scratch folder. Every end-to-end test begins with a [`Bench`].

#![allow(
    clippy::allow_attributes,
    reason = "what is unused differs from binary to binary, so it cannot be expected"
)]
#![allow(dead_code, reason = "each test binary uses what it needs")]

pub(crate) mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A scratch folder, and the `usher` binary to run in it.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a scratch folder") }
    }

    /// With the manifest and the examples that are shipped.
    pub(crate) fn shipped() -> Self {
        let bench = Self::new();
        copy(&root().join("examples"), &bench.path("examples"));
        bench.write("connectors.toml", fs::read(root().join("connectors.toml")).expect("the manifest"));
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, folders included.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("inside the folder")).expect("folders");
        fs::write(path, bytes).expect("a file");
        self
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The command, not run yet: plugins from this test's own build, no plugin folders of the machine.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
        command.current_dir(self.folder.path()).args(arguments).arg("--plugin-dir").arg(plugin_dir());
        command
            .env_remove("USHER_PLUGIN_PATH")
            // Plugins of this build are not beside the binary. Where they run is chosen for all tests alike; what is about that
            // says it.
            .env("USHER_ISOLATION", std::env::var("USHER_ISOLATION").unwrap_or_else(|_| "none".to_owned()))
            .env("XDG_DATA_HOME", self.path("no-data"))
            .env("NO_COLOR", "1");
        command
    }

    pub(crate) fn usher(&self, arguments: &[&str]) -> Said {
        self.said(self.command(arguments).output().expect("usher runs"))
    }

    /// Takes what differs from run to run out of an output.
    pub(crate) fn said(&self, output: Output) -> Said {
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let folder = self.folder.path().canonicalize().expect("the folder");
            text.replace(&folder.display().to_string(), "[folder]")
                .replace(&self.folder.path().display().to_string(), "[folder]")
                .replace(&plugin_dir().display().to_string(), "[plugins]")
                .replace(&above(1).display().to_string(), "[build]")
                .replace(&above(2).display().to_string(), "[target]")
                .replace(&root().display().to_string(), "[root]")
        };
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The one part of a connector in the latest run of a chain whose name holds `stem`, as text.
    pub(crate) fn part(&self, chain: &str, connector: &str, stem: &str) -> String {
        let mut parts = self.parts(chain, connector);
        parts.retain(|p| p.to_string_lossy().contains(&format!("-{stem}-")));
        assert_eq!(parts.len(), 1, "{parts:?}");
        fs::read_to_string(&parts[0]).expect("a part")
    }

    /// All parts of a connector in the latest run of a chain, in order.
    pub(crate) fn parts(&self, chain: &str, connector: &str) -> Vec<PathBuf> {
        let folder = self.path(&format!("out/{chain}/latest/{connector}"));
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let mut parts: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
        parts.retain(|p| p.file_name().is_some_and(|n| n != "UPLOAD.md"));
        parts.sort();
        parts
    }
}

impl Said {
    /// Stops the test unless the command ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }

    /// Everything that was said, for a snapshot: times and speeds are taken out.
    pub(crate) fn shown(&self) -> String {
        let code = self.code.map_or("none".to_owned(), |code| code.to_string());
        let mut text = format!("exit code {code}\n");
        for (name, said) in [("standard output", &self.out), ("standard error", &self.err)] {
            // A run of more than ten seconds says how far it is: on a machine that has much to do, any may.
            let is_progress = |line: &&str| {
                (line.contains("/s, ") && line.ends_with(" rejects")) || line.ends_with(" rows sent")
            };
            let lines: Vec<&str> = said.lines().filter(|line| !is_progress(line)).collect();
            if !lines.is_empty() {
                text += &format!("--- {name}\n");
                lines.iter().for_each(|line| text += &(timeless(line) + "\n"));
            }
        }
        text
    }
}

/// `330 records in 0.5 s (236.08 KiB, 430.15 KiB/s)` and `20261121-201500-3f9a` without what differs from run to run.
fn timeless(line: &str) -> String {
    let is_id = |id: &[u8]| {
        let digit = |(place, byte): (usize, &u8)| match place {
            8 | 15 => *byte == b'-',
            16.. => byte.is_ascii_hexdigit(),
            _ => byte.is_ascii_digit(),
        };
        id.iter().enumerate().all(digit)
    };
    if let Some(at) = line.as_bytes().windows(20).position(is_id) {
        return timeless(&format!("{}[the id of the run]{}", &line[..at], &line[at + 20..]));
    }
    match (line.split_once(" records in "), line.rsplit_once(", ")) {
        (Some((before, after)), Some((_, speed))) if speed.ends_with("/s)") => {
            let bytes = after.split_once('(').map_or("", |(_, bytes)| bytes).trim_end_matches(speed);
            format!("{before} records in [time] ({bytes}[speed])")
        }
        _ => line.to_owned(),
    }
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folders");
    for entry in fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display())) {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// Runs a script of `tests/` with Python and answers what it said; stops the test unless it found nothing wrong.
#[track_caller]
pub(crate) fn python(script: &str, folder: &Path, arguments: &[&str]) -> String {
    let script = root().join("tests").join(script);
    let run = Command::new("python3").arg("-B").arg(&script).args(arguments).current_dir(folder).output();
    let output = run.unwrap_or_else(|e| panic!("this test needs python3 on the PATH: {e}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{}: {said}{}",
        script.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// Where cargo leaves this test's own builds of the plugins: beside the test's executable.
pub(crate) fn plugin_dir() -> PathBuf {
    let exe = std::env::current_exe().expect("this executable");
    exe.parent().expect("its folder").to_owned()
}

/// Folders above that one: the executable's, and what holds it.
fn above(steps: usize) -> PathBuf {
    plugin_dir().ancestors().nth(steps).expect("a folder above").to_owned()
}

/// The file of a plugin that cargo built for this test.
pub(crate) fn plugin_file(name: &str) -> PathBuf {
    let file = format!(
        "{}usher_{}{}",
        std::env::consts::DLL_PREFIX,
        name.replace('-', "_"),
        std::env::consts::DLL_SUFFIX
    );
    plugin_dir().join(file)
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}
