//! The same people in four forms of export make the same contacts.

use crate::support::Bench;

/// The columns that all four have, into the sink `csv`; consent is asked for.
fn contacts(input: &str, headings: &str) -> Vec<String> {
    let bench = Bench::shipped();
    let manifest = crate::manifest(
        "plugin = \"csv\"\noptions = { consent = \"consent\" }\nfields = { id = \"sub\", email = \"email\", \
         given = \"given_name\", family = \"family_name\", name = \"name\", verified = \"email_verified\", \
         created = \"created_at\", phone = \"phone_number\", plan = \"plan\", said = \"consent\" }",
        "claims = { plan = \"user_metadata.plan\", consent = \"user_metadata.consent.given\" }\n\
         where = \"email_verified\"\nunique = { key = \"email\", keep = \"last\" }",
    );
    let input = format!("input = \"examples/auth0/{input}\", headings = {{ {headings} }}");
    bench.write("connectors.toml", manifest.replace("input = \"users.ndjson\"", &input));
    bench.usher(&["run", "--quiet"]).expect(0);
    let mut rows = crate::rows(&bench);
    rows.sort();
    // One reject is the consent `maybe`; a table has none of the broken lines of the NDJSON.
    let rejects = bench.read("out/main/latest/rejects.ndjson").lines().count();
    assert_eq!(rejects, if input.contains("ndjson") { 4 } else { 1 }, "{input}");
    rows
}

#[test]
fn ndjson_and_three_tables_are_the_same_people() {
    let expected = contacts("users.ndjson", "");
    assert!(expected.len() > 200);
    assert_eq!(contacts("users.csv", ""), expected);
    let french = "user_id = \"Id\", email = \"Adresse courriel\", email_verified = \"Courriel vérifié\", \
                  created_at = \"Créé à\", given_name = \"Prenom\", family_name = \"Nom de famile\", name = \"Nom\", \
                  phone_number = \"Téléphone\", \"user_metadata.plan\" = \"Plan\", \
                  \"user_metadata.consent.given\" = \"Consentement\"";
    assert_eq!(contacts("users-fr.csv", french), expected);
    let old = "phone_number = \"Phone\", \"user_metadata.plan\" = \"Plan\", \"user_metadata.consent.given\" = \"Consent\"";
    assert_eq!(contacts("users.tsv.csv", old), expected);
}

/// Line 99 says the text `false`, 100 and 101 the text `true`: no language's truthiness decides.
#[test]
fn the_text_false_is_no_consent() {
    for (input, headings) in [("users.ndjson", ""), ("users.csv", "")] {
        let contacts = contacts(input, headings).join("\n");
        assert!(!contacts.contains("noor.laurent@example.org"), "{input}: consent is the text `false`");
        assert!(contacts.contains("paulo.vasquez@example.org"), "{input}: consent is the text `True`");
    }
}

/// A byte order mark belongs to the file, not to its first heading, and moves no record.
#[test]
fn a_byte_order_mark_changes_nothing() {
    let of = |mark: &str| {
        let bench = crate::bench("", "plugin = \"csv\"\nfields = { email = \"email\" }", "");
        bench.write("users.csv", format!("{mark}email\r\nada@example.com\r\nbob@example.com\r\n"));
        bench.usher(&["run", "--quiet", "--set", "connectors.users.options.input=users.csv"]).expect(0);
        crate::rows(&bench)
    };
    assert_eq!(of(""), ["ada@example.com", "bob@example.com"]);
    assert_eq!(of("\u{feff}"), of(""));
}
