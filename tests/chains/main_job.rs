//! The job that Usher is for: the shipped manifest on the shipped examples.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::support::{Bench, python};

const CHAINS: [(&str, &[&str]); 2] =
    [("onboard", &["support", "chat", "newsletter", "loyalty"]), ("campaign", &["campaign"])];

fn run(bench: &Bench, id: &str) -> crate::support::Said {
    bench.usher(&["run", "--run-id", id]).expect(0)
}

/// Every file and folder below, in order.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

/// What a connector wrote, guide included, with the run id taken out of names and text.
fn written(bench: &Bench, chain: &str, connector: &str, id: &str) -> Vec<(String, String)> {
    let files = below(&bench.path(&format!("out/{chain}/{id}/{connector}")));
    let timeless = |text: &str| text.replace(id, "[run]");
    let name = |path: &Path| timeless(&path.file_name().unwrap().to_string_lossy());
    files.iter().map(|path| (name(path), timeless(&fs::read_to_string(path).unwrap()))).collect()
}

#[test]
fn the_shipped_manifest_says_what_it_did() {
    insta::assert_snapshot!(run(&Bench::shipped(), "first").shown());
}

#[test]
fn every_connector_has_files_that_stand_up_to_both_checkers() {
    let bench = Bench::shipped();
    run(&bench, "first");
    for (chain, connectors) in CHAINS {
        for connector in connectors {
            assert!(!bench.parts(chain, connector).is_empty(), "{connector} has no parts");
            assert!(bench.path(&format!("out/{chain}/latest/{connector}/UPLOAD.md")).is_file());
        }
        let latest = format!("out/{chain}/latest");
        for script in ["audit.py", "vendor_check.py"] {
            assert!(python(script, &bench.path(""), &[&latest]).contains(" 0 failed"));
        }
    }
}

#[test]
fn a_second_run_writes_the_same_and_moves_latest() {
    let bench = Bench::shipped();
    run(&bench, "run-1");
    let latest = |chain: &str| fs::read_link(bench.path(&format!("out/{chain}/latest"))).unwrap();
    assert_eq!(latest("onboard"), Path::new("run-1"));
    run(&bench, "run-2");
    for (chain, connectors) in CHAINS {
        assert_eq!(latest(chain), Path::new("run-2"));
        for connector in connectors {
            let (first, second) =
                (written(&bench, chain, connector, "run-1"), written(&bench, chain, connector, "run-2"));
            assert!(first == second, "{connector} wrote something else the second time");
        }
        for file in ["rejects.ndjson", "rejects.csv", "left-out.csv", "merged.csv"] {
            let of = |id: &str| bench.read(&format!("out/{chain}/{id}/{file}"));
            assert_eq!(of("run-1"), of("run-2"));
        }
    }
}

#[test]
fn what_a_run_leaves_is_for_its_owner_alone() {
    let bench = Bench::shipped();
    run(&bench, "first");
    for path in below(&bench.path("out")).iter().filter(|path| !path.is_symlink()) {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
}

#[test]
fn a_run_id_is_used_once() {
    let bench = Bench::shipped();
    run(&bench, "first");
    let again = bench.usher(&["run", "campaign", "--run-id", "first"]);
    insta::assert_snapshot!(again.shown());
}
