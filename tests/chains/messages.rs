//! What Usher says when something is wrong: each case through the real binary, with its exit code.

use std::process::Command;

use crate::support::{Bench, Said};

const USERS: &str = "{\"user_id\":\"auth0|1\",\"email\":\"ada@example.com\",\"given_name\":\"Ada\"}\n\
                     {\"user_id\":\"auth0|2\",\"email\":\"bob@example.com\",\"given_name\":\"Bob\"}\n";

/// `users.ndjson` → `csv`.
fn plain() -> Bench {
    crate::bench(USERS, "plugin = \"csv\"\nfields = { email = \"email\" }", "")
}

/// Runs the chain; what is not published is not there.
fn run(bench: &Bench) -> Said {
    let said = bench.usher(&["run", "--show-values", "--run-id", "r"]);
    if matches!(said.code, Some(1 | 2)) {
        assert!(
            !bench.path("out/main/r").exists() && !bench.path("out/main/latest").exists(),
            "something was published"
        );
    }
    said
}

/// With another input than `users.ndjson`.
fn input(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let bench = plain();
    let text = bench.read("connectors.toml").replace("users.ndjson", name);
    bench.write("connectors.toml", text).write(name, bytes);
    run(&bench).shown()
}

/// A manifest as it stands.
fn manifest(text: &str) -> String {
    let bench = plain();
    bench.write("connectors.toml", text);
    run(&bench).shown()
}

/// What a run kept aside: rejects and values left out, by place, field and code.
fn aside(bench: &Bench) -> String {
    let mut text = String::new();
    for (file, columns) in [
        ("rejects.csv", &["connector", "input", "line", "offset", "length", "field", "code", "message"][..]),
        ("left-out.csv", &["connector", "input", "line", "column", "code", "value", "message"]),
    ] {
        text += &format!("--- {file}: {}\n", columns.join(" | "));
        let mut reader = csv::Reader::from_path(bench.path(&format!("out/main/r/{file}"))).unwrap();
        let headings = reader.headers().unwrap().clone();
        for record in reader.records().map(Result::unwrap) {
            let cell = |column: &&str| record[headings.iter().position(|h| h == *column).unwrap()].to_owned();
            text += &(columns.iter().map(cell).collect::<Vec<_>>().join(" | ") + "\n");
        }
    }
    text
}

mod the_manifest {
    use super::*;

    #[test]
    fn is_not_there() {
        insta::assert_snapshot!(Bench::new().usher(&["run"]).shown());
    }

    #[test]
    fn is_a_folder() {
        let bench = Bench::new();
        bench.write("connectors.toml/inside", "");
        insta::assert_snapshot!(bench.usher(&["run"]).shown());
    }

    #[test]
    fn is_not_utf8() {
        let bench = Bench::new();
        bench.write("connectors.toml", b"version = 1\nout = \"\xE9t\xE9\"\n");
        insta::assert_snapshot!(bench.usher(&["run"]).shown());
    }

    #[test]
    fn is_broken_toml() {
        insta::assert_snapshot!(manifest(
            "version = 1\n\n[connectors.users]\nplugin = \"auth0\noptions = {}\n"
        ));
    }

    #[test]
    fn has_the_wrong_keys_and_types() {
        insta::assert_snapshot!(manifest(
            "version = 1\nouts = \"x\"\n\n[connectors.users]\nplugin = \"auth0\"\noption = { input = \"users.ndjson\" }\n\n\
             [connectors.people]\nplugin = 7\nfields = \"email\"\nallow_empty = \"yes\"\nmax_rejects = \"many\"\n\n\
             [chains.main]\nform = \"users\"\nfrom = \"user\"\nto = [\"people\", \"peple\"]\nwhere = true\n",
        ));
    }

    #[test]
    fn names_plugins_and_components_that_do_not_exist() {
        insta::assert_snapshot!(manifest(
            "version = 1\n\n[connectors.users]\nplugin = \"auth\"\noptions = { input = \"users.ndjson\" }\n\n\
             [connectors.people]\nplugin = \"zendesc\"\n\n[connectors.both]\nplugin = \"csv\"\ncomponent = \"row\"\n\n\
             [connectors.backwards]\nplugin = \"auth0\"\noptions = { input = \"users.ndjson\" }\n\n\
             [chains.main]\nfrom = \"users\"\nto = [\"people\", \"both\", \"backwards\"]\n",
        ));
    }

    /// What was read wrong, options, columns and expressions: all in one go, whatever is wrong elsewhere.
    #[test]
    fn has_everything_wrong_at_once() {
        insta::assert_snapshot!(manifest(
            "version = 1\nouts = \"x\"\n\n[connectors.users]\nplugin = \"auth0\"\noptions = { input = \"users.ndjson\", escape = \"maybe\" }\n\n\
             [connectors.people]\nplugin = \"zendesk\"\noptions = { plans = \"team\" }\nfields = { nmae = \"name\", notes = \"lower(\" }\n\n\
             [connectors.list]\nplugin = \"constant-contact\"\noptions = { list = \"${env:USHER_NO_SUCH}\" }\nfields = { \"First Name\" = \"given_name | uper\" }\n\n\
             [connectors.lines]\nplugin = \"jsn\"\n\n\
             [chains.main]\nfrom = \"users\"\nwhere = \"blocked ==\"\nto = [\"people\", \"list\", \"lines\"]\n",
        ));
    }

    /// What a sink misses because the source could not be asked is not said: the source's fault is.
    #[test]
    fn names_an_input_that_is_not_there() {
        let mut all = String::new();
        for option in ["input = \"user.ndjson\"", "input = \"${env:USHER_NO_SUCH}\""] {
            all += &manifest(&format!(
                "version = 1\n\n[connectors.users]\nplugin = \"auth0\"\noptions = {{ {option} }}\n\n\
                 [connectors.people]\nplugin = \"zendesk\"\nfields = {{ notes = \"nickname\" }}\n\n\
                 [chains.main]\nfrom = \"users\"\nto = [\"people\"]\n",
            ));
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn has_the_wrong_options() {
        insta::assert_snapshot!(manifest(
            "version = 1\n\n[connectors.users]\nplugin = \"auth0\"\noptions = { imput = \"users.ndjson\", format = \"xml\" }\n\n\
             [connectors.people]\nplugin = \"zendesk\"\noptions = { plans = \"team\", import_type = \"crate\", max_rows = \"many\", skip_verify_email = 1 }\n\n\
             [chains.main]\nfrom = \"users\"\nto = [\"people\"]\n",
        ));
    }

    /// What only the plugin knows to be wrong has its line and key, too.
    #[test]
    fn has_an_option_that_only_its_plugin_refuses() {
        let text = crate::manifest("plugin = \"csv\"", "").replace("auth0", "csv");
        insta::assert_snapshot!(manifest(&text.replace("ndjson\"", "csv\", delimiter = \"::\"")));
    }

    #[test]
    fn has_the_wrong_columns_and_attributes() {
        insta::assert_snapshot!(manifest(
            "version = 1\n\n[connectors.users]\nplugin = \"auth0\"\noptions = { input = \"users.ndjson\" }\n\n\
             [connectors.people]\nplugin = \"zendesk\"\n\n[connectors.people.fields]\nnmae = \"name\"\nemails = \"emial\"\n\
             role = \"end-user\"\nnotes = \"created_at | dat\"\nalias = \"{{ given_name \"\n\n\
             [connectors.letters]\nplugin = \"constant-contact\"\noptions = { consent = \"email_verifed\" }\nfields = { \"Firs Name\" = \"given_nam\" }\n\n\
             [chains.main]\nfrom = \"users\"\nto = [\"people\", \"letters\"]\nclaims = { plan = \"user_metdata.plan\" }\n\
             where = \"email_verified and not bloked\"\nunique = \"emial\"\n",
        ));
    }

    #[test]
    fn wants_a_secret_that_is_not_set() {
        insta::assert_snapshot!(manifest(&crate::manifest(
            "plugin = \"csv\"\noptions = { delimiter = \"${env:USHER_TEST_IS_NEVER_SET}\", list_separator = \"${file:no-such-file}\" }",
            "",
        )));
    }

    #[test]
    fn does_not_say_who_agreed() {
        insta::assert_snapshot!(manifest(&crate::manifest("plugin = \"constant-contact\"", "")));
    }

    #[test]
    fn has_no_such_chain() {
        insta::assert_snapshot!(plain().usher(&["run", "mian"]).shown());
    }
}

mod the_input {
    use super::*;

    #[test]
    fn is_missing() {
        let bench = plain();
        std::fs::remove_file(bench.path("users.ndjson")).unwrap();
        insta::assert_snapshot!(run(&bench).shown());
    }

    #[test]
    fn is_empty() {
        insta::assert_snapshot!(input("empty.ndjson", ""));
    }

    #[test]
    fn is_a_folder() {
        let bench = plain();
        std::fs::remove_file(bench.path("users.ndjson")).unwrap();
        bench.write("users.ndjson/inside", "");
        insta::assert_snapshot!(run(&bench).shown());
    }

    #[test]
    fn is_utf16() {
        let text: Vec<u8> = "\u{feff}user_id,email\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        insta::assert_snapshot!(input("utf16.csv", text));
    }

    #[test]
    fn is_not_utf8_at_its_beginning() {
        insta::assert_snapshot!(input(
            "latin.csv",
            b"user_id,email,given_name\n1,rene@example.com,Ren\xE9\n"
        ));
    }

    #[test]
    fn is_another_kind_of_file() {
        insta::assert_snapshot!(input("users.xlsx", b"PK\x03\x04\x14\x00\x06\x00\x08\x00"));
    }

    #[test]
    fn is_a_gzip_that_was_cut() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let mut number = 0u32;
        let mut text = String::new();
        while text.len() < 3_000_000 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text += &format!("{{\"user_id\":\"auth0|{number:08x}\",\"email\":\"{number}@example.com\"}}\n");
        }
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        let whole = encoder.finish().unwrap();
        // What the compressor makes of it is its own business: only the place differs from version to version.
        let said = input("cut.ndjson.gz", &whole[..whole.len() / 2])
            .replace(&(whole.len() / 2).to_string(), "[half]");
        insta::assert_snapshot!(said);
    }

    #[test]
    fn lacks_an_attribute_that_the_manifest_uses() {
        let bench = crate::bench(
            "",
            "plugin = \"csv\"\nfields = { email = \"email\", plan = \"user_metadata.plan\" }",
            "where = \"email_verified\"",
        );
        let text = bench.read("connectors.toml").replace("users.ndjson", "users.csv");
        bench
            .write("connectors.toml", text)
            .write("users.csv", "user_id,email,given_name\n1,ada@example.com,Ada\n");
        insta::assert_snapshot!(run(&bench).shown());
    }

    #[test]
    fn to_leave_out_lacks_the_key() {
        let bench = plain();
        let text = bench.read("connectors.toml")
            + "exclude = { from = \"gone\", key = \"email\" }\n\n[connectors.gone]\nplugin = \"csv\"\n\
               options = { input = \"gone.csv\" }\n";
        bench.write("connectors.toml", text).write("gone.csv", "e-mail\nada@example.com\n");
        insta::assert_snapshot!(run(&bench).shown());
    }

    /// As a reject, the one record would hide all that follow it.
    #[test]
    fn leaves_a_quote_open() {
        let mut users = "user_id,email,given_name\n".to_owned();
        for i in 0..100 {
            let quote = if i == 60 { "\"" } else { "" };
            users += &format!("{i},u{i}@example.com,{quote}Ann\n");
        }
        insta::assert_snapshot!(input("users.csv", users.clone()));
        let said = input("users.csv", users.replace(",\"Ann", ",\"Ann\" Lee"));
        assert!(said.starts_with("exit code 0"), "text after a quote is one reject\n{said}");
    }

    /// An open profile may have anything; what decides must be somewhere.
    #[test]
    fn never_has_what_decides() {
        let bench =
            crate::bench(USERS, "plugin = \"csv\"\nfields = { email = \"email\" }", "where = \"member\"");
        insta::assert_snapshot!(run(&bench).shown());
    }
}

mod a_record {
    use super::*;

    #[test]
    fn is_broken_too_long_bad_or_a_duplicate() {
        let mut users = String::new();
        for i in 0..20 {
            users += &format!(
                "{{\"user_id\":\"auth0|good{i}\",\"email\":\"good{i}@example.com\",\"name\":\"Good\"}}\n"
            );
        }
        users += "{\"user_id\":\"auth0|cut\",\"email\n";
        users += &format!(
            "{{\"user_id\":\"auth0|long\",\"email\":\"long@example.com\",\"name\":\"{}\"}}\n",
            "x".repeat(200_000)
        );
        users += "{\"user_id\":\"auth0|bad\",\"email\":\"not an address\",\"name\":\"Bad\"}\n";
        users += "{\"user_id\":\"auth0|good0\",\"email\":\"other@example.com\",\"name\":\"Somebody else\"}\n";
        users += &format!(
            "{{\"user_id\":\"auth0|row\",\"email\":\"row@example.com\",\"name\":\"Row\",\"nickname\":\"{}\"}}\n",
            "y".repeat(150_000)
        );
        users += "{\"user_id\":\"auth0|phone\",\"email\":\"phone@example.com\",\"name\":\"Phone\",\"phone_number\":\"n/a\"}\n";
        let people = "plugin = \"zendesk\"\nmax_rejects = 5\nfields = { notes = \"nickname\" }";
        let bench = crate::bench(&users, people, "");
        let text = bench
            .read("connectors.toml")
            .replace("users.ndjson\"", "users.ndjson\", max_record_bytes = 180000");
        bench.write("connectors.toml", text);
        let said = run(&bench).expect(0);
        assert!(bench.parts("main", "people").len() == 1);
        insta::assert_snapshot!(said.shown() + &aside(&bench));
    }

    #[test]
    fn can_be_fed_back() {
        let bench = crate::bench(
            "{\"user_id\":\"1\",\"email\":\"ada@example.com\"}\n{\"user_id\":\"2\",\"email\":\"bob example.com\"}\n",
            "plugin = \"cohort\"\nmax_rejects = 1",
            "",
        );
        run(&bench).expect(0);
        let reject: serde_json::Value =
            serde_json::from_str(&bench.read("out/main/r/rejects.ndjson")).unwrap();
        let raw = reject["raw"].as_str().unwrap().replace("bob example.com", "bob@example.com");
        bench.write("fixed.ndjson", raw);
        bench
            .usher(&["run", "--run-id", "again", "--set", "connectors.users.options.input=fixed.ndjson"])
            .expect(0);
        assert!(bench.part("main", "people", "users").contains("bob@example.com"));
    }
}

mod the_result {
    use super::*;

    #[test]
    fn has_too_many_rejects() {
        let bench = plain();
        bench.usher(&["run", "--run-id", "good", "--quiet"]).expect(0);
        let users = format!("{USERS}no JSON\n");
        bench.write("users.ndjson", users);
        let said = run(&bench).expect(3);
        assert!(bench.path("out/main/r/rejects.csv").is_file(), "the run folder is kept");
        assert_eq!(std::fs::read_link(bench.path("out/main/latest")).unwrap(), std::path::Path::new("good"));
        insta::assert_snapshot!(said.shown());
    }

    #[test]
    fn is_empty() {
        let bench = crate::bench(
            USERS,
            "plugin = \"csv\"\nfields = { email = \"email\" }",
            "where = \"given_name == 'Cy'\"",
        );
        let said = run(&bench).expect(3);
        assert!(bench.path("out/main/r/report.json").is_file() && !bench.path("out/main/latest").exists());
        insta::assert_snapshot!(said.shown());
        let allowed =
            bench.usher(&["run", "--quiet", "--run-id", "s", "--set", "connectors.people.allow_empty=true"]);
        assert_eq!(allowed.expect(0).out.trim(), "out/main/s");
    }

    /// An export of nobody is no reason to forget the last one of somebody.
    #[test]
    fn is_empty_since_the_input_is() {
        let bench = plain();
        bench.write("users.csv", "user_id,email\n");
        let input = ["run", "--run-id", "r", "--set", "connectors.users.options.input=users.csv"];
        insta::assert_snapshot!(bench.usher(&input).expect(3).shown());
        assert!(!bench.path("out/main/latest").exists());
    }

    #[test]
    fn has_no_place() {
        let bench = plain();
        bench.write("out", "a file");
        insta::assert_snapshot!(run(&bench).expect(1).shown());
    }
}

mod the_command {
    use super::*;

    /// Without `--plugin-dir`, which `Bench` adds.
    fn bare(arguments: &[&str]) -> String {
        let bench = Bench::new();
        let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
        bench
            .said(command.args(arguments).current_dir(bench.path("")).env("COLUMNS", "100").output().unwrap())
            .shown()
    }

    #[test]
    fn is_missing() {
        insta::assert_snapshot!(bare(&[]));
    }

    #[test]
    fn is_unknown() {
        insta::assert_snapshot!(bare(&["rum"]));
    }

    #[test]
    fn has_an_unknown_flag() {
        insta::assert_snapshot!(bare(&["run", "--limt", "3"]));
    }

    #[test]
    fn sets_what_is_not_there() {
        let bench = plain();
        let set = ["connectors.user.options.input=x", "connectors.users.options.imput=x", "chains.main"];
        let arguments: Vec<&str> =
            ["check"].into_iter().chain(set.iter().flat_map(|set| ["--set", set])).collect();
        insta::assert_snapshot!(bench.usher(&arguments).shown());
    }
}
