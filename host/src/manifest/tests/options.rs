//! Options against components, with places.

use insta::assert_snapshot;
use serde_json::json;
use usher_abi::{Component, Consent, Problem, Role};

use super::{GOOD, good, lines, parse};
use crate::manifest::{Connector, Diagnostic, KeyPath, Manifest, check_options, written_secrets};

fn component(connector: &Connector) -> Option<Component> {
    let text = json!({ "type": "string" });
    let (properties, consent) = match connector.plugin.as_str() {
        "auth0" => (
            json!({
                "input": text,
                "token": { "type": "string", "writeOnly": true },
                "format": { "type": "string", "enum": ["ndjson", "csv"] },
                "rows": { "type": "integer" },
            }),
            Consent::None,
        ),
        "constant-contact" => (json!({ "consent": {}, "list": text }), Consent::Required),
        "zendesk" => (json!({ "locale": text }), Consent::Optional),
        _ => return None,
    };
    Some(Component {
        name: "users".to_owned(),
        role: Role::Sink,
        summary: String::new(),
        options: json!({
            "type": "object",
            "properties": properties,
            "required": if consent == Consent::Required { vec!["consent"] } else { vec![] },
            "additionalProperties": false,
        }),
        attributes: Vec::new(),
        open: false,
        columns: Vec::new(),
        limits: Vec::new(),
        rate_limits: Vec::new(),
        custom_claim: None,
        consent,
        suspend: None,
    })
}

fn checked(manifest: &Manifest) -> String {
    lines(&problems(manifest))
}

fn problems(manifest: &Manifest) -> Vec<Diagnostic> {
    let known = manifest.connectors.iter().filter_map(|c| Some((c, component(c)?)));
    known.flat_map(|(connector, component)| check_options(manifest, connector, &component)).collect()
}

fn changed(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    checked(&parse(&GOOD.replacen(from, to, 1), &[]).unwrap())
}

#[test]
fn good_options_pass() {
    assert_eq!(checked(&good()), "");
    for consent in ["{ not_needed = \"our own staff\" }", "\"x and y\""] {
        assert_eq!(changed("\"consent\" }", &format!("{consent} }}")), "");
    }
}

#[test]
fn wrong_options() {
    let text = GOOD
        .replace("input = \"users.ndjson\"", "inptu = \"users.ndjson\", format = \"njson\", rows = \"5\"");
    let manifest = parse(&text, &[]).unwrap();
    let problems = problems(&manifest);
    assert_snapshot!(lines(&problems), @r"
    connectors.toml:6:13: connectors.users.options.inptu: unknown key; did you mean `input`?
    connectors.toml:6:46: connectors.users.options.format: unknown value `njson`; did you mean `ndjson`? (one of `ndjson`, `csv`)
    connectors.toml:6:62: connectors.users.options.rows: expected an integer, found a string (write it without quotes)
    ");
    assert_snapshot!(manifest.render(&problems, false), @r#"
     x connectors.users.options.inptu: unknown key; did you mean `input`?
      ,-[connectors.toml:6:13]
    5 | plugin  = "auth0"
    6 | options = { inptu = "users.ndjson", format = "njson", rows = "5", token = "Bearer ${env:TOKEN}" }
      :             ^^^^^
    7 | 
      `----

     x connectors.users.options.format: unknown value `njson`; did you mean `ndjson`?
      ,-[connectors.toml:6:46]
    5 | plugin  = "auth0"
    6 | options = { inptu = "users.ndjson", format = "njson", rows = "5", token = "Bearer ${env:TOKEN}" }
      :                                              ^^^^^^^
    7 | 
      `----
     help: one of `ndjson`, `csv`

     x connectors.users.options.rows: expected an integer, found a string
      ,-[connectors.toml:6:62]
    5 | plugin  = "auth0"
    6 | options = { inptu = "users.ndjson", format = "njson", rows = "5", token = "Bearer ${env:TOKEN}" }
      :                                                              ^^^
    7 | 
      `----
     help: write it without quotes
    "#);
    let manifest = parse(GOOD, &["connectors.users.options.input=5"]).unwrap();
    assert_snapshot!(checked(&manifest), @r#"connectors.toml: --set connectors.users.options.input: expected a string, found an integer (for a string write `--set 'connectors.users.options.input="5"'`)"#);
    assert_snapshot!(changed("input = \"users.ndjson\"", "format = \"${env:TOKEN}\""), @"connectors.toml:6:22: connectors.users.options.format: unknown value `[secret]` (one of `ndjson`, `csv`)");
}

#[test]
fn consent() {
    assert_snapshot!(changed("options = { consent = \"consent\" }", ""), @r#"connectors.toml:17:13: connectors.newsletter.options.consent: missing: `constant-contact` must know who agreed to be written to (write a condition, `consent = "consent"`, or why none is needed, `consent = { not_needed = "they are our own staff" }`)"#);
    assert_snapshot!(changed("consent = \"consent\"", "consnet = \"consent\""), @"connectors.toml:19:13: connectors.newsletter.options.consnet: unknown key; did you mean `consent`?");
    assert_snapshot!(changed("consent = \"consent\"", "consent = true"), @r#"connectors.toml:19:23: connectors.newsletter.options.consent: expected a condition or a reason why none is needed (write a condition, `consent = "consent"`, or why none is needed, `consent = { not_needed = "they are our own staff" }`)"#);
    assert_snapshot!(changed("consent = \"consent\"", "consent = \" \""), @r#"connectors.toml:19:23: connectors.newsletter.options.consent: empty (write a condition, `consent = "consent"`, or why none is needed, `consent = { not_needed = "they are our own staff" }`)"#);
    assert_snapshot!(changed("consent = \"consent\"", "consent = { not_needed = \"\" }"), @r#"connectors.toml:19:38: connectors.newsletter.options.consent.not_needed: empty: say why (write a condition, `consent = "consent"`, or why none is needed, `consent = { not_needed = "they are our own staff" }`)"#);
    assert_snapshot!(changed("consent = \"consent\"", "consent = { not_needed = true }"), @r#"connectors.toml:19:38: connectors.newsletter.options.consent.not_needed: expected the reason as a string (write a condition, `consent = "consent"`, or why none is needed, `consent = { not_needed = "they are our own staff" }`)"#);
    assert_snapshot!(changed("consent = \"consent\"", "consent = { notneeded = \"x\" }"), @r#"connectors.toml:19:25: connectors.newsletter.options.consent.notneeded: unknown key; did you mean `not_needed`? (write a condition, `consent = "consent"`, or why none is needed, `consent = { not_needed = "they are our own staff" }`)"#);
    assert_snapshot!(changed("consent = \"consent\"", "consent = {}"), @r#"connectors.toml:19:23: connectors.newsletter.options.consent.not_needed: missing (write a condition, `consent = "consent"`, or why none is needed, `consent = { not_needed = "they are our own staff" }`)"#);
}

#[test]
fn what_plugins_find_has_a_place() {
    let manifest = good();
    let problem = |pointer: &str, warning| {
        let message = "token s3cr3t-t0ken is no good".to_owned();
        let problem = Problem { pointer: pointer.to_owned(), code: "x".to_owned(), message, warning };
        manifest.problem(manifest.connector("support").unwrap(), &problem)
    };
    let said = [problem("/fields/notes", false), problem("/headings/e~1mail", true), problem("", false)];
    assert_snapshot!(lines(&said), @r#"
    connectors.toml:14:13: connectors.support.fields.notes: token [secret] is no good
    connectors.toml:12:13: warning: connectors.support.options.headings."e/mail": token [secret] is no good
    connectors.toml:12:13: connectors.support.options: token [secret] is no good
    "#);
}

#[test]
fn written_secrets_are_found() {
    let text = GOOD.replace("Bearer ${env:TOKEN}", "written");
    let secrets = |manifest: &Manifest| {
        let users = manifest.connector("users").unwrap();
        written_secrets(users, &component(users).unwrap())
    };
    let mut manifest = parse(&text, &[]).unwrap();
    let found = secrets(&manifest);
    assert_eq!(found, ["written"]);
    manifest.secrets.extend(found);
    let path = KeyPath::from(["connectors", "users", "options", "token"]);
    let drawn = manifest.render(&[manifest.error(&path, "`written` is refused")], false);
    assert!(drawn.contains("`[secret]` is refused") && drawn.contains("token = \"*******\""), "{drawn}");
    assert_eq!(secrets(&good()), ["Bearer s3cr3t-t0ken"]);
}
