//! The tables of the guide name every check function and every service, and nothing else; each has an example.

use std::{collections::BTreeSet, fs};

use crate::support::root;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// What stands in backquotes at the beginning of the rows of a table, below a heading of the guide.
fn rows(heading: &str) -> BTreeSet<String> {
    let guide = read("docs/writing-a-connector.md");
    let section =
        guide.split(&format!("\n### {heading}\n")).nth(1).unwrap_or_else(|| panic!("no `### {heading}`"));
    let section = section.split("\n#").next().unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    cells.flat_map(|cell| cell.split(", ")).map(|name| name.trim_matches('`').to_owned()).collect()
}

/// Stops the test unless the documentation right above `item` has an example.
fn has_example(text: &str, item: &str) {
    let (before, _) = text.split_once(item).unwrap_or_else(|| panic!("no `{item}`"));
    let documentation =
        before.lines().rev().take_while(|line| line.starts_with("///") || line.starts_with("#["));
    assert!(documentation.filter(|line| line.contains("```")).count() == 2, "`{item}` has no example");
}

#[test]
fn every_check_function_is_named_and_has_an_example() {
    let mut exported = BTreeSet::new();
    for line in read("core/sdk/src/checks/mod.rs").lines().filter_map(|line| line.strip_prefix("pub use ")) {
        let (module, names) = line.split_once("::").unwrap();
        let names = names.trim_matches(['{', '}', ';']).split(", ");
        for name in names.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())) {
            has_example(&read(&format!("core/sdk/src/checks/{module}.rs")), &format!("pub fn {name}("));
            exported.insert(name.to_owned());
        }
    }
    has_example(&read("core/sdk/src/checks/mod.rs"), "pub fn shown(");
    exported.insert("shown".to_owned());
    assert_eq!(rows("Check functions"), exported);
}

#[test]
fn every_service_is_named_and_has_an_example() {
    let mut offered = BTreeSet::new();
    for file in ["core/sdk/src/host.rs", "core/sdk/src/host/http.rs"] {
        let text = read(file);
        for documentation in text.split("\n/// `usher.").skip(1) {
            let (id, _) = documentation.split_once('`').unwrap();
            let (_, rest) = documentation.split_once("pub struct ").unwrap();
            let name = rest.split(' ').next().unwrap();
            has_example(&text, &format!("pub struct {name} {{"));
            offered.insert(format!("usher.{id}"));
        }
    }
    let ids: BTreeSet<String> = fs::read_dir(root().join("core/abi/src/service"))
        .unwrap()
        .flat_map(|entry| {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            let quoted: Vec<String> = text
                .split('"')
                .filter(|t| t.starts_with("usher.") && t.ends_with("/1"))
                .map(str::to_owned)
                .collect();
            quoted
        })
        .collect();
    assert_eq!(offered, ids);
    assert_eq!(rows("Services"), offered);
}
