//! A run that goes on while the test does something to it.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::{Bench, Said};

/// Reads the first 100 people only.
pub(crate) const FIRST: &str = "connectors.people.options.input=first.ndjson";

const MANIFEST: &str = r#"
version = 1

[connectors.people]
plugin = "json"
options = { input = "people.ndjson" }

[connectors.lines]
plugin = "json"

[connectors.stuck_rows]
plugin = "misbehaving"
options = { input = "people.csv", fault = "never-return" }

[connectors.stuck_file]
plugin = "misbehaving"
options = { fault = "never-return" }

[chains.people]
from = "people"
to = ["lines"]

[chains.stuck-source]
from = "stuck_rows"
to = ["lines"]

[chains.stuck-sink]
from = "people"
to = ["stuck_file", "lines"]
"#;

/// Longer than anything here takes, even on a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A manifest and about 60 MB of people: some seconds of work.
pub(crate) fn bench() -> Bench {
    bench_of(60)
}

/// A manifest and about so many MB of people.
pub(crate) fn bench_of(megabytes: usize) -> Bench {
    let bench = Bench::new();
    bench.write("connectors.toml", MANIFEST);
    let people: String = (0..1_000)
        .map(|n| {
            format!(
                "{{\"email\":\"person{n:04}@example.com\",\"name\":\"Person {n:04}\",\"locale\":\"en\"}}\n"
            )
        })
        .collect();
    bench.write(
        "first.ndjson",
        people.lines().take(100).map(|line| line.to_owned() + "\n").collect::<String>(),
    );
    bench.write("people.csv", "email\nada@example.com\n");
    bench.write("people.ndjson", people.repeat(megabytes * 1_000_000 / people.len()));
    bench
}

/// As [`bench`], with one good run of the chain `people`; answers its folder's name, too.
pub(crate) fn bench_with_good_run() -> (Bench, String) {
    let bench = bench();
    bench.usher(&["run", "--set", FIRST, "people"]).expect(0);
    let latest = latest(&bench, "people").expect("a good run");
    (bench, latest)
}

/// Where `latest` of a chain points.
pub(crate) fn latest(bench: &Bench, chain: &str) -> Option<String> {
    fs::read_link(bench.path(&format!("out/{chain}/latest"))).ok().map(|path| path.display().to_string())
}

/// The names in a chain's folder, hidden ones as well.
pub(crate) fn names(bench: &Bench, chain: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(bench.path(&format!("out/{chain}"))) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    names
}

/// Nothing but whole runs and `latest`.
#[track_caller]
pub(crate) fn assert_no_leftovers(bench: &Bench, chain: &str) {
    let names = names(bench, chain);
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}

/// A run that goes on.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Starts a run of a chain.
    pub(crate) fn start(bench: &Bench, arguments: &[&str]) -> Self {
        Self::of(bench.command(arguments))
    }

    pub(crate) fn of(mut command: Command) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("usher starts");
        Self { child }
    }

    /// Waits until the run of a chain has a staging folder in which something is as `wanted`.
    pub(crate) fn wait_for(
        &mut self,
        bench: &Bench,
        chain: &str,
        wanted: impl Fn(&[(PathBuf, u64)]) -> bool,
    ) {
        let started = Instant::now();
        loop {
            let staging = names(bench, chain).into_iter().find(|name| name.starts_with(".staging-"));
            let files =
                staging.map(|name| files(bench.path(&format!("out/{chain}/{name}")))).unwrap_or_default();
            if wanted(&files) {
                return;
            }
            if let Some(status) = self.child.try_wait().expect("a child") {
                panic!("the run ended too early, with {status}");
            }
            assert!(started.elapsed() < PATIENCE, "the run has not come far enough: {files:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until rows have reached the disk.
    pub(crate) fn wait_for_rows(&mut self, bench: &Bench, chain: &str) {
        self.wait_for_bytes(bench, chain, 100_000);
    }

    /// Waits until so many bytes of rows have reached the disk.
    pub(crate) fn wait_for_bytes(&mut self, bench: &Bench, chain: &str, wanted: u64) {
        self.wait_for(bench, chain, |files| files.iter().any(|(_, bytes)| *bytes > wanted));
    }

    /// Waits until the run has its own way with Ctrl-C.
    pub(crate) fn wait_until_it_listens(&mut self) {
        let started = Instant::now();
        while cfg!(target_os = "linux") && started.elapsed() < PATIENCE {
            let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught =
                caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
            if caught & (1 << (libc::SIGINT - 1)) != 0 {
                break;
            }
            thread::sleep(Duration::from_millis(2));
        }
        thread::sleep(Duration::from_millis(if cfg!(target_os = "linux") { 300 } else { 2_000 }));
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: i32) {
        // SAFETY: a signal to a child of ours that has not been waited for, so the number is still its own.
        let sent = unsafe { libc::kill(self.child.id() as i32, signal) };
        assert_eq!(sent, 0, "the run is there to be stopped");
    }

    /// Waits for the end; answers what was said and how long it took from now.
    pub(crate) fn end(self, bench: &Bench) -> (Said, Duration) {
        let started = Instant::now();
        let output: Output = self.child.wait_with_output().expect("a child");
        let took = started.elapsed();
        (bench.said(output), took)
    }
}

/// The files below a folder and their sizes; what goes away meanwhile is left out.
fn files(folder: PathBuf) -> Vec<(PathBuf, u64)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.filter_map(|e| Some(e.ok()?.path())) {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => found.extend(files(path)),
            Ok(metadata) => found.push((path, metadata.len())),
            Err(_) => {}
        }
    }
    found
}
