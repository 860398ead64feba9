//! Contacts into an account of Constant Contact that has its troubles: whatever goes wrong, the same command comes to the
//! end, and then everybody is there.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use usher_vendors::{
    ConstantContact, Fault, FaultPlan,
    constant_contact::{Blanks, Settings},
};

use crate::support::Bench;

const PEOPLE: usize = 90;

fn settings(seed: u64) -> Settings {
    let plan = FaultPlan {
        seed,
        kinds: Fault::GENERAL.into_iter().chain([Fault::JobLost, Fault::JobLate]).collect(),
        probability: 0.2,
        at_most: 8,
        // A refresh token of one use whose reply is lost is void, and a person must log in again: no program can help.
        spare: vec!["POST /oauth2".to_owned()],
        breath: Duration::from_millis(20),
        ..FaultPlan::default()
    };
    Settings {
        client_id: "app".to_owned(),
        client_secret: String::new(),
        speed: 50.0,
        blanks: Blanks::Clear,
        faults: plan,
        ..Settings::default()
    }
}

/// Every ninth has no address that is one, every seventh no name.
fn people() -> (String, BTreeSet<String>) {
    let (mut text, mut good) = ("email,given_name\n".to_owned(), BTreeSet::new());
    for i in 0..PEOPLE {
        let name = if i % 7 == 0 { String::new() } else { format!("Name {i}") };
        let email = if i % 9 == 8 { "n/a".to_owned() } else { format!("user{i}@example.com") };
        if email != "n/a" {
            good.insert(email.clone());
        }
        let _ = writeln!(text, "{email},{name}");
    }
    (text, good)
}

fn until_done(seed: u64, format: &str) {
    let vendor = ConstantContact::start(settings(seed));
    let (text, good) = people();
    let bench = Bench::new();
    bench.write("people.csv", text);
    let (domain, url) = (vendor.domain(), vendor.url());
    bench.write(
        "connectors.toml",
        format!(
            "version = 1\n\n[connectors.people]\nplugin = \"csv\"\noptions = {{ input = \"people.csv\" }}\n\n\
             [connectors.newsletter]\nplugin = \"constant-contact\"\nhosts = [\"{domain}\"]\nmax_rejects = \"50%\"\n\
             fields = {{ email = \"email\", first_name = \"given_name\" }}\n\
             [connectors.newsletter.options]\ndeliver = \"api\"\nlists = [\"Newsletter\"]\nmax_rows = 20\n\
             consent = {{ not_needed = \"they are customers\" }}\napi_base = \"{url}/v3\"\n\
             api = {{ client_id = \"app\", refresh_token = \"hush-refresh-0\", auth_base = \"{url}\", format = \"{format}\" }}\n\n\
             [chains.main]\nfrom = \"people\"\nto = [\"newsletter\"]\n"
        ),
    );
    let mut told = String::new();
    let mut done = false;
    for attempt in 0..12 {
        let said = bench.usher(&["run", "--quiet"]);
        let _ = writeln!(told, "attempt {attempt}: {:?}\n{}{}", said.code, said.out, said.err);
        if said.code == Some(0) {
            done = true;
            break;
        }
    }
    let account = vendor.account();
    let told = format!("seed {seed}, {format}: {}\n{told}", vendor.fault_report());
    assert!(done, "{told}");
    assert!(!told.contains("hush-refresh"), "{told}");
    assert_eq!(account.contacts.keys().cloned().collect::<BTreeSet<_>>(), good, "{told}");
    assert_eq!(account.oauth.voided_uses, 0, "{told}");
    assert_eq!(account.dropped_rows(), 0, "{told}");
    let rejects = bench.read("out/main/latest/rejects.ndjson");
    assert_eq!(rejects.lines().count(), PEOPLE - good.len(), "{told}\n{rejects}");
}

/// `USHER_SEEDS=50` tries more.
#[test]
fn everybody_arrives_whatever_goes_wrong() {
    let seeds = std::env::var("USHER_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let formats = ["json", "csv"];
    for first in (0..seeds).step_by(4) {
        std::thread::scope(|scope| {
            for seed in first..seeds.min(first + 4) {
                scope.spawn(move || until_done(seed, formats[(seed % 2) as usize]));
            }
        });
    }
}
