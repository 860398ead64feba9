//! Killed at any instant, a chain of files leaves what was there as it was, and the next run makes the same bytes as one
//! that nobody disturbed.
//!
//! `USHER_KILLS` (200) says how often, `USHER_FIRST_SEED` (1) which instants.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::support::Bench;

/// Benches that are killed at the same time.
const WORKERS: u64 = 4;
/// After so many kills a run may end.
const KILLS_IN_A_ROW: u64 = 5;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Pseudo-random numbers that a seed draws again (splitmix64).
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % most.max(1)
    }
}

/// Every file of a run but its receipt, which has digests of texts with the run's id in them; that id is taken out.
fn files(folder: &Path, id: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in walk(folder) {
        let name = entry.strip_prefix(folder).unwrap().to_string_lossy().replace(id, "RUN");
        if name != "receipt.json" {
            let text = String::from_utf8(fs::read(&entry).unwrap()).unwrap();
            files.insert(name, text.replace(id, "RUN").into_bytes());
        }
    }
    files
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// The folders of all chains; beside them are the files that are locked.
fn chains(bench: &Bench) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(bench.path("out")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
}

/// What `latest` of every chain holds.
fn latest(bench: &Bench) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    chains(bench)
        .map(|chain| {
            let id = fs::read_link(chain.join("latest")).unwrap();
            let name = chain.file_name().unwrap().to_string_lossy().into_owned();
            (name, files(&chain.join(&id), &id.to_string_lossy()))
        })
        .collect()
}

fn is_clean(bench: &Bench, context: &str) {
    for chain in chains(bench) {
        for entry in fs::read_dir(chain).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            // A run that is killed in the microseconds before its folder has a lock, or before its link is `latest`, leaves
            // what others may be about to use, for all anybody knows; it goes an hour later (`services/output/leftovers.rs`).
            let is_becoming = name.starts_with(".starting-") || name.starts_with(".latest-");
            assert!(!name.starts_with('.') || is_becoming, "{context}: {name:?} was left");
        }
    }
}

/// Kills runs of all chains of the examples at random instants.
fn torment(seed: u64, kills: u64) {
    let bench = Bench::shipped();
    let begun = Instant::now();
    bench.usher(&["run", "--quiet", "--run-id", "run-00000"]).expect(0);
    let whole = begun.elapsed().as_micros() as u64;
    let expected = latest(&bench);
    let mut dice = Dice(seed);
    for kill in 1..=kills {
        let context = format!("seed {seed}, kill {kill}");
        let id = format!("run-{kill:05}");
        let mut command = bench.command(&["run", "--quiet", "--run-id", &id]);
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_micros(dice.up_to(whole * 11 / 10)));
        run.kill().unwrap();
        run.wait().unwrap();
        // A chain that was done is published whole, one that was not is not there.
        assert_eq!(latest(&bench), expected, "{context}");
        if kill % KILLS_IN_A_ROW == 0 {
            let id = format!("end-{kill:05}");
            bench.usher(&["run", "--quiet", "--run-id", &id]).expect(0);
            assert_eq!(latest(&bench), expected, "{context}, and a whole run after it");
            is_clean(&bench, &context);
            bench.usher(&["runs", "verify", &id, "--quiet"]).expect(0);
        }
    }
}

#[test]
fn whenever_it_is_killed_what_was_there_stays_and_the_next_run_is_whole() {
    let (kills, first) = (number("USHER_KILLS", 200), number("USHER_FIRST_SEED", 1));
    println!("{kills} kills, seeds from {first}");
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            scope.spawn(move || torment(first + worker, kills.div_ceil(WORKERS)));
        }
    });
}
