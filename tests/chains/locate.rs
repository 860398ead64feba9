//! `usher runs locate`: which record a written row was made from.

use std::path::Path;

use serde_json::Value;

use crate::support::Bench;

/// What is told of all rows of the latest run's parts of a connector, each with the row's cells.
fn located(bench: &Bench, chain: &str, connector: &str) -> Vec<(Value, Vec<String>)> {
    let mut all = Vec::new();
    for part in bench.parts(chain, connector) {
        let name = part.file_name().unwrap().to_str().unwrap().to_owned();
        let delimiter = if connector == "chat" { b'\t' } else { b',' };
        let mut table = csv::ReaderBuilder::new().delimiter(delimiter).from_path(&part).unwrap();
        if name.contains("-organizations-") {
            continue;
        }
        let rows: Vec<Vec<String>> =
            table.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        let places: Vec<String> = (1..=rows.len()).map(|row| format!("{name}#{row}")).collect();
        let mut arguments = vec!["runs", "locate", "--json", "--show-values"];
        arguments.extend(places.iter().map(String::as_str));
        let told: Value = serde_json::from_str(&bench.usher(&arguments).expect(0).out).unwrap();
        let told = told.as_array().unwrap().clone();
        assert_eq!(told.len(), rows.len(), "{name}");
        all.extend(told.into_iter().zip(rows));
    }
    all
}

/// The record that stands at an origin, read from the input by nothing but the origin.
fn record(bench: &Bench, told: &Value) -> Value {
    let origin = &told["origin"];
    let text = std::fs::read(bench.path(origin["path"].as_str().unwrap())).unwrap();
    let number = |key: &str| origin[key].as_u64().unwrap() as usize;
    let start = number("offset");
    let lines = text[..start].iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines + 1, number("line"));
    serde_json::from_slice(&text[start..start + number("length")]).unwrap()
}

/// Every row has its record's address among its cells, or its id where a bad address was left out.
#[track_caller]
fn same_people(bench: &Bench, all: &[(Value, Vec<String>)]) {
    // Sinks take out what nobody can see.
    let seen = |text: &str| text.trim().replace(['\u{200b}', '\u{feff}'], "").to_lowercase();
    for (told, cells) in all {
        let record = record(bench, told);
        let [email, id] = ["email", "user_id"].map(|key| seen(record[key].as_str().unwrap()));
        let has = |value: &str| cells.iter().flat_map(|cell| cell.split(',')).any(|item| seen(item) == value);
        assert!(has(&email) || has(&id), "{told} is not of {email}: {cells:?}");
        assert_eq!(seen(told["key"].as_str().unwrap()), email);
    }
}

#[test]
fn every_row_of_the_main_job_comes_from_the_record_of_its_person() {
    let bench = Bench::shipped();
    bench.usher(&["run", "--quiet"]).expect(0);
    for (chain, connector) in [
        ("onboard", "support"),
        ("onboard", "chat"),
        ("onboard", "newsletter"),
        ("onboard", "loyalty"),
        ("campaign", "campaign"),
    ] {
        let all = located(&bench, chain, connector);
        assert!(all.len() > 100, "{connector}: {}", all.len());
        same_people(&bench, &all);
    }
}

/// Updates of Zendesk: rows are in files by the columns they fill, some are merged, some rejected, files are small.
/// The state has moved on, twice, when the rows of the second run are looked for.
#[test]
fn rows_of_a_run_that_held_others_back_are_found() {
    for (connector, name) in [("support", &b"\"name\":\""[..]), ("newsletter", b"\"given_name\":\"")] {
        let bench = Bench::shipped();
        let manifest = bench.read("connectors.toml");
        let table = format!("[connectors.{connector}]\n");
        let sync = manifest.replacen(&table, &format!("{table}sync = \"changed\"\n"), 1);
        assert_ne!(sync, manifest);
        bench.write("connectors.toml", &sync);
        let only = format!("chains.onboard.to=[\"{connector}\"]");
        let run = |id: &str| {
            bench.usher(&["run", "--quiet", "onboard", "--run-id", id, "--set", &only]).expect(0);
            bench.usher(&["runs", "confirm", id]).expect(0);
        };
        run("r1");
        // Every seventh of the names; some lines are no UTF-8 on purpose.
        let users = std::fs::read(bench.path("examples/auth0/users.ndjson")).unwrap();
        let mut changed = Vec::new();
        for (number, line) in users.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let at = line.windows(name.len()).position(|bytes| bytes == name).filter(|_| number % 7 == 0);
            let at = at.map_or(line.len(), |at| at + name.len());
            changed.extend_from_slice(&line[..at]);
            changed.extend_from_slice(if at < line.len() { b"Dr. " } else { b"" });
            changed.extend_from_slice(&line[at..]);
        }
        std::fs::write(bench.path("examples/auth0/users.ndjson"), changed).unwrap();
        run("r2");
        let all = located(&bench, "onboard", connector);
        assert!(all.len() > 20, "{connector}: {}", all.len());
        same_people(&bench, &all);
        let held = bench.path(&format!("out/onboard/r2/held-back/{connector}.bits"));
        let bits = std::fs::read(&held).unwrap();
        std::fs::write(&held, [&bits[..bits.len() - 1], b"x"].concat()).unwrap();
        let part = bench.parts("onboard", connector).remove(0);
        let row = format!("{}#1", part.file_name().unwrap().to_str().unwrap());
        let said = bench.usher(&["runs", "locate", &row]).expect(1).err;
        assert!(said.contains(".bits` of run r2 has changed since"), "{said}");
        std::fs::remove_file(held).unwrap();
        let said = bench.usher(&["runs", "locate", &row]).expect(1).err;
        assert!(said.contains("which rows were held back cannot be read"), "{said}");
    }
}

#[test]
fn rows_that_are_divided_among_files_are_found() {
    let mut users = String::new();
    for n in 0..12 {
        let nick = if n % 3 == 0 { ",\"nickname\":\"nick\"" } else { "" };
        let email = if n == 5 { "nobody@".to_owned() } else { format!("u{n}@example.com") };
        users += &format!("{{\"user_id\":\"u{n}\",\"email\":\"{email}\",\"name\":\"N {n}\"{nick}}}\n");
    }
    // The same person again: the row goes into the first.
    users += "{\"user_id\":\"u1\",\"email\":\"u1@example.com\",\"name\":\"N 1\"}\n";
    let sink = "plugin = \"zendesk\"\nmax_rejects = \"100%\"\n\
                options = { import_type = \"update\", on_duplicate = \"merge\", max_rows = 3 }\n\
                fields = { notes = \"nickname\" }";
    let bench = crate::bench(&users, sink, "");
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    let parts = bench.parts("main", "people");
    let headings =
        |part: &std::path::PathBuf| std::fs::read_to_string(part).unwrap().lines().next().unwrap().to_owned();
    let ways: std::collections::BTreeSet<String> = parts.iter().map(headings).collect();
    assert!(parts.len() > 3 && ways.len() == 2, "{parts:?} {ways:?}");
    let all = located(&bench, "main", "people");
    assert_eq!(all.len(), 11);
    same_people(&bench, &all);
}

fn two_people() -> Bench {
    let users = "{\"user_id\":\"u1\",\"email\":\"ada@example.com\",\"name\":\"Ada\\nKing\"}\n\
                 {\"user_id\":\"u2\",\"email\":\"eve@example.com\",\"name\":\"Eve\"}\n";
    let bench = crate::bench(users, "plugin = \"csv\"\nfields = { email = \"email\", name = \"name\" }", "");
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    bench
}

const PART: &str = "main-people-r1-rows-0001.csv";

#[test]
fn a_row_is_named_by_any_of_its_lines_and_by_any_name_of_its_file() {
    let bench = two_people();
    let of = |place: &str| bench.usher(&["runs", "locate", place]).expect(0).out;
    insta::assert_snapshot!("locate", of(&format!("{PART}:2")));
    let first = of(&format!("{PART}#1"));
    for place in [format!("{PART}:3"), format!("people/{PART}:2"), format!("out/main/latest/people/{PART}:2")]
    {
        assert_eq!(of(&place), first);
    }
    assert!(of(&format!("{PART}:4")).contains("users.ndjson:2 "));
    // Where nobody sits before a terminal, keys are for whoever asks for them.
    let shown = bench.usher(&["runs", "locate", &format!("{PART}#1"), "--show-values"]).expect(0).out;
    assert!(shown.contains("ada@example.com") && !first.contains("ada@example.com"), "{first}");
    let wrong = |place: &str| bench.usher(&["runs", "locate", place]).expect(1).err;
    assert!(
        wrong(&format!("{PART}:1")).contains("line 1 of `people/main-people-r1-rows-0001.csv` is of no row")
    );
    assert!(wrong(&format!("{PART}#3")).contains("has no row 3; it has 2 rows"));
    assert!(wrong("main-people-r1-rows-0002.csv:2").contains("did you mean `main-people-r1-rows-0001.csv`?"));
    assert!(wrong(PART).contains("names no row"));
}

#[test]
fn what_is_not_as_it_was_is_not_guessed_at() {
    let bench = two_people();
    let place = format!("{PART}#1");
    let wrong = || bench.usher(&["runs", "locate", &place]).expect(1).err;
    let (users, manifest) = (bench.read("users.ndjson"), bench.read("connectors.toml"));
    bench.write("users.ndjson", users.replace("Ada", "Bob"));
    assert!(wrong().contains("run r1 read `users.ndjson`, which has changed since"));
    std::fs::remove_file(bench.path("users.ndjson")).unwrap();
    assert!(wrong().contains("run r1 read `users.ndjson`, which cannot be read"));
    bench.write("users.ndjson", &users);
    bench.write("connectors.toml", format!("{manifest}where = \"name == 'Eve'\"\n"));
    assert!(wrong().contains("its manifest says something else now"));
    // What makes no difference to the rows is none: a comment, a column's expression that gives the same.
    bench.write("connectors.toml", format!("# mine\n{manifest}where = \"true\"\n"));
    bench.usher(&["runs", "locate", &place]).expect(0);
    bench.write("connectors.toml", &manifest);
    let part = format!("out/main/r1/people/{PART}");
    let text = bench.read(&part);
    bench.write(&part, text.replace("Eve", "Kim"));
    assert!(wrong().contains("has changed since the run wrote it"));
}

#[test]
fn rows_of_a_retry_are_found_in_what_it_read() {
    let users = "{\"user_id\":\"u1\",\"email\":\"eve@\",\"name\":\"Eve\"}\n\
                 {\"user_id\":\"u2\",\"email\":\"ada@example.com\",\"name\":\"Ada\"}\n\
                 {\"user_id\":\"u3\",\"email\":\"kim@\",\"name\":\"Kim\"}\n";
    let bench = crate::bench(users, "plugin = \"zendesk\"\nmax_rejects = \"100%\"", "unique = \"email\"");
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    let rejects = bench.read("out/main/r1/rejects.ndjson");
    bench.write("out/main/r1/rejects.ndjson", rejects.replace("@\\\"", "@example.com\\\""));
    bench.usher(&["retry", "--quiet", "--run-id", "r2"]).expect(0);
    let told = bench.usher(&["runs", "locate", "main-people-r2-users-0001.csv#2", "--json"]).expect(0).out;
    let told: Value = serde_json::from_str(&told).unwrap();
    let path = told[0]["origin"]["path"].as_str().unwrap();
    let line = told[0]["origin"]["line"].as_u64().unwrap();
    let input =
        bench.read(&format!("out/main/r2/inputs/{}", Path::new(path).file_name().unwrap().to_str().unwrap()));
    assert!(input.lines().nth(line as usize - 1).unwrap().contains("kim@example.com"), "{input}");
}
