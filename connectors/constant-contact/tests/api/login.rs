//! Logins and tokens.

use insta::assert_snapshot;
use serde_json::json;
use usher_constant_contact::plugin;
use usher_sdk::abi::ErrorClass;
use usher_testkit::{Call, Failure, MemoryHost, Reply, drive};

use crate::common::{self, Vendor as _, asked, oauth_refusal, options, problems, token, told};

/// The state's calls of a first refresh: the login, the lease, the lease written, read again, the login again, and then
/// the new login written.
const LEASE_WRITTEN: u64 = 3;
const LOGIN_WRITTEN: u64 = 6;

#[test]
fn a_token_of_one_use_is_not_spent_where_the_next_cannot_be_kept() {
    let host = MemoryHost::new().known();
    host.fail(Failure::new(Call::State, LEASE_WRITTEN));
    let result = problems(&host, &options(json!({}), json!({})), &["email"]);
    assert!(!asked(&host).contains("/token"));
    assert_snapshot!(told(&result));
}

#[test]
fn a_new_token_is_kept_before_it_is_used() {
    // It cannot be kept at once.
    let host = MemoryHost::new().known();
    (0..4).for_each(|n| host.fail(Failure::new(Call::State, LOGIN_WRITTEN + n)));
    problems(&host, &options(json!({}), json!({})), &["email"]).unwrap();
    assert!(String::from_utf8(host.state()["login"].clone()).unwrap().contains("hush-refresh-1"));
    // It cannot be kept at all: nothing is asked with the token that came.
    let host = MemoryHost::new().known();
    (0..5).for_each(|n| host.fail(Failure::new(Call::State, LOGIN_WRITTEN + n)));
    let result = problems(&host, &options(json!({}), json!({})), &["email"]);
    assert_eq!(asked(&host).matches("/token").count(), 1);
    assert!(host.requests().iter().all(|sent| sent.header("authorization").is_none()));
    assert_snapshot!(told(&result));
}

/// Two processes with one login, of which the second works while the first is at this call.
fn two_at_once(host: &MemoryHost, at: Failure) {
    let (services, options) = (host.services(), options(json!({}), json!({})).to_string());
    let other = options.clone();
    host.when(at, move || {
        let mut second = drive::Sink::open(plugin(), "contacts", &other, &services).unwrap();
        assert_eq!(second.check(&["email"]).unwrap(), []);
    });
    let mut first = drive::Sink::open(plugin(), "contacts", &options, &host.services()).unwrap();
    assert_eq!(first.check(&["email"]).unwrap(), []);
}

#[test]
fn two_processes_refresh_one_after_the_other() {
    // Both have seen no lease; the first is about to write one, or waits whether it is the only one. In the second case the
    // other waits until the lease of the first has ended, and takes it over.
    for at in [Failure::new(Call::State, LEASE_WRITTEN), Failure::new(Call::Sleep, 1)] {
        let host = MemoryHost::new().known().known();
        two_at_once(&host, at);
        assert_eq!(asked(&host).matches("/token").count(), 1, "{at:?}");
        assert_eq!(host.state().into_keys().collect::<Vec<_>>(), ["login"], "the lease was given back");
    }
}

#[test]
fn a_token_that_is_void_because_another_was_faster_is_no_reason_to_log_in() {
    let void = oauth_refusal(400, "invalid_grant", "The refresh token is invalid or expired.");
    let host = MemoryHost::new().token([void]).known().known();
    two_at_once(&host, Failure::new(Call::Receive, 1));
    assert_eq!(asked(&host).matches("/token").count(), 2);
    assert!(String::from_utf8(host.state()["login"].clone()).unwrap().contains("hush-refresh-1"));
}

#[test]
fn who_stops_a_refresh_is_told_that_the_login_may_be_lost() {
    let host = std::sync::Arc::new(MemoryHost::new().known());
    let stopped = host.clone();
    host.when(Failure::new(Call::Receive, 1), move || stopped.cancel());
    let error = problems(&host, &options(json!({}), json!({})), &["email"]).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::CANCELLED, "login.lost"));
    let (_, line) = host.logs().pop().unwrap();
    assert!(line.contains("the login may be lost") && line.contains("usher login"), "{line}");
}

#[test]
fn a_login_of_a_day_has_its_own_sentences() {
    let short = Reply::new(200).json(&json!({ "access_token": "hush-access-1", "expires_in": 86_400 }));
    let host = MemoryHost::new().on("POST", "device", [device()]).token([short]);
    let no_option = || options(json!({ "refresh_token": null, "client_secret": "hush-secret" }), json!({}));
    let open = || drive::Login::open(plugin(), &no_option().to_string(), &host.services()).unwrap();
    let mut login = open();
    let nobody = login.export().unwrap_err();
    login.begin().unwrap();
    login.poll().unwrap();
    let without = login.export().unwrap_err();
    host.clock().advance_ms(86_400_000);
    let ended = told(&problems(&host, &no_option(), &["email"]));
    assert_snapshot!(format!("{nobody}\n{without}\n{ended}"));
}

#[test]
fn a_login_that_is_of_no_use_does_not_replace_a_good_one() {
    let lacking = json!({ "access_token": "hush-access-2", "refresh_token": "hush-refresh-2", "scope": "account_read" });
    let short = json!({ "access_token": "hush-access-2", "scope": "contact_data" });
    let [kept, replaced] = [lacking, short].map(|reply| {
        let host = MemoryHost::new().known();
        problems(&host, &options(json!({}), json!({})), &["email"]).unwrap();
        let host = host.on("POST", "device", [device()]).token([Reply::new(200).json(&reply)]);
        let mut login = login(&host);
        login.begin().unwrap();
        let said = login.poll().map_or_else(|error| error.to_string(), |done| done.warnings.concat());
        let logs: Vec<String> = host.logs().into_iter().map(|(_, line)| line).collect();
        (String::from_utf8(host.state()["login"].clone()).unwrap(), said + "\n" + &logs.concat())
    });
    assert!(kept.0.contains("hush-refresh-1") && kept.1.contains("`contact_data`"), "{kept:?}");
    assert!(replaced.0.contains("hush-access-2") && !replaced.0.contains("hush-refresh"), "{replaced:?}");
    assert!(replaced.1.contains("took the place") && replaced.1.contains("takes the place"), "{replaced:?}");
}

#[test]
fn tokens_rotate_and_the_state_wins_until_the_option_changes() {
    let check = |host: &MemoryHost, option: &str| {
        problems(host, &options(json!({ "refresh_token": option }), json!({})), &["email"]).unwrap();
        host.requests()
            .iter()
            .filter(|sent| sent.head.url.ends_with("/token"))
            .map(|sent| sent.text())
            .next_back()
            .unwrap()
    };
    let again = |host: MemoryHost| host.seen();
    let mut host = MemoryHost::new().known();
    assert!(check(&host, "hush-option").contains("refresh_token=hush-option"));
    // Another run the same day needs no token at all.
    host = again(host);
    check(&host, "hush-option");
    assert_eq!(asked(&host).matches("/token").count(), 1);
    // On the next day what is kept is used, not the option.
    host.clock().advance_ms(86_400_000);
    host = again(host).token([token(2)]);
    assert!(check(&host, "hush-option").contains("refresh_token=hush-refresh-1"));
    // The option was changed: it is newer, even if the token that is kept is good yet.
    host = again(host).token([token(1)]);
    assert!(check(&host, "hush-changed").contains("refresh_token=hush-changed"));
    host.clock().advance_ms(86_400_000);
    host = again(host).token([token(2)]);
    assert!(check(&host, "hush-changed").contains("refresh_token=hush-refresh-1"));
    let kept = String::from_utf8(host.state()["login"].clone()).unwrap();
    assert!(!kept.contains("hush-changed"), "a fingerprint, not the option: {kept}");
}

#[test]
fn a_long_lived_token_stays() {
    let long = || Reply::new(200).json(&json!({ "access_token": "hush-access-1", "expires_in": 60 }));
    let host = MemoryHost::new().known().token([long()]);
    problems(&host, &options(json!({}), json!({})), &["email"]).unwrap();
    assert!(String::from_utf8(host.state()["login"].clone()).unwrap().contains("hush-refresh-1"));
    host.clock().advance_ms(86_400_000);
    let host = host.seen();
    problems(&host, &options(json!({}), json!({})), &["email"]).unwrap();
    assert!(String::from_utf8(host.state()["login"].clone()).unwrap().contains("hush-refresh-1"));
}

#[test]
fn what_is_replayed_is_not_kept() {
    let masked = Reply::new(200).json(&json!({ "access_token": "[secret]", "refresh_token": "[secret]" }));
    let host = MemoryHost::new().token([masked]).known();
    problems(&host, &options(json!({}), json!({})), &["email"]).unwrap();
    assert!(host.state().is_empty());
}

#[test]
fn errors_of_the_token() {
    let all = [
        oauth_refusal(400, "invalid_grant", "The refresh token hush-option is invalid or expired."),
        oauth_refusal(401, "invalid_client", "Invalid value for 'client_id' parameter."),
        oauth_refusal(400, "invalid_scope", "no"),
        Reply::new(429),
        Reply::new(503).body("<html>"),
        Reply::new(404),
        Reply::new(200).body("<html>hush-option</html>"),
        Reply::new(200).body("{\"access_token\":").cut(),
        Reply::new(200).json(&json!({ "access_token": "hush-access-1", "scope": "account_read" })),
    ];
    let told = all.map(|reply| {
        let host = MemoryHost::new().token((0..5).map(|_| reply.clone()));
        told(&problems(&host, &options(json!({}), json!({})), &["email"]))
    });
    let nobody = options(json!({ "refresh_token": null }), json!({}));
    let host = MemoryHost::new().on("GET", "/account/summary", [Reply::new(401)]);
    let nobody = common::told(&problems(&host, &nobody, &["email"]));
    let lost = MemoryHost::new().token([token(1)]);
    lost.fail(Failure::new(Call::Receive, 1));
    let lost = common::told(&problems(&lost, &options(json!({}), json!({})), &["email"]));
    assert_snapshot!(told.join("") + &nobody + &lost);
}

fn device() -> Reply {
    Reply::new(200).json(&json!({
        "device_code": "hush-device", "user_code": "ABCD-EFGH", "expires_in": 600, "interval": 5,
        "verification_uri": "https://identity.constantcontact.com/activate",
    }))
}

fn login(host: &MemoryHost) -> drive::Login {
    let options = options(json!({ "client_secret": "hush-secret" }), json!({}));
    drive::Login::open(plugin(), &options.to_string(), &host.services()).unwrap()
}

#[test]
fn a_login_on_another_device_is_kept_and_used() {
    let host = MemoryHost::new().on("POST", "device", [device()]).token([
        oauth_refusal(400, "authorization_pending", ""),
        oauth_refusal(400, "slow_down", ""),
        token(1),
    ]);
    let mut login = login(&host);
    let code = |error: usher_sdk::abi::Error| error.code.to_string();
    assert_eq!(login.export().map_err(code), Err("login.needed".to_owned()));
    let mut said = format!("{:#?}\n", login.begin().unwrap());
    for _ in 0..3 {
        said += &format!("{:?}\n", login.poll().unwrap());
    }
    assert_eq!(login.export().unwrap(), "hush-refresh-1");
    drop(login);
    said += &common::requests(&host).replace("hush-device", "<device>");
    assert_snapshot!(said);
    // The option is the one that was there at the login, so the login wins; and its access token is good yet.
    let host = host.seen();
    problems(&host, &options(json!({}), json!({})), &["email"]).unwrap();
    assert_eq!(asked(&host).matches("/token").count(), 3);
}

#[test]
fn logins_that_fail() {
    let told = [
        oauth_refusal(400, "access_denied", "The user said no"),
        oauth_refusal(400, "expired_token", "Too late"),
        oauth_refusal(400, "invalid_grant", "hush-device"),
        oauth_refusal(401, "invalid_client", "hush-device"),
        Reply::new(503),
    ]
    .map(|reply| {
        let host = MemoryHost::new().on("POST", "device", [device()]).token([reply]);
        let mut login = login(&host);
        login.begin().unwrap();
        let error = login.poll().unwrap_err();
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        format!("{} {error}\n", error.code)
    });
    let host = MemoryHost::new().on("POST", "device", [device()]);
    let mut late = login(&host);
    late.begin().unwrap();
    host.clock().advance_ms(601_000);
    let late = format!("{}\n", late.poll().unwrap_err());
    let refused = [
        oauth_refusal(400, "unauthorized_client", "not of the device flow"),
        Reply::new(200).json(&json!({ "device_code": "hush-device", "user_code": "A", "verification_uri": "ftp://x", "expires_in": 1 })),
        Reply::new(200).body("<html>"),
    ]
    .map(|reply| format!("{}\n", login(&MemoryHost::new().on("POST", "device", [reply])).begin().unwrap_err()));
    assert_snapshot!(told.concat() + &late + &refused.concat());
}

#[test]
fn a_login_without_a_refresh_token_says_so() {
    let short = Reply::new(200).json(&json!({ "access_token": "hush-access-1", "expires_in": 86_400 }));
    let host = MemoryHost::new().on("POST", "device", [device()]).token([short]);
    let mut login = login(&host);
    login.begin().unwrap();
    let progress = login.poll().unwrap();
    assert!(progress.done && progress.warnings[0].contains("good for a day"), "{progress:?}");
    assert_eq!(login.export().unwrap_err().code, "login.no-refresh-token");
}
