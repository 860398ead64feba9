//! What a good manifest becomes.

use std::{fs, path::Path};

use serde_json::json;
use usher_abi::Role;

use super::{GOOD, good, parse, variables};
use crate::manifest::{Keep, KeyPath, Manifest, MaxRejects, Overrides, Span, redact};

#[test]
fn everything_is_read_in_the_order_of_the_text() {
    let manifest = good();
    let names: Vec<_> = manifest.connectors.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["users", "unsubscribed", "support", "newsletter"]);
    assert_eq!(manifest.connectors[1].options, json!({ "input": "unsubscribed.csv" }));
    let fields: Vec<_> =
        manifest.connectors[2].fields.iter().map(|f| (f.column.as_str(), f.expression.as_str())).collect();
    assert_eq!(
        fields,
        [
            ("notes", "'imported, customer since ' ~ created_at"),
            ("verified", "true"),
            ("score", "1.5"),
            ("n", "16")
        ]
    );
    assert_eq!(manifest.connectors[3].unique.as_ref().unwrap().keep, Keep::Max("last_login".to_owned()));
    let chain = manifest.chain("onboard").unwrap();
    assert_eq!(chain.to, ["support", "newsletter"]);
    assert_eq!(chain.claims[0].path, "user_metadata.plan");
    assert_eq!(chain.where_.as_ref().unwrap().text, "email_verified and not blocked");
    assert_eq!(chain.unique.as_ref().unwrap().keep, Keep::First);
    assert_eq!(manifest.folder, Path::new("."));
    assert_eq!(manifest.out, Path::new("./out"));
    assert_eq!(manifest.role("unsubscribed"), Some(Role::Source));
    assert_eq!(manifest.role("support"), Some(Role::Sink));
    assert_eq!(manifest.role("nobody"), None);
}

#[test]
fn the_limit_of_the_connector_wins_over_the_chains() {
    let manifest = good();
    let chain = manifest.chain("onboard").unwrap();
    let limit = |name| manifest.max_rejects(chain, manifest.connector(name).unwrap());
    assert_eq!(limit("support"), MaxRejects::Percent(0.1));
    assert_eq!(limit("newsletter"), MaxRejects::Count(100));
    assert!(!manifest.allow_empty(chain, manifest.connector("support").unwrap()));
    assert_eq!(MaxRejects::default().to_string(), "5%");
}

#[test]
fn shares() {
    for (text, percent) in [("5%", 5.0), ("0.1 %", 0.1), (" 100% ", 100.0), ("0%", 0.0), (".5%", 0.5)] {
        assert_eq!(MaxRejects::parse_percent(text), Some(MaxRejects::Percent(percent)), "{text}");
    }
    for text in ["5", "%", "-1%", "101%", "1e1%", "inf%", "5%%", "1.2.3%", ""] {
        assert_eq!(MaxRejects::parse_percent(text), None, "{text}");
    }
    assert!(!MaxRejects::Percent(5.0).exceeded(5, 100));
    assert!(MaxRejects::Percent(5.0).exceeded(6, 100));
    assert!(MaxRejects::Count(0).exceeded(1, 1));
    assert!(!MaxRejects::Percent(5.0).exceeded(0, 0));
}

#[test]
fn places() {
    let manifest = good();
    let shown = |segments: &[&str]| {
        let location = manifest.locate(&KeyPath::new(segments.iter().copied()));
        let text = &manifest.text()[location.span.start..location.span.end];
        format!("{}:{} {text}", location.line, location.column)
    };
    assert_eq!(shown(&["connectors", "users", "options", "input"]), "6:21 \"users.ndjson\"");
    assert_eq!(shown(&["connectors", "users", "options", "missing", "deep"]).split(' ').next(), Some("6:11"));
    assert_eq!(shown(&["connectors", "support"]), "12:13 support");
    assert_eq!(shown(&["connectors", "unsubscribed", "options", "input"]), "10:17 \"unsubscribed.csv\"");
    assert_eq!(shown(&["chains", "onboard", "to", "1"]), "29:23 \"newsletter\"");
    assert_eq!(shown(&["nothing"]), "1:1 ");
    let path = KeyPath::from(["chains", "onboard", "where"]);
    let inside = manifest.error_within(&path, Span { start: 19, end: 22 }, "here").location.unwrap();
    assert_eq!(&manifest.text()[inside.span.start..inside.span.end], "not");
    assert_eq!(KeyPath::from(["a", "First Name", "x-y"]).to_string(), "a.\"First Name\".x-y");
}

#[test]
fn secrets_are_resolved_and_never_shown() {
    let manifest = good();
    assert_eq!(manifest.connectors[0].options["token"], "Bearer s3cr3t-t0ken");
    assert_eq!(manifest.secrets, ["s3cr3t-t0ken"]);
    assert!(!format!("{manifest:?} {:?} {:#?}", manifest.connectors, manifest.chains).contains("s3cr3t"));
    assert_eq!(manifest.redact("x s3cr3t-t0ken y"), "x [secret] y");
    let path = KeyPath::from(["chains"]);
    assert_eq!(manifest.error(&path, "not s3cr3t-t0ken").message, "not [secret]");
}

#[test]
fn redaction_takes_the_longest_first_and_json_too() {
    let secrets = ["abc".to_owned(), "abcdef".to_owned(), "line 1\nline \"2\"".to_owned(), "e".to_owned()];
    assert_eq!(redact("abcdef abc ab", &secrets), "[secret] [secret] ab");
    assert_eq!(redact(r#"{"k":"line 1\nline \"2\""}"#, &secrets), r#"{"k":"[secret]"}"#);
    assert_eq!(redact("secrt", &secrets), "s[secret]crt");
    assert_eq!(redact("abc", &[String::new()]), "abc");
}

#[test]
fn a_reference_can_be_meant_as_text() {
    let text = GOOD.replace("Bearer ${env:TOKEN}", "$${env:TOKEN} ${env:TOKEN}$ $$${env:TOKEN}");
    let manifest = parse(&text, &[]).unwrap();
    assert_eq!(manifest.connectors[0].options["token"], "${env:TOKEN} s3cr3t-t0ken$ $${env:TOKEN}");
}

#[test]
fn files_are_relative_to_the_manifest_and_lose_one_line_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("connectors.toml");
    fs::write(folder.path().join("key"), "line 1\nline 2\r\n").unwrap();
    fs::write(&path, GOOD.replace("${env:TOKEN}", "${file:key}")).unwrap();
    let manifest = Manifest::load(&path, &Overrides::default()).unwrap();
    assert_eq!(manifest.connectors[0].options["token"], "Bearer line 1\nline 2");
    assert_eq!(manifest.out, folder.path().join("out"));
}

#[test]
fn flags_change_values() {
    let manifest = parse(
        GOOD,
        &[
            "connectors.users.options.input=other.ndjson",
            "connectors.users.options.limit=5",
            "connectors.users.options.deep.er=[1, 2]",
            "connectors.newsletter.fields.\"First Name\"=name == 'a=b'",
            "chains.onboard.to.0=newsletter2",
            "chains.onboard.to=[\"support\"]",
            "chains.onboard.max_rejects=5%",
            "connectors.users.options.token=${env:TOKEN}",
            "out=elsewhere",
        ],
    )
    .unwrap();
    let options = json!({
        "input": "other.ndjson", "token": "s3cr3t-t0ken", "limit": 5, "deep": { "er": [1, 2] }
    });
    assert_eq!(manifest.connectors[0].options, options);
    assert_eq!(manifest.connectors[3].fields[0].expression, "name == 'a=b'");
    assert_eq!(manifest.chains[0].to, ["support"]);
    assert_eq!(manifest.chains[0].max_rejects, Some(MaxRejects::Percent(5.0)));
    assert_eq!(manifest.out, Path::new("./elsewhere"));
    let path = KeyPath::from(["connectors", "users", "options", "limit"]);
    assert_eq!(manifest.error(&path, "too small").location, None);
}

#[test]
fn the_digest_is_of_what_a_chain_does() {
    let digest = |text: &str, set: &[&str]| {
        let manifest = parse(text, set).unwrap();
        manifest.digest(&manifest.chains[0])
    };
    let good = digest(GOOD, &[]);
    assert_eq!((good.len(), &good), (32, &digest(&format!("# looked at\n{GOOD}"), &[])));
    for aside in [
        "out=x",
        "chains.onboard.max_rejects=7",
        "chains.onboard.max_change=20%",
        "connectors.support.max_rejects=7",
    ] {
        assert_eq!(good, digest(GOOD, &[aside]), "{aside}");
    }
    for changed in [
        "chains.onboard.where=not blocked",
        "connectors.users.options.limit=3",
        "connectors.support.fields.name='x'",
    ] {
        assert_ne!(good, digest(GOOD, &[changed]), "{changed}");
    }
}

#[test]
fn windows_line_ends_a_byte_order_mark_and_no_last_line_end_are_fine() {
    for text in [GOOD.replace('\n', "\r\n"), format!("\u{feff}{GOOD}"), GOOD.trim_end().to_owned()] {
        Manifest::parse(Path::new("c.toml"), text, &Overrides::default(), &variables).unwrap();
    }
}

#[test]
fn inline_tables_and_dotted_keys_are_tables() {
    let text = "version = 1\nconnectors = { a = { plugin = 'csv' }, b.plugin = './x.so' }\n\
                chains.main = { from = 'a', to = ['b'] }\n";
    let manifest = parse(text, &[]).unwrap();
    assert_eq!(manifest.connectors[1].plugin, "./x.so");
    assert!(manifest.connectors[1].plugin_is_path() && !manifest.connectors[0].plugin_is_path());
    assert_eq!(manifest.locate(&KeyPath::from(["connectors", "b", "plugin"])).line, 2);
}
