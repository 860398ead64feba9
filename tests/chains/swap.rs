//! Any sink of the shipped manifest for any other: it works as it stands wherever nothing in the connector is the
//! vendor's own; else one error lists what is.

use crate::support::{Bench, python};

const SINKS: [&str; 4] = ["support", "chat", "newsletter", "loyalty"];
const PLUGINS: [&str; 6] = ["zendesk", "carrot-quest", "constant-contact", "cohort", "csv", "json"];

/// A diagnostic without its place and without what is known there: that is the matter of `messages.rs`.
fn short(line: &str) -> &str {
    let line = line.split_once(": ").map_or(line, |(_, rest)| rest);
    line.split(" (").next().unwrap_or(line)
}

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

/// All that is the vendor's own in the options is listed at once, and so is all of it in the columns.
#[test]
fn what_is_the_vendors_own_is_listed() {
    let zendesk = "plugin = \"zendesk\"\noptions = { plan = \"team\", default_region = \"GB\", on_blank = \"leave_stored\" }";
    let contact = "plugin = \"constant-contact\"\noptions = { consent = { not_needed = \"staff\" } }\n\
                   fields = { \"First Name\" = \"given_name\", \"Birthday\" = \"birthdate\", \"Job Title\" = \"'none'\" }";
    let mut text = String::new();
    for (connector, plugins) in [(zendesk, ["cohort", "constant-contact"]), (contact, ["zendesk", "cohort"])]
    {
        let bench = crate::bench("{\"email\":\"ada@example.com\"}\n", connector, "");
        for plugin in plugins {
            let said =
                bench.usher(&["check", "--quiet", "--set", &format!("connectors.people.plugin={plugin}")]);
            text += &format!("{plugin}: exit code {}\n", said.code.unwrap());
            said.err.lines().for_each(|line| text += &format!("  {}\n", short(line)));
        }
    }
    insta::assert_snapshot!(text);
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
