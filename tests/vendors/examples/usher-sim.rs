//! The four vendors on ports of this machine, to play with: `cargo run --example usher-sim`, then `usher run` with the
//! manifest that it prints. Until Ctrl-C it says what arrives.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{collections::HashSet, thread::sleep, time::Duration};

use clap::Parser;
use usher_vendors::{Auth0, CarrotQuest, ConstantContact, FaultPlan, Zendesk};
use usher_vendors::{auth0, carrot_quest, constant_contact, zendesk};

/// Auth0, Zendesk, Carrot quest and Constant Contact on ports of this machine, until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "usher-sim")]
struct Arguments {
    /// So many made-up users in Auth0
    #[arg(long, default_value_t = 100)]
    users: usize,
    /// The first of four ports in a row; 0: free ones
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How much faster than real the vendors' minutes and days pass
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Things go wrong: one request in ten, twenty times at most at each vendor
    #[arg(long)]
    faults: bool,
    /// Which things: the same seed, the same faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

struct Vendors {
    auth0: Auth0,
    zendesk: Zendesk,
    carrot_quest: CarrotQuest,
    constant_contact: ConstantContact,
}

fn main() {
    let vendors = Vendors::start(&Arguments::parse());
    println!("{}", vendors.manifest());
    println!("# Ctrl-C ends it. What arrives:");
    let (mut told, mut events) = (String::new(), HashSet::new());
    loop {
        for event in vendors.events() {
            if events.insert(event.clone()) {
                println!("#   {event}");
            }
        }
        let now = vendors.summary();
        if now != told {
            println!("# {now}");
            told = now;
        }
        sleep(Duration::from_secs(1));
    }
}

impl Vendors {
    fn start(arguments: &Arguments) -> Self {
        let Arguments { users, port, speed, faults, seed } = *arguments;
        let port = |number: u16| if port == 0 { 0 } else { port + number };
        let plan = || if faults { FaultPlan::random(seed) } else { FaultPlan::none() };
        // A refresh whose reply is lost ends the connection for good, as it does with the vendor.
        let spares_tokens = || FaultPlan { spare: vec!["POST /oauth2".to_owned()], ..plan() };
        Self {
            auth0: Auth0::start(auth0::Settings {
                port: port(0),
                users: auth0::made_up(users),
                job_time: Duration::from_secs(2),
                speed,
                faults: plan(),
                ..auth0::Settings::default()
            }),
            zendesk: Zendesk::start(zendesk::Settings {
                port: port(1),
                job_time: Duration::from_secs(2),
                speed,
                faults: plan(),
                ..zendesk::Settings::default()
            }),
            carrot_quest: CarrotQuest::start(carrot_quest::Settings {
                port: port(2),
                applies_after: Duration::from_secs(2),
                speed,
                faults: plan(),
                ..carrot_quest::Settings::default()
            }),
            constant_contact: ConstantContact::start(constant_contact::Settings {
                port: port(3),
                activity_time: Duration::from_secs(2),
                speed,
                faults: spares_tokens(),
                ..constant_contact::Settings::default()
            }),
        }
    }

    /// A manifest that runs as it stands; the secrets are none.
    fn manifest(&self) -> String {
        let [users, support, marketing, newsletter] = [
            self.auth0.domain(),
            self.zendesk.domain(),
            self.carrot_quest.domain(),
            self.constant_contact.domain(),
        ];
        format!(
            r#"version = 1

[connectors.users]
plugin  = "auth0"
hosts   = ["{users}"]
options = {{ tenant = {{ domain = "{users}", client_id = "usher-client", client_secret = "hush-secret" }} }}

[connectors.support]
plugin  = "zendesk"
hosts   = ["{support}"]
options = {{ deliver = "api", import_type = "create_and_update", api = {{ subdomain = "acme", oauth_token = "hush-oauth", api_base = "http://{support}" }} }}

[connectors.marketing]
plugin  = "carrot-quest"
hosts   = ["{marketing}"]
options = {{ deliver = "api", api_base = "http://{marketing}", api = {{ token = "hush-key" }} }}

[connectors.newsletter]
plugin  = "constant-contact"
hosts   = ["{newsletter}"]
options = {{ deliver = "api", consent = "consent", lists = ["Newsletter"], api_base = "http://{newsletter}/v3", api = {{ client_id = "usher-client", client_secret = "hush-secret", refresh_token = "hush-refresh-0", auth_base = "http://{newsletter}" }} }}

[chains.onboard]
from    = "users"
claims  = {{ plan = "user_metadata.plan", consent = "user_metadata.consent.given" }}
where   = "email_verified"
to      = ["support", "marketing", "newsletter"]
"#
        )
    }

    fn summary(&self) -> String {
        let auth0 = self.auth0.account();
        let auth0 = format!("auth0: {} exports, {} downloads", auth0.jobs.len(), auth0.downloads);
        let zendesk = self.zendesk.account();
        let zendesk = format!("zendesk: {} users in {} jobs", zendesk.users.len(), zendesk.jobs.len());
        let carrot_quest = self.carrot_quest.account();
        let carrot_quest = format!(
            "carrot quest: {} users in {} files",
            carrot_quest.users.len(),
            carrot_quest.imports.len()
        );
        let contact = self.constant_contact.account();
        let contact = format!(
            "constant contact: {} contacts in {} activities",
            contact.contacts.len(),
            contact.activities.len()
        );
        format!("{auth0}; {zendesk}; {carrot_quest}; {contact}")
    }

    /// Faults that struck, and requests that no vendor describes.
    fn events(&self) -> Vec<String> {
        let struck = [
            ("auth0", self.auth0.faults()),
            ("zendesk", self.zendesk.faults()),
            ("carrot quest", self.carrot_quest.faults()),
            ("constant contact", self.constant_contact.faults()),
        ];
        let struck = struck.into_iter().flat_map(|(vendor, all)| {
            all.into_iter()
                .enumerate()
                .map(move |(at, s)| format!("{vendor}: fault {}: {:?} at {}", at + 1, s.fault, s.line))
        });
        let violations = [
            self.auth0.account().violations.clone(),
            self.zendesk.account().violations.clone(),
            self.constant_contact.account().violations.clone(),
        ];
        struck
            .chain(violations.concat().into_iter().map(|what| format!("not as described: {what}")))
            .collect()
    }
}
