//! The kept files themselves.

use std::{collections::BTreeMap, fs};

use sha2::{Digest, Sha256};
use usher_abi::{ABI_MAJOR, ABI_MINOR};

use crate::{PEOPLE, bench, file, folder, run, support::Bench, today, versions};

#[test]
fn there_is_one_of_this_version() {
    assert!(
        file(&today()).exists(),
        "no plugin is kept for the boundary {}: `sh tests/abi/keep.sh`",
        today()
    );
}

/// A file that is made anew proves nothing about those that are out there.
#[test]
fn they_are_what_they_were() {
    let sums = fs::read_to_string(folder().join("SHA256SUMS")).expect("SHA256SUMS");
    let kept: BTreeMap<String, String> = sums
        .lines()
        .map(|line| line.split_once("  ").expect("digest and name"))
        .map(|(digest, name)| (name.to_owned(), digest.to_owned()))
        .collect();
    let mut found = BTreeMap::new();
    for version in versions() {
        for entry in fs::read_dir(folder().join(&version)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = format!("{version}/{}", path.file_name().expect("a name").to_string_lossy());
            let digest = Sha256::digest(fs::read(&path).expect("a plugin"));
            found.insert(name, digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        }
    }
    assert_eq!(found, kept);
}

#[test]
fn they_say_what_they_are() {
    for version in versions() {
        let bench = Bench::new();
        bench.write("sample.so", fs::read(file(&version)).expect("a plugin"));
        // One that this host does not load is shown all the same.
        let code = u8::from(!version.starts_with(&format!("{ABI_MAJOR}.")));
        let said = bench.usher(&["plugins", "show", "./sample.so"]).expect(code.into());
        // Where it runs is the command's to say.
        let out: Vec<&str> = said.out.lines().filter(|line| !line.starts_with("runs ")).collect();
        insta::assert_snapshot!(format!("show_{version}"), out.join("\n"));
    }
}

/// All of the suite but its long runs: every function of every table, in a host that was built after it.
#[test]
fn one_of_this_version_passes_the_suite() {
    let bench = bench(&fs::read(file(&today())).expect("a plugin"));
    let cases = crate::support::root().join("tests/abi/sample/conformance.toml");
    bench.write("conformance.toml", fs::read(cases).expect("the cases"));
    let said = bench.usher(&["test", "./sample.so", "--quick"]).expect(0);
    let counts = said.out.lines().last().expect("a last line");
    assert!(counts.contains(" 0 failed, "), "{}", said.out);
}

#[test]
fn one_of_this_version_carries_a_chain() {
    let bench = bench(&fs::read(file(&today())).expect("a plugin"));
    let (rows, facts) = run(&bench);
    insta::assert_snapshot!(format!("{rows}\n{facts:#}"));
    let rejects = bench.read("out/main/latest/rejects.ndjson");
    let reject: serde_json::Value = serde_json::from_str(&rejects).expect("one reject");
    assert_eq!((&reject["code"], &reject["details"]["by"]), (&"sample.refused".into(), &"refuse".into()));
    assert_eq!(reject["raw"], PEOPLE.lines().nth(1).expect("the second line"));
    for said in fs::read_dir(bench.path("out/main/latest")).expect("the run") {
        let path = said.expect("an entry").path();
        let text = fs::read_to_string(&path).unwrap_or_default();
        assert!(!text.contains("not to be seen"), "{}", path.display());
    }
}

/// What it sends, another plugin takes, and the other way round.
#[test]
fn one_of_this_version_works_beside_todays() {
    let bench = bench(&fs::read(file(&today())).expect("a plugin"));
    let text = bench.read("connectors.toml");
    let manifest = text
        .replace("plugin = './sample.so'\noptions = { token = '${env:TOKEN}' }", "plugin = 'csv'")
        .replace("through = ['known']\n", "")
        .replace("\ndomain = 'domain'", "");
    bench.write("connectors.toml", manifest);
    bench.usher(&["run", "--quiet", "--run-id", "r"]).expect(0);
    insta::assert_snapshot!(bench.part("main", "kept", "rows"));
    let manifest = text
        .replacen("plugin = './sample.so'", "plugin = 'json'", 1)
        .replace("[connectors.known]\nplugin = './sample.so'", "[connectors.known]\nplugin = 'pii'")
        .replace("{ refuse = 'eve@example.com' }", "{ columns = { email = { truncate = 3 } } }")
        .replace("\ndomain = 'domain'", "");
    bench.write("connectors.toml", manifest);
    fs::remove_dir_all(bench.path("out")).expect("the first run");
    insta::assert_snapshot!(run(&bench).0);
}

/// A file that says of itself that it is of this version of the boundary.
fn saying(abi: &str) -> Vec<u8> {
    let mut bytes = fs::read(file(&today())).expect("a plugin");
    let says = format!("\"abi\":[{ABI_MAJOR},{ABI_MINOR}]");
    let at = bytes.windows(says.len()).position(|bytes| bytes == says.as_bytes()).expect("its version");
    let abi = format!("\"abi\":[{abi}]");
    assert_eq!(abi.len(), says.len());
    bytes[at..at + abi.len()].copy_from_slice(abi.as_bytes());
    bytes
}

/// Every major refuses the others; before a line of their code runs. Beside those that are kept, one that says of itself that
/// it is of the next.
#[test]
fn one_of_another_major_is_refused() {
    let others = versions().into_iter().filter(|version| !version.starts_with(&format!("{ABI_MAJOR}.")));
    let mut others: Vec<(String, Vec<u8>)> =
        others.map(|version| (version.clone(), fs::read(file(&version)).expect("a plugin"))).collect();
    others.push(("next".to_owned(), saying(&format!("{},{ABI_MINOR}", ABI_MAJOR + 1))));
    for (version, bytes) in others {
        let bench = bench(&bytes);
        insta::assert_snapshot!(format!("refused_{version}"), bench.usher(&["check"]).expect(2).shown());
    }
}

/// A minor says what a side may know besides; nothing is refused for it.
#[test]
fn one_of_a_later_minor_is_taken() {
    let bench = bench(&saying(&format!("{ABI_MAJOR},{}", ABI_MINOR + 7)));
    let (rows, _) = run(&bench);
    assert_eq!(rows.lines().count(), 2);
}
