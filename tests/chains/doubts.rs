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
