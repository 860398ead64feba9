//! `usher test` over plugins that take their process with them, and a supervisor that is killed itself.

use serde_json::Value;

use crate::{
    misbehaving::{PATIENCE, stuck},
    support::{Bench, plugin_file},
};

/// The checks of one component of `misbehaving` with a fault: subject, name, verdict, detail.
fn checks(role: &str, component: &str, fault: &str, more: &[&str]) -> Vec<[String; 4]> {
    let bench = cases(role, component, fault);
    let file = plugin_file("misbehaving");
    let arguments = ["test", file.to_str().expect("a path in UTF-8"), "--json", "--isolation", "none"];
    let said = bench.usher(&[&arguments[..], more].concat()).expect(1);
    let report: Value = serde_json::from_str(&said.out).expect("a report");
    let checks = report["checks"].as_array().expect("checks").iter();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    checks.map(|check| ["subject", "name", "verdict", "detail"].map(|key| text(check, key))).collect()
}

fn cases(role: &str, component: &str, fault: &str) -> Bench {
    let bench = Bench::new();
    let case =
        format!("[[case]]\n{role} = '{component}'\noptions.fault = '{fault}'\ncolumns.email = ['a{{n}}']\n");
    bench.write("conformance.toml", case);
    bench
}

/// Only the check that ends the process is lost, and those of the process as a whole have their say.
#[test]
fn a_process_that_ends_in_the_last_check_loses_no_other() {
    for (fault, how) in [("exit-late", "(exit status: 0)"), ("abort-late", "(signal: 6 (SIGABRT)")] {
        let checks = checks("transform", "users", fault, &[]);
        // The other components are none of this test's business, and have no case.
        let failed: Vec<&[String; 4]> = checks
            .iter()
            .filter(|check| check[2] == "failed" && check[1] != "every component has a case")
            .collect();
        assert_eq!(failed.len(), 1, "{fault}: {failed:#?}");
        assert!(failed[0][3].contains(&format!("it ended the process {how}")), "{fault}: {failed:#?}");
        let of_plugin: Vec<_> = checks.iter().filter(|check| check[0] != "process").collect();
        assert_eq!(of_plugin.last(), Some(&failed[0]), "{fault}: it is the last");
        assert_eq!(checks.len(), of_plugin.len() + 3, "{fault}: {checks:#?}");
    }
}

/// After the third process that is lost, the rest is skipped and says why.
#[test]
fn what_is_not_run_any_more_says_why() {
    for fault in ["exit", "abort"] {
        let checks = checks("sink", "rows", fault, &["--quick"]);
        let lost = |check: &[String; 4]| check[2] == "failed" && check[3].starts_with("it ended the process");
        let last = checks.iter().rposition(lost).expect("a check that ended the process");
        assert_eq!(checks.iter().filter(|check| lost(check)).count(), 3, "{fault}: {checks:#?}");
        let rest: Vec<_> = checks[last + 1..].iter().filter(|check| check[0] != "process").collect();
        assert!(rest.len() > 10, "{fault}: {rest:#?}");
        let why = "not run: checks before it hung or ended the process";
        assert!(rest.iter().all(|check| check[2] == "skipped" && check[3] == why), "{fault}: {rest:#?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_does_not_outlive_a_supervisor_that_is_killed() {
    use std::{
        fs, thread,
        time::{Duration, Instant},
    };

    let bench = cases("sink", "rows", "never-return");
    let file = plugin_file("misbehaving");
    let mut command = bench.command(&["test", file.to_str().expect("a path in UTF-8"), "--deadline", "600"]);
    // What is watched is the process that runs the checks, with the plugin in it.
    command.env("USHER_ISOLATION", "none");
    let (mut supervisor, worker) = stuck(&bench, &mut command);
    assert_ne!(supervisor.id(), worker, "the plugin runs in a process of its own");
    supervisor.kill().expect("the supervisor is there to be killed");
    supervisor.wait().expect("a child");
    // One that has ended may still be listed, as a zombie, until whoever has inherited it looks.
    let lives = || {
        let stat = fs::read_to_string(format!("/proc/{worker}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    };
    let killed = Instant::now();
    while lives() && killed.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(5));
    }
    let outlived = lives();
    if outlived {
        // SAFETY: a signal to the worker that this test has started.
        unsafe { libc::kill(worker as i32, libc::SIGKILL) };
    }
    assert!(!outlived, "the worker goes on without its supervisor");
}
