//! Commands and flags, each once on something small.

use std::{collections::BTreeSet, fs, io::Write, os::unix::fs::symlink, process::Stdio};

use serde_json::Value;

use crate::{
    rows,
    support::{Bench, plugin_file, root},
};

const SHIPPED: [&str; 8] =
    ["auth0", "carrot-quest", "cohort", "constant-contact", "csv", "json", "pii", "zendesk"];

fn line(id: u32) -> String {
    format!("{{\"user_id\":\"auth0|{id}\",\"email\":\"u{id}@example.com\",\"given_name\":\"U{id}\"}}\n")
}

/// Five users → `csv`.
fn five() -> Bench {
    let users: String = (1..=5).map(line).collect();
    crate::bench(&users, "plugin = \"csv\"\nfields = { id = \"sub\", email = \"email\" }", "")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// What the chain writes from an input that is named on the command line.
fn from(bench: &Bench, input: &str) -> Vec<String> {
    bench.usher(&["run", "--quiet", "--set", &format!("connectors.users.options.input={input}")]).expect(0);
    rows(bench)
}

#[test]
fn check() {
    let shown = Bench::shipped().usher(&["check"]).shown();
    // Where plugins run is another matter (`tests/plugins/jail.rs`).
    let lines: Vec<&str> = shown.lines().filter(|line| !line.contains(" runs in a ")).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn check_in_json_is_a_list_of_what_is_wrong() {
    let bench = five();
    let said = bench.usher(&["check", "--json", "--set", "connectors.people.fields.id=emial"]);
    assert_eq!(json(&bench.usher(&["check", "--json"]).expect(0).out), Value::Array(vec![]));
    insta::assert_snapshot!(said.expect(2).out);
}

#[test]
fn preview_shows_the_first_rows_of_each_sink() {
    let bench = Bench::shipped();
    insta::assert_snapshot!(bench.usher(&["preview", "onboard", "-n", "3"]).shown());
    assert!(!bench.path("out/onboard").exists(), "a preview publishes nothing");
}

#[test]
fn plan_counts_and_publishes_nothing() {
    let bench = five();
    let said = bench.usher(&["plan"]).expect(0);
    insta::assert_snapshot!(said.shown());
    let dry = bench.usher(&["run", "--dry-run"]).expect(0);
    assert_eq!(dry.shown(), said.shown());
    assert!(!bench.path("out").exists());
}

#[test]
fn plugins_are_listed_without_running_them() {
    let said = five().usher(&["plugins", "list", "--json"]).expect(0);
    let mut shown = String::new();
    for plugin in json(&said.out)["plugins"].as_array().unwrap() {
        let name = plugin["name"].as_str().unwrap();
        if SHIPPED.contains(&name) {
            assert!(plugin["path"].as_str().unwrap().starts_with("[plugins]"), "{plugin}");
            shown += &format!("{name} {} {} {}\n", plugin["version"], plugin["components"], plugin["hosts"]);
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn plugins_say_what_they_take() {
    let bench = five();
    for plugin in SHIPPED {
        let text = bench.usher(&["plugins", "describe", plugin]).expect(0).out;
        let description = json(&bench.usher(&["plugins", "describe", plugin, "--json"]).expect(0).out);
        for component in description["components"].as_array().unwrap() {
            let options = component["options"]["properties"].as_object().unwrap();
            options.keys().for_each(|option| assert!(text.contains(option), "{plugin}: {option}"));
            let columns = component["columns"].as_array().into_iter().flatten();
            columns.for_each(|c| assert!(text.contains(c["name"].as_str().unwrap()), "{plugin}: {c}"));
        }
    }
    let missing = bench.usher(&["plugins", "show", "zendesc"]).expect(1).err;
    assert!(
        missing.contains("no plugin `zendesc`") && missing.contains("did you mean `zendesk`?"),
        "{missing}"
    );
}

/// Every object below a schema that has `properties`: the names of these.
fn property_sets(schema: &Value, into: &mut Vec<BTreeSet<String>>) {
    match schema {
        Value::Object(object) => {
            if let Some(properties) = object.get("properties").and_then(Value::as_object) {
                into.push(properties.keys().cloned().collect());
            }
            object.values().for_each(|value| property_sets(value, into));
        }
        Value::Array(items) => items.iter().for_each(|item| property_sets(item, into)),
        _ => {}
    }
}

#[test]
fn the_schema_has_every_option_of_every_plugin() {
    let bench = five();
    let schema = json(&bench.usher(&["schema"]).expect(0).out);
    let mut sets = Vec::new();
    property_sets(&schema, &mut sets);
    for plugin in SHIPPED {
        let description = json(&bench.usher(&["plugins", "describe", plugin, "--json"]).expect(0).out);
        for component in description["components"].as_array().unwrap() {
            let options: BTreeSet<String> =
                component["options"]["properties"].as_object().unwrap().keys().cloned().collect();
            assert!(sets.iter().any(|set| options.is_subset(set)), "{plugin}: {options:?}");
        }
    }
}

/// `usher schema > connectors.schema.json` writes it again; only the shipped plugins are looked at.
#[test]
fn the_schema_in_the_repository_is_up_to_date() {
    let written = fs::read_to_string(root().join("connectors.schema.json")).unwrap();
    let bench = Bench::new();
    bench.write("plugins/.keep", "").write("bin/.keep", "");
    for plugin in SHIPPED {
        let file = plugin_file(plugin);
        symlink(&file, bench.path("plugins").join(file.file_name().unwrap())).unwrap();
    }
    // The folder of the executable is searched for plugins, too: a copy stands alone.
    let usher = bench.path("bin/usher");
    fs::copy(env!("CARGO_BIN_EXE_usher"), &usher).unwrap();
    let mut command = std::process::Command::new(usher);
    command
        .arg("schema")
        .current_dir(bench.path(""))
        .env_remove("USHER_PLUGIN_PATH")
        .env("XDG_DATA_HOME", bench.path("no-data"));
    let said = bench.said(command.output().unwrap()).expect(0);
    assert!(said.out == written, "write it again: usher schema > connectors.schema.json");
}

#[test]
fn completions() {
    let said = five().usher(&["completions", "bash"]).expect(0);
    for word in ["_usher()", "preview", "--manifest", "complete -F _usher"] {
        assert!(said.out.contains(word), "{word}");
    }
}

#[test]
fn set_changes_the_manifest_for_once() {
    let bench = five();
    bench.write("other.ndjson", line(9));
    assert_eq!(from(&bench, "other.ndjson"), ["auth0|9,u9@example.com"]);
    let set = "connectors.people.fields.\"Full Name\"=given_name ~ '!'";
    bench
        .usher(&["run", "--quiet", "--set", set, "--set", "connectors.people.options.delimiter=\";\""])
        .expect(0);
    assert_eq!(rows(&bench)[0], "auth0|1;u1@example.com;U1!");
}

#[test]
fn limit_reads_the_first_records() {
    let bench = five();
    bench.usher(&["run", "--quiet", "--run-id", "whole"]).expect(0);
    let said = bench.usher(&["run", "--limit", "2", "--run-id", "some"]).expect(0);
    let told = "only the first 2 records were read (--limit)";
    assert!(
        said.out.ends_with(&format!("out/main/some\n{told}, so `latest` was not moved\n")),
        "{}",
        said.out
    );
    let report = json(&bench.read("out/main/some/report.json"));
    assert_eq!((&report["read"]["records"], &report["read"]["limited"]), (&2.into(), &true.into()));
    assert!(bench.read("out/main/some/people/UPLOAD.md").contains(told));
    assert_eq!(rows(&bench).len(), 5, "`latest` is the run of all records");
}

#[test]
fn a_limit_that_is_not_reached_changes_nothing() {
    let bench = five();
    let said = bench.usher(&["run", "--json", "--limit", "6"]).expect(0);
    assert_eq!((&json(&said.out)[0]["limited"], rows(&bench).len()), (&false.into(), 5));
}

#[test]
fn out_is_another_folder() {
    let bench = five();
    let said = bench.usher(&["run", "--quiet", "--out", "else/where", "--run-id", "r"]).expect(0);
    assert_eq!(said.out, "else/where/main/r\n");
    assert!(bench.path("else/where/main/latest/people").is_dir() && !bench.path("out").exists());
}

#[test]
fn quiet_prints_the_folder_only() {
    let said = five().usher(&["run", "--quiet", "--run-id", "r"]).expect(0);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("out/main/r\n", ""));
}

#[test]
fn json_is_for_machines() {
    let bench = five();
    let run = json(&bench.usher(&["run", "--json", "--run-id", "r"]).expect(0).out);
    assert_eq!(
        (&run[0]["read"], &run[0]["latest"], &run[0]["connectors"][0]["written"]),
        (&5.into(), &true.into(), &5.into())
    );
    let plan = json(&bench.usher(&["plan", "--json"]).expect(0).out);
    assert_eq!(
        (&plan[0]["folder"], &plan[0]["connectors"][0]["parts"][0]["rows"]),
        (&Value::Null, &5.into())
    );
    let preview = json(&bench.usher(&["preview", "--json", "-n", "1"]).expect(0).out);
    assert_eq!(preview[0]["connectors"][0]["sample"][0][1], "u1@example.com");
}

/// Chain `main` is published, chain `other` fails.
fn one_of_two() -> Bench {
    let bench = five();
    let other = "[connectors.cut]\nplugin = \"csv\"\noptions = { input = \"cut.csv\" }\n\n\
                 [chains.other]\nfrom = \"cut\"\nto = [\"people\"]\n";
    let manifest = bench.read("connectors.toml") + other;
    bench.write("connectors.toml", manifest).write("cut.csv", "sub,email,given_name\n1,\"open\n");
    bench
}

#[test]
fn a_chain_that_fails_speaks_for_itself_only() {
    let bench = one_of_two();
    let said = bench.usher(&["run", "--quiet", "--run-id", "r"]).expect(1);
    assert_eq!(said.out, "out/main/r\n");
    assert!(said.err.ends_with("\nof chain `other` nothing was published\n"), "{}", said.err);
    let alone = bench.usher(&["run", "other"]).expect(1);
    assert!(alone.err.ends_with("\nnothing was published\n"), "{}", alone.err);
}

#[test]
fn what_goes_wrong_is_json_where_json_is_asked_for() {
    let bench = one_of_two();
    let said = bench.usher(&["run", "--json", "--run-id", "r"]).expect(1);
    let ended = json(&said.out);
    assert_eq!((&ended[0]["chain"], &ended[0]["latest"]), (&"main".into(), &true.into()));
    assert_eq!(
        (&ended[1]["chain"], &ended[1]["severity"], &ended[1]["key"], &ended[1]["code"]),
        (&"other".into(), &"error".into(), &"chains.other".into(), &"csv.unterminated".into())
    );
    assert!(ended[1]["message"].as_str().unwrap().contains("`cut.csv`: the quote opened at line 2 column 3"));
    assert_eq!(said.err, "");
    let unknown = ["--set", "connectors.people.fields.id=emial"];
    let cases: [(&[&str], i32); 7] = [
        (&["run", "--json", "main"], 2),
        (&["plan", "--json", "main"], 2),
        (&["preview", "--json", "main"], 2),
        (&["check", "--json", "main"], 2),
        (&["run", "--json", "mian"], 2),
        (&["run", "--json", "--manifest", "no-such.toml"], 2),
        (&["plugins", "describe", "--json", "no-such"], 1),
    ];
    for (arguments, code) in cases {
        let said = bench.usher(&[arguments, &unknown].concat()).expect(code);
        let problems = json(&said.out);
        assert_eq!((&problems[0]["severity"], said.err.as_str()), (&"error".into(), ""), "{arguments:?}");
        assert_eq!(problems.as_array().unwrap().len(), 1, "{arguments:?}");
        if let ["run" | "plan" | "preview", _, "main"] = arguments {
            assert_eq!(problems[0]["chain"], "main", "{arguments:?}");
        }
    }
}

#[test]
fn standard_input_is_an_input() {
    // `last` reads twice: what cannot be read again is kept aside.
    for keep in ["first", "last"] {
        let bench = five();
        bench.write(
            "connectors.toml",
            bench.read("connectors.toml") + &format!("unique = {{ key = \"email\", keep = \"{keep}\" }}\n"),
        );
        let mut command = bench.command(&["run", "--quiet", "--set", "connectors.users.options.input=-"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{}{}", line(7), line(8)).as_bytes()).unwrap();
        bench.said(child.wait_with_output().unwrap()).expect(0);
        assert_eq!(rows(&bench), ["auth0|7,u7@example.com", "auth0|8,u8@example.com"], "{keep}");
    }
}

#[test]
fn compressed_input_is_told_by_its_bytes() {
    let bench = five();
    let plain = from(&bench, "users.ndjson");
    let text = bench.read("users.ndjson");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    bench.write("users.gz", gzip.finish().unwrap());
    bench.write("zst-without-an-ending", zstd::encode_all(text.as_bytes(), 1).unwrap());
    assert_eq!(from(&bench, "users.gz"), plain);
    assert_eq!(from(&bench, "zst-without-an-ending"), plain);
}

#[test]
fn a_glob_is_several_files_in_order() {
    let bench = five();
    bench.write("more/b.ndjson", line(2)).write("more/a.ndjson", line(1)).write("more/c.txt", line(3));
    assert_eq!(from(&bench, "more/*.ndjson"), ["auth0|1,u1@example.com", "auth0|2,u2@example.com"]);
}
