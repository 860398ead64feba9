//! Disks that are full and folders that cannot be written.

use std::{fs, os::unix::process::CommandExt, process::Command};

use crate::{
    running::{FIRST, assert_no_leftovers, bench, latest, names},
    support::Bench,
};

/// The command under a limit of so many blocks of 512 bytes a file.
fn with_file_limit(bench: &Bench, blocks: u32, arguments: &[&str]) -> Command {
    let usher = bench.command(arguments);
    let mut command = Command::new("sh");
    command.current_dir(bench.path("")).args(["-c", &format!("ulimit -f {blocks} && exec \"$0\" \"$@\"")]);
    command.arg(usher.get_program()).args(usher.get_args());
    for (key, value) in usher.get_envs() {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    // The limit is meant for a disk; the memory that is shared with a worker counts as a file, too.
    command.env("USHER_ISOLATION", "none");
    command
}

/// A file may not grow beyond a limit: the same to a program as a disk without room, but for a signal.
#[test]
fn a_full_disk_publishes_nothing() {
    let bench = bench();
    bench.usher(&["run", "--set", FIRST, "people"]).expect(0);
    let before = names(&bench, "people");
    let said = with_file_limit(&bench, 2_000, &["run", "people"]).output().expect("sh runs");
    let said = bench.said(said).expect(1);
    assert_eq!(names(&bench, "people"), before, "nothing new is left");
    assert!(said.err.contains("no space left to write "), "{}", said.err);
    assert!(said.err.contains("; free some, or choose another folder"), "{}", said.err);
    assert!(said.err.ends_with("nothing was published\n"), "{}", said.err);
    assert_eq!(said.err.lines().count(), 2, "{}", said.err);
    // With room it works.
    let said =
        with_file_limit(&bench, 2_000_000, &["run", "--set", FIRST, "people"]).output().expect("sh runs");
    bench.said(said).expect(0);
}

/// A disk of one megabyte, where a test may mount one (root in a container); elsewhere the test above says the same.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_of_one_megabyte_is_full_soon() {
    let bench = bench();
    fs::create_dir(bench.path("small")).expect("a folder");
    let mount = |arguments: &[&str]| {
        Command::new("mount")
            .args(arguments)
            .arg(bench.path("small"))
            .output()
            .is_ok_and(|o| o.status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=1m", "usher-test"]) {
        eprintln!("skipped: this test may not mount a disk");
        return;
    }
    let said = bench.usher(&["run", "people", "--out", "small"]);
    let left: Vec<_> =
        fs::read_dir(bench.path("small/people")).map(|e| e.flatten().collect()).unwrap_or_default();
    let unmounted = Command::new("umount").arg(bench.path("small")).status().is_ok_and(|s| s.success());
    assert!(unmounted, "the disk is unmounted again");
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    assert!(said.err.contains("no space left to write `small/people/.staging-"), "{}", said.err);
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn out_is_a_file() {
    let bench = bench();
    bench.write("taken", "something else\n");
    let said = bench.usher(&["run", "people", "--out", "taken"]).expect(1);
    assert_eq!(bench.read("taken"), "something else\n");
    insta::assert_snapshot!(said.err);
}

/// The chain's folder is in the way of nobody, but `latest` is: the run is whole, and it says so.
#[test]
fn latest_is_a_folder() {
    let bench = bench();
    bench.write("out/people/latest/mine.txt", "not a link\n");
    let said = bench.usher(&["run", "--set", FIRST, "--run-id", "r1", "people"]).expect(1);
    assert_eq!(bench.read("out/people/latest/mine.txt"), "not a link\n");
    assert!(bench.path("out/people/r1/report.json").exists(), "the run folder is complete");
    assert_no_leftovers(&bench, "people");
    insta::assert_snapshot!(said.err);
}

/// As somebody who may not write there.
#[test]
fn out_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let bench = bench();
    let allow = |path: &str, mode: u32| {
        fs::set_permissions(bench.path(path), fs::Permissions::from_mode(mode)).expect("permissions");
    };
    fs::create_dir(bench.path("locked")).expect("a folder");
    allow("locked", 0o555);
    allow("", 0o755);
    let mut command = bench.command(&["run", "people", "--out", "locked"]);
    // SAFETY: `geteuid` only answers a number.
    if unsafe { libc::geteuid() } == 0 {
        // Root may write anywhere; nobody may not.
        command.uid(65_534).gid(65_534);
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped: nobody may not run this build ({error})");
            return;
        }
    };
    let said = bench.said(output).expect(1);
    assert_eq!(fs::read_dir(bench.path("locked")).expect("the folder").count(), 0);
    insta::assert_snapshot!(said.err);
    assert_eq!(latest(&bench, "people"), None);
}
