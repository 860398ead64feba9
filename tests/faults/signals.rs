//! Ctrl-C, SIGTERM, kill -9.

use std::time::Duration;

use crate::{
    running::{FIRST, Running, assert_no_leftovers, bench, bench_with_good_run, latest, names},
    support::{Bench, Said},
};

/// A second of grace, and what a busy machine needs to end a process.
const SOON: Duration = Duration::from_millis(2_500);

/// Stops a run of the chain while rows are being written; answers what it said.
fn stopped(bench: &Bench, signal: i32) -> Said {
    let mut run = Running::start(bench, &["run", "people"]);
    run.wait_for_rows(bench, "people");
    run.signal(signal);
    let (said, took) = run.end(bench);
    assert!(took < SOON, "it took {took:?}: {}", said.err);
    said
}

#[test]
fn ctrl_c_stops_a_run_and_leaves_the_one_before() {
    let (bench, before) = bench_with_good_run();
    let names_before = names(&bench, "people");
    let said = stopped(&bench, libc::SIGINT).expect(130);
    assert_eq!(names(&bench, "people"), names_before);
    assert_eq!(latest(&bench, "people"), Some(before));
    insta::assert_snapshot!(said.err);
    // It is safe to run it again, as it says.
    bench.usher(&["run", "--set", FIRST, "people"]).expect(0);
}

#[test]
fn sigterm_stops_a_run_and_leaves_the_one_before() {
    let (bench, before) = bench_with_good_run();
    let names_before = names(&bench, "people");
    stopped(&bench, libc::SIGTERM).expect(143);
    assert_eq!(names(&bench, "people"), names_before);
    assert_eq!(latest(&bench, "people"), Some(before));
}

/// Nothing is begun after a signal.
#[test]
fn ctrl_c_stops_the_chains_that_would_follow() {
    let bench = bench();
    let mut run = Running::start(&bench, &["run", "people", "stuck-sink"]);
    run.wait_for_rows(&bench, "people");
    run.signal(libc::SIGINT);
    let (said, took) = run.end(&bench);
    assert_eq!(said.code, Some(130), "{}", said.err);
    assert!(took < SOON, "it took {took:?}");
    assert_eq!(names(&bench, "stuck-sink"), [""; 0]);
    assert_no_leftovers(&bench, "people");
}

#[test]
fn ctrl_c_stops_a_plan() {
    let bench = bench();
    let mut run = Running::start(&bench, &["plan", "people"]);
    // A plan leaves no file to wait for; it has some seconds to do.
    run.wait_until_it_listens();
    run.signal(libc::SIGINT);
    let (said, took) = run.end(&bench);
    assert_eq!(said.code, Some(130), "{}{}", said.out, said.err);
    assert!(took < SOON, "it took {took:?}");
    assert_eq!(names(&bench, "people"), [""; 0]);
}

/// A call that ignores being cancelled cannot be ended, so the process is; its staging folder goes first.
#[test]
fn ctrl_c_ends_a_run_whose_plugin_never_returns() {
    for chain in ["stuck-source", "stuck-sink"] {
        let bench = bench();
        let mut command = bench.command(&["run", chain]);
        // In a process of its own it would leave no mark, and be ended without the host.
        command.env("USHER_STUCK", bench.path("stuck")).env("USHER_ISOLATION", "none");
        let mut run = Running::of(command);
        run.wait_for(&bench, chain, |_| bench.path("stuck").exists());
        run.signal(libc::SIGINT);
        let (said, took) = run.end(&bench);
        assert_eq!(said.code, Some(130), "{chain}: {}{}", said.out, said.err);
        assert!(took < SOON, "{chain}: it took {took:?}");
        assert_eq!(names(&bench, chain), [""; 0], "{chain}: nothing is left");
        let line = "interrupted: a connector did not stop within a second; nothing was published";
        assert!(said.err.lines().any(|l| l == line), "{chain}: {}", said.err);
    }
}

#[test]
fn the_run_after_kill_9_clears_what_was_left() {
    let (bench, before) = bench_with_good_run();
    let mut run = Running::start(&bench, &["run", "people"]);
    run.wait_for_rows(&bench, "people");
    run.signal(libc::SIGKILL);
    let (said, _) = run.end(&bench);
    assert_eq!(said.code, None, "a signal ended it");
    let left: Vec<String> =
        names(&bench, "people").into_iter().filter(|n| n.starts_with(".staging-")).collect();
    assert_eq!(left.len(), 1, "the dead run's folder");
    assert_eq!(latest(&bench, "people").as_ref(), Some(&before));
    bench.usher(&["run", "--set", FIRST, "people"]).expect(0);
    assert_no_leftovers(&bench, "people");
    assert_ne!(latest(&bench, "people"), Some(before));
    assert_eq!(bench.part("people", "lines", "records").lines().count(), 100);
}

/// A run that lives is not taken for one that was killed: whoever comes second is told about it, or waits.
#[test]
fn a_run_leaves_another_that_lives_alone() {
    let bench = bench();
    let mut first = Running::start(&bench, &["run", "people", "--run-id", "r1"]);
    first.wait_for_rows(&bench, "people");
    let second = bench.usher(&["run", "--set", FIRST, "people"]).expect(1);
    assert!(second.err.contains("another run of this chain is going on (process "), "{}", second.err);
    assert!(second.err.contains(", run r1, since "), "{}", second.err);
    assert_eq!(names(&bench, "people").len(), 1, "the first still runs, and nothing else is there");
    bench.usher(&["run", "--set", FIRST, "people", "--out", "elsewhere"]).expect(0);
    bench.usher(&["plan", "--set", FIRST, "people"]).expect(0);

    let mut third = Running::start(&bench, &["run", "--set", FIRST, "people", "--wait"]);
    third.wait_until_it_listens();
    first.signal(libc::SIGINT);
    assert_eq!(first.end(&bench).0.code, Some(130));
    let said = third.end(&bench).0.expect(0);
    assert!(said.err.contains("run r1") && said.err.contains("waiting for its end"), "{}", said.err);
    assert_no_leftovers(&bench, "people");
    assert_eq!(bench.part("people", "lines", "records").lines().count(), 100);
}
