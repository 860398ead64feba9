//! `usher new` beside the guide: the other roles, awkward templates, and what it refuses.

use std::fs;

use crate::{support::Bench, workshop::Workshop};

#[test]
fn every_role_builds_passes_its_tests_and_runs() {
    let workshop = Workshop::new("roles", &["reader", "shaper"]);
    for (name, role) in [("reader", "source"), ("shaper", "transform")] {
        let said = workshop.run(&format!(
            "usher new {name} --{role}\ncd {name}\ncargo test\ncargo build --release\nusher run"
        ));
        assert!(
            said.contains("test conforms ... ok") && said.contains("test ordinary_people ... ok"),
            "{said}"
        );
    }
    let rows = "Email,First name\nada@example.com,Ada\ngrace@example.com,Grace\n";
    assert_eq!(workshop.written("reader", "table"), rows);
    assert_eq!(
        workshop.written("shaper", "table"),
        "email,given_name\nada@example.com,ada\ngrace@example.com,grace\n"
    );
}

/// Quotes, backslashes, another delimiter, a byte order mark, headings that cannot be used, a phone number.
#[test]
fn a_table_from_any_template_conforms() {
    let workshop = Workshop::new("template", &["writer"]);
    fs::write(workshop.path("template.csv"), "\u{FEFF}E-mail;\"a \"\"b\"\" \\ c\";Phone;Phone;;Prénom\r\n")
        .unwrap();
    let said = workshop.run("usher new writer --from-header template.csv\ncd writer\ncargo test");
    assert!(said.contains("note: template.csv: column 4 is left out: `Phone` is the heading"), "{said}");
    assert!(said.contains("note: template.csv: column 5 is left out: it has no heading"), "{said}");
    let table = fs::read_to_string(workshop.path("writer/src/columns.rs")).unwrap();
    for line in ["name: \"E-mail\",", "check: phone,", r#"name: "a \"b\" \\ c","#, "name: \"Prénom\","] {
        assert!(table.contains(line), "{line} is not in {table}");
    }
}

#[test]
fn what_cannot_be_made_is_refused() {
    let bench = Bench::new();
    bench.write("taken/file", "").write("empty.csv", "").write("utf16.csv", b"\xFF\xFEa\0");
    let mut shown = String::new();
    for arguments in [
        &["Acme"][..],
        &["sdk"],
        &["csv"],
        &["zendesk", "--source"],
        &["taken"],
        &["acme", "--sdk", "."],
        &["acme", "--sdk", "no-such-folder"],
        &["acme", "--from-header", "no-such.csv"],
        &["acme", "--from-header", "empty.csv"],
        &["acme", "--from-header", "utf16.csv"],
        &["acme", "--sink", "--source"],
        &["acme", "--transform", "--from-header", "empty.csv"],
    ] {
        let said = bench.usher(&[&["new"], arguments].concat()).expect(2);
        shown += &format!("usher new {}\n{}\n", arguments.join(" "), said.err);
    }
    assert!(!bench.path("acme").exists());
    insta::assert_snapshot!(shown);
}

#[test]
fn an_empty_folder_is_filled_and_another_sdk_is_taken() {
    let bench = Bench::new();
    fs::create_dir(bench.path("acme")).unwrap();
    let said = bench.usher(&["new", "acme", "--sdk", "https://example.com/usher.git", "--json"]).expect(0);
    let answer: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&answer["folder"], &answer["role"]), (&"acme".into(), &"sink".into()));
    for file in answer["files"].as_array().unwrap() {
        assert!(bench.path("acme").join(file.as_str().unwrap()).is_file(), "{file}");
    }
    let manifest = bench.read("acme/Cargo.toml");
    assert!(manifest.contains("usher-sdk = { git = \"https://example.com/usher.git\" }"), "{manifest}");
    assert!(manifest.contains("usher-testkit = { git = \"https://example.com/usher.git\" }"), "{manifest}");
}
