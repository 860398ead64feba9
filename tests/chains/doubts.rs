//! What a manifest may say without meaning it: told, and nothing else comes of it.

use crate::support::Bench;

/// JSON records into `sink`, which has no `fields`.
fn records(users: &str, sink: &str, chain: &str) -> Bench {
    let bench = crate::bench(users, &format!("plugin = \"{sink}\""), chain);
    let manifest = bench.read("connectors.toml").replace("\"auth0\"", "\"json\"");
    bench.write("connectors.toml", manifest);
    bench
}

#[test]
fn attributes_that_nobody_named_are_not_written() {
    let users =
        "{\"email\":\"ada@example.com\",\"plan\":{\"name\":\"pro\"},\"First Name\":\"Ada\",\"age\":41}\n";
    for sink in ["csv", "json"] {
        let bench = records(users, sink, "claims = { plan = \"plan.name\" }");
        let said = bench.usher(&["check"]).expect(0).err;
        let told = "`First Name`, `age` of `users`; name every column to be written, as in fields = { plan = \"plan\", \
                    \"First Name\" = 'row[\"First Name\"]' }";
        for part in ["connectors.toml:7", "connectors.people: 2 attributes are not written", told] {
            assert!(said.contains(part), "{part}\n{said}");
        }
        assert!(bench.usher(&["plan"]).expect(0).out.contains(told), "plan");
        assert!(bench.usher(&["run"]).expect(0).out.contains(told), "run");
        let fields = "connectors.people.fields={ email = \"email\" }";
        let said = bench.usher(&["check", "--set", fields]).expect(0);
        assert_eq!(said.err, "", "who names columns means the others not");
    }
}

#[test]
fn every_column_of_a_table_is_written() {
    let bench = records("email,plan\nada@example.com,pro\n", "csv", "");
    let manifest = bench.read("connectors.toml").replace("\"json\"", "\"csv\"");
    bench.write("connectors.toml", manifest);
    assert_eq!(bench.usher(&["check"]).expect(0).err, "");
}

#[test]
fn a_condition_that_is_no_boolean_is_told() {
    let users = "{\"email\":\"ada@example.com\",\"plan\":\"pro\"}\n";
    let check = |plugin: &str, condition: &str| {
        let bench = records(users, "json", &format!("where = \"{condition}\""));
        let text = bench
            .read("connectors.toml")
            .replace("plugin = \"json\"\noptions", &format!("plugin = \"{plugin}\"\noptions"));
        bench.write("connectors.toml", text + "[connectors.people.fields]\nemail = \"email\"\n");
        bench.usher(&["check"]).expect(0).err
    };
    for (plugin, condition, what) in [
        ("json", "email", "`email` is the claim `email`, not true or false"),
        ("json", "not email or plan == 'pro'", "`email` is the claim `email`, not true or false"),
        (
            "auth0",
            "email_verified and logins_count",
            "`logins_count` is of the kind integer, not true or false",
        ),
        ("auth0", "given_name", "`given_name` is of the kind text, not true or false"),
    ] {
        let said = check(plugin, condition);
        for part in ["connectors.toml:13:9", "chains.main.where", what, "condition.not-boolean"] {
            assert!(said.contains(part), "{condition}: {part}\n{said}");
        }
    }
    for condition in ["plan", "email == 'x'", "email_verified", "plan and not blocked", "email is defined"] {
        assert_eq!(check("auth0", condition), "", "{condition}");
    }
}
