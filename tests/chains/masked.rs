//! `rejects.record = "masked"`: rejects without the records, which a retry reads again where they stand.

use std::io::Write as _;

use serde_json::Value;

use crate::support::{Bench, Said, python};

const USERS: &str = "{\"user_id\":\"u1\",\"email\":\"ada@example.com\",\"name\":\"Ada Lovelace\",\"phone_number\":\"secret-phone\"}\n\
    {\"user_id\":\"u2\",\"email\":\"eve.secret@\",\"name\":\"Eve Secret\"}\n\
    {\"user_id\":\"u3\",\"email\":\"kim@secret\" \"name\":\"Kim Secret\"}\n";

fn bench(input: &str, bytes: &[u8], record: &str) -> Bench {
    let sink =
        "plugin = \"zendesk\"\nmax_rejects = \"100%\"\noptions = { on_invalid = { phones = \"leave_out\" } }";
    let bench = crate::bench("", sink, "max_rejects = \"100%\"");
    bench.write(input, bytes);
    let manifest = bench.read("connectors.toml").replace("users.ndjson", input);
    bench.write("connectors.toml", manifest + &format!("\n[rejects]\nrecord = \"{record}\"\n"));
    bench
}

/// Runs the chain; answers all that it left but parts, and what it said.
fn left(bench: &Bench) -> (Vec<(String, String)>, Said) {
    let said = bench.usher(&["run", "--run-id", "r1"]).expect(0);
    let names = [
        "rejects.ndjson",
        "rejects.csv",
        "left-out.csv",
        "merged.csv",
        "report.json",
        "receipt.json",
        "people/UPLOAD.md",
    ];
    (
        names.iter().map(|name| ((*name).to_owned(), bench.read(&format!("out/main/r1/{name}")))).collect(),
        said,
    )
}

#[test]
fn no_value_of_a_record_is_in_what_is_told_of_it() {
    let full = left(&bench("users.ndjson", USERS.as_bytes(), "full")).0;
    let has = |files: &[(String, String)], name: &str| {
        files.iter().any(|(own, text)| own == name && text.to_lowercase().contains("secret"))
    };
    // They would be there, so that their absence says something.
    for name in ["rejects.ndjson", "rejects.csv", "left-out.csv", "report.json"] {
        assert!(has(&full, name), "{name}");
    }
    let bench = bench("users.ndjson", USERS.as_bytes(), "masked");
    let (masked, said) = left(&bench);
    for (name, text) in &masked {
        assert!(!has(&masked, name), "{name}: {text}");
    }
    for text in [&said.out, &said.err] {
        assert!(!text.to_lowercase().contains("secret"), "{text}");
    }
    insta::assert_snapshot!("masked_rejects", bench.read("out/main/r1/rejects.ndjson"));
    insta::assert_snapshot!("masked_left_out", bench.read("out/main/r1/left-out.csv"));
    python("audit.py", &bench.path(""), &["out/main/r1"]);
}

#[test]
fn a_retry_reads_the_records_where_they_stand() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(USERS.as_bytes()).unwrap();
    for (input, bytes) in
        [("users.ndjson", USERS.as_bytes().to_vec()), ("users.ndjson.gz", packed.finish().unwrap())]
    {
        let bench = bench(input, &bytes, "masked");
        bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
        // What was wrong is put right in the manifest.
        let manifest = bench.read("connectors.toml");
        let fields = "plugin = \"zendesk\"\nfields = { emails = \"email ~ 'example.com'\" }";
        bench.write("connectors.toml", manifest.replace("plugin = \"zendesk\"", fields));
        bench.usher(&["retry", "--quiet", "--run-id", "r2"]).expect(0);
        let part = bench.read("out/main/r2/people/main-people-r2-users-0001.csv");
        assert!(part.contains("eve.secret@example.com") && part.lines().count() == 2, "{part}");
        // The record that is no JSON still is none, and stands nowhere again.
        let rejects: Value = serde_json::from_str(bench.read("out/main/r2/rejects.ndjson").trim()).unwrap();
        assert_eq!((&rejects["code"], &rejects["raw"]), (&"json.syntax".into(), &Value::Null));
        assert!(!bench.path("out/main/r2/inputs").exists());
        python("audit.py", &bench.path(""), &["out/main/r2"]);
        let again = bench.usher(&["retry", "r2"]).expect(1).err;
        assert!(
            again.contains("the rejects of run r2 do not hold their records")
                && again.contains("was not kept"),
            "{again}"
        );
        bench.write(input, "{}\n");
        let changed = bench.usher(&["retry", "r1", "--again"]).expect(1).err;
        assert!(changed.contains(&format!("its input `{input}` has changed since")), "{changed}");
    }
}

#[test]
fn what_a_vendor_reported_is_masked_too() {
    let bench = bench("users.ndjson", USERS.as_bytes(), "masked");
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    bench.write("report.csv", "emails,error\nada@example.com,Ada Lovelace is not welcome\n");
    bench.usher(&["rejects", "--import", "report.csv"]).expect(0);
    let rejects = bench.read("out/main/r1.imported/people-report.ndjson");
    assert!(!rejects.contains("Lovelace") && rejects.contains("\"raw\":null"), "{rejects}");
    bench
        .usher(&[
            "retry",
            "r1",
            "--rejects",
            "out/main/r1.imported/people-report.ndjson",
            "--quiet",
            "--run-id",
            "r2",
        ])
        .expect(0);
    assert!(bench.read("out/main/r2/people/main-people-r2-users-0001.csv").contains("ada@example.com"));
}

#[test]
fn another_word_is_refused() {
    let said = bench("users.ndjson", b"", "none").usher(&["check"]).expect(2);
    assert!(said.err.contains("`none` is neither `full` nor `masked`"), "{}", said.err);
}
