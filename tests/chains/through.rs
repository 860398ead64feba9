//! Transforms between source and sinks, with the shipped plugin `pii`.

use crate::{rows, support::Bench};

const USERS: &str = r#"{"user_id":"auth0|1","email":"ada@example.com","phone_number":"+33612345678","user_metadata":{"note":"likes engines","plan":"pro"},"last_login":"2026-01-01T00:00:00Z"}
{"user_id":"auth0|2","email":"bob@example.com","user_metadata":{"plan":"free"},"last_login":"2026-02-01T00:00:00Z"}
{"user_id":"auth0|3","email":"ada@example.com","user_metadata":{"note":"an older account"},"last_login":"2025-01-01T00:00:00Z"}
{"user_id":"auth0|4"
"#;

/// `users.ndjson` through `pii` into `csv`.
fn bench(columns: &str, fields: &str, chain: &str) -> Bench {
    let bench = Bench::new();
    bench.write("users.ndjson", USERS);
    bench.write(
        "connectors.toml",
        format!(
            "version = 1\n\n[connectors.users]\nplugin = \"auth0\"\noptions = {{ input = \"users.ndjson\" }}\n\n\
             [connectors.hide]\nplugin = \"pii\"\noptions = {{ key = \"${{env:PII_KEY}}\", columns = {columns} }}\n\n\
             [connectors.people]\nplugin = \"csv\"\nfields = {fields}\nmax_rejects = 10\n\n\
             [chains.main]\nfrom = \"users\"\nthrough = [\"hide\"]\nto = [\"people\"]\n{chain}\n"
        ),
    );
    bench
}

fn said(bench: &Bench, arguments: &[&str]) -> crate::support::Said {
    let mut command = bench.command(arguments);
    bench.said(command.env("PII_KEY", "0123456789abcdef").output().unwrap())
}

const FIELDS: &str =
    "{ id = \"sub\", email = \"email\", phone = \"phone_number\", plan = \"user_metadata.plan\" }";

#[test]
fn sinks_see_what_a_transform_leaves() {
    let bench = bench("{ email = \"hash\", phone_number = \"mask\", sub = { truncate = 5 } }", FIELDS, "");
    let said = said(&bench, &["run", "--run-id", "r"]).expect(0);
    insta::assert_snapshot!(format!("{}\n{}", rows(&bench).join("\n"), said.shown()));
    assert!(!bench.part("main", "people", "rows").contains("@example.com"));
}

/// `unique` looks ahead, so the transform runs twice over the same records: the second time with fresh instances.
#[test]
fn what_comes_after_a_transform_works_on_its_values() {
    let chain = "unique = { key = \"email\", keep = { max = \"last_login\" } }\nwhere = \"user_metadata.plan != 'free'\"";
    let bench = bench("{ email = { truncate = 3 } }", FIELDS, chain);
    said(&bench, &["run", "--run-id", "r"]).expect(0);
    assert_eq!(rows(&bench), ["auth0|1,ada,+33612345678,pro"]);
}

#[test]
fn a_dropped_column_cannot_be_used() {
    let bench =
        bench("{ email = \"drop\", \"user_metadata.plan\" = \"drop\" }", FIELDS, "unique = \"email\"");
    insta::assert_snapshot!(said(&bench, &["check"]).expect(2).shown());
}

/// Defaults of a sink over claims that a transform drops are simply not there.
#[test]
fn a_dropped_claim_fills_nothing() {
    let bench = bench("{ phone_number = \"drop\" }", "{ name = \"'Ada'\", notes = \"'moved'\" }", "");
    let text = bench.read("connectors.toml").replace("plugin = \"csv\"", "plugin = \"zendesk\"");
    bench.write("connectors.toml", text);
    said(&bench, &["run", "--run-id", "r"]).expect(0);
    let users = bench.part("main", "people", "users");
    assert_eq!(
        users.lines().next(),
        Some("name,emails,ticket_restriction,external_id,notes,skip_verify_email,time_zone,locale")
    );
}

/// The chain's own claims are names of columns, too. `email` is an attribute of the source as well: both are hidden.
#[test]
fn a_claim_of_the_chain_is_hidden() {
    let claims = "claims = { email = \"user_metadata.note\", plan = \"user_metadata.plan\" }";
    let bench = bench(
        "{ email = { truncate = 1 }, plan = { truncate = 2 } }",
        "{ note = \"user_metadata.note\", plan = \"plan\", mail = \"row['email']\" }",
        claims,
    );
    said(&bench, &["run", "--run-id", "r"]).expect(0);
    assert_eq!(rows(&bench), ["l,pr,a", ",fr,b", "a,,a"]);
}

#[test]
fn columns_that_do_not_exist_or_slip_past_are_told() {
    let mut all = String::new();
    for (columns, fields) in [
        ("{ emial = \"hash\" }", FIELDS),
        ("{ \"user_metadata.note\" = \"mask\" }", "{ everything = \"user_metadata\" }"),
        ("{ sub = \"mask\", user_id = \"hash\" }", FIELDS),
    ] {
        all += &said(&bench(columns, fields, ""), &["check"]).expect(2).shown();
    }
    insta::assert_snapshot!(all);
}
