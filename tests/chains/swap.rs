//! Any sink of the shipped manifest for any other: it works as it stands wherever nothing in the connector is the
//! vendor's own; else one error lists what is.

use crate::support::{Bench, python};

const SINKS: [&str; 4] = ["support", "chat", "newsletter", "loyalty"];
const PLUGINS: [&str; 6] = ["zendesk", "carrot-quest", "constant-contact", "cohort", "csv", "json"];

/// What became of a connector under another plugin, in a few lines.
fn swap(bench: &Bench, chain: &str, connector: &str, plugin: &str) -> String {
    let id = format!("{connector}-{plugin}");
    let set = format!("connectors.{connector}.plugin={plugin}");
    let said = bench.usher(&["run", chain, "--quiet", "--run-id", &id, "--set", &set]);
    let mut text = format!("{connector} as {plugin}: ");
    match said.code {
        Some(0) => {
            assert!(!bench.parts(chain, connector).is_empty());
            python("vendor_check.py", &bench.path(""), &[&format!("out/{chain}/{id}")]);
            text += "works\n";
        }
        _ => {
            text += &format!("exit code {}\n", said.code.unwrap());
            // What is known there, and what to do, is the matter of `messages.rs`.
            let short = |line: &str| line.split(" (").next().unwrap_or(line).to_owned();
            said.err.lines().for_each(|line| text += &format!("  {}\n", short(line)));
            assert!(!bench.path(&format!("out/{chain}/{id}")).exists());
        }
    }
    text
}

#[test]
fn every_sink_for_every_other() {
    let bench = Bench::shipped();
    let mut table = String::new();
    for connector in SINKS {
        PLUGINS.iter().for_each(|plugin| table += &swap(&bench, "onboard", connector, plugin));
    }
    PLUGINS.iter().for_each(|plugin| table += &swap(&bench, "campaign", "campaign", plugin));
    insta::assert_snapshot!(table);
}

/// Four lines of a manifest, and any vendor takes them.
#[test]
fn a_connector_without_options_of_its_own_fits_everywhere() {
    let users =
        "{\"user_id\":\"auth0|1\",\"email\":\"ada@example.com\",\"given_name\":\"Ada\",\"agreed\":true}\n";
    for plugin in PLUGINS {
        let people = format!("plugin = \"{plugin}\"\noptions = {{ consent = \"agreed\" }}");
        let bench = crate::bench(users, &people, "claims = { plan = \"user_metadata.plan\" }");
        bench.usher(&["run", "--quiet"]).expect(0);
        assert!(
            std::fs::read_to_string(&bench.parts("main", "people")[0]).unwrap().contains("ada@example.com")
        );
    }
}
