//! The house keeps its own rules: who depends on whom, where `unsafe` may stand, how connectors are laid out, and that
//! documents name things that exist.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Files below a folder with an ending, `target` left out.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() && !["target", ".git", "out"].contains(&name.as_str()) {
                walk(&path, ending, into);
            } else if name.ends_with(ending) {
                into.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), ending, &mut found);
    found.sort();
    found
}

fn connectors() -> Vec<String> {
    let entries = fs::read_dir(root().join("connectors")).expect("connectors");
    let folders = entries.map(|e| e.expect("an entry").path()).filter(|p| p.is_dir());
    folders.map(|p| p.file_name().expect("a name").to_string_lossy().into_owned()).collect()
}

/// The workspace crates among a manifest's run-time dependencies.
fn house_dependencies(manifest: &str) -> BTreeSet<String> {
    let text = read(manifest);
    let section =
        text.split("[dependencies]").nth(1).unwrap_or_default().split("\n[").next().unwrap_or_default();
    let name = |line: &str| line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned();
    section.lines().map(name).filter(|n| n.starts_with("usher-")).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&n| n.to_owned()).collect()
}

#[test]
fn dependencies_point_one_way() {
    assert_eq!(house_dependencies("core/abi/Cargo.toml"), set(&[]));
    assert_eq!(house_dependencies("core/keys/Cargo.toml"), set(&[]));
    assert_eq!(house_dependencies("core/sdk/Cargo.toml"), set(&["usher-abi", "usher-keys"]));
    assert_eq!(house_dependencies("core/testkit/Cargo.toml"), set(&["usher-abi", "usher-sdk"]));
    assert_eq!(house_dependencies("host/Cargo.toml"), set(&["usher-abi", "usher-keys", "usher-testkit"]));
    // A double that shared code with what it is held against would share its mistakes.
    assert_eq!(house_dependencies("tests/vendors/Cargo.toml"), set(&[]));
    for connector in connectors() {
        let found = house_dependencies(&format!("connectors/{connector}/Cargo.toml"));
        assert_eq!(found, set(&["usher-sdk"]), "connector {connector}");
    }
}

#[test]
fn only_the_boundary_names_abi_stable() {
    for manifest in files(".", "Cargo.toml") {
        let named = fs::read_to_string(&manifest).expect("a manifest").contains("abi_stable");
        let allowed =
            ["core/abi/Cargo.toml", "tests/plugins/other-layout/Cargo.toml"].map(|p| root().join(p));
        assert!(
            !named || allowed.contains(&manifest) || manifest == root().join("Cargo.toml"),
            "{}",
            manifest.display()
        );
    }
}

#[test]
fn unsafe_stands_only_where_the_boundary_is() {
    let allowed = [
        "core/abi/",
        "core/sdk/src/guard.rs",
        "core/sdk/src/host.rs",
        "core/sdk/src/header.rs",
        "host/src/plugins/",
        "host/src/runner/",
        "host/src/services/input/",
        "host/src/cli/interrupt.rs",
        "host/src/cli/test/orphan.rs",
        "host/src/report/tell.rs",
        "core/testkit/src/drive.rs",
        "tests/",
    ];
    for file in files(".", ".rs") {
        let name = file.strip_prefix(root()).expect("inside").display().to_string();
        let text = fs::read_to_string(&file).expect("a file");
        let uses = text.lines().any(|line| {
            let code = line.split("//").next().unwrap_or_default();
            code.contains("unsafe {") || code.contains("unsafe impl") || code.contains("unsafe fn")
        });
        assert!(!uses || allowed.iter().any(|a| name.starts_with(a)), "{name} uses unsafe");
    }
}

#[test]
fn every_connector_is_laid_out_alike() {
    for connector in connectors() {
        let folder = root().join("connectors").join(&connector);
        for file in [
            "Cargo.toml",
            "conformance.toml",
            "README.md",
            "src/lib.rs",
            "tests/conformance.rs",
            "tests/snapshots.rs",
        ] {
            assert!(folder.join(file).is_file(), "connectors/{connector}/{file} is missing");
        }
        let has = |file: &str| folder.join(file).is_file();
        let records = has("src/source.rs") || has("src/sink.rs");
        assert!(records || has("src/transform.rs"), "connectors/{connector} has no role file");
        assert!(!records || has("src/columns.rs"), "connectors/{connector} has no table of columns");
    }
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let adr = read("docs/adr/0002-dependencies.md");
    for manifest in files(".", "Cargo.toml") {
        let text = fs::read_to_string(&manifest).expect("a manifest");
        let Some(section) = text.split("\n[dependencies]").nth(1) else { continue };
        let section = section.split("\n[").next().unwrap_or_default();
        for line in section.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            let house = name == "usher" || name.starts_with("usher-");
            assert!(
                house || adr.contains(&format!("`{name}`")),
                "{name} of {} has no reason in the ADR",
                manifest.display()
            );
        }
    }
}

#[test]
fn documents_name_tests_that_exist() {
    for (document, least) in [("docs/vendor-coverage.md", 20), ("SECURITY.md", 20)] {
        let mut named = 0;
        for quoted in read(document).split('`').skip(1).step_by(2) {
            let Some((file, test)) = quoted.split_once(".rs::") else { continue };
            let file = format!("{file}.rs");
            assert!(root().join(&file).is_file(), "{document} names {file}, which does not exist");
            let text = read(&file);
            let (before, _) = text
                .split_once(&format!("fn {test}("))
                .unwrap_or_else(|| panic!("{document} names {file}::{test}, which does not exist"));
            let attributes: Vec<&str> = before.lines().rev().take(4).collect();
            assert!(
                attributes.iter().any(|line| line.trim() == "#[test]"),
                "{document} names {file}::{test}, which is no test"
            );
            named += 1;
        }
        assert!(named > least, "{document}: only {named} tests are named");
    }
}

/// Attacks of the threat table are such as the hostile plugin knows and a test runs.
#[test]
fn the_threat_table_names_attacks_that_are_tried() {
    let tried = read("tests/plugins/jail.rs");
    let tried = tried.split("attack(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let tried: BTreeSet<&str> = tried.collect();
    let security = read("SECURITY.md");
    let table = security.split("\n## ").find(|chapter| chapter.starts_with("The jail")).expect("a chapter");
    let tests = table.lines().filter(|line| line.starts_with("| ")).filter_map(|line| line.split('|').nth(3));
    let named: BTreeSet<&str> = tests
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).collect::<Vec<_>>())
        .filter(|name| !name.contains(['.', ':']))
        .collect();
    assert_eq!(named, tried);
    // No row without a test.
    for row in security.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 4) {
        let last = row.split('|').nth(3).unwrap_or_default();
        let is_heading = matches!(last.trim(), "Test" | "So");
        let trusted = security.split("## Bounds").next().is_some_and(|before| before.contains(row));
        assert!(is_heading || trusted || last.contains('`'), "no test is named for {row}");
    }
}

/// Codes of rejects and of values left out, as the code writes them.
#[test]
fn every_reject_code_is_documented() {
    let documented = read("docs/reject-codes.md");
    for file in files("connectors", ".rs").into_iter().chain(files("core/sdk/src", ".rs")) {
        if file.components().any(|c| c.as_os_str() == "tests") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a file");
        for maker in ["Fault::new(\"", "Fate::rejected(\"", "Fault::new(\n"] {
            for after in text.split(maker).skip(1) {
                let code = after.trim_start().trim_start_matches('"').split('"').next().unwrap_or_default();
                let known = documented.contains(&format!("| `{code}` |"));
                assert!(known, "{} of {} is not in docs/reject-codes.md", code, file.display());
            }
        }
    }
}
