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
        let fields = "connectors.people.fields={ email = \"email\", plan = \"plan.name\" }";
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
    let branch = check("auth0", "blocked if email_verified else given_name");
    assert!(branch.contains("`given_name` is of the kind text"), "{branch}");
    for condition in [
        "user_metadata.vip",
        "email == 'x'",
        "email_verified",
        "user_metadata.vip and not blocked",
        "email is defined",
    ] {
        assert_eq!(check("auth0", condition), "", "{condition}");
    }
}

/// What `check` says of a column of a sink that reads an Auth0 export.
fn said_of(column: &str, code: i32) -> String {
    let bench = crate::bench("{\"email\":\"ada@example.com\"}\n", "plugin = \"json\"", "");
    let manifest = bench.read("connectors.toml");
    bench.write("connectors.toml", format!("{manifest}[connectors.people.fields]\nvalue = \"{column}\"\n"));
    bench.usher(&["check"]).expect(code).err
}

#[test]
fn a_test_of_if_that_is_no_boolean_is_told() {
    for column in [
        "'a' if given_name else 'b'",
        "{% if given_name %}a{% endif %}",
        "{{ 'a' if not given_name }}",
        "[given_name and blocked] | join",
        "('a' if given_name else 'b') | upper",
        "{% for x in user_metadata.list if given_name %}{{ x }}{% endfor %}",
    ] {
        let said = said_of(column, 0);
        let what = "connectors.people.fields.value: `given_name` is of the kind text, not true or false";
        for part in [what, "(expression.failed)"] {
            assert!(said.contains(part), "{column}: {part}\n{said}");
        }
    }
    for column in [
        "given_name if email_verified else ''",
        "'a' if given_name is defined else 'b'",
        "{% if email_verified %}{{ given_name }}{% endif %}",
        "given_name | default('a')",
        "given_name ~ family_name",
    ] {
        assert_eq!(said_of(column, 0), "", "{column}");
    }
}

#[test]
fn what_is_no_known_attribute_is_told_where_it_stands() {
    let said = said_of("favourite_colour", 0);
    let told = "connectors.people.fields.value: `favourite_colour` is no known attribute of `users`; `usher plan` counts the \
                records that have it";
    assert!(said.contains(told), "{said}");
}

#[test]
fn nothing_is_none() {
    for word in ["null", "NULL", "Nil", "undefined"] {
        let said = said_of(&format!("email == {word}"), 2);
        let told = format!("unknown attribute or claim `{word}`; what is not there is `none` in expressions");
        assert!(said.contains(&told), "{said}");
    }
}

#[test]
fn a_key_that_is_no_condition_is_not_doubted() {
    let unique = "unique = \"email if given_name else sub\"";
    let bench = crate::bench("{\"email\":\"ada@example.com\"}\n", "plugin = \"json\"", unique);
    bench.write(
        "connectors.toml",
        bench.read("connectors.toml") + "[connectors.people.fields]\nemail = \"email\"\n",
    );
    let said = bench.usher(&["check"]).expect(0).err;
    assert_eq!(said, "", "a row without its key is not rejected");
}

#[test]
fn claims_that_nobody_uses_are_told() {
    let chain = "claims = { birthdate = \"user_metadata.language\", tier = \"user_metadata.tier\", colour = \"favourite_colour\" }";
    let bench = crate::bench(
        "{\"email\":\"ada@example.com\"}\n",
        "plugin = \"json\"\nfields = { tier = \"tier | upper\", colour = \"colour\" }",
        chain,
    );
    let said = bench.usher(&["check"]).expect(0).err;
    let unused = "chains.main.claims.birthdate: nobody uses the claim `birthdate`: no connector of the chain takes it by itself, and \
                  no expression names it: `birthdate` is an attribute first";
    assert!(said.contains(unused), "{said}");
    let guessed = "chains.main.claims.colour: `favourite_colour` is no known attribute of `users`";
    assert!(said.contains(guessed), "{said}");
    assert_eq!(said.matches("chains.main.claims").count(), 2, "{said}");
    let plain = records(
        "{\"email\":\"ada@example.com\",\"born\":\"1815\"}\n",
        "json",
        "claims = { birthdate = \"born\" }",
    );
    let fields = |expression: &str| {
        format!("connectors.people.fields={{ email = \"email\", born = \"{expression}\" }}")
    };
    let said = plain.usher(&["check", "--set", &fields("email")]).expect(0).err;
    assert!(
        said.contains("nobody uses the claim `birthdate`") && said.contains("no expression names it\n"),
        "{said}"
    );
    for used in ["birthdate", "born"] {
        assert_eq!(plain.usher(&["check", "--set", &fields(used)]).expect(0).err, "", "{used}");
    }
}

#[test]
fn what_other_languages_write_is_told_as_ours() {
    for (written, meant) in [
        ("email_verified && blocked", "`&&` is written `and`"),
        ("email_verified || blocked", "`||` is written `or`"),
        ("logins_count = 5", "`=` is written `==`"),
        ("!blocked", "`!` is written `not`"),
    ] {
        let said = said_of(written, 2);
        assert!(said.contains(meant), "{written}\n{said}");
    }
}

#[test]
fn headings_that_are_no_names_are_told_as_they_are_written() {
    let check = |condition: &str, code: i32| {
        let table =
            records("E-Mail,Full Name\na@example.com,Ada\n", "csv", &format!("where = \"{condition}\""));
        table.write("connectors.toml", table.read("connectors.toml").replace("\"json\"", "\"csv\""));
        table.usher(&["check"]).expect(code).err
    };
    let said = check("E-Mail != 'x'", 2);
    assert!(said.contains("write row['E-Mail'] for the column, or 'E-Mail' for the text"), "{said}");
    let said = check("Full Name != 'x'", 2);
    assert!(said.contains("the column `Full Name` is written row['Full Name']"), "{said}");
    assert!(!check("row['Full Name'] like 'x'", 2).contains("is written"));
    assert_eq!(check("row['Full Name'] != row['E-Mail']", 0), "");
}
