//! Sinks that send: when, how often, and what is said of it. The plugin is `fetching`, its vendor a server here.

use std::{
    net::SocketAddr,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    Bench, Said,
    server::{Answer, Asked, Server},
};

/// What the vendor knows.
#[derive(Default)]
struct Account {
    /// Addresses, each as often as it came.
    taken: Vec<String>,
    /// So many requests are answered before one that is not.
    good: Option<usize>,
    /// How the one after them is answered.
    then: Option<(u16, &'static str)>,
    /// How long an answer takes.
    pause_ms: u64,
}

fn answer(asked: &Asked, _: SocketAddr, account: &mut Account) -> Answer {
    std::thread::sleep(Duration::from_millis(account.pause_ms));
    if asked.authorization.as_deref() != Some("Bearer hunter2") {
        return Answer::json(401, &json!({}));
    }
    match &mut account.good {
        Some(0) => {
            if let Some((status, body)) = account.then {
                return Answer { status, body: body.as_bytes().to_vec(), cut: false };
            }
        }
        Some(good) => *good -= 1,
        None => {}
    }
    let body: Value = serde_json::from_str(&asked.body).expect("JSON");
    let emails: Vec<&str> =
        body["emails"].as_array().expect("addresses").iter().filter_map(Value::as_str).collect();
    let refused: Vec<usize> = (0..emails.len()).filter(|row| emails[*row].starts_with("no-")).collect();
    account
        .taken
        .extend(emails.iter().filter(|email| !email.starts_with("no-")).map(|email| (*email).to_owned()));
    Answer::json(200, &json!({ "refused": refused }))
}

fn vendor() -> Server<Account> {
    Server::new(Account::default(), answer)
}

/// Users into `crm`, which sends to the vendor; `options` and `more` stand in its table and at the end.
fn bench(vendor: &Server<Account>, users: &[&str], options: &str, more: &str) -> Bench {
    let (bench, domain) = (Bench::new(), vendor.domain());
    let lines: Vec<String> = users.iter().map(|user| json!({ "email": user }).to_string()).collect();
    bench.write("users.ndjson", lines.join("\n") + "\n");
    bench.write(
        "connectors.toml",
        format!(
            "version = 1\n\n[connectors.users]\nplugin = \"json\"\noptions = {{ input = \"users.ndjson\" }}\n\n\
             [connectors.crm]\nplugin = \"fetching\"\ncomponent = \"batches\"\nhosts = [\"{domain}\"]\n\
             fields = {{ email = \"email\" }}\n{options}\n\
             [connectors.crm.options]\nurl = \"http://{domain}/batch\"\ntoken = \"${{env:TOKEN}}\"\nrows = 2\n{more}\n"
        ),
    );
    bench
}

/// A chain of its own for `crm` alone.
const ALONE: &str = "[chains.main]\nfrom = \"users\"\nto = [\"crm\"]\n";

fn usher(bench: &Bench, arguments: &[&str]) -> Said {
    bench.said(bench.command(arguments).env("TOKEN", "hunter2").output().expect("usher runs"))
}

fn outcome(bench: &Bench, arguments: &[&str], code: i32) -> Value {
    let said = usher(bench, &[arguments, &["--json"]].concat()).expect(code);
    let all: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.out));
    all[0].clone()
}

/// confirmed, unknown, not sent, rejected by the vendor
fn fates(outcome: &Value) -> [u64; 4] {
    let delivery = &outcome["connectors"][0]["delivery"];
    let rejected = outcome["connectors"][0]["rejected"]
        .as_array()
        .map_or(0, |all| all.iter().filter_map(|one| one["count"].as_u64()).sum());
    let count = |name: &str| delivery[name].as_u64().expect("a count");
    [count("confirmed"), count("unknown"), count("not_sent"), rejected]
}

fn taken(vendor: &Server<Account>) -> Vec<String> {
    let mut taken = vendor.state().0.taken.clone();
    taken.sort();
    taken
}

const FIVE: [&str; 5] = ["a@x.org", "b@x.org", "no-c@x.org", "d@x.org", "e@x.org"];
const FOUR: [&str; 4] = ["a@x.org", "b@x.org", "d@x.org", "e@x.org"];

#[test]
fn a_run_sends_every_row_once_and_says_what_became_of_it() {
    let vendor = vendor();
    let bench = bench(&vendor, &FIVE, "max_rejects = \"50%\"", ALONE);
    let ended = outcome(&bench, &["run"], 0);
    assert_eq!((fates(&ended), taken(&vendor)), ([4, 0, 0, 1], FOUR.map(str::to_owned).to_vec()));
    let report: Value = serde_json::from_str(&bench.read("out/main/latest/report.json")).expect("a report");
    let books = &report["connectors"][0]["books"];
    assert_eq!(
        (&books["written"], &books["confirmed"], &books["rejected"]),
        (&json!(0), &json!(4), &json!(1))
    );
    let reject: Value =
        serde_json::from_str(bench.read("out/main/latest/rejects.ndjson").trim()).expect("a reject");
    assert_eq!((&reject["origin"]["line"], &reject["code"]), (&json!(3), &json!("vendor.refused")));
    let receipt: Value =
        serde_json::from_str(&bench.read("out/main/latest/receipt.json")).expect("a receipt");
    assert_eq!(receipt["connectors"]["crm"]["delivery"]["units"], 3);
    assert!(!bench.path("out/main/latest/crm/UPLOAD.md").exists());
    // The next run is another one.
    usher(&bench, &["run", "--quiet"]).expect(0);
    assert_eq!(taken(&vendor).len(), 8);
}

#[test]
fn people_read_what_is_known_and_no_more() {
    let vendor = vendor();
    let bench = bench(&vendor, &FIVE, "max_rejects = \"50%\"", ALONE);
    let plan = usher(&bench, &["plan"]).expect(0);
    assert!(plan.out.contains("crm (fetching): 5 rows would be sent to http"), "{}", plan.out);
    assert!(plan.out.contains("(3 requests)"), "{}", plan.out);
    assert_eq!(taken(&vendor), [""; 0]);
    let run = usher(&bench, &["run"]).expect(0);
    assert!(run.out.contains("crm: 4 confirmed at http"), "{}", run.out);
    assert!(run.out.contains("(3 of 3 requests settled)") && !run.out.contains("UPLOAD.md"), "{}", run.out);
}

#[test]
fn nothing_is_sent_when_any_sink_rejects_too_much() {
    let vendor = vendor();
    let more = format!(
        "[connectors.people]\nplugin = \"csv\"\nmax_rejects = 0\nfields = {{ email = \"email\" }}\n\n{}",
        ALONE.replace("\"crm\"", "\"crm\", \"people\"")
    );
    let bench = bench(&vendor, &FIVE, "", &more);
    // One line that is no JSON: the csv sink's limit forbids it, that of `crm` does not.
    bench.write("users.ndjson", bench.read("users.ndjson") + "{\"email\":\n");
    let ended = outcome(&bench, &["run"], 3);
    assert_eq!(fates(&ended), [0, 0, 5, 1]);
    assert_eq!((taken(&vendor), vendor.state().1.len()), (vec![], 0));
    assert!(ended["folder"].is_string() && ended["latest"] == false, "{ended}");
}

#[test]
fn nothing_is_sent_when_there_are_many_fewer_rows_than_last_time() {
    let vendor = vendor();
    let bench = bench(&vendor, &FOUR, "", &format!("{ALONE}max_change = \"25%\"\n"));
    usher(&bench, &["run", "--quiet"]).expect(0);
    let first = std::fs::read_link(bench.path("out/main/latest")).expect("a run");
    bench.write("users.ndjson", "{\"email\":\"z@x.org\"}\n{\"email\":\"y@x.org\"}\n");
    assert!(
        usher(&bench, &["plan"]).expect(3).out.contains("would be refused: the chain read 2 rows, 4 in run")
    );
    let ended = outcome(&bench, &["run"], 3);
    assert_eq!((fates(&ended), taken(&vendor).len()), ([0, 0, 2, 0], 4));
    assert_eq!(std::fs::read_link(bench.path("out/main/latest")).expect("a run"), first);
    // A condition that suddenly fits fewer is as suspicious as a source.
    bench.write("users.ndjson", FOUR.map(|user| format!("{{\"email\":\"{user}\"}}\n")).concat());
    let narrowed = ["run", "--set", "connectors.crm.where=email < 'c'"];
    let ended = outcome(&bench, &narrowed, 3);
    assert!(
        ended["refused"][0].as_str().expect("a reason").starts_with("`crm` takes 2 rows, 4 in run"),
        "{ended}"
    );
    // Somebody looked, and it is right.
    let allowed = [&narrowed[..], &["--set", "chains.main.max_change=1000%"]].concat();
    assert_eq!(fates(&outcome(&bench, &allowed, 0)), [2, 0, 0, 0]);
}

#[test]
fn a_vendor_that_goes_away_leaves_the_rest_for_the_next_run() {
    let vendor = vendor();
    // Four units may be under way at once: six units, so that some are not sent at all.
    let users: Vec<String> = (0..12).map(|n| format!("u{n:02}@x.org")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let bench = bench(&vendor, &users, "", ALONE);
    (vendor.state().0.good, vendor.state().0.then) = (Some(1), Some((403, "")));
    let said = usher(&bench, &["run"]).expect(4);
    assert!(said.out.contains("partly sent: `crm`: "), "{}", said.out);
    assert!(said.out.contains("rows were not sent, and what became of "), "{}", said.out);
    assert!(said.out.contains("run the same command again to go on"), "{}", said.out);
    assert!(!bench.path("out/main/latest").exists());
    let sent = taken(&vendor).len();
    assert_eq!(sent, 2);
    vendor.state().0.then = None;
    let ended = outcome(&bench, &["run"], 0);
    assert_eq!((fates(&ended), &ended["connectors"][0]["delivery"]["earlier"]), ([12, 0, 0, 0], &json!(1)));
    assert_eq!(taken(&vendor), users);
    assert!(bench.path("out/main/latest").exists());
}

#[test]
fn a_replay_neither_goes_on_with_a_run_nor_is_gone_on_with() {
    let vendor = vendor();
    let bench = bench(&vendor, &FOUR, "", ALONE);
    (vendor.state().0.good, vendor.state().0.then) = (Some(1), Some((403, "")));
    let recorded = fates(&outcome(&bench, &["run", "--record", "tape", "--with-values"], 4));
    let replayed = fates(&outcome(&bench, &["run", "--replay", "tape"], 4));
    assert_eq!((recorded, replayed), ([2, 2, 0, 0], [2, 2, 0, 0]));
    vendor.state().0.then = None;
    let ended = outcome(&bench, &["run"], 0);
    assert_eq!(ended["connectors"][0]["delivery"]["earlier"], 1);
    assert_eq!(taken(&vendor), FOUR);
}

#[test]
fn wrong_credentials_publish_nothing() {
    let vendor = vendor();
    let bench = bench(&vendor, &FIVE, "", ALONE);
    let output = bench.command(&["run"]).env("TOKEN", "wrong").output().expect("usher runs");
    let said = bench.said(output);
    // The request was sent, and refused: whether it had an effect the plugin does not say.
    assert_eq!((said.code, taken(&vendor).len()), (Some(4), 0), "{}{}", said.out, said.err);
    assert!(said.out.contains("check the credentials"), "{}", said.out);
}

#[test]
fn canaries_that_come_back_unwell_stop_the_run() {
    let vendor = vendor();
    let bench = bench(
        &vendor,
        &["no-a@x.org", "b@x.org"],
        "max_rejects = \"100%\"",
        &format!("canary = 1\n\n{ALONE}"),
    );
    let ended = outcome(&bench, &["run"], 4);
    assert_eq!((fates(&ended), taken(&vendor).len()), ([0, 0, 1, 1], 0));
    assert!(ended["partly"][0].as_str().expect("a sentence").contains("did not come back clean"), "{ended}");
}

#[test]
fn an_answer_that_is_not_understood_is_kept_and_counted_as_unknown() {
    let vendor = vendor();
    let bench = bench(&vendor, &["a@x.org", "b@x.org"], "", ALONE);
    (vendor.state().0.good, vendor.state().0.then) = (Some(0), Some((200, "{\"weather\":\"fine\"}")));
    let ended = outcome(&bench, &["run"], 4);
    assert_eq!(fates(&ended), [0, 2, 0, 0]);
    let folder = ended["folder"].as_str().expect("a folder");
    let kept = std::fs::read_dir(bench.path(folder).join("crm")).expect("a folder").flatten();
    let kept: Vec<_> =
        kept.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
    assert_eq!(std::fs::read_to_string(&kept[0]).expect("an answer"), "{\"weather\":\"fine\"}");
}

#[test]
fn a_killed_run_sends_nothing_twice() {
    let vendor = vendor();
    let users: Vec<String> = (0..400).map(|n| format!("u{n:03}@x.org")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let bench = bench(&vendor, &users, "", ALONE);
    vendor.state().0.pause_ms = 20;
    let mut command = bench.command(&["run", "--quiet"]);
    command.env("TOKEN", "hunter2").stdout(Stdio::null()).stderr(Stdio::null());
    let mut run = command.spawn().expect("usher runs");
    let until = Instant::now() + Duration::from_secs(30);
    while taken(&vendor).len() < 10 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    run.kill().expect("it runs");
    run.wait().expect("it ended");
    // What it had sent may still be on its way to the vendor.
    std::thread::sleep(Duration::from_millis(300));
    let before = taken(&vendor).len();
    assert!((10..400).contains(&before), "{before}");
    let ended = outcome(&bench, &["run"], 0);
    assert_eq!(fates(&ended), [400, 0, 0, 0]);
    assert!(ended["connectors"][0]["delivery"]["earlier"].as_u64() >= Some(1), "{ended}");
    let mut after = taken(&vendor);
    let sent = after.len();
    after.dedup();
    assert_eq!(after, users, "every user is there");
    // Units that were under way when it was killed go out again: at most four of two rows each.
    assert!(sent <= 400 + 8, "{sent}");
}

/// Twelve users, of whom the vendor has taken two before it went away.
fn interrupted(vendor: &Server<Account>) -> (Bench, Vec<String>) {
    let users: Vec<String> = (0..12).map(|n| format!("u{n:02}@x.org")).collect();
    let bench = bench(vendor, &users.iter().map(String::as_str).collect::<Vec<_>>(), "", ALONE);
    (vendor.state().0.good, vendor.state().0.then) = (Some(1), Some((403, "")));
    usher(&bench, &["run"]).expect(4);
    vendor.state().0.then = None;
    (bench, users)
}

fn earlier(outcome: &Value) -> &Value {
    &outcome["connectors"][0]["delivery"]["earlier"]
}

#[test]
fn a_comment_does_not_make_another_run_and_another_option_does() {
    let vendor = vendor();
    let (bench, users) = interrupted(&vendor);
    let manifest = bench.read("connectors.toml");
    bench.write("connectors.toml", manifest.replace("rows = 2", "rows = 3"));
    let said = usher(&bench, &["run"]).expect(1);
    assert!(said.err.contains("has sent rows and was left unfinished, with other options"), "{}", said.err);
    assert!(said.err.contains("`usher run --anew main`"), "{}", said.err);
    usher(&bench, &["plan"]).expect(0);
    assert_eq!(taken(&vendor).len(), 2);
    bench.write("connectors.toml", format!("# looked at\n{manifest}"));
    assert_eq!(earlier(&outcome(&bench, &["run"], 0)), 1);
    assert_eq!(taken(&vendor), users);
}

#[test]
fn whoever_wants_it_begins_anew() {
    let vendor = vendor();
    let (bench, _) = interrupted(&vendor);
    let ended = outcome(&bench, &["run", "--anew"], 0);
    assert_eq!((earlier(&ended), taken(&vendor).len(), fates(&ended)), (&json!(0), 14, [12, 0, 0, 0]));
    assert_eq!(earlier(&outcome(&bench, &["run"], 0)), 0);
}

#[test]
fn other_inputs_are_warned_of_and_only_what_is_the_same_is_skipped() {
    let vendor = vendor();
    let (bench, _) = interrupted(&vendor);
    bench.write("users.ndjson", bench.read("users.ndjson") + "{\"email\":\"z@x.org\"}\n");
    let ended = outcome(&bench, &["run"], 0);
    assert_eq!((earlier(&ended), taken(&vendor).len()), (&json!(1), 13));
    assert!(ended["warnings"].to_string().contains("not those of the attempt before"), "{ended}");
    assert_eq!(outcome(&bench, &["run"], 0)["warnings"], json!([]));
}

#[test]
fn a_look_at_the_first_records_does_not_finish_a_run() {
    let vendor = vendor();
    let (bench, users) = interrupted(&vendor);
    // Of two requests that are under way the second may arrive first.
    let is_first = taken(&vendor)[0] == users[0];
    outcome(&bench, &["run", "--limit", "2"], 0);
    let ended = outcome(&bench, &["run"], 0);
    let units = if is_first { 1 } else { 2 };
    assert_eq!((earlier(&ended), taken(&vendor)), (&json!(units), users));
}

#[test]
fn what_was_sent_is_told_though_the_input_was_replaced_meanwhile() {
    let vendor = vendor();
    let bench = bench(&vendor, &FOUR, "", ALONE);
    vendor.state().0.pause_ms = 1_500;
    let mut run = bench.command(&["run", "--quiet"]).env("TOKEN", "hunter2").spawn().expect("usher runs");
    let until = Instant::now() + Duration::from_secs(60);
    while !bench.path(".usher/sending-main.lock").exists() {
        assert!(Instant::now() < until, "nothing is sent");
        std::thread::sleep(Duration::from_millis(10));
    }
    // While it sends, another of the same chain is told so, and somebody writes the next export.
    for (out, doing) in [("out", "going on"), ("elsewhere", "sending")] {
        let said = usher(&bench, &["run", "--quiet", "--out", out]);
        let told = said.err.contains(&format!("another run of this chain is {doing}"));
        if said.code != Some(1) || !told {
            // It would wait for its vendor for a quarter of an hour.
            run.kill().expect("it goes on");
            panic!("{out}: {}", said.err);
        }
    }
    bench.write("users.ndjson", "{\"email\":\"y@x.org\"}\n");
    assert!(run.wait().expect("it ends").success());
    let report = bench.read("out/main/latest/report.json");
    assert!(report.contains("changed while"), "{report}");
    assert_eq!(taken(&vendor), FOUR);
}
