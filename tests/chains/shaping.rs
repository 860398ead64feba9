//! Which rows go on, and as which columns.

use crate::{
    bench, rows,
    support::{Bench, Said},
};

/// A sink that shows who came through.
const PEOPLE: &str =
    "plugin = \"csv\"\nmax_rejects = \"100%\"\nallow_empty = true\nfields = { who = \"sub\" }";

/// Users from `id email` pairs with what else is said of them.
fn users(users: &[(&str, &str)]) -> String {
    let user = |(id, rest): &(&str, &str)| {
        format!("{{\"user_id\":\"{id}\"{}{rest}}}\n", if rest.is_empty() { "" } else { "," })
    };
    users.iter().map(user).collect()
}

fn run(bench: &Bench) -> Said {
    bench.usher(&["run", "--quiet"]).expect(0)
}

/// A table of the latest run without the columns that only name the place.
fn table(bench: &Bench, name: &str, columns: &[&str]) -> Vec<String> {
    let path = bench.path(&format!("out/main/latest/{name}"));
    let mut reader = csv::Reader::from_path(path).unwrap();
    let headings = reader.headers().unwrap().clone();
    let place =
        |column: &&str| headings.iter().position(|h| h == *column).unwrap_or_else(|| panic!("{headings:?}"));
    let places: Vec<usize> = columns.iter().map(place).collect();
    let line = |record: csv::StringRecord| {
        places.iter().map(|p| record[*p].to_owned()).collect::<Vec<_>>().join(" ")
    };
    reader.records().map(|record| line(record.unwrap())).collect()
}

#[test]
fn a_condition_is_true_or_false_and_nothing_else() {
    let said = ["true", "\"TRUE\"", "false", "\"False\"", "null", "\"\"", "1", "\"yes\"", "[]"];
    let mut people: Vec<(String, String)> =
        said.iter().map(|v| ((*v).replace('"', "'"), format!("\"user_metadata\":{{\"in\":{v}}}"))).collect();
    people.push(("missing".to_owned(), String::new()));
    let people: Vec<(&str, &str)> = people.iter().map(|(id, rest)| (id.as_str(), rest.as_str())).collect();
    let bench = bench(&users(&people), PEOPLE, "where = \"user_metadata.in\"");
    run(&bench);
    assert_eq!(rows(&bench), ["true", "'TRUE'"]);
    let rejects = table(&bench, "rejects.csv", &["line", "field", "code"]);
    // Only null and missing say nothing; an empty text is neither of the two words.
    let expected = ["6", "7", "8", "9"].map(|line| format!("{line} where condition.not-boolean"));
    assert_eq!(rejects, expected);
}

/// ADR 0008: whoever says no has said it, whatever else is wrong with the record.
#[test]
fn a_record_that_is_rejected_for_something_else_refuses_consent() {
    let said = |email: &str, yes: bool, logins: &str| {
        format!("\"email\":\"{email}\",\"user_metadata\":{{\"in\":{yes}}},\"logins_count\":{logins}")
    };
    let (yes, no) = (said("ada@example.com", true, "3"), said("Ada@example.com", false, "\"many\""));
    let other = said("bob@example.com", true, "1");
    let people = users(&[("a", &yes), ("b", &no), ("c", &other)]);
    let sink = "plugin = \"csv\"\nmax_rejects = \"100%\"\noptions = { consent = \"consent\" }\n\
                fields = { who = \"sub\", logins = \"logins_count\" }";
    let claims = "claims = { consent = \"user_metadata.in\" }\n";
    for unique in ["", "unique = \"email\"", "unique = { key = \"email\", keep = \"last\" }"] {
        let bench = bench(&people, sink, &format!("{claims}{unique}"));
        run(&bench);
        assert_eq!(rows(&bench), ["c,1"], "{unique}");
        assert_eq!(table(&bench, "rejects.csv", &["line", "code"]), ["2 value.type"], "{unique}");
    }
}

#[test]
fn where_of_chain_and_connector_both_hold() {
    let people = users(&[("a", r#""blocked":true"#), ("b", r#""nickname":"x""#), ("c", r#""nickname":"y""#)]);
    let bench = bench(&people, &format!("{PEOPLE}\nwhere = \"nickname == 'y'\""), "where = \"not blocked\"");
    run(&bench);
    assert_eq!(rows(&bench), ["c"]);
}

/// A sink's conditions read columns that it has none of.
#[test]
fn a_sink_of_constants_has_its_conditions() {
    let yes = r#""email":"ada@example.com","nickname":"y","user_metadata":{"in":true}"#;
    let people = users(&[("a", yes), ("b", yes), ("c", r#""nickname":"y""#), ("d", r#""nickname":"z""#)]);
    let sink = "plugin = \"csv\"\nfields = { greeting = \"'hello'\" }\noptions = { consent = \"consent\" }\n\
                where = \"nickname == 'y'\"\nunique = \"email\"";
    let bench = bench(&people, sink, "claims = { consent = \"user_metadata.in\" }");
    run(&bench);
    assert_eq!(rows(&bench), ["hello"]);
}

/// Two spellings of one address, an older and a younger login, and keys that are none.
fn twins() -> String {
    users(&[
        ("a", r#""email":"Ada@example.com","last_login":"2024-01-02T00:00:00.000Z""#),
        ("b", r#""email":" ada@EXAMPLE.com ","last_login":"2024-03-02T00:00:00.000Z""#),
        ("c", r#""email":"ada@example.com""#),
        ("n1", r#""email":null"#),
        ("n2", r#""email":null"#),
        ("e1", r#""email":"""#),
        ("e2", r#""email":" ""#),
        ("m", ""),
    ])
}

#[test]
fn the_first_the_last_or_the_greatest_stays() {
    for (keep, stays) in [("\"first\"", "a"), ("\"last\"", "c"), ("{ max = \"last_login\" }", "b")] {
        let bench = bench(&twins(), PEOPLE, &format!("unique = {{ key = \"email\", keep = {keep} }}"));
        run(&bench);
        assert_eq!(rows(&bench), [stays, "n1", "n2", "e1", "e2", "m"], "{keep}: blank keys are never equal");
        let line = |id: &str| ["a", "b", "c"].iter().position(|other| *other == id).unwrap() + 1;
        let gone = ["a", "b", "c"].iter().filter(|id| **id != stays);
        let expected: Vec<String> = gone.map(|id| format!("{} {} unique", line(id), line(stays))).collect();
        assert_eq!(table(&bench, "merged.csv", &["line", "survivor_line", "reason"]), expected);
    }
}

#[test]
fn a_row_that_is_filtered_shadows_nobody() {
    let people = users(&[
        ("unverified", r#""email":"ada@example.com","email_verified":false"#),
        ("verified", r#""email":"ada@example.com","email_verified":true"#),
    ]);
    let chain = "where = \"email_verified\"\nunique = \"email\"";
    let bench_first = bench(&people, PEOPLE, chain);
    run(&bench_first);
    assert_eq!(rows(&bench_first), ["verified"]);
    for keep in ["\"last\"", "{ max = \"email_verified\" }"] {
        let people = people.lines().rev().map(|line| format!("{line}\n")).collect::<String>();
        let chain = format!("where = \"email_verified\"\nunique = {{ key = \"email\", keep = {keep} }}");
        let bench = bench(&people, PEOPLE, &chain);
        run(&bench);
        assert_eq!(rows(&bench), ["verified"], "{keep}");
    }
}

#[test]
fn the_same_user_twice_is_merged_into_itself_nowhere() {
    let people = users(&[("a", r#""email":"ada@example.com""#), ("a", r#""email":"ada@example.com""#)]);
    let bench = bench(&people, &format!("{PEOPLE}\nunique = \"sub\""), "");
    run(&bench);
    assert_eq!(rows(&bench), ["a"]);
    assert_eq!(table(&bench, "merged.csv", &["connector", "line", "survivor_line"]), ["people 2 1"]);
}

#[test]
fn who_stands_on_the_list_is_left_out() {
    let people =
        users(&[("a", r#""email":"Ada@Example.com""#), ("b", r#""email":"bob@example.com""#), ("n", "")]);
    let bench = bench(&people, PEOPLE, "exclude = { from = \"gone\", key = \"email\" }");
    let list = "\n[connectors.gone]\nplugin = \"csv\"\noptions = { input = \"gone.csv\" }\n";
    bench.write("connectors.toml", bench.read("connectors.toml") + list);
    bench.write("gone.csv", "number,email\n1, ADA@example.com \n2,\n3,nobody@example.com\n");
    run(&bench);
    assert_eq!(rows(&bench), ["b", "n"]);
}

#[test]
fn one_refusal_of_an_address_wins() {
    let people = users(&[
        ("yes", r#""email":"ada@example.com","agreed":true"#),
        ("no", r#""email":"ADA@example.com ","agreed":"false""#),
        ("silent", r#""email":"bob@example.com""#),
        ("says yes", r#""email":"bob@example.com","agreed":"true""#),
        ("no address", r#""agreed":true"#),
        ("maybe", r#""email":"cy@example.com","agreed":"maybe""#),
        ("sure", r#""email":"cy@example.com","agreed":true"#),
    ]);
    let people = people.as_str();
    let bench =
        bench(people, &PEOPLE.replace("max_rejects", "options = { consent = \"agreed\" }\nmax_rejects"), "");
    run(&bench);
    // Who says nothing is not written to, but refuses nothing either; `maybe` is a reject.
    assert_eq!(rows(&bench), ["says yes", "no address", "sure"]);
    assert_eq!(table(&bench, "rejects.csv", &["line", "field", "code"]), ["6 consent condition.not-boolean"]);
}

/// The refusal counts even if `unique` keeps another record of the address.
#[test]
fn a_refusal_wins_over_the_record_that_stays() {
    let people = users(&[
        ("yes", r#""email":"ada@example.com","agreed":true"#),
        ("no", r#""email":"ada@example.com","agreed":false"#),
    ]);
    for keep in ["first", "last"] {
        let people_of = PEOPLE.replace("max_rejects", "options = { consent = \"agreed\" }\nmax_rejects");
        let bench = bench(&people, &people_of, &format!("unique = {{ key = \"email\", keep = \"{keep}\" }}"));
        run(&bench);
        assert!(rows(&bench).is_empty(), "{keep}");
    }
}

#[test]
fn claims_of_the_chain_become_custom_fields_of_each_vendor() {
    let mut text = String::new();
    for plugin in ["zendesk", "carrot-quest", "constant-contact", "cohort", "csv", "json"] {
        let people = users(&[(
            "auth0|1",
            r#""email":"ada@example.com","given_name":"Ada","family_name":"Lovelace","user_metadata":{"plan":"pro","seats":3}"#,
        )]);
        let connector =
            format!("plugin = \"{plugin}\"\noptions = {{ consent = {{ not_needed = \"a test\" }} }}");
        let chain = "claims = { plan = \"user_metadata.plan\", seats = \"user_metadata.seats\", company = \"user_metadata.company\" }";
        let bench = bench(&people, &connector, chain);
        run(&bench);
        let part = std::fs::read_to_string(&bench.parts("main", "people")[0]).unwrap();
        text += &format!("{plugin}\n{}\n", part.replace('\t', "→"));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn plan_lists_what_became_column_operations() {
    let fields = [
        ("path", "email"),
        ("quoted", "row['given_name']"),
        ("claim", "plan"),
        ("joined", "given_name ~ ' ' ~ family_name"),
        ("template", "{{ given_name }} {{ family_name }}"),
        ("default", "{{ given_name | default(nickname) }}"),
        ("lower", "email | lower | trim"),
        ("choice", "'vip' if email_verified else 'guest'"),
        ("date", "created_at | date"),
        ("loop", "{% for i in identities %}{{ i.provider }}{% endfor %}"),
        ("length", "given_name | length"),
        ("constant", "'Usher'"),
    ];
    let fields: Vec<String> = fields.iter().map(|(column, text)| format!("{column} = \"{text}\"")).collect();
    let people = users(&[(
        "auth0|1",
        r#""email":"ADA@example.com","email_verified":true,"given_name":"Ada","family_name":"Lovelace","created_at":"2024-01-02T03:04:05.000Z","identities":[{"provider":"auth0"}]"#,
    )]);
    let connector = format!("plugin = \"csv\"\n[connectors.people.fields]\n{}", fields.join("\n"));
    let bench = bench(&people, &connector, "claims = { plan = \"user_metadata.plan\" }");
    insta::assert_snapshot!(bench.usher(&["plan"]).shown());
    assert!(!bench.path("out/main/latest").exists(), "a plan publishes nothing");
    run(&bench);
    insta::assert_snapshot!("what_the_planned_columns_hold", bench.part("main", "people", "rows"));
}

/// Sinks are spared the search for keys that the chain keeps unique, but only in a column that is the key as it comes.
#[test]
fn a_column_that_is_not_the_key_may_still_come_twice() {
    let people = "{\"user_id\":\"1\",\"email\":\"a@x.example\"}\n{\"user_id\":\"2\"}\n{\"user_id\":\"3\"}\n\
                  {\"user_id\":\"4\",\"email\":\"A@x.example \"}\n";
    for (email, written, code) in [
        ("email", vec!["a@x.example"], "key.missing"),
        ("email | default('team@x.example')", vec!["a@x.example", "team@x.example"], "duplicate.key"),
    ] {
        let connector =
            format!("plugin = \"cohort\"\nmax_rejects = \"100%\"\nfields = {{ email = \"{email}\" }}");
        let bench = bench(people, &connector, "unique = \"email\"");
        bench.usher(&["run", "--quiet"]).expect(0);
        let file = bench.part("main", "people", "users");
        let address = |row: &str| row.split(',').next().unwrap().to_owned();
        assert_eq!(file.lines().skip(1).map(address).collect::<Vec<_>>(), written);
        let rejects = bench.read("out/main/latest/rejects.csv");
        assert!(rejects.contains(code), "{rejects}");
        assert_eq!(bench.read("out/main/latest/merged.csv").lines().count(), 2);
    }
}
