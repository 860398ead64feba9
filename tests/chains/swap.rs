//! Any sink of the shipped manifest for any other: it works as it stands wherever nothing in the connector is the
//! vendor's own; else one error lists what is.

use crate::support::{Bench, plugin_file, python};

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

/// `usher swap` on the manifest that is shipped.
#[test]
fn a_swap_is_compared_before_it_is_made() {
    for (name, arguments) in [
        ("zendesk_for_cohort", &["swap", "support", "cohort"][..]),
        ("zendesk_for_constant_contact", &["swap", "zendesk", "constant-contact"]),
        ("cohort_for_zendesk", &["swap", "cohort", "zendesk"]),
        ("a_connector_for_another", &["swap", "loyalty", "campaign", "--chain", "onboard"]),
        ("a_connector_that_is_there_already", &["swap", "support", "chat", "--no-data"]),
        ("a_field_that_goes", &["swap", "newsletter", "zendesk", "--no-data"]),
        ("a_value_to_be_decided", &["swap", "campaign", "zendesk", "--no-data"]),
    ] {
        let bench = Bench::shipped();
        let before = bench.read("connectors.toml");
        insta::assert_snapshot!(name, bench.usher(arguments).shown());
        assert_eq!(
            bench.read("connectors.toml"),
            before,
            "{name}: nothing is written unless it is asked for"
        );
        assert!(!bench.path("out").exists());
    }
}

/// What a person must decide is given with `--set`, and is part of the change.
#[test]
fn a_swap_that_wants_consent_is_written_once_it_is_given() {
    let bench = Bench::shipped();
    let before = bench.read("connectors.toml");
    bench.usher(&["swap", "support", "constant-contact", "--write"]).expect(2);
    assert_eq!(bench.read("connectors.toml"), before);
    let consent = "connectors.support.options.consent=consent";
    let said = bench.usher(&["swap", "support", "constant-contact", "--write", "--set", consent]).expect(0);
    assert!(said.out.contains("filtered, no-consent"), "{}", said.out);
    assert!(said.out.ends_with("written: connectors.toml\n"), "{}", said.out);
    let after = before.replacen(
        "plugin  = \"zendesk\"\n",
        "plugin  = \"constant-contact\"\noptions = { consent = \"consent\" }\n",
        1,
    );
    assert_ne!(after, before);
    assert_eq!(bench.read("connectors.toml"), after);
    bench.usher(&["run", "onboard", "--quiet"]).expect(0);
}

/// However a connector is written, every line but those of the change stays as it was.
#[test]
fn a_written_swap_keeps_comments_and_every_other_line() {
    let rest = "\n# Who is read.\n[connectors.users]\nplugin = 'auth0'\noptions.input = \"users.ndjson\" # here\n\n\
                [chains.main] # the only one\nfrom = \"users\"\n# Who is written to.\nto = [\n  \"people\", # them\n]\n";
    let user = "{\"user_id\":\"auth0|1\",\"email\":\"ada@example.com\",\"given_name\":\"Ada\"}\n";
    for (before, after) in [
        (
            "# Above.\n[connectors.people] # beside\n# Which vendor.\nplugin = \"zendesk\" # for now\n# The plan.\n\
             options = { plan = \"team\" }\n# Below.\nmax_rejects = 3\n",
            "# Above.\n[connectors.people] # beside\n# Which vendor.\nplugin = \"cohort\" # for now\n# The plan.\n\
             # Below.\nmax_rejects = 3\n",
        ),
        (
            "[connectors]\n# Them.\npeople = { plugin = \"zendesk\", options = { plan = \"team\" } } # now\n",
            "[connectors]\n# Them.\npeople = { plugin = \"cohort\" } # now\n",
        ),
        (
            "connectors.people.plugin = \"zendesk\"\n# The plan.\nconnectors.people.options.plan = \"team\"\n",
            "connectors.people.plugin = \"cohort\"\n# The plan.\n",
        ),
        (
            "[connectors.people]\nplugin = \"zendesk\"\n[connectors.people.options]\nplan = \"team\"\nmax_rows = 9\n",
            "[connectors.people]\nplugin = \"cohort\"\n[connectors.people.options]\nmax_rows = 9\n",
        ),
    ] {
        let bench = Bench::new();
        // Dotted keys begin `connectors`, so that table is not begun once more.
        let rest = match before.starts_with("connectors.") {
            true => rest
                .replace("[connectors.users]\nplugin", "connectors.users.plugin")
                .replace("options.input", "connectors.users.options.input"),
            false => rest.to_owned(),
        };
        bench.write("users.ndjson", user);
        bench.write("connectors.toml", format!("version = 1\n{before}{rest}"));
        bench.usher(&["swap", "people", "cohort", "--write", "--quiet"]).expect(0);
        assert_eq!(bench.read("connectors.toml"), format!("version = 1\n{after}{rest}"));
        bench.usher(&["check", "--quiet"]).expect(0);
    }
}

/// Names that are none, and what cannot be swapped.
#[test]
fn what_cannot_be_swapped_is_told_with_what_can() {
    let bench = Bench::shipped();
    let mut text = String::new();
    for arguments in [
        &["suport", "cohort"][..],
        &["support", "cohrt"],
        &["constant-contact", "cohort"],
        &["csv", "cohort"],
        &["users", "cohort"],
        &["support", "users"],
        &["support", "support"],
        &["support", "zendesk"],
        &["support", "auth0"],
        &["support", "./nothing.so"],
        &["support", "cohort", "--chain", "onboard"],
        &["support", "chat", "--chain", "campaign"],
        &["support", "cohort", "--set", "connectors.support.plugin=csv"],
    ] {
        let said = bench.usher(&[&["swap", "--quiet"], arguments].concat()).expect(2);
        text += &format!("{}\n  {}", arguments.join(" "), said.err);
    }
    insta::assert_snapshot!(text);
}

/// What is not there is said, and the rest is compared.
#[test]
fn a_swap_without_data_says_so() {
    let bench = Bench::shipped();
    let said =
        bench.usher(&["swap", "support", "cohort", "--set", "connectors.users.options.input=nothing.ndjson"]);
    insta::assert_snapshot!(said.shown());
    let said = bench.usher(&["swap", "support", "cohort", "--set", "connectors.users.options.input=-"]);
    assert!(said.expect(0).out.contains("no data: `users` reads standard input"));
}

/// More rejects than the manifest allows: nothing is written, unless nothing was tried.
#[test]
fn a_swap_that_would_be_refused_is_not_written() {
    // Zendesk takes a user without an address, Cohort does not.
    let users: String =
        (1..=10).map(|id| format!("{{\"user_id\":\"auth0|{id}\",\"given_name\":\"U{id}\"}}\n")).collect();
    let bench = crate::bench(&users, "plugin = \"zendesk\"\nfields = { name = \"given_name\" }", "");
    let before = bench.read("connectors.toml");
    let said = bench.usher(&["swap", "people", "cohort", "--write"]).expect(3);
    assert!(said.out.contains("cohort would be refused: `people` rejected 10 of 10 records"), "{}", said.out);
    assert!(said.out.ends_with("only `--write --no-data` does\n"), "{}", said.out);
    assert_eq!(bench.read("connectors.toml"), before);
    bench.usher(&["swap", "people", "cohort", "--write", "--no-data"]).expect(0);
    assert_eq!(bench.read("connectors.toml"), before.replace("\"zendesk\"", "\"cohort\""));
}

/// One vendor's secret is never another's, and is not shown.
#[test]
fn a_secret_goes_with_its_vendor() {
    let people = "plugin = \"zendesk\"\noptions = { deliver = \"api\", api = { subdomain = \"acme\", \
                  email = \"ops@example.com\", api_token = \"do-not-tell\" } }";
    let bench = crate::bench("{\"user_id\":\"auth0|1\",\"email\":\"ada@example.com\"}\n", people, "");
    for arguments in
        [&["swap", "people", "carrot-quest", "--no-data"][..], &["swap", "people", "cohort", "--no-data"]]
    {
        for json in [&[][..], &["--json"]] {
            let said = bench.usher(&[arguments, json].concat());
            assert!(said.out.contains("it holds a secret"), "{}{}", said.out, said.err);
            assert!(!format!("{}{}", said.out, said.err).contains("do-not-tell"), "{}{}", said.out, said.err);
        }
    }
}

/// With a lock, no code of a plugin that is not in it is run.
#[test]
fn a_swap_keeps_to_the_lock() {
    let bench =
        crate::bench("{\"email\":\"ada@example.com\",\"given_name\":\"Ada\"}\n", "plugin = \"zendesk\"", "");
    bench.usher(&["plugins", "lock"]).expect(0);
    let said = bench.usher(&["swap", "people", "cohort", "--quiet", "--write"]).expect(2);
    insta::assert_snapshot!(said.err);
    let with = bench.read("connectors.toml") + "\n[connectors.trial]\nplugin = \"cohort\"\n";
    bench.write("connectors.toml", &with);
    bench.usher(&["plugins", "lock"]).expect(0);
    bench.usher(&["swap", "people", "cohort", "--quiet", "--write"]).expect(0);
    assert_eq!(bench.read("connectors.toml"), with.replace("\"zendesk\"", "\"cohort\""));
}

#[test]
fn a_swap_in_json_is_one_object() {
    let bench = Bench::shipped();
    let read = |arguments: &[&str], code: i32| -> serde_json::Value {
        let said = bench.usher(&[&["swap", "--json"], arguments].concat()).expect(code);
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.out))
    };
    let told = read(&["support", "cohort"], 0);
    assert_eq!((&told["old"]["plugin"], &told["new"]["plugin"]), (&"zendesk".into(), &"cohort".into()));
    let chain = &told["chains"][0];
    let meaning =
        |claim: &str| chain["meanings"].as_array().unwrap().iter().find(|m| m["claim"] == claim).unwrap();
    assert_eq!(meaning("locale")["fate"], "lost");
    assert_eq!(meaning("email")["new"][0]["column"], "Email");
    assert_eq!(chain["trial"]["new"]["planned"]["connector"]["plugin"], "cohort");
    assert!(chain["trial"]["old"]["planned"]["read"].as_u64().unwrap() > 300);
    assert_eq!(told["change"][0]["added"][0], "plugin  = \"cohort\"");
    assert_eq!((&told["problems"], &told["written"]), (&serde_json::json!([]), &false.into()));
    let told = read(&["support", "constant-contact"], 2);
    assert_eq!(told["problems"][0]["key"], "connectors.support.options.consent");
    assert!(told["chains"][0]["trial"]["new"].is_null());
}

/// A column that goes is told with the one that takes the same claim.
#[test]
fn a_column_of_like_meaning_is_named() {
    let people = "plugin = \"zendesk\"\nfields = { phones = \"phone_number\", details = \"'new'\" }";
    let bench = crate::bench("{\"email\":\"ada@example.com\",\"given_name\":\"Ada\"}\n", people, "");
    let consent = "connectors.people.options.consent={ not_needed = \"staff\" }";
    let said = bench.usher(&["swap", "people", "constant-contact", "--write", "--set", consent]).expect(0);
    let goes: Vec<&str> = said.out.lines().filter(|line| line.starts_with("goes: ")).collect();
    assert_eq!(
        goes,
        [
            "goes: connectors.people.fields.phones, since `constant-contact` has no such column; `phone` takes what it \
             stands for: phone_number",
            "goes: connectors.people.fields.details, since `constant-contact` has no such column",
        ]
    );
    let manifest = bench.read("connectors.toml");
    let after = "plugin = \"constant-contact\"\noptions = { consent = { not_needed = \"staff\" } }\n";
    assert!(manifest.contains(after) && !manifest.contains("fields"), "{manifest}");
}

/// A component of the same name stays; the network is not widened by a swap.
#[test]
fn component_and_hosts_go_where_they_mean_nothing() {
    let people = "plugin = \"zendesk\"\ncomponent = \"users\"\nhosts = [\"acme.zendesk.com\"]";
    let users = "{\"email\":\"ada@example.com\",\"given_name\":\"Ada\"}\n";
    let bench = crate::bench(users, people, "");
    let consent = "connectors.people.options.consent={ not_needed = \"staff\" }";
    let said = bench.usher(&["swap", "people", "constant-contact", "--quiet", "--set", consent]).expect(2);
    assert!(said.out.contains("`constant-contact` has no sink `users`; `contacts` is taken"), "{}", said.out);
    assert!(
        said.err.contains("connectors.people.hosts.0: the plugin does not ask for the host"),
        "{}",
        said.err
    );
    let said = bench.usher(&["swap", "people", "cohort", "--write"]).expect(0);
    assert!(
        said.out.contains("goes: connectors.people.hosts, since `cohort` asks for no network"),
        "{}",
        said.out
    );
    assert!(bench.read("connectors.toml").contains("plugin = \"cohort\"\ncomponent = \"users\"\n\n"));
}

/// A path is taken from where the user stands, and written as the manifest reads it.
#[test]
fn a_plugin_may_be_named_by_its_file() {
    let users = "{\"email\":\"ada@example.com\",\"given_name\":\"Ada\"}\n";
    let bench = crate::bench(users, "plugin = \"zendesk\"", "");
    std::fs::create_dir_all(bench.path("below/vendor")).unwrap();
    std::fs::rename(bench.path("users.ndjson"), bench.path("below/users.ndjson")).unwrap();
    std::fs::rename(bench.path("connectors.toml"), bench.path("below/connectors.toml")).unwrap();
    std::os::unix::fs::symlink(plugin_file("cohort"), bench.path("below/vendor/x.so")).unwrap();
    bench.usher(&["swap", "-m", "below/connectors.toml", "people", "below/vendor/x.so", "--write"]).expect(0);
    assert!(bench.read("below/connectors.toml").contains("plugin = \"./vendor/x.so\"\n"));
    bench.usher(&["check", "-m", "below/connectors.toml"]).expect(0);
}

/// A plugin that fails where the one before it did not: nothing is written, tried out or not.
#[test]
fn a_swap_for_one_that_fails_is_not_written() {
    let users = "{\"email\":\"ada@example.com\",\"given_name\":\"Ada\"}\n";
    let fields = "fields = { email = \"email\" }";
    let bench = crate::bench(users, &format!("plugin = \"csv\"\n{fields}"), "");
    let before = bench.read("connectors.toml");
    for (fault, more) in
        [("panic-in-write", &[][..]), ("panic-in-open", &[]), ("panic-in-open", &["--no-data"])]
    {
        let fault = format!("connectors.people.options.fault={fault}");
        let arguments = ["swap", "people", "misbehaving", "--write", "--set", &fault];
        let said = bench.usher(&[&arguments, more].concat()).expect(1);
        assert!(said.err.contains("error: chain `main`: ") && said.err.contains("panic"), "{}", said.err);
        assert_eq!(bench.read("connectors.toml"), before);
    }
}
