//! What is found before a row is sent.

use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::{Value, json};
use usher_sdk::abi::{
    Error, ErrorClass, Problem, Services,
    service::{HttpService, InputFile, Slab},
};
use usher_testkit::{MemoryHost, Reply, drive::Sink};
use usher_zendesk::plugin;

use crate::{
    account::{
        Account as _, FIELDS, LOCALES, ME, ROLES, copy, me, ok, options, options_with, requests, sample,
        user_fields,
    },
    rows::listed,
};

/// What a check that finds nothing says all the same.
const IMPORTS: &str = "warning /api imports.unchecked: whether data imports are enabled for the account cannot be asked for; the \
                       first request shows it, and goes alone\n";

fn problems(host: &MemoryHost, options: &Value, columns: &[&str]) -> Result<Vec<Problem>, Error> {
    Sink::open(plugin(), "users", &options.to_string(), &host.services()).unwrap().check(columns)
}

#[test]
fn who_asks() {
    let all = [
        me(json!({ "id": null, "role": "end-user", "name": "Anonymous user" })),
        me(json!({ "id": 1, "role": "end-user" })),
        me(json!({ "id": 1 })),
        me(json!({ "id": 1, "role": "agent" })),
        me(json!({ "id": 1, "role": "admin", "new": [] })),
        Reply::new(401).json(&json!({ "error": "Couldn't authenticate you" })),
        Reply::new(403),
        Reply::new(404).json(&sample("zendesk_error_record_not_found")),
        Reply::new(404).body("<html>no such help desk</html>"),
        Reply::new(200).body("<html>sign in</html>"),
        ok(json!({ "user": "hush-token" })),
    ];
    let told = all.map(|reply| {
        // What cannot be read is asked for three times.
        let host = MemoryHost::new().on("GET", ME, [reply.clone(), reply.clone(), reply]);
        listed(&problems(&host, &options(json!({})), &["name", "emails"]).unwrap())
    });
    assert_snapshot!(told.join("\n"));
    for reply in [Reply::new(500), Reply::new(429)] {
        let host = MemoryHost::new().on("GET", ME, [reply]);
        let error = problems(&host, &options(json!({})), &["name", "emails"]).unwrap_err();
        assert!(matches!(error.class, ErrorClass::TRANSIENT | ErrorClass::RATE_LIMITED), "{error}");
    }
}

#[test]
fn a_page_in_place_of_an_answer_is_asked_for_again() {
    let page = || Reply::new(200).body("<html>please stand by</html>");
    let host = MemoryHost::new().on("GET", ME, [page(), page(), me(json!({ "id": 1, "role": "admin" }))]);
    assert_eq!(listed(&problems(&host, &options(json!({})), &["name", "emails"]).unwrap()), IMPORTS);
}

#[test]
fn an_oauth_token_is_sent_as_bearer() {
    let mut options = options(json!({}));
    options["api"] = json!({ "subdomain": "acme", "oauth_token": "hush-oauth", "rate": "high_volume" });
    let host = MemoryHost::new().on("GET", ME, [me(json!({ "id": null }))]);
    assert!(
        listed(&problems(&host, &options, &["name", "emails"]).unwrap())
            .starts_with("problem /api/oauth_token")
    );
    assert_snapshot!(requests(&host));
}

#[test]
fn custom_fields_are_held_against_the_account() {
    let columns = [
        "name",
        "emails",
        "custom_fields.plan",
        "custom_fields.sinze",
        "custom_fields.old",
        "custom_fields.topics",
        "custom_fields.score",
        "custom_fields.vip",
        "custom_fields.tier",
    ];
    let host = MemoryHost::new().admin().on("GET", FIELDS, [user_fields()]);
    let said = options(json!({ "custom_field_types": { "vip": "date", "plan": "dropdown" } }));
    let mut told = listed(&problems(&host, &said, &columns).unwrap());
    for reply in [Reply::new(403), ok(json!({ "user_fields": 1 }))] {
        let host = MemoryHost::new().admin().on("GET", FIELDS, [reply.clone(), reply.clone(), reply]);
        told += &listed(&problems(&host, &options(json!({})), &columns[..3]).unwrap());
    }
    assert_snapshot!(told);
}

#[test]
fn user_fields_come_in_pages() {
    let field = |key: &str| json!({ "key": key, "type": "text", "title": key });
    let next = format!("https://example.com{FIELDS}?page=2");
    let host = MemoryHost::new()
        .admin()
        .on("GET", FIELDS, [ok(json!({ "user_fields": [field("a")], "next_page": next }))])
        .on(
            "GET",
            &format!("{FIELDS}?page=2"),
            [ok(json!({ "user_fields": [field("b")], "next_page": null }))],
        );
    let found =
        problems(&host, &options(json!({})), &["name", "emails", "custom_fields.a", "custom_fields.b"]);
    assert_eq!(listed(&found.unwrap()), IMPORTS);
}

#[test]
fn roles_and_languages_that_cannot_be_asked_for() {
    let columns = ["name", "emails", "role", "custom_role", "locale"];
    let told = [403, 404].map(|status| {
        let refused = || Reply::new(status).json(&json!({ "error": "Forbidden" }));
        let host = MemoryHost::new().admin().on("GET", ROLES, [refused()]).on("GET", LOCALES, [refused()]);
        listed(&problems(&host, &options(json!({ "import_type": "create" })), &columns).unwrap())
    });
    assert_snapshot!(told.join("\n"));
}

#[test]
fn problems_with_the_options_of_an_account() {
    let all = [
        json!({ "deliver": "api" }),
        json!({ "api": options(json!({}))["api"] }),
        options_with(
            json!({ "subdomain": "https://acme.zendesk.com", "api_token": "", "api_base": "http://example.com:80" }),
            json!({}),
        ),
        options_with(json!({ "oauth_token": "hush-oauth" }), json!({ "on_blank": "erase_stored" })),
        options(json!({
            "plan": null, "organizations_file": false, "template": "t.csv", "max_rows": 5, "max_bytes": 5_000,
            "role_spelling": "capital", "on_blank": "erase_stored",
        })),
        options_with(
            json!({ "create_organizations": true, "organization_ids": { "A": 1 }, "rate": "essential" }),
            json!({ "on_blank": "erase_stored" }),
        ),
    ];
    let told = all.map(|options| {
        let host = MemoryHost::new();
        let problems = problems(&host, &options, &["name", "emails"]).unwrap();
        assert_eq!(host.requests().len(), 0, "nobody is asked about wrong options");
        listed(&problems)
    });
    let columns = ["name", "emails", "organizations", "role", "locale", "local_id", "custom_role"];
    let refused = || Reply::new(403);
    let host = MemoryHost::new().admin().on("GET", ROLES, [refused()]).on("GET", LOCALES, [refused()]);
    let unknown = listed(&problems(&MemoryHost::new(), &options(json!({})), &columns[..3]).unwrap());
    let created = options_with(json!({ "create_organizations": true }), json!({}));
    let more = listed(&problems(&host, &created, &columns).unwrap());
    assert_snapshot!([told.join("\n"), unknown, more].join("\n"));
}

#[test]
fn a_check_without_a_network_says_nothing_of_the_account() {
    struct Nothing;
    impl HttpService for Nothing {
        fn begin(&self, _: &str, _: &[u8]) -> Result<u64, Error> {
            Err(Error::unsupported("http.dry-run", "nothing is sent here"))
        }
        fn wait(&self, _: u64) -> Result<String, Error> {
            Err(Error::bug("test", "never begun"))
        }
        fn next(&self, _: u64) -> Result<Option<Slab>, Error> {
            Ok(None)
        }
        fn keep(&self, _: u64, _: &str) -> Result<InputFile, Error> {
            Err(Error::bug("test", "never begun"))
        }
        fn close(&self, _: u64) {}
    }
    let all = MemoryHost::new().services();
    let http: [Option<Arc<dyn HttpService>>; 2] = [Some(Arc::new(Nothing)), None];
    for http in http {
        let services = Arc::new(Services { http, ..copy(&all) });
        let mut sink = Sink::open(plugin(), "users", &options(json!({})).to_string(), &services).unwrap();
        assert_eq!(sink.check(&["name", "emails", "custom_fields.plan"]).unwrap(), []);
    }
}

#[test]
fn a_stand_in_on_this_machine_is_spoken_to_without_tls() {
    let at = |path: &str| format!("http://127.0.0.1:8080{path}");
    let host = MemoryHost::new().with_reply("GET", &at(ME), me(json!({ "id": 1, "role": "admin" })));
    let options = options_with(json!({ "api_base": "http://127.0.0.1:8080" }), json!({}));
    assert_eq!(listed(&problems(&host, &options, &["name", "emails"]).unwrap()), IMPORTS);
}
