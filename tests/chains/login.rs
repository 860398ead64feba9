//! `usher login`, and what a login is good for: contacts that reach an account. The vendor is the simulator on this machine.

use std::time::Duration;

use usher_vendors::{
    ConstantContact,
    constant_contact::{Blanks, Settings},
};

use crate::support::{Bench, Said};

/// An account whose application is one of the device flow, in a hurry.
fn settings() -> Settings {
    Settings {
        client_id: "app".to_owned(),
        client_secret: String::new(),
        tokens_per_second: 1_000,
        requests_per_second: 1_000,
        approves_after: Some(Duration::from_millis(1_500)),
        speed: 5.0,
        blanks: Blanks::Clear,
        ..Settings::default()
    }
}

/// Three people, one of whom has no name, into the account.
fn bench(vendor: &ConstantContact, api: &str) -> Bench {
    let bench = Bench::new();
    bench.write(
        "people.csv",
        "email,given_name,plan\nada@example.com,Ada,pro\nGrace@example.com,,\nmarie@example.com,Marie,free\n",
    );
    let (domain, url) = (vendor.domain(), vendor.url());
    bench.write(
        "connectors.toml",
        format!(
            "version = 1\n\n[connectors.people]\nplugin = \"csv\"\noptions = {{ input = \"people.csv\" }}\n\n\
             [connectors.newsletter]\nplugin = \"constant-contact\"\nhosts = [\"{domain}\"]\n\
             fields = {{ email = \"email\", first_name = \"given_name\", \"cf:plan\" = \"plan\" }}\n\
             [connectors.newsletter.options]\ndeliver = \"api\"\nlists = [\"Newsletter\"]\n\
             consent = {{ not_needed = \"they are customers\" }}\napi_base = \"{url}/v3\"\n\
             api = {{ client_id = \"app\", auth_base = \"{url}\", {api} }}\n\n\
             [chains.main]\nfrom = \"people\"\nto = [\"newsletter\"]\n"
        ),
    );
    bench
}

fn silent(said: Said) -> Said {
    assert!(!format!("{}{}", said.out, said.err).contains("hush-"), "{}{}", said.out, said.err);
    said
}

/// The code and the port differ from run to run.
fn shown(said: Said, vendor: &ConstantContact) -> String {
    let text = said.shown().replace(&vendor.domain(), "[vendor]");
    let code = text.split("user_code=").nth(1).map(|rest| rest[..9].to_owned()).unwrap_or_default();
    if code.is_empty() { text } else { text.replace(&code, "[code]") }
}

#[test]
fn a_code_is_shown_and_the_login_is_kept_for_runs() {
    let vendor = ConstantContact::start(settings());
    let bench = bench(&vendor, "canary = 1");
    silent(bench.usher(&["check"])).expect(0);
    assert_eq!(vendor.account().requests.len(), 0, "a check asks nobody");
    let before = silent(bench.usher(&["check", "--online"])).expect(2);
    assert!(before.err.contains("run `usher login <connector>` once"), "{}", before.err);
    insta::assert_snapshot!("login", shown(silent(bench.usher(&["login", "newsletter"])).expect(0), &vendor));
    let tokens = vendor.account().count("POST /oauth2/default/v1/token");
    assert!(tokens >= 2, "not yet, and done");
    silent(bench.usher(&["plan"])).expect(0);
    assert_eq!(vendor.account().contacts.len(), 0, "a plan imports nobody");
    silent(bench.usher(&["run"])).expect(0);
    let account = vendor.account();
    assert_eq!(account.count("POST /oauth2/default/v1/token"), tokens, "the access token is good for a day");
    assert_eq!(
        account.contacts.keys().collect::<Vec<_>>(),
        ["ada@example.com", "grace@example.com", "marie@example.com"]
    );
    assert_eq!(account.count("POST /v3/activities/contacts_json_import"), 2, "one goes first");
    assert!(account.violations.is_empty(), "{:?}", account.violations);
    drop(account);
    insta::assert_snapshot!("export", bench.usher(&["login", "newsletter", "--export"]).expect(0).shown());
}

#[test]
fn a_refresh_token_of_one_use_is_never_used_twice() {
    let vendor = ConstantContact::start(Settings { lists: Vec::new(), ..settings() });
    vendor.account().oauth.refresh_tokens = vec!["hush-first".to_owned()];
    let bench = bench(
        &vendor,
        "refresh_token = \"${env:CC_TOKEN}\", format = \"csv\", tags = [\"vip\"], \
                                create_tags = true, create_lists = true",
    );
    let usher = |arguments: &[&str]| {
        let output = bench.command(arguments).env("CC_TOKEN", "hush-first").output().expect("usher runs");
        silent(bench.said(output))
    };
    usher(&["check", "--online"]).expect(0);
    // As on another day.
    vendor.account().oauth.expire_access_tokens();
    usher(&["plan"]).expect(0);
    vendor.account().oauth.expire_access_tokens();
    usher(&["run"]).expect(0);
    let account = vendor.account();
    assert_eq!((account.oauth.voided_uses, account.oauth.handed_out), (0, 3));
    assert_eq!(account.contacts.len(), 3);
    let tag = account.tag("vip").unwrap().to_owned();
    assert!(account.contacts.values().all(|contact| contact.tags.contains(&tag)));
}

#[test]
fn a_login_that_nobody_answers_ends_and_one_without_a_token_has_nothing_to_export() {
    let vendor = ConstantContact::start(Settings { approves_after: None, ..settings() });
    let bench = bench(&vendor, "canary = 0");
    let none = bench.usher(&["login", "newsletter", "--export"]).expect(1);
    insta::assert_snapshot!("nothing_to_export", none.shown());
    vendor.account().settings.client_id = "another".to_owned();
    insta::assert_snapshot!("refused", bench.usher(&["login", "newsletter"]).expect(1).shown());
}

#[test]
fn connectors_without_a_login_and_without_a_name_are_told() {
    let vendor = ConstantContact::start(settings());
    let bench = bench(&vendor, "canary = 0");
    let all = [["login", "people"], ["login", "newsleter"], ["login", "x"]];
    let said = all.map(|arguments| bench.usher(&arguments).expect(2).shown());
    insta::assert_snapshot!("no_login", shown_text(&said.join("\n"), &vendor));
}

fn shown_text(text: &str, vendor: &ConstantContact) -> String {
    text.replace(&vendor.domain(), "[vendor]")
}
