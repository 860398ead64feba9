//! `usher rejects --import`: what a vendor did not take, from the error report that a person downloads.

use serde_json::Value;

use crate::support::{Bench, python};

/// Zendesk's file and another, of three people.
fn bench() -> Bench {
    let users: String = ["Ada", "Eve", "Kim", "Bob"]
        .iter()
        .enumerate()
        .map(|(n, name)| {
            format!("{{\"user_id\":\"u{n}\",\"email\":\"U{n}@example.com\",\"name\":\"{name}\"}}\n")
        })
        .collect();
    let sinks =
        "plugin = \"csv\"\nfields = { email = \"email\" }\n\n[connectors.support]\nplugin = \"zendesk\"";
    let bench = crate::bench(&users, sinks, "where = \"name != 'Eve'\"");
    let manifest =
        bench.read("connectors.toml").replace("to = [\"people\"]", "to = [\"people\", \"support\"]");
    bench.write("connectors.toml", manifest);
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    bench
}

fn imported(bench: &Bench, file: &str) -> Vec<Value> {
    bench.read(file).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn rows_that_a_vendor_did_not_take_come_back_and_are_tried_again() {
    let bench = bench();
    let report = "Row,Emails,Error\n3,u3@EXAMPLE.com ,Name is a fool's\n1,u0@example.com,\n2, U2@example.com,bad\n\
                  9,nobody@example.com,unheard of\n2,u2@example.com,worse\n";
    bench.write("report.csv", report);
    let import = ["rejects", "--import", "report.csv"];
    let which = bench.usher(&import).expect(1).err;
    assert!(which.contains("run r1 has files of `people`, `support`: say with `--connector`"), "{which}");
    let said = bench.usher(&[&import[..], &["--connector", "support"]].concat()).expect(0);
    insta::assert_snapshot!("imported", said.shown());
    // No values of people where logs may stand.
    assert!(!said.err.contains("example.com"), "{}", said.err);
    let file = "out/main/r1.imported/support-report.ndjson";
    let rejects = imported(&bench, file);
    let told: Vec<_> = rejects.iter().map(|reject| (&reject["origin"]["line"], &reject["message"])).collect();
    // In the order of the records, and one for each.
    assert_eq!(told, [(&3.into(), &"bad; worse".into()), (&4.into(), &"Name is a fool's".into())]);
    let users = bench.read("users.ndjson");
    for reject in &rejects {
        assert_eq!(
            reject["raw"],
            users.lines().nth(reject["origin"]["line"].as_u64().unwrap() as usize - 1).unwrap()
        );
        assert_eq!((&reject["connector"], &reject["code"]), (&"support".into(), &"vendor.reported".into()));
    }
    use std::os::unix::fs::PermissionsExt;
    for (path, mode) in [(file, 0o600), ("out/main/r1.imported", 0o700)] {
        assert_eq!(std::fs::metadata(bench.path(path)).unwrap().permissions().mode() & 0o777, mode);
    }
    // The run is what it was, and there is no other.
    bench.usher(&["runs", "verify", "r1"]).expect(0);
    let runs: Value = serde_json::from_str(&bench.usher(&["runs", "--json"]).expect(0).out).unwrap();
    assert_eq!(runs.as_array().unwrap().len(), 1);
    // Once more, one of them corrected.
    bench.write("corrected.ndjson", bench.read(file).replace("\\\"Kim\\\"", "\\\"Kim Kim\\\""));
    bench.usher(&["retry", "r1", "--rejects", "corrected.ndjson", "--quiet", "--run-id", "r2"]).expect(0);
    let part = bench.read("out/main/r2/support/main-support-r2-users-0001.csv");
    let names: Vec<_> = part.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(names, ["Kim Kim", "Bob"]);
    assert_eq!(bench.read("out/main/r2/people/main-people-r2-rows-0001.csv"), "email\n");
    python("audit.py", &bench.path(""), &["out/main/r2"]);
}

/// A confirmation leaves out what was imported; and where people go or rejects get old, what was imported goes, too.
#[test]
fn what_was_imported_is_not_confirmed_and_goes_with_the_rest() {
    let bench = bench();
    let manifest = bench.read("connectors.toml");
    let sync = manifest.replace("plugin = \"csv\"", "plugin = \"csv\"\nsync = \"changed\"");
    bench.write("connectors.toml", format!("{sync}unique = \"email\"\n"));
    bench.usher(&["run", "--quiet", "--run-id", "r2"]).expect(0);
    bench.write("report.csv", "Email,Error\nu2@example.com,bad\n");
    let import = ["rejects", "r2", "--import", "report.csv", "--connector", "people"];
    bench.usher(&import).expect(0);
    let told: Value =
        serde_json::from_str(&bench.usher(&["runs", "confirm", "r2", "--json"]).expect(0).out).unwrap();
    assert_eq!((&told[0]["rows"], &told[0]["not_taken"]), (&2.into(), &1.into()));
    bench.usher(&["run", "--quiet", "--run-id", "r3"]).expect(0);
    assert_eq!(bench.read("out/main/r3/people/main-people-r3-rows-0001.csv"), "email\nU2@example.com\n");

    let file = "out/main/r2.imported/people-report.ndjson";
    let forgotten = bench.usher(&["forget", "u2@example.com", "--dry-run"]).expect(0).out;
    assert!(forgotten.contains(&format!("{file}: 1")), "{forgotten}");
    bench.usher(&["forget", "u2@example.com"]).expect(0);
    assert_eq!(bench.read(file), "");
    bench.usher(&import).expect(1);
    bench.write("report.csv", "Email,Error\nu3@example.com,bad\n");
    bench.usher(&["rejects", "r3", "--import", "report.csv", "--connector", "support"]).expect(1);

    let keep = |keep: &str| bench.usher(&["runs", "prune", "--set", keep]).expect(0).out;
    let aged = std::fs::File::open(bench.path(file)).unwrap();
    aged.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 86_400)).unwrap();
    let told = keep("retention.rejects='2d'");
    assert!(
        told.contains("r2.imported/people-report.ndjson") && !bench.path("out/main/r2.imported").exists(),
        "{told}"
    );
}

#[test]
fn rows_are_named_by_number_line_or_another_column() {
    let bench = bench();
    bench.write("r.tsv", "Line\tNr\tperson\terror\n3\t2\tU2@example.com\tno\n");
    let part = "main-people-r1-rows-0001.csv";
    for columns in ["line=line", "row=Nr", "key=person:EMAIL,error=error"] {
        let arguments = ["rejects", "--import", "r.tsv", "--part", part, "--columns", columns, "--json"];
        let told: Value = serde_json::from_str(&bench.usher(&arguments).expect(0).out).unwrap();
        let rejects = imported(&bench, told["file"].as_str().unwrap());
        assert_eq!(rejects.len(), 1);
        assert_eq!(
            (&rejects[0]["origin"]["line"], &rejects[0]["connector"]),
            (&3.into(), &"people".into()),
            "{columns}"
        );
    }
}

#[test]
fn what_is_of_no_row_or_of_several_is_told_and_nothing_is_guessed() {
    let bench = bench();
    // Two rows of the same name: nobody knows which of the two is meant.
    let manifest = bench.read("connectors.toml");
    bench.write(
        "connectors.toml",
        manifest.replace("email = \"email\" }", "email = \"email\", kind = \"'user'\" }"),
    );
    bench.usher(&["run", "--quiet", "--run-id", "r2"]).expect(0);
    bench.write("report.csv", "kind,email,error\nuser,none@example.com,a\n,,b\n");
    let import = |columns: &str| {
        bench.usher(&[
            "rejects",
            "r2",
            "--import",
            "report.csv",
            "--connector",
            "people",
            "--columns",
            columns,
        ])
    };
    let several = import("key=kind").expect(1);
    assert!(several.err.contains("line 2, is of several rows of `people`"), "{}", several.err);
    assert!(several.err.contains("line 3, is of no row of `people`"), "{}", several.err);
    assert!(several.out.contains("0 of 2 errors brought back"), "{}", several.out);
    assert!(!bench.path("out/main/r2.imported").exists());
    assert!(import("key=nothing").expect(1).err.contains("has no column `nothing`"));
    assert!(import("name=kind").expect(2).err.contains("`name` is none of"));
}
