//! An export that is ordered from a tenant, through the real binary, the real plugin and real sockets.

mod tenant;

use std::{
    os::unix::fs::PermissionsExt,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    rows,
    support::{Bench, Said},
};
use tenant::{Tenant, Trouble, tenant as tenant_of};

const USERS: &str = concat!(
    "{\"user_id\":\"auth0|1\",\"email\":\"ada@example.com\",\"user_metadata.plan\":\"pro\"}\n",
    "{\"user_id\":\"auth0|2\",\n",
    "{\"user_id\":\"auth0|3\",\"email\":\"eve@example.com\"}\n",
);

/// The tenant's users into the connector `people`.
fn bench(tenant: &Tenant) -> Bench {
    let domain = tenant.domain();
    let bench = Bench::new();
    bench.write(
        "connectors.toml",
        format!(
            "version = 1\n\n\
             [connectors.users]\nplugin = \"auth0\"\nhosts = [\"{domain}\"]\n\
             [connectors.users.options.tenant]\ndomain = \"{domain}\"\nclient_id = \"app\"\n\
             client_secret = \"${{env:AUTH0_SECRET}}\"\n\n\
             [connectors.people]\nplugin = \"csv\"\nmax_rejects = \"50%\"\n\
             fields = {{ id = \"sub\", email = \"email\", plan = \"user_metadata.plan\" }}\n\n\
             [chains.main]\nfrom = \"users\"\nto = [\"people\"]\n"
        ),
    );
    bench
}

fn usher(bench: &Bench, secret: &str, arguments: &[&str]) -> Said {
    let output = bench.command(arguments).env("AUTH0_SECRET", secret).output().expect("usher runs");
    let said = bench.said(output);
    for text in [&said.out, &said.err] {
        assert!(!text.contains("hush"), "{text}");
    }
    said
}

#[test]
fn an_export_is_ordered_awaited_and_read() {
    let tenant = tenant_of(USERS);
    tenant.state().0.pending = 1;
    tenant.state().0.troubles = [Trouble::Expired, Trouble::Cut].into();
    let bench = bench(&tenant);
    usher(&bench, "hush-secret", &["run"]).expect(0);
    assert_eq!(rows(&bench), ["auth0|1,ada@example.com,pro", "auth0|3,eve@example.com,"]);
    let rejects: Value = serde_json::from_str(bench.read("out/main/latest/rejects.ndjson").trim()).unwrap();
    assert_eq!(
        (rejects["origin"]["line"].as_u64(), rejects["code"].as_str()),
        (Some(2), Some("json.syntax")),
        "{rejects}"
    );
    assert!(rejects.to_string().contains("auth0|2"), "the raw record is there: {rejects}");
    assert!(!bench.read("out/main/latest/report.json").contains("hush"));
    assert_eq!(tenant.asked("POST /api/v2/jobs/users-exports").len(), 1);
    assert_eq!(tenant.asked("GET /files/").len(), 3);
    let state = tenant.state();
    let order = state.1.iter().find(|asked| asked.line.ends_with("users-exports")).unwrap();
    let fields =
        ["user_id", "email", "user_metadata.plan"].map(|f| serde_json::json!({ "name": f, "export_as": f }));
    assert_eq!(
        serde_json::from_str::<Value>(&order.body).unwrap(),
        serde_json::json!({ "format": "json", "fields": fields })
    );
}

#[test]
fn what_a_connector_says_is_a_line_of_the_log_with_its_name() {
    let tenant = tenant_of(USERS);
    tenant.state().0.troubles = [Trouble::Expired].into();
    let said =
        usher(&bench(&tenant), "hush-secret", &["run", "--log-format", "json", "--run-id", "r1"]).expect(0);
    let all = crate::logs::lines(&said);
    let again = all.iter().find(|line| line["message"].as_str().unwrap().contains("begun again")).unwrap();
    assert_eq!((&again["level"], &again["connector"]), (&"warning".into(), &"users".into()));
    assert_eq!((&again["chain"], &again["run"]), (&"main".into(), &"r1".into()));
}

#[test]
fn a_killed_run_takes_its_export_up() {
    let tenant = tenant_of(USERS);
    tenant.state().0.pending = u64::MAX;
    let bench = bench(&tenant);
    let mut command = bench.command(&["run", "--quiet"]);
    command.env("AUTH0_SECRET", "hush-secret").stdout(Stdio::null()).stderr(Stdio::null());
    let mut run = command.spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while tenant.asked("GET /api/v2/jobs/").is_empty() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(!tenant.asked("GET /api/v2/jobs/").is_empty(), "it never asked for its job");
    tenant.state().0.pending = 0;
    usher(&bench, "hush-secret", &["run", "--quiet"]).expect(0);
    assert_eq!(rows(&bench).len(), 2);
    assert_eq!(tenant.asked("POST /api/v2/jobs/users-exports").len(), 1, "the second run has ordered none");
    usher(&bench, "hush-secret", &["run", "--quiet"]).expect(0);
    assert_eq!(tenant.asked("POST /api/v2/jobs/users-exports").len(), 2, "the next one orders fresh users");
}

#[test]
fn a_plan_orders_no_more_than_it_reads_and_a_check_asks_nobody() {
    let tenant = tenant_of(USERS);
    let bench = bench(&tenant);
    usher(&bench, "hush-secret", &["check"]).expect(0);
    assert_eq!(tenant.state().1.len(), 0);
    usher(&bench, "hush-secret", &["plan", "--limit", "1"]).expect(0);
    let state = tenant.state();
    let order = state.1.iter().find(|asked| asked.line.ends_with("users-exports")).unwrap();
    assert!(order.body.contains("\"limit\":1"), "{}", order.body);
}

#[test]
fn a_run_of_an_order_is_held_to_the_counts_of_its_plan() {
    let tenant = tenant_of(USERS);
    let bench = bench(&tenant);
    let plan = usher(&bench, "hush-secret", &["plan", "--out", "plan.json"]).expect(0);
    assert!(plan.out.contains("a run downloads its input anew"), "{}", plan.out);
    let run = usher(&bench, "hush-secret", &["run", "--plan", "plan.json"]).expect(0);
    assert!(run.err.contains("held to the plan's counts, and not to its records"), "{}", run.err);
    tenant.state().0.users.push_str("{\"user_id\":\"auth0|4\",\"email\":\"new@example.com\"}\n");
    let run = usher(&bench, "hush-secret", &["run", "--plan", "plan.json"]).expect(1);
    assert!(run.err.contains("4 records were read and not 3"), "{}", run.err);
    assert_eq!(rows(&bench).len(), 2, "`latest` is that of the run before");
}

#[test]
fn wrong_credentials_are_told_before_anything_is_read() {
    let tenant = tenant_of(USERS);
    let bench = bench(&tenant);
    let said = usher(&bench, "hush-wrong", &["run"]).expect(2);
    assert!(said.err.contains("compare `client_id` and `client_secret`"), "{}", said.err);
    assert_eq!(tenant.state().1.len(), 1);
}

#[test]
fn what_is_downloaded_stays_with_the_run_unless_it_must_not() {
    let tenant = tenant_of(USERS);
    tenant.state().0.troubles = [Trouble::Cut].into();
    let bench = bench(&tenant);
    usher(&bench, "hush-secret", &["run", "--quiet"]).expect(0);
    let report: Value = serde_json::from_str(&bench.read("out/main/latest/report.json")).unwrap();
    let kept = report["inputs"][0]["path"].as_str().unwrap().to_owned();
    assert!(kept.starts_with("inputs/"), "{kept}");
    let names: Vec<_> = std::fs::read_dir(bench.path("out/main/latest/inputs")).unwrap().flatten().collect();
    assert_eq!(names.len(), 1, "the download that was cut is not there");
    let mode = names[0].metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode, names[0].metadata().unwrap().len()),
        (0o600, report["inputs"][0]["bytes"].as_u64().unwrap())
    );
    usher(&bench, "hush-secret", &["run", "--quiet", "--set", "connectors.users.store=false"]).expect(0);
    assert!(!bench.path("out/main/latest/inputs").exists());
}
