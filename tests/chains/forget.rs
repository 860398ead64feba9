//! `usher forget`: a person is gone from every byte that is kept, and nobody else is.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::Path};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{
    Bench, Said,
    server::{Answer, Asked, Server},
};

const KEY: &str = "ada@example.com";

const USERS: &[&str] = &[
    r#"{"user_id":"u1","email":"ada@example.com","name":"Ada, \"the\nfirst\"","phone_number":"12","locale":"no such"}"#,
    r#"{"user_id":"u2","email":"eve@example.com","name":"Eve \"E\", the\nsecond","phone_number":"12"}"#,
    r#"{"user_id":"u3","email":"ADA@example.com","name":"Ada again"}"#,
    r#"{"user_id":"u4","email":"nobody","name":"Nobody"}"#,
    r#"{"user_id":"u5","email":"ada@example.com","name":"#,
    r#"{"user_id":"u6","email":"kim@example.com","name":"Kim","user_metadata":{"friends":"ada@example.com|eve@example.com"}}"#,
    r#"{"user_id":"u7","email":"lee@example.com","name":"Lee"}"#,
    r#"{"user_id":"u8","email":"eve@example.com","name":"Eve again"}"#,
];

/// A vendor that refuses one address by name, and answers nothing that it is not in.
fn answer(asked: &Asked, _: SocketAddr, (): &mut ()) -> Answer {
    let body: Value = serde_json::from_str(&asked.body).expect("JSON");
    match &body["emails"][0] {
        first if *first == KEY => {
            Answer::json(200, &json!({ "refused": [0], "who": first, "why": "Ada is on holiday" }))
        }
        first => Answer::json(403, &json!({ "errors": [{ "email": first }] })),
    }
}

/// Two chains: into files of three forms, and to a vendor.
fn bench(vendor: &Server<()>) -> Bench {
    let (bench, domain) = (Bench::new(), vendor.domain());
    bench.write("users.ndjson", USERS.join("\n") + "\n");
    bench.write(
        "connectors.toml",
        format!(
            r#"version = 1

[connectors.users]
plugin = "auth0"
options = {{ input = "users.ndjson" }}

[connectors.people]
plugin = "csv"
fields = {{ email = "email", name = "name", friends = "user_metadata.friends" }}
sync = "changed"
on_missing = "report"

[connectors.archive]
plugin = "json"
options = {{ format = "array" }}
fields = {{ email = "email", name = "name" }}

[connectors.support]
plugin = "zendesk"
where = "email != 'kim@example.com'"

[connectors.crm]
plugin = "fetching"
component = "batches"
hosts = ["{domain}"]
fields = {{ email = "email" }}
max_rejects = "100%"
[connectors.crm.options]
url = "http://{domain}/batch"
token = "hunter2"
rows = 2

[chains.files]
from = "users"
to = ["people", "archive", "support"]
unique = "email"
max_rejects = "100%"

[chains.api]
from = "users"
to = ["crm"]
unique = "email"
max_rejects = "100%"
"#
        ),
    );
    bench
}

/// All files below a folder, by their paths in the bench.
fn files(bench: &Bench, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut left) = (BTreeMap::new(), vec![bench.path(folder)]);
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                left.push(path);
            } else if !path.is_symlink() && path.extension().is_none_or(|end| end != "lock") {
                let name = path.strip_prefix(bench.path("")).unwrap_or(&path).display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The files that hold the key, in any case.
fn holding(bench: &Bench, folder: &str) -> Vec<String> {
    let holds = |bytes: &Vec<u8>| memchr::memmem::find(&bytes.to_ascii_lowercase(), KEY.as_bytes()).is_some();
    files(bench, folder).into_iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name).collect()
}

fn forget(bench: &Bench, more: &[&str], code: i32) -> Said {
    bench.usher(&[&["forget", " Ada@Example.com"], more].concat()).expect(code)
}

/// A bench on which a person has left traces everywhere.
fn used() -> Bench {
    let vendor = Server::new((), answer);
    let bench = bench(&vendor);
    bench.usher(&["run", "files", "--quiet", "--run-id", "r1"]).expect(0);
    // What was cut off is mended, and tried again.
    let rejects = bench.read("out/files/r1/rejects.ndjson");
    let mended = rejects.replace(r#"\"name\":""#, r#"\"name\":\"Mended\"}""#);
    assert_ne!(rejects, mended);
    bench.write("mended.ndjson", mended);
    bench.usher(&["retry", "r1", "--rejects", "mended.ndjson", "--quiet", "--run-id", "r2"]).expect(0);
    bench.usher(&["run", "api", "--quiet", "--run-id", "r3", "--record", "tape", "--with-values"]).expect(4);
    let database = rusqlite::Connection::open(bench.path(".usher/usher.db")).unwrap();
    let state = "INSERT INTO state (connector, key, value) VALUES ('users', ?1, ?2)";
    database.execute(state, ("last", b"{\"email\":\"Ada@example.com\"}".as_slice())).unwrap();
    database.execute(state, ("token", b"t".as_slice())).unwrap();
    bench
}

#[test]
fn a_person_is_forgotten_to_the_last_byte_and_nobody_else_is() {
    let bench = used();
    let (before, notes) = (files(&bench, "out"), bench.read("mended.ndjson"));
    let users = bench.read("users.ndjson");
    for folder in ["out", ".usher", "tape"] {
        assert!(!holding(&bench, folder).is_empty(), "{folder}");
    }
    for name in [
        "r1/rejects.ndjson",
        "r1/rejects.csv",
        "r1/left-out.csv",
        "r2/inputs/retry-1-users.ndjson",
        "r1/people",
        "r1/archive",
        "r1/support",
        "r2/people",
    ] {
        let name = format!("out/files/{name}");
        let about = name.ends_with("left-out.csv")
            || holding(&bench, "out").iter().any(|path| path.starts_with(&name));
        assert!(about, "{name}");
    }
    let looked = forget(&bench, &["--recordings", "tape", "--dry-run"], 0).out;
    assert_eq!(files(&bench, "out"), before);

    let said = forget(&bench, &["--recordings", "tape"], 0).out;
    assert_eq!(looked.replace("found, and would be removed", "found and removed"), said);
    // Two requests are under way at once.
    assert_snapshot!("forgotten", said.replace("crm-0002", "crm-0001"));
    for folder in ["out", ".usher", "tape"] {
        assert_eq!(holding(&bench, folder), [""; 0], "{folder}");
    }
    // Files of the user's own are not changed.
    assert_eq!((bench.read("users.ndjson"), bench.read("mended.ndjson")), (users, notes));

    let text =
        |files: &BTreeMap<String, Vec<u8>>, name: &str| String::from_utf8(files[name].clone()).unwrap();
    let after = files(&bench, "out");
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    let people = "out/files/r1/people/files-people-r1-rows-0001.csv";
    let row = "ada@example.com,\"Ada, \"\"the\nfirst\"\"\",\n";
    let list = "kim@example.com,Kim,ada@example.com|eve@example.com\n";
    assert_eq!(text(&after, people), text(&before, people).replace(row, "").replace(list, ""));
    assert!(text(&after, people).contains("\neve@example.com,\"Eve \"\"E\"\", the\nsecond\",\n"));
    let archive = "out/files/r1/archive/files-archive-r1-records-0001.json";
    let rows = |text: String| serde_json::from_str::<Vec<Value>>(&text).unwrap();
    let mut expected = rows(text(&before, archive));
    expected.retain(|row| row["email"] != KEY);
    assert_eq!(rows(text(&after, archive)), expected);
    let rejects = |files| {
        let text = text(files, "out/files/r1/rejects.ndjson");
        text.lines().filter(|line| !line.contains(KEY)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(rejects(&after), rejects(&before));
    assert_eq!(rejects(&after).len(), text(&after, "out/files/r1/rejects.ndjson").lines().count());
    // Neither names anybody but by place.
    assert_snapshot!("left_out", text(&after, "out/files/r1/left-out.csv"));
    assert_snapshot!("merged", text(&after, "out/files/r1/merged.csv"));
    let tape = files(&bench, "tape");
    assert!(
        tape.values().any(|exchange| String::from_utf8_lossy(exchange).contains("lee@example.com")),
        "{tape:?}"
    );

    assert_snapshot!("forgotten_verified", bench.usher(&["runs", "verify", "r1"]).expect(0).out);
    bench.usher(&["runs", "verify", "r2"]).expect(0);
    bench.usher(&["runs", "verify", "r3"]).expect(0);
    let shown = bench.usher(&["runs", "show", "r1"]).expect(0).out;
    assert!(shown.contains("of people forgotten since removed"), "{shown}");
    assert!(shown.contains("-rows-0001.csv: 3 rows, 96 B"), "{shown}");
    let database = rusqlite::Connection::open(bench.path(".usher/usher.db")).unwrap();
    let left: Vec<String> = database
        .prepare("SELECT key FROM state WHERE connector = 'users'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(left, ["token"]);

    let again = forget(&bench, &["--recordings", "tape", "--json"], 1).out;
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!((&again["found"], &again["inputs"][0]["count"]), (&json!([]), &json!(4)));
}

#[test]
fn whoever_is_nowhere_is_not_found() {
    let bench = crate::bench(
        "{\"user_id\":\"u1\",\"email\":\"eve@example.com\",\"name\":\"Eve\"}\n",
        "plugin = \"csv\"\nfields = { email = \"email\" }",
        "",
    );
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    let before = files(&bench, "out");
    assert_eq!(forget(&bench, &[], 1).out, "not found anywhere that usher keeps\n");
    assert_eq!(files(&bench, "out"), before);
    assert!(!bench.path(".usher").exists());
    assert!(bench.usher(&["forget", " "]).expect(2).err.contains("an empty key is nobody's"));
}

#[test]
fn what_only_looks_like_the_person_stays_and_is_told() {
    let users = "{\"user_id\":\"u1\",\"email\":\"ada@example.com\",\"name\":\"Ada\"}\n\
                 {\"user_id\":\"u2\",\"email\":\"nada@example.com\",\"name\":\"Nada\"}\n\
                 {\"user_id\":\"u3\",\"email\":\"eve@example.com\",\"name\":\"knows ada@example.com well\"}\n";
    let bench = crate::bench(users, "plugin = \"csv\"\nfields = { email = \"email\", name = \"name\" }", "");
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    let said = forget(&bench, &[], 1).out;
    assert!(said.contains("still there, look yourself: out/main/r1/people/"), "{said}");
    assert_eq!(crate::rows(&bench), ["nada@example.com,Nada", "eve@example.com,knows ada@example.com well"]);
}

#[test]
fn a_word_or_a_number_is_forgotten_as_a_value_only() {
    let users = "{\"user_id\":\"2\",\"email\":\"a@example.com\",\"name\":\"files\"}\n{\"user_id\":\"3\",\"email\":\"b@example.com\",\"name\":\"Bob\"}\n";
    let bench = crate::bench(users, "plugin = \"csv\"\nfields = { id = \"user_id\", name = \"name\" }", "");
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    let guide = bench.read("out/main/r1/people/UPLOAD.md");
    let said = bench.usher(&["forget", "2", "files"]).expect(0);
    assert!(said.out.contains("`2` may stand in any text"), "{}", said.out);
    assert_eq!(bench.read("out/main/r1/people/UPLOAD.md"), guide);
    assert_eq!(bench.read("out/main/r1/people/main-people-r1-rows-0001.csv"), "id,name\n3,Bob\n");
}

#[test]
fn nobody_is_forgotten_while_somebody_sends() {
    let bench = used();
    let lock = fs::File::options().write(true).open(bench.path(".usher/sending-api.lock")).unwrap();
    lock.lock().unwrap();
    assert!(forget(&bench, &[], 1).err.contains("another run of this chain is sending"));
    assert!(!holding(&bench, "out").is_empty());
}

#[test]
fn an_attempt_that_was_ended_is_cleared_up_by_the_next() {
    let bench = used();
    bench.write("out/files/r1/people/.replacing-abc", "half of ada@example.com");
    forget(&bench, &["--recordings", "tape"], 0);
    assert!(!Path::new(&bench.path("out/files/r1/people/.replacing-abc")).exists());
}

#[test]
fn whoever_was_withdrawn_or_missing_is_forgotten_too() {
    let sink = "plugin = \"csv\"\nfields = { email = \"email\" }\nsync = \"changed\"\non_missing = \"report\"\nmax_missing = \"50%\"";
    let line = |n: u32, email: &str, plan: &str| {
        format!("{{\"user_id\":\"u{n}\",\"email\":\"{email}\",\"user_metadata\":{{\"plan\":\"{plan}\"}}}}\n")
    };
    let users = line(1, "eve@example.com", "pro") + &line(2, KEY, "pro") + &line(3, "kim@example.com", "pro");
    let bench = crate::bench(&users, sink, "unique = \"email\"\nwhere = \"user_metadata.plan == 'pro'\"");
    let run = |id| bench.usher(&["run", "--quiet", "--run-id", id]).expect(0);
    run("r1");
    bench.usher(&["runs", "confirm", "r1"]).expect(0);
    bench.write(
        "users.ndjson",
        line(1, "eve@example.com", "free") + &line(2, KEY, "free") + &line(3, "kim@example.com", "pro"),
    );
    run("r2");
    bench.usher(&["runs", "confirm", "r2"]).expect(0);
    bench.write("users.ndjson", users);
    run("r3");
    bench.usher(&["runs", "confirm", "r3"]).expect(0);
    bench.write("users.ndjson", line(1, "eve@example.com", "pro") + &line(3, "kim@example.com", "pro"));
    run("r4");
    assert_eq!(
        bench.read("out/main/r4/missing.csv"),
        format!("connector,key,outcome,message\npeople,{KEY},listed,\n")
    );
    let before = bench.read("out/main/r2/withdrawn.csv");

    forget(&bench, &[], 0);
    for folder in ["out", ".usher"] {
        assert_eq!(holding(&bench, folder), [""; 0], "{folder}");
    }
    assert_eq!(bench.read("out/main/r4/missing.csv"), "connector,key,outcome,message\n");
    let left: Vec<&str> = before.lines().filter(|line| !line.contains(KEY)).collect();
    assert_eq!(bench.read("out/main/r2/withdrawn.csv").lines().collect::<Vec<_>>(), left);
    assert_eq!(left.len(), 2);
    // Nobody misses whom nobody knows.
    run("r5");
    assert_eq!(bench.read("out/main/r5/missing.csv"), "connector,key,outcome,message\n");
}
