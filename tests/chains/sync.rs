//! `sync = "changed"`: only new and changed rows go out, what waits is told, and whoever is gone is listed.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};

use insta::assert_snapshot;
use serde_json::Value;

use crate::{
    rows,
    support::{Bench, python},
};

const PEOPLE: &str = "plugin = \"csv\"\nfields = { email = \"email\", name = \"name\" }\nsync = \"changed\"";

/// Email, name and plan of each.
fn users(people: &[(&str, &str, &str)]) -> String {
    let line = |(n, (email, name, plan)): (usize, &(&str, &str, &str))| {
        format!(
            "{{\"user_id\":\"u{n}\",\"email\":\"{email}\",\"name\":\"{name}\",\"user_metadata\":{{\"plan\":\"{plan}\"}}}}\n"
        )
    };
    people.iter().enumerate().map(line).collect()
}

fn bench(people: &[(&str, &str, &str)], sink: &str, chain: &str) -> Bench {
    crate::bench(&users(people), sink, &format!("unique = \"email\"\n{chain}"))
}

const THREE: [(&str, &str, &str); 3] = [
    ("ada@example.com", "Ada", "pro"),
    ("eve@example.com", "Eve", "pro"),
    ("kim@example.com", "Kim", "free"),
];

fn run(bench: &Bench, id: &str, more: &[&str]) -> Vec<String> {
    bench.usher(&[&["run", "--quiet", "--run-id", id], more].concat()).expect(0);
    if bench.parts("main", "people").is_empty() { Vec::new() } else { rows(bench) }
}

fn confirm(bench: &Bench, id: &str) -> Value {
    serde_json::from_str(&bench.usher(&["runs", "confirm", id, "--json"]).expect(0).out).unwrap()
}

#[test]
fn rows_go_out_until_they_are_confirmed_and_then_when_they_change() {
    let bench = bench(&THREE, PEOPLE, "");
    let all = ["ada@example.com,Ada", "eve@example.com,Eve", "kim@example.com,Kim"];
    assert_eq!(run(&bench, "r1", &[]), all);
    assert_eq!(run(&bench, "r2", &[]), all, "nobody has said that the vendor has them");
    assert_snapshot!("waiting", bench.usher(&["runs", "confirm", "r3"]).expect(1).shown());
    assert_eq!(confirm(&bench, "r2")[0]["rows"], 3);

    let mut people = THREE;
    people[1].1 = "Eva";
    bench.write("users.ndjson", users(&[people[0], people[1], people[2], ("new@example.com", "New", "pro")]));
    let plan = bench.usher(&["plan", "--json"]).expect(0).out;
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(
        (&plan[0]["connectors"][0]["written"], &plan[0]["connectors"][0]["filtered"][0]["count"]),
        (&2.into(), &2.into())
    );
    assert_eq!(run(&bench, "r3", &[]), ["eve@example.com,Eva", "new@example.com,New"]);
    python("audit.py", &bench.path("out/main/latest"), &["."]);
    // r1 was written before what is confirmed: it has nothing to say any more.
    assert!(bench.usher(&["runs", "confirm", "r1"]).expect(1).err.contains("nothing of a run `r1` waits"));
    assert_eq!(confirm(&bench, "r3")[0]["rows"], 2);
    assert_eq!(run(&bench, "r4", &[]), Vec::<String>::new());
    assert_eq!(run(&bench, "r5", &["--full"]).len(), 4);
}

#[test]
fn what_waits_is_told_by_every_command() {
    let bench = bench(&THREE, PEOPLE, "");
    assert_eq!(bench.usher(&["check"]).expect(0).err, "");
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    for command in
        [&["check"][..], &["plan"], &["preview"], &["run"], &["runs"], &["rejects"], &["runs", "show", "r1"]]
    {
        let said = bench.usher(command).expect(0).err;
        assert!(said.contains("main, `people`: 3 rows of run r1 wait"), "{command:?}: {said}");
    }
    assert!(bench.usher(&["check", "--quiet"]).expect(0).err.is_empty());
    let guide = fs::read_to_string(bench.path("out/main/r1/people/UPLOAD.md")).unwrap();
    assert!(guide.contains("`usher runs confirm r1 people`"), "{guide}");
}

#[test]
fn rows_that_the_vendor_did_not_take_go_out_again() {
    let bench = bench(&THREE, PEOPLE, "");
    run(&bench, "r1", &[]);
    bench.write("errors.csv", "Row,Email,Error\n2, EVE@example.com,no\n9,stranger@example.com,no\n");
    let said = bench.usher(&["runs", "confirm", "r1", "people", "--errors", "errors.csv"]).expect(0);
    assert_snapshot!("confirmed", said.shown());
    assert_eq!(run(&bench, "r2", &[]), ["eve@example.com,Eve"]);
}

/// What was uploaded is not known: a row that is as it was confirmed before may be another one at the vendor now.
#[test]
fn a_row_that_changes_there_and_back_goes_out() {
    let bench = bench(&THREE, PEOPLE, "");
    run(&bench, "r1", &[]);
    confirm(&bench, "r1");
    let mut people = THREE;
    people[0].1 = "Wrong";
    bench.write("users.ndjson", users(&people));
    assert_eq!(run(&bench, "r2", &[]), ["ada@example.com,Wrong"]);
    bench.write("users.ndjson", users(&THREE));
    for n in 3..8 {
        assert_eq!(run(&bench, &format!("r{n}"), &[]), ["ada@example.com,Ada"], "r{n}");
    }
    confirm(&bench, "r7");
    assert_eq!(run(&bench, "r8", &[]).len(), 0);
}

#[test]
fn a_list_of_errors_that_names_nobody_confirms_nothing() {
    let bench = bench(&THREE, PEOPLE, "");
    run(&bench, "r1", &[]);
    bench.write("errors.csv", "Row;Email;Error\n2;eve@example.com;no\n");
    let command = ["runs", "confirm", "r1", "people", "--errors", "errors.csv"];
    let wrong = bench.usher(&[&command[..], &["--key", "Row"]].concat()).expect(1);
    assert!(wrong.err.contains("nothing was confirmed"), "{}", wrong.err);
    bench.usher(&command).expect(0);
    assert_eq!(run(&bench, "r2", &[]), ["eve@example.com,Eve"]);
}

#[test]
fn another_secret_is_told_and_nothing_goes_out() {
    let bench = bench(&THREE, PEOPLE, "");
    run(&bench, "r1", &[]);
    fs::remove_file(bench.path(".usher/secret.key")).unwrap();
    let said = bench.usher(&["run", "--run-id", "r2"]).expect(1);
    assert!(said.err.contains("another secret"), "{}", said.err);
}

#[test]
fn what_is_kept_back_is_not_to_be_confirmed() {
    let sink = format!("{PEOPLE}\nmax_rejects = 0");
    let bench = bench(&THREE, &sink, "");
    bench.write("users.ndjson", users(&THREE) + "{ broken\n");
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(3);
    assert!(!bench.read("out/main/r1/people/UPLOAD.md").contains("confirm"));
    assert!(bench.usher(&["check"]).expect(0).err.is_empty());
    // Somebody may have uploaded it all the same.
    let set = ["--set", "connectors.people.max_rejects=9"];
    run(&bench, "r2", &set);
    confirm(&bench, "r2");
    let mut people = THREE;
    people[0].1 = "Wrong";
    bench.write("users.ndjson", users(&people) + "{ broken\n");
    bench.usher(&["run", "--quiet", "--run-id", "r3"]).expect(3);
    bench.write("users.ndjson", users(&THREE));
    assert_eq!(run(&bench, "r4", &[]), ["ada@example.com,Ada"]);
}

#[test]
fn runs_that_nobody_confirms_are_given_up_by_name() {
    let bench = bench(&THREE, PEOPLE, "");
    for n in 1..4 {
        run(&bench, &format!("r{n}"), &[]);
    }
    let said = bench.usher(&["run", "--run-id", "r4"]).expect(0);
    assert!(said.out.contains("nobody has confirmed run r1"), "{}", said.out);
}

#[test]
fn another_mapping_counts_as_a_change_of_every_row_and_says_so_beforehand() {
    let bench = bench(&THREE, PEOPLE, "");
    run(&bench, "r1", &[]);
    confirm(&bench, "r1");
    let set = ["--set", "connectors.people.fields.name=\"name | upper\""];
    assert!(
        bench.usher(&[&["check"][..], &set].concat()).expect(0).err.contains("every row counts as changed")
    );
    assert_eq!(run(&bench, "r2", &set).len(), 3);
    confirm(&bench, "r2");
    assert_eq!(run(&bench, "r3", &set).len(), 0);
}

#[test]
fn whoever_must_not_be_delivered_any_more_is_listed_until_that_is_confirmed() {
    let bench = bench(&THREE, PEOPLE, "where = \"user_metadata.plan == 'pro'\"");
    run(&bench, "r1", &[]);
    confirm(&bench, "r1");
    let mut people = THREE.to_vec();
    people[0].2 = "free";
    // Eve has another record now, which is good.
    people[1].2 = "free";
    people.push(("EVE@example.com", "Eve", "pro"));
    bench.write("users.ndjson", users(&people));
    let said = bench.usher(&["run", "--run-id", "r2", "--exit-on-withdrawn", "9"]).expect(9);
    assert!(said.out.contains("people: 1 withdrawn"), "{}", said.out);
    assert_eq!(
        bench.read("out/main/r2/withdrawn.csv"),
        "connector,input,line,offset,reason,key\npeople,users.ndjson,1,0,where,ada@example.com\n"
    );
    let report: Value = serde_json::from_str(&bench.read("out/main/r2/report.json")).unwrap();
    assert_eq!(report["connectors"][0]["sync"]["withdrawn"], 1);
    python("audit.py", &bench.path("out/main/r2"), &["."]);
    // Until somebody says that she is taken out, every run says so; who comes back goes out.
    bench.usher(&["run", "--quiet", "--run-id", "r3", "--exit-on-withdrawn", "9"]).expect(9);
    let guide = bench.read("out/main/r3/people/UPLOAD.md");
    assert!(guide.contains("1 person that was delivered") && guide.contains("runs confirm r3"), "{guide}");
    bench.write("users.ndjson", users(&THREE));
    // Of Eve another spelling was written since, and may have arrived.
    assert_eq!(run(&bench, "r4", &[]), ["ada@example.com,Ada", "eve@example.com,Eve"]);
}

#[test]
fn withdrawn_consent_is_listed() {
    let sink = "plugin = \"constant-contact\"\noptions = { consent = \"plan == 'pro'\" }\nsync = \"changed\"";
    let bench = bench(&THREE, sink, "claims = { plan = \"user_metadata.plan\" }");
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    let mut people = THREE;
    people[0].2 = "free";
    bench.write("users.ndjson", users(&people));
    bench.usher(&["run", "--quiet", "--run-id", "r2"]).expect(0);
    let listed = bench.read("out/main/r2/withdrawn.csv");
    assert!(listed.ends_with("people,users.ndjson,1,0,no-consent,ada@example.com\n"), "{listed}");
}

#[test]
fn whoever_is_gone_from_the_source_is_listed() {
    let sink = format!("{PEOPLE}\non_missing = \"report\"\nmax_missing = \"50%\"");
    let bench = bench(&THREE, &sink, "where = \"user_metadata.plan == 'pro'\"");
    run(&bench, "r1", &[]);
    confirm(&bench, "r1");
    // Eve fails the condition, which is not missing; Ada is gone.
    let free = [("eve@example.com", "Eve", "free"), THREE[2], ("x@example.com", "X", "pro")];
    bench.write("users.ndjson", users(&free));
    let limited = bench.usher(&["run", "--limit", "1", "--run-id", "limited"]).expect(3);
    assert!(limited.out.contains("nobody was looked for who is gone"), "{}", limited.out);
    run(&bench, "r2", &[]);
    assert_eq!(
        bench.read("out/main/r2/missing.csv"),
        "connector,key,outcome,message\npeople,ada@example.com,listed,\n"
    );
    let withdrawn = bench.read("out/main/r2/withdrawn.csv");
    assert!(withdrawn.contains("where,eve@example.com"), "{withdrawn}");
    assert_eq!(confirm(&bench, "r2")[0]["gone"], 2);
    run(&bench, "r3", &[]);
    assert_eq!(bench.read("out/main/r3/missing.csv"), "connector,key,outcome,message\n");
}

#[test]
fn too_many_missing_stop_the_run() {
    let sink = format!("{PEOPLE}\non_missing = \"report\"");
    let bench = bench(&THREE, &sink, "");
    run(&bench, "r1", &[]);
    confirm(&bench, "r1");
    bench.write("users.ndjson", users(&[THREE[0], ("new@example.com", "New", "pro")]));
    let said = bench.usher(&["run", "--run-id", "r2"]).expect(3);
    assert!(said.out.contains("2 of 3 people delivered to `people` are gone"), "{}", said.out);
    assert!(said.out.contains("max_missing = 0.5%"), "{}", said.out);
    assert_eq!(fs::read_link(bench.path("out/main/latest")).unwrap().to_str(), Some("r1"));
    assert!(bench.usher(&["check"]).expect(0).err.is_empty(), "what was kept back waits for nothing");
    run(&bench, "r3", &["--set", "connectors.people.max_missing=100%"]);
}

#[test]
fn a_record_that_was_rejected_is_not_missing() {
    let sink = format!("{PEOPLE}\non_missing = \"report\"\nmax_rejects = \"50%\"");
    let bench = bench(&THREE, &sink, "");
    run(&bench, "r1", &[]);
    confirm(&bench, "r1");
    let broken = users(&THREE).replacen("\"name\":\"Ada\"", "\"name\":\"Ada", 1);
    bench.write("users.ndjson", broken);
    let said = bench.usher(&["run", "--run-id", "r2"]).expect(0);
    assert!(said.out.contains("of 1 records it is not known whose they are"), "{}", said.out);
    assert!(!bench.path("out/main/r2/missing.csv").exists());
}

#[test]
fn nobody_can_tell_from_the_state_whom_it_is_about() {
    let sink = format!("{PEOPLE}\non_missing = \"report\"");
    let bench = bench(&THREE, &sink, "");
    run(&bench, "r1", &[]);
    confirm(&bench, "r1");
    for entry in fs::read_dir(bench.path(".usher")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        for word in ["ada@", "example", "Ada", "Kim"] {
            let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{word} stands in {}", path.display());
        }
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let told = |sink: &str, chain: &str| {
        let bench = crate::bench(&users(&THREE), sink, chain);
        bench.usher(&["check"]).expect(2).shown()
    };
    assert_snapshot!("no_key", told(PEOPLE, ""));
    assert_snapshot!(
        "all",
        told("plugin = \"csv\"\non_missing = \"report\"\nmax_missing = \"1%\"", "unique = \"email\"")
    );
    assert_snapshot!(
        "values",
        told(
            "plugin = \"csv\"\nsync = \"change\"\non_missing = \"remove\"\nmax_missing = \"few\"",
            "unique = \"email\""
        )
    );
    let bench = bench(&THREE, PEOPLE, "");
    let manifest = bench.read("connectors.toml");
    bench.write("connectors.toml", manifest.replace("people", "held-back"));
    assert_snapshot!("reserved", bench.usher(&["check"]).expect(2).shown());
    let other = "\n[chains.other]\nfrom = \"users\"\nto = [\"people\"]\n";
    bench.write("connectors.toml", manifest.clone() + other);
    assert_snapshot!("two_chains", bench.usher(&["check", "main"]).expect(2).shown());
    let manifest = manifest.replace("plugin = \"auth0\"", "plugin = \"auth0\"\nsync = \"changed\"");
    bench.write("connectors.toml", manifest);
    assert_snapshot!("source", bench.usher(&["check"]).expect(2).shown());
}

#[test]
fn only_who_can_be_found_at_a_vendor_that_can_is_suspended() {
    let told = |sink: &str, unique: &str, code: i32| {
        let bench = crate::bench(&users(&THREE), sink, &format!("unique = \"{unique}\""));
        bench.usher(&["check", "--quiet"]).expect(code).shown()
    };
    let suspend = "sync = \"changed\"\non_missing = \"suspend\"";
    assert_snapshot!(
        "suspend_never",
        told(&format!("{PEOPLE}\n{suspend}").replacen("sync = \"changed\"\n", "", 1), "email", 2)
    );
    let zendesk = format!("plugin = \"zendesk\"\n{suspend}\noptions = {{ plan = \"team\" }}");
    assert_snapshot!("suspend_files", told(&zendesk, "user_id", 2));
    let api = "deliver = \"api\", plan = \"team\", import_type = \"create_and_update\", api = { subdomain = \"acme\", \
               email = \"a@example.com\", api_token = \"hush\" }";
    let zendesk = zendesk.replace("plan = \"team\"", api);
    assert_snapshot!("suspend_by_email", told(&zendesk, "email", 2));
    assert_snapshot!("suspend", told(&zendesk, "user_id", 0));
    let fields =
        "fields = { external_id = \"user_id\", name = \"name\", email = \"email\", suspended = \"blocked\" }";
    assert_snapshot!("suspend_and_back", told(&format!("{zendesk}\n{fields}"), "user_id", 0));
}

#[test]
fn whoever_was_delivered_before_somebody_asked_is_named_by_the_next_run() {
    let bench = bench(&THREE, PEOPLE, "");
    run(&bench, "r1", &[]);
    confirm(&bench, "r1");
    let ask = ["--set", "connectors.people.on_missing=report", "--set", "connectors.people.max_missing=50%"];
    // Nobody has changed, so nobody goes out.
    assert_eq!(run(&bench, "r2", &ask), [""; 0]);
    bench.write("users.ndjson", users(&THREE[..2]));
    run(&bench, "r3", &ask);
    assert_eq!(
        bench.read("out/main/r3/missing.csv"),
        "connector,key,outcome,message\npeople,kim@example.com,listed,\n"
    );
}

#[test]
fn another_vendor_has_nothing_of_what_the_one_before_it_had() {
    let sink = format!("{PEOPLE}\non_missing = \"report\"");
    let bench = bench(&THREE, &sink, "");
    run(&bench, "r1", &[]);
    confirm(&bench, "r1");
    bench.write("users.ndjson", users(&THREE[..1]));
    let other = ["--set", "connectors.people.plugin=json"];
    let said = bench.usher(&[&["run", "--run-id", "r2"][..], &other].concat()).expect(0);
    assert!(said.out.contains("every row counts as changed"), "{}", said.out);
    assert_eq!(bench.read("out/main/r2/missing.csv"), "connector,key,outcome,message\n");
    let again = bench.usher(&["run", "--run-id", "r3", "--quiet"]).expect(0);
    assert_eq!(bench.read("out/main/r3/missing.csv"), "connector,key,outcome,message\n", "{}", again.err);
}

#[test]
fn a_run_is_held_to_the_people_that_its_plan_misses() {
    let sink = format!("{PEOPLE}\non_missing = \"report\"\nmax_missing = \"50%\"\nallow_empty = true");
    let bench = bench(&THREE, &sink, "");
    run(&bench, "r1", &[]);
    confirm(&bench, "r1");
    bench.write("users.ndjson", users(&THREE[..2]));
    let plan = bench.usher(&["plan", "--out", "plan.json"]).expect(0).out;
    assert!(plan.contains("1 missing: delivered before, and gone from the source\n"), "{plan}");
    bench.write("users.ndjson", users(&THREE[..1]));
    bench.usher(&["plan", "--out", "fewer.json", "--set", "connectors.people.max_missing=100%"]).expect(0);
    bench.write("users.ndjson", users(&THREE[..2]));
    // One more whom the vendor has, and the source has not.
    bench.write("users.ndjson", users(&[THREE[0], THREE[1], THREE[2], ("x@example.com", "X", "pro")]));
    run(&bench, "r2", &[]);
    confirm(&bench, "r2");
    bench.write("users.ndjson", users(&THREE[..2]));
    let said = bench.usher(&["run", "--plan", "plan.json"]).expect(1).err;
    assert!(said.contains("`people` has 2 people missing and not 1"), "{said}");
}

/// Whatever changes from run to run, and whether or not somebody confirms: who uploads every file has the source's people,
/// but for those who were listed.
#[test]
fn a_vendor_that_is_given_every_file_has_what_the_source_has() {
    let seed = std::env::var("USHER_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7u64);
    println!("USHER_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let sink = format!("{PEOPLE}\non_missing = \"report\"\nmax_missing = \"100%\"\nallow_empty = true");
    let bench = bench(&THREE, &sink, "where = \"user_metadata.plan != 'none'\"");
    let mut source: BTreeMap<u8, (u8, bool)> = BTreeMap::new();
    let mut vendor: BTreeMap<String, String> = BTreeMap::new();
    for step in 0..25 {
        for _ in 0..random.usize(0..4) {
            let who = random.u8(0..12);
            match random.u8(0..4) {
                0 => drop(source.remove(&who)),
                1 => drop(source.insert(who, (random.u8(0..3), false))),
                _ => drop(source.insert(who, (random.u8(0..3), true))),
            }
        }
        let text: String = source
            .iter()
            .map(|(who, (name, wanted))| {
                let plan = if *wanted { "pro" } else { "none" };
                format!("{{\"user_id\":\"u{who}\",\"email\":\"p{who}@example.com\",\"name\":\"N{name}\",\"user_metadata\":{{\"plan\":\"{plan}\"}}}}\n")
            })
            .collect();
        bench.write("users.ndjson", text);
        let id = format!("r{step}");
        let full: &[&str] = if random.u8(0..10) == 0 { &["--full"] } else { &[] };
        for row in run(&bench, &id, full) {
            let (email, name) = row.split_once(',').unwrap();
            vendor.insert(email.to_owned(), name.to_owned());
        }
        for (file, key) in [("withdrawn.csv", 5), ("missing.csv", 1)] {
            let listed = fs::read_to_string(bench.path(&format!("out/main/{id}/{file}"))).unwrap_or_default();
            for line in listed.lines().skip(1) {
                vendor.remove(line.split(',').nth(key).unwrap());
            }
        }
        let expected: BTreeMap<String, String> = source
            .iter()
            .filter(|(_, (_, wanted))| *wanted)
            .map(|(who, (name, _))| (format!("p{who}@example.com"), format!("N{name}")))
            .collect();
        assert_eq!(vendor, expected, "step {step}");
        if random.bool() {
            bench.usher(&["runs", "confirm", &id, "--quiet"]);
        }
    }
}
