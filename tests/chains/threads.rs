//! The same inputs, manifest and plugins give the same bytes, however many threads read.

use std::{collections::BTreeMap, fs, path::Path};

use crate::support::Bench;

const ROWS: usize = 16_000;

/// Some thirty megabytes in two forms, so that eight threads have something to do; with broken lines, duplicates, values
/// with line breaks, and records of all lengths, so that splits end anywhere in them.
fn bench() -> Bench {
    let bench = Bench::new();
    let (mut lines, mut table) = (String::new(), "id,email,name,plan,about\n".to_owned());
    for n in 0..ROWS {
        let about = "lorem ipsum ".repeat(60 + n * 7 % 120);
        let email = if n % 50 == 7 { format!("U{}@example.com", n / 2) } else { format!("u{n}@example.com") };
        let plan = ["free", "pro", "team"][n % 3];
        match n % 997 {
            5 => lines += "{\"user_id\": broken\n",
            _ => {
                lines += &format!(
                    "{{\"user_id\":\"auth0|{n}\",\"email\":\"{email}\",\"name\":\"User \\\"{n}\\\"\",\"user_metadata\":{{\"plan\":\"{plan}\",\"about\":\"{about}\"}}}}\n"
                );
            }
        }
        table += &format!("{n},{email},\"User \"\"{n}\"\",\nthe {n}th\",{plan},{about}\n");
        if n % 1_013 == 9 {
            table += "too,few\n";
        }
    }
    bench.write("users.ndjson", lines);
    bench.write("people.csv", table);
    bench.write(
        "connectors.toml",
        r#"version = 1

[connectors.users]
plugin = "auth0"
options = { input = "users.ndjson" }

[connectors.people]
plugin = "csv"
options = { input = "people.csv", claims = { email = "email", name = "name", sub = "id" } }

[connectors.support]
plugin = "zendesk"

[connectors.rows]
plugin = "csv"
fields = { email = "email | lower", name = "name", about = "about | length" }

[connectors.changed]
plugin = "json"
fields = { email = "email", plan = "plan" }
sync = "changed"

[chains.lines]
from = "users"
claims = { plan = "user_metadata.plan", about = "user_metadata.about" }
where = "plan != 'team'"
unique = { key = "email", keep = "last" }
to = ["support", "rows", "changed"]

[chains.table]
from = "people"
unique = "email"
to = ["rows", "support"]
"#,
    );
    bench
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(
                    path.strip_prefix(folder).unwrap().display().to_string(),
                    fs::read(&path).unwrap(),
                );
            }
        }
    }
    found
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let bench = bench();
    let mut runs = Vec::new();
    for threads in ["1", "2", "3", "8"] {
        let out = format!("out-{threads}");
        bench.usher(&["run", "--quiet", "--threads", threads, "--out", &out, "--run-id", "r1"]).expect(0);
        runs.push((threads, files(&bench.path(&out))));
        // What waits to be confirmed is the same for all.
        fs::remove_dir_all(bench.path(".usher")).unwrap();
    }
    let (_, first) = &runs[0];
    let rejects = String::from_utf8(first["lines/r1/rejects.ndjson"].clone()).unwrap();
    assert!(rejects.lines().count() > 10, "the broken lines");
    let rows = &first["lines/r1/rows/lines-rows-r1-rows-0001.csv"];
    assert!(rows.len() > 300_000, "{} bytes", rows.len());
    for (chain, input) in [("lines", "users.ndjson"), ("table", "people.csv")] {
        let report: serde_json::Value =
            serde_json::from_slice(&first[&format!("{chain}/r1/report.json")]).unwrap();
        let digest = blake3::hash(&fs::read(bench.path(input)).unwrap()).to_hex().to_string();
        assert_eq!(report["inputs"][0]["digest"], format!("blake3:{digest}"), "{input}");
    }
    for (threads, run) in &runs[1..] {
        assert_eq!(run.keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>());
        for (name, bytes) in run.iter().filter(|(name, _)| !name.ends_with(".lock")) {
            assert!(*bytes == first[name], "{name} is another with {threads} threads");
        }
    }
}

#[test]
fn the_number_of_threads_is_checked() {
    let bench = Bench::new();
    for wrong in ["0", "many", "257"] {
        assert!(bench.usher(&["run", "--threads", wrong]).expect(2).err.contains("--threads"), "{wrong}");
    }
}
