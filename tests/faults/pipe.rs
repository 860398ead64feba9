//! A reader of standard output that goes away (`usher … | head -1`).

use std::process::Stdio;

use crate::{
    running::{FIRST, assert_no_leftovers, bench, latest},
    support::Bench,
};

/// Runs a command whose standard output nobody reads.
fn unread(bench: &Bench, arguments: &[&str]) -> crate::support::Said {
    let mut child =
        bench.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("usher starts");
    drop(child.stdout.take());
    bench.said(child.wait_with_output().expect("a child"))
}

#[test]
fn nobody_reads_the_results() {
    let bench = bench();
    let commands: &[&[&str]] = &[
        &["plugins", "list"],
        &["plugins", "list", "--json"],
        &["plugins", "show", "zendesk"],
        &["plugins", "describe", "zendesk"],
        &["schema"],
        &["completions", "bash"],
        &["--help"],
        &["check", "people"],
        &["preview", "people"],
        &["plan", "--limit", "1000", "people"],
        &["run", "--set", FIRST, "people"],
        &["run", "--set", FIRST, "--json", "people"],
    ];
    for arguments in commands {
        let said = unread(&bench, arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
        assert!(!said.err.contains("panicked"), "{arguments:?}: {}", said.err);
    }
    assert!(latest(&bench, "people").is_some(), "the run was published all the same");
    assert_no_leftovers(&bench, "people");
}
