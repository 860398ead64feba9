//! Inputs that change under a run: what was read before and after are of different inputs, so nothing is published.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
};

use crate::running::{FIRST, Running, assert_no_leftovers, bench_of, latest};

/// Changes a 12 MB input once `read` bytes of rows are written, and holds what must be true at the end.
#[track_caller]
fn changed(read: u64, change: impl FnOnce(File)) {
    let bench = bench_of(12);
    bench.usher(&["run", "--set", FIRST, "people"]).expect(0);
    let before = latest(&bench, "people");
    let mut run = Running::start(&bench, &["run", "people"]);
    run.wait_for_bytes(&bench, "people", read);
    change(OpenOptions::new().write(true).open(bench.path("people.ndjson")).expect("the input"));
    let (said, _) = run.end(&bench);
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    assert!(said.err.contains("`people.ndjson` changed while it was being used"), "{}", said.err);
    assert_eq!(latest(&bench, "people"), before);
    assert_no_leftovers(&bench, "people");
}

#[test]
fn an_input_that_is_cut_publishes_nothing() {
    changed(100_000, |input| input.set_len(9_000_000).expect("a shorter input"));
}

/// By then the input's digest has been made, of the whole file.
#[test]
fn an_input_that_is_cut_late_publishes_nothing() {
    changed(6_000_000, |input| input.set_len(9_000_000).expect("a shorter input"));
}

#[test]
fn an_input_that_is_written_over_publishes_nothing() {
    changed(6_000_000, |input| input.write_all_at(b"{\"email\":\"other@", 0).expect("other bytes"));
}

#[test]
fn an_input_that_grows_publishes_nothing() {
    changed(6_000_000, |input| {
        let end = input.metadata().expect("the input").len();
        input.write_all_at(b"{\"email\":\"late@example.com\"}\n", end).expect("one more row");
    });
}
