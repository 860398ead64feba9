//! Files of plugins that somebody has changed, a few bytes each: with a lock none is loaded; without one the preamble refuses
//! it, or its worker contains whatever it does. The host survives each. `USHER_MUTANTS` says how many (100), `USHER_SEED` the first
//! seed (1); each prints its seed when it fails.

use std::{fs, process::Command, time::Instant};

use crate::{bench, support::Bench, today};

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// Changes the file of a plugin, as the seed says.
fn mutate(seed: u64, bytes: &mut Vec<u8>) {
    let mut random = fastrand::Rng::with_seed(seed);
    // Half of them where a loader looks first: headers, names, what is to be relocated.
    let within = if random.bool() { bytes.len() } else { bytes.len().min(128 << 10) };
    match random.u32(0..20) {
        0 => bytes.truncate(random.usize(..within)),
        1 => {
            let (from, to) = (random.usize(..within), random.usize(..within));
            let len = random.usize(1..4096).min(bytes.len() - from).min(bytes.len() - to);
            bytes.copy_within(from..from + len, to);
        }
        2 => {
            let from = random.usize(..within);
            let end = (from + random.usize(1..65536)).min(bytes.len());
            bytes[from..end].fill(0);
        }
        _ => {
            for _ in 0..1 << random.u32(0..8) {
                let place = random.usize(..within);
                bytes[place] =
                    if random.bool() { random.u8(..) } else { bytes[place] ^ (1 << random.u32(0..8)) };
            }
        }
    }
}

fn command(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = bench.command(arguments);
    for connector in ["people", "known", "kept"] {
        command.args(["--set", &format!("connectors.{connector}.jail.deadline=2s")]);
    }
    command.env("TOKEN", "not to be seen").env("RUST_BACKTRACE", "0");
    command
}

#[test]
fn changed_files_harm_nobody() {
    let whole = fs::read(crate::file(&today())).expect("the kept plugin");
    let bench = bench(&whole);
    let run = ["run", "--quiet", "--isolation", "process", "--out", "out-mutants"];
    bench.said(command(&bench, &run).output().expect("usher runs")).expect(0);
    let (first, count) = (number("USHER_SEED", 1), number("USHER_MUTANTS", 100));
    let mut ends = [0_u64; 4];
    for seed in first..first + count {
        let mut bytes = whole.clone();
        mutate(seed, &mut bytes);
        bench.write("sample.so", &bytes);
        let started = Instant::now();
        let said = bench.said(command(&bench, &run).output().expect("usher runs"));
        let code =
            said.code.unwrap_or_else(|| panic!("seed {seed}: the host died: {}{}", said.out, said.err));
        assert!((0..=3).contains(&code), "seed {seed}: {code}: {}", said.err);
        assert!(
            code == 0 || !format!("{}{}", said.out, said.err).is_empty(),
            "seed {seed}: {code}, and no word"
        );
        assert!(started.elapsed().as_secs() < 60, "seed {seed}: it took {:?}", started.elapsed());
        ends[code as usize] += 1;
        let folder = bench.path("out-mutants/main");
        let staging = fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
        let staging = staging.filter(|entry| entry.file_name().to_string_lossy().starts_with(".staging"));
        assert_eq!(staging.count(), 0, "seed {seed}: something half-written is left");
        if seed % 100 == 0 {
            let _ = fs::remove_dir_all(bench.path("out-mutants"));
        }
    }
    println!(
        "{count} changed files from seed {first}: {} as before, {} failed, {} refused, {} with rejects",
        ends[0], ends[1], ends[2], ends[3]
    );
    assert!(count < 50 || (ends[2] > 0 && ends[0] > 0), "{ends:?}: some are refused, some do not matter");
}

#[test]
fn with_a_lock_no_changed_file_is_loaded() {
    let whole = fs::read(crate::file(&today())).expect("the kept plugin");
    let bench = bench(&whole);
    bench.said(command(&bench, &["plugins", "lock"]).output().expect("usher runs")).expect(0);
    bench.said(command(&bench, &["run", "--quiet"]).output().expect("usher runs")).expect(0);
    let (first, count) = (number("USHER_SEED", 1), number("USHER_MUTANTS", 100));
    for seed in first..first + count {
        let mut bytes = whole.clone();
        mutate(seed, &mut bytes);
        if bytes == whole {
            continue;
        }
        bench.write("sample.so", &bytes);
        let said = bench.said(command(&bench, &["check"]).output().expect("usher runs"));
        assert_eq!(said.code, Some(2), "seed {seed}: {}{}", said.out, said.err);
        // What was loaded would have said something of its own, or died.
        assert!(!said.err.contains("its process"), "seed {seed}: {}", said.err);
    }
}
