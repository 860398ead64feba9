//! `usher test` as somebody meets it who writes a plugin: what it prints, what it takes, how it ends.

use serde_json::Value;

use crate::support::{Bench, Said, plugin_file};

/// The quick suite over a plugin of this build, by its file.
fn quick(bench: &Bench, name: &str, more: &[&str]) -> Said {
    let file = plugin_file(name);
    let arguments = ["test", file.to_str().expect("a path in UTF-8"), "--quick"];
    bench.usher(&[&arguments[..], more].concat())
}

#[test]
fn failures_stand_first_then_every_check_then_the_counts() {
    let bench = Bench::new();
    bench.write(
        "conformance.toml",
        "[[case]]\nsink = 'rows'\noptions.fault = 'miscount'\ncolumns.email = ['a{n}']\n",
    );
    let said = quick(&bench, "misbehaving", &[]).expect(1);
    let head = "misbehaving 0.1.0, [plugins]/libusher_misbehaving.so\n\
                cases of conformance.toml; quick: at most 10,000 rows, no long run\n\n\
                FAILED sink rows: the sample is written and the books balance\n    the sample: bug error `output.miscount`: ";
    assert!(said.out.starts_with(head), "{}", said.out);
    let list = said
        .out
        .split("\n\nok      plugin: is loaded and says what it is\n")
        .nth(1)
        .expect("the list of checks");
    assert!(list.contains("\nFAILED  sink rows: the sample is written and the books balance\n"), "{list}");
    assert!(list.contains("\nskipped sink rows: 100,000 rows balance (left out by `--quick`)\n"), "{list}");
    let counts = list.lines().last().expect("a last line");
    assert!(
        counts.contains(" checks: ") && counts.contains(" failed, ") && counts.ends_with(" s"),
        "{counts}"
    );
}

#[test]
fn json_says_the_same() {
    let bench = Bench::new();
    bench.write(
        "other.toml",
        "[[case]]\nsink = 'rows'\noptions.fault = 'swallow'\ncolumns.email = ['a{n}']\n",
    );
    let said = quick(&bench, "misbehaving", &["--cases", "other.toml", "--json"]).expect(1);
    let report: Value = serde_json::from_str(&said.out).expect("a report");
    assert_eq!(
        (&report["plugin"], &report["cases"], &report["quick"]),
        (&"misbehaving".into(), &"other.toml".into(), &true.into())
    );
    let checks = report["checks"].as_array().expect("checks");
    let of = |verdict: &str| checks.iter().filter(|c| c["verdict"] == verdict).count() as u64;
    for verdict in ["passed", "failed", "skipped"] {
        assert_eq!(report[verdict].as_u64(), Some(of(verdict)), "{verdict}");
    }
    let failed = checks.iter().find(|c| c["verdict"] == "failed").expect("a failure");
    assert!(
        failed["detail"].as_str().is_some_and(|d| d.contains("1 rows were given, 0 are accounted for")),
        "{failed}"
    );
}

/// A jail hides what a plugin prints, and which threads and memory an instance leaves behind.
#[test]
#[cfg(target_os = "linux")]
fn what_is_not_seen_of_a_jail_is_skipped() {
    let bench = Bench::new();
    let unseen = ["nothing goes to standard output", "no thread is left behind"];
    let left = "closed instances leave no memory behind";
    bench.write(
        "conformance.toml",
        "[[case]]\nsink = 'rows'\noptions.fault = 'print'\ncolumns.email = ['a{n}']\n",
    );
    let said = quick(&bench, "misbehaving", &["--isolation", "none"]).expect(1);
    assert!(said.out.contains(&format!("\nFAILED  process: {}", unseen[0])), "{}", said.out);
    let said = quick(&bench, "misbehaving", &["--isolation", "process"]).expect(0);
    for name in
        unseen.map(|name| format!("process: {name}")).into_iter().chain([format!("sink rows: {left}")])
    {
        assert!(said.out.contains(&format!("\nskipped {name} (")), "{name}: {}", said.out);
    }
}

/// What cannot be guessed is not passed over in silence.
#[test]
fn without_cases_what_can_be_guessed_is_checked() {
    let said = quick(&Bench::new(), "cohort", &[]).expect(0);
    assert!(
        said.out.contains("\nno conformance.toml: cases guessed from its description; quick: "),
        "{}",
        said.out
    );
    let line = "skipped plugin: every component has a case (no case for the source users: a source needs a sample of its \
                input, which only a case can give; no case for the source events: a source needs a sample of its input, \
                which only a case can give)";
    assert!(said.out.lines().any(|l| l == line), "{}", said.out);
    assert!(
        said.out.contains("\nok      sink users: the sample is written and the books balance\n"),
        "{}",
        said.out
    );
}

#[test]
fn wrong_cases_are_a_wrong_use() {
    let bench = Bench::new();
    bench.write("conformance.toml", "[[case]]\nsink = 'rows'\ncolums.email = ['a']\n");
    let said = quick(&bench, "csv", &[]).expect(2);
    assert!(
        said.err.starts_with("error: conformance.toml:3: unknown field `colums`, expected one of "),
        "{}",
        said.err
    );
    let said = quick(&bench, "csv", &["--cases", "nowhere.toml"]).expect(2);
    assert!(said.err.starts_with("error: nowhere.toml: cannot be read ("), "{}", said.err);
}

#[test]
fn a_plugin_is_named_by_its_name_or_its_file() {
    let bench = Bench::new();
    let said = bench.usher(&["test", "json", "--quick"]).expect(0);
    assert!(said.out.starts_with("json 0.1.0, [plugins]/libusher_json.so\n"), "{}", said.out);
    let said = bench.usher(&["test", "libusher_nobody.so"]).expect(1);
    assert!(said.err.starts_with("error: libusher_nobody.so: "), "{}", said.err);
    let said = bench.usher(&["test", "nobody"]).expect(1);
    assert!(said.err.starts_with("error: no plugin `nobody` found; looked in "), "{}", said.err);
}
