//! One snapshot for each message, and what must hold for any input.

mod editor;
mod loading;
mod messages;
mod options;
mod schemas;

use std::{env::VarError, path::Path};

use super::{Diagnostic, Manifest, Overrides, render};

/// The manifest of the architecture's §8, more or less.
const GOOD: &str = r#"#:schema ./connectors.schema.json
version = 1

[connectors.users]
plugin  = "auth0"
options = { input = "users.ndjson", token = "Bearer ${env:TOKEN}" }

[connectors.unsubscribed]
plugin = "csv"
options.input = "unsubscribed.csv"

[connectors.support]
plugin  = "zendesk"
fields  = { notes = "'imported, customer since ' ~ created_at", verified = true, score = 1.50, n = 0x10 }
max_rejects = "0.1 %"

[connectors.newsletter]
plugin  = "constant-contact"
options = { consent = "consent" }
fields  = { "First Name" = "{{ given_name | default(nickname) }}" }
unique  = { key = "email", keep = { max = "last_login" } }

[chains.onboard]
from    = "users"
claims  = { plan = "user_metadata.plan", consent = "user_metadata.consent.given" }
where   = "email_verified and not blocked"
unique  = "email"
exclude = { from = "unsubscribed", key = "email" }
to      = ["support", "newsletter"]
max_rejects = 100
"#;

fn variables(name: &str) -> Result<String, VarError> {
    match name {
        "TOKEN" => Ok("s3cr3t-t0ken".to_owned()),
        "EMPTY" => Ok(String::new()),
        _ => Err(VarError::NotPresent),
    }
}

fn parse(text: &str, set: &[&str]) -> Result<Manifest, Vec<Diagnostic>> {
    let overrides = Overrides::new(set.iter().copied());
    Manifest::parse(Path::new("connectors.toml"), text.to_owned(), &overrides, &variables)
}

fn good() -> Manifest {
    parse(GOOD, &[]).unwrap()
}

/// The problems of a text, one line each.
fn lines(problems: &[Diagnostic]) -> String {
    problems.iter().map(|problem| problem.compact("connectors.toml")).collect::<Vec<_>>().join("\n")
}

/// The problems of the good manifest with one text replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    lines(&parse(&GOOD.replacen(from, to, 1), &[]).expect_err("nothing is wrong with it"))
}

/// The problems of the good manifest with flags.
fn set(flags: &[&str]) -> String {
    lines(&parse(GOOD, flags).expect_err("nothing is wrong with it"))
}

fn drawn(text: &str) -> String {
    render(&parse(text, &[]).unwrap_err(), "connectors.toml", text, false)
}
