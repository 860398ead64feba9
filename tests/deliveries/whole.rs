//! No button pressed: the shipped manifest `live.toml`, from a tenant's export to three vendors at once.

use std::{
    collections::BTreeSet,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use usher_vendors::{
    Auth0, CarrotQuest, ConstantContact, Zendesk, auth0, carrot_quest, constant_contact, zendesk,
};

use crate::support::Bench;

const ENVIRONMENT: [(&str, &str); 9] = [
    ("AUTH0_DOMAIN", "replaced"),
    ("AUTH0_CLIENT_ID", "usher-client"),
    ("AUTH0_CLIENT_SECRET", "hush-secret"),
    ("ZENDESK_SUBDOMAIN", "acme"),
    ("ZENDESK_EMAIL", "admin@example.com"),
    ("ZENDESK_TOKEN", "hush-token"),
    ("CARROT_QUEST_TOKEN", "hush-key"),
    ("CONSTANT_CONTACT_CLIENT_ID", "usher-client"),
    ("CC_REFRESH", "hush-refresh-0"),
];

struct World {
    tenant: Auth0,
    support: Zendesk,
    chat: CarrotQuest,
    newsletter: ConstantContact,
    bench: Bench,
    set: Vec<String>,
    people: Vec<Value>,
}

/// The vendors, and what points the manifest at them.
fn world(count: usize, job_time: Duration) -> World {
    let people = auth0::made_up(count);
    let tenant = Auth0::start(auth0::Settings { users: people.clone(), ..auth0::Settings::default() });
    let support = Zendesk::start(zendesk::Settings { job_time, ..zendesk::Settings::default() });
    let chat = CarrotQuest::start(carrot_quest::Settings::default());
    let settings = constant_contact::Settings { client_secret: String::new(), ..Default::default() };
    let newsletter = ConstantContact::start(settings);
    let bench = Bench::shipped();
    let host = |name: &str, domain: &str| format!("connectors.{name}.hosts=[\"{domain}\"]");
    let set = vec![
        format!("connectors.users.options.tenant.domain={}", tenant.domain()),
        host("users", &tenant.domain()),
        format!("connectors.support.options.api.api_base={}", support.url()),
        host("support", &support.domain()),
        format!("connectors.chat.options.api_base={}", chat.url()),
        "connectors.chat.options.api.wait_seconds=20".to_owned(),
        host("chat", &chat.domain()),
        format!("connectors.newsletter.options.api_base={}/v3", newsletter.url()),
        format!("connectors.newsletter.options.api.auth_base={}", newsletter.url()),
        "connectors.newsletter.options.api.refresh_token=${env:CC_REFRESH}".to_owned(),
        host("newsletter", &newsletter.domain()),
    ];
    World { tenant, support, chat, newsletter, bench, set, people }
}

impl World {
    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut all = vec!["-m", "examples/manifests/live.toml"];
        all.extend(arguments);
        let mut command = self.bench.command(&all);
        command.envs(ENVIRONMENT);
        for set in &self.set {
            command.arg("--set").arg(set);
        }
        command
    }

    fn is_right(&self) {
        let text = |user: &Value, name: &str| user[name].as_str().unwrap().to_owned();
        let everybody: BTreeSet<String> = self.people.iter().map(|user| text(user, "user_id")).collect();
        let support = self.support.account();
        let there = support.users.values().map(|user| user.text("external_id").to_owned());
        assert_eq!(there.collect::<BTreeSet<_>>(), everybody);
        assert_eq!(support.users.len(), everybody.len(), "nobody twice");
        let chat = self.chat.account();
        let there = chat.users.values().filter_map(|user| user.user_id.clone());
        assert_eq!(there.collect::<BTreeSet<_>>(), everybody);
        assert_eq!(chat.users.len(), everybody.len(), "nobody twice");
        let consenting = self.people.iter().filter(|user| user["user_metadata"]["consent"]["given"] == true);
        let newsletter = self.newsletter.account();
        let there: BTreeSet<String> = newsletter.contacts.keys().cloned().collect();
        assert_eq!(there, consenting.map(|user| text(user, "email")).collect());
        for violations in [&support.violations, &newsletter.violations, &self.tenant.account().violations] {
            assert_eq!(*violations, [""; 0]);
        }
    }
}

#[test]
fn everybody_is_at_every_vendor_and_a_second_run_doubles_nobody() {
    let world = world(300, Duration::from_millis(50));
    let check = world.bench.said(world.command(&["check", "--online", "live"]).output().unwrap());
    check.expect(0);
    let plan = world.bench.said(world.command(&["plan", "live"]).output().unwrap()).expect(0);
    assert!(plan.out.contains("support (zendesk): 300 rows would be sent to"), "{}", plan.out);
    assert_eq!(world.support.account().users.len() + world.newsletter.account().contacts.len(), 0);
    for _ in 0..2 {
        let said = world.bench.said(world.command(&["run", "live"]).output().unwrap()).expect(0);
        assert!(said.out.contains("support: 300 confirmed at"), "{}", said.out);
        assert!(!format!("{}{}", said.out, said.err).contains("hush-"), "{}{}", said.out, said.err);
        world.is_right();
    }
    assert_eq!(world.tenant.account().jobs.len(), 3, "one export for the plan, one for each run");
}

#[test]
fn a_run_killed_while_it_sends_goes_on_with_the_same_export() {
    let world = world(1_000, Duration::from_millis(1_500));
    let mut command = world.command(&["run", "--quiet", "live"]);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while world.support.account().users.is_empty() && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(!world.support.account().users.is_empty(), "it sent nothing within a minute");
    let said = world.bench.said(world.command(&["run", "--json", "live"]).output().unwrap()).expect(0);
    let outcome = serde_json::from_str::<Value>(&said.out).unwrap()[0].clone();
    assert_eq!(outcome["connectors"][0]["delivery"]["confirmed"], 1_000, "{outcome}");
    world.is_right();
    assert_eq!(world.tenant.account().jobs.len(), 1, "the same export was read again");
    let support = world.support.account();
    assert_eq!(support.jobs.len(), 10, "no unit of a hundred went out twice");
}
