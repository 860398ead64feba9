//! Requests as a connector makes them, against the services in memory.

use std::sync::Arc;

use serde_json::{Value, json};
use usher_sdk::{
    Host, Secret,
    abi::{ErrorClass, Services, service::HTTP},
    source::{Inputs, Shape},
};
use usher_testkit::{Call, Failure, MemoryHost, Reply};

const USERS: &str = "https://api.example.com/users";

/// A host, and what must live as long as it.
fn host(memory: &MemoryHost) -> (Host, Arc<Services>) {
    let services = memory.services();
    (Host::new(services.table(), Arc::default()), services)
}

#[test]
fn a_request_crosses_as_it_was_put_together() {
    let memory = MemoryHost::new().with_reply("POST", &format!("{USERS}?a=b%26c&n=1#x"), Reply::new(200));
    let (host, _services) = host(&memory);
    let reply = host
        .http()
        .unwrap()
        .post(format!("{USERS}#x"))
        .query([("a", "b&c")])
        .query([("n", "1")])
        .basic("ada/token", &Secret::new("s"))
        .credential("X-Api-Key", &Secret::new("k"))
        .json(&json!({ "email": "ada@example.com" }))
        .limit("imports")
        .account("acme")
        .timeout_ms(5)
        .max_attempts(2)
        .gzip()
        .send()
        .unwrap();
    assert_eq!(reply.status(), 200);
    let sent = &memory.requests()[0];
    assert_eq!(sent.header("authorization"), Some("Basic YWRhL3Rva2VuOnM="));
    assert_eq!(sent.header("content-type"), Some("application/json"));
    assert_eq!(sent.text(), r#"{"email":"ada@example.com"}"#);
    assert_eq!(sent.head.credentials, ["X-Api-Key"]);
    assert_eq!((sent.head.limits[0].as_str(), sent.head.account.as_str()), ("imports", "acme"));
    assert_eq!((sent.head.timeout_ms, sent.head.max_attempts, sent.head.gzip), (5, 2, true));
    assert!(!sent.head.idempotent && !sent.head.reads, "a POST is a write that is sent once");
}

#[test]
fn methods_say_what_they_do() {
    let methods = ["GET", "HEAD", "PUT", "DELETE", "PATCH"];
    let memory =
        methods.iter().fold(MemoryHost::new(), |m, method| m.with_reply(method, USERS, Reply::new(204)));
    let (host, _services) = host(&memory);
    let http = host.http().unwrap();
    for request in [http.get(USERS), http.head(USERS), http.put(USERS), http.delete(USERS), http.patch(USERS)]
    {
        request.send().unwrap();
    }
    let said: Vec<(bool, bool)> =
        memory.requests().iter().map(|sent| (sent.head.reads, sent.head.idempotent)).collect();
    assert_eq!(said, [(true, true), (true, true), (false, true), (false, true), (false, false)]);
}

#[test]
fn bodies_come_in_every_form() {
    let body = || Reply::new(200).json(&json!({ "id": 7 }));
    let memory = (0..6).fold(MemoryHost::new().slab_size(3), |m, _| m.with_reply("GET", USERS, body()));
    let (host, _services) = host(&memory);
    let http = host.http().unwrap();
    let get = || http.get(USERS).send().unwrap();
    assert_eq!(get().text(8).unwrap(), r#"{"id":7}"#);
    assert_eq!(get().text(7).unwrap_err().code, "http.too-large");
    assert_eq!(get().json::<Value>(100).unwrap()["id"], 7);
    let error = get().json::<Vec<u8>>(100).unwrap_err();
    assert_eq!(error.code, "http.not-json");
    let begin = "GET https://api.example.com/users: the reply (200) is not";
    assert!(error.to_string().starts_with(begin), "{error}");
    let mut reply = get();
    assert_eq!(reply.next_slab().unwrap().unwrap().bytes(), br#"{"i"#);
    let kept = reply.keep("users.json").unwrap();
    let mut reader = host.input().unwrap().read(kept.id, 0, u64::MAX).unwrap();
    assert_eq!(reader.next_slab().unwrap().unwrap().bytes(), br#"d":"#, "what was left");
    assert_eq!(memory.open_requests(), 0);
    assert_eq!(get().header("CONTENT-TYPE"), Some("application/json"));
}

#[test]
fn several_are_under_way_at_once() {
    let memory = MemoryHost::new().with_reply("GET", USERS, Reply::new(200).body("first")).with_reply(
        "GET",
        USERS,
        Reply::new(200).body("second"),
    );
    let (host, _services) = host(&memory);
    let http = host.http().unwrap();
    let (first, second) = (http.get(USERS).begin().unwrap(), http.get(USERS).begin().unwrap());
    assert_eq!(memory.open_requests(), 2);
    assert_eq!(second.wait().unwrap().text(10).unwrap(), "second");
    assert_eq!(first.wait().unwrap().text(10).unwrap(), "first");
}

#[test]
fn a_status_becomes_an_error_that_says_what_helps() {
    let refusal = |status: u16| {
        let url = format!("{USERS}?key=k");
        let reply = Reply::new(status).header("Retry-After", "3").body("why");
        let memory = MemoryHost::new().with_reply("GET", &url, reply);
        let (host, _services) = host(&memory);
        host.http().unwrap().get(url).send().unwrap().error_for_status().map(|_| ()).unwrap_err()
    };
    for (status, expected) in [
        (401, ErrorClass::AUTH),
        (403, ErrorClass::AUTH),
        (404, ErrorClass::PERMANENT),
        (408, ErrorClass::TRANSIENT),
        (429, ErrorClass::RATE_LIMITED),
        (503, ErrorClass::TRANSIENT),
    ] {
        let error = refusal(status);
        assert_eq!((error.class, error.code.as_str()), (expected, "http.status"), "{status}");
        assert_eq!(error.retry_after_ms, 3_000);
        assert_eq!(error.details, json!({ "status": status, "body": "why" }).to_string());
        assert!(!error.to_string().contains("key=k"), "parameters may hold secrets: {error}");
    }
    let begin = "GET https://api.example.com/users: answered 404; ";
    assert!(refusal(404).to_string().starts_with(begin));
}

#[test]
fn every_call_can_be_made_to_fail() {
    for call in [Call::Send, Call::Receive, Call::ReceiveBody, Call::Keep] {
        let replies = (0..3).map(|_| Reply::new(200).body("x"));
        let memory = replies.fold(MemoryHost::new(), |m, reply| m.with_reply("GET", USERS, reply));
        memory.fail(Failure::new(call, 1));
        let (host, _services) = host(&memory);
        let http = host.http().unwrap();
        let run = || {
            http.get(USERS).send()?.bytes(10)?;
            http.get(USERS).send()?.keep("x").map(|_| ())
        };
        assert_eq!(run().unwrap_err().code, "test.fault", "{call:?}");
        assert_eq!(memory.open_requests(), 0, "{call:?}");
    }
}

#[test]
fn a_body_that_is_cut_is_no_body() {
    let reply = || Reply::new(200).body("email\na@exam").cut();
    let memory = MemoryHost::new().with_reply("GET", USERS, reply()).with_reply("GET", USERS, reply());
    let (host, _services) = host(&memory);
    let get = || host.http().unwrap().get(USERS).send().unwrap();
    for error in [get().bytes(100).unwrap_err(), get().keep("users.csv").unwrap_err()] {
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::TRANSIENT, "http.lost"));
    }
    assert_eq!(host.input().unwrap().open("users.csv").unwrap_err().code, "input.not-found");
}

#[test]
fn what_was_kept_is_read_as_other_inputs_are() {
    let memory = MemoryHost::new().with_reply("GET", USERS, Reply::new(200).body("{}\n"));
    let (host, _services) = host(&memory);
    let kept = host.http().unwrap().get(USERS).send().unwrap().keep("users.ndjson").unwrap();
    let inputs = Inputs::of(&host, vec![kept]).unwrap();
    assert_eq!(inputs.shape(&inputs.files()[0]).unwrap(), Shape::Lines);
    assert_eq!(inputs.splits(4, |_| true).len(), 1);
}

#[test]
fn a_dry_run_reads_and_does_not_write() {
    let memory = MemoryHost::new().reads_only();
    let memory = memory.with_reply("GET", USERS, Reply::new(200)).with_reply("POST", USERS, Reply::new(200));
    let (host, _services) = host(&memory);
    let http = host.http().unwrap();
    http.get(USERS).send().unwrap();
    assert_eq!(http.post(USERS).send().unwrap_err().code, "http.dry-run");
    http.post(USERS).reads().send().unwrap();
    assert_eq!(http.get(USERS).send().unwrap_err().code, "test.no-reply");
}

#[test]
fn what_cannot_be_json_is_told_when_it_is_sent() {
    let memory = MemoryHost::new();
    let (host, _services) = host(&memory);
    let keys = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert_eq!(host.http().unwrap().post(USERS).json(&keys).send().unwrap_err().code, "http.json");
}

#[test]
fn without_the_service_it_says_how_to_get_it() {
    let services = Arc::new(Services {
        log: MemoryHost::new().services().log.clone(),
        input: None,
        output: None,
        clock: None,
        state: None,
        ledger: None,
        http: None,
        others: Vec::new(),
    });
    let error = Host::new(services.table(), Arc::default()).http().unwrap_err();
    assert_eq!(error.code, "service.absent");
    assert!(
        error.to_string().contains(HTTP) && error.to_string().contains("wants = [\"http\", …]"),
        "{error}"
    );
}
