//! A plugin that goes over the network, from the manifest to the wire.

use std::{io::ErrorKind, net::TcpListener};

use serde_json::Value;
use usher_testkit::Loopback;

use crate::support::{Bench, Said};

const USERS: &str = "{\"email\":\"ada@example.com\"}\n{\"email\":\"eve@example.com\"}\n";

/// A bench whose manifest downloads from one address and tells another, each behind the port after `127.0.0.1:`.
fn bench(from: &str, to: &str) -> Bench {
    let bench = Bench::new();
    let host = |url: &str| url.trim_start_matches("http://").to_owned();
    bench.write(
        "connectors.toml",
        format!(
            "version = 1\n\n\
             [connectors.people]\nplugin = \"fetching\"\nhosts = [\"{}\"]\n\
             options = {{ url = \"{from}/export\", token = \"${{env:TOKEN}}\" }}\n\n\
             [connectors.counted]\nplugin = \"fetching\"\ncomponent = \"users\"\nhosts = [\"{}\"]\nfields = {{ email = \"email\" }}\n\
             options = {{ url = \"{to}/count\", token = \"${{env:TOKEN}}\" }}\n\n\
             [chains.people]\nfrom = \"people\"\nto = [\"counted\"]\n",
            host(from),
            host(to)
        ),
    );
    bench
}

fn usher(bench: &Bench, arguments: &[&str]) -> Said {
    let output = bench.command(arguments).env("TOKEN", "hunter2").output().expect("usher runs");
    bench.said(output)
}

/// An address where somebody listens, but nobody answers; and who listens.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, url)
}

fn nobody_came(listener: &TcpListener) {
    assert_eq!(listener.accept().expect_err("nobody").kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_run_downloads_and_tells() {
    let from = Loopback::answering(USERS).expect("a server");
    let to = Loopback::answering("{}").expect("a server");
    let bench = bench(&from.url(), &to.url());
    usher(&bench, &["run", "--quiet"]).expect(0);
    let asked = from.request().expect("a request");
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/export"));
    assert_eq!(asked.header("authorization"), Some("Bearer hunter2"));
    let told = to.request().expect("a request");
    assert_eq!((told.method.as_str(), told.path.as_str()), ("POST", "/count"));
    assert_eq!(told.body, br#"{"rows":2}"#);
    assert_eq!(bench.part("people", "counted", "users"), "1\n2\n");
    let report: Value = serde_json::from_str(&bench.read("out/people/latest/report.json")).expect("a report");
    assert_eq!(report["inputs"][0]["name"], "users.ndjson", "{}", report["inputs"]);
    assert!(!report.to_string().contains("hunter2"));
}

#[test]
fn a_record_without_values_of_people_shows_the_form_and_replays() {
    let from = Loopback::answering(USERS).expect("a server");
    let to = Loopback::answering("{}").expect("a server");
    let bench = bench(&from.url(), &to.url());
    usher(&bench, &["run", "--quiet", "--record", "tape"]).expect(0);
    let (read, told) = (bench.read("tape/people-0001.json"), bench.read("tape/counted-0001.json"));
    assert!(read.contains("[masked]") && !read.contains("example.com"), "{read}");
    assert!(told.contains(r#"{\"rows\":\"[masked]\"}"#), "{told}");
    usher(&bench, &["run", "--quiet", "--replay", "tape", "--out", "again"]).expect(0);
    assert_eq!(bench.part("people", "counted", "users"), "1\n2\n");
}

#[test]
fn a_run_is_replayed_without_a_network() {
    let from = Loopback::answering(USERS).expect("a server");
    let to = Loopback::answering("{}").expect("a server");
    let bench = bench(&from.url(), &to.url());
    usher(&bench, &["run", "--quiet", "--record", "tape", "--with-values"]).expect(0);
    for server in [from, to] {
        server.request().expect("a request");
    }
    for file in ["tape/people-0001.json", "tape/counted-0001.json"] {
        assert!(!bench.read(file).contains("hunter2"), "{file}");
    }
    usher(&bench, &["run", "--quiet", "--replay", "tape", "--out", "again"]).expect(0);
    assert!(bench.read("again/people/latest/report.json").contains("users.ndjson"));
    bench.write("tape/counted-0001.json", bench.read("tape/counted-0001.json").replace(":2", ":3"));
    let said = usher(&bench, &["run", "--quiet", "--replay", "tape"]).expect(1);
    assert!(
        said.err.contains("request 1 of `counted`") && said.err.contains("its body is another"),
        "{}",
        said.err
    );
}

#[test]
fn a_plan_reads_and_does_not_write() {
    let from = Loopback::answering(USERS).expect("a server");
    let (listener, to) = silent();
    let bench = bench(&from.url(), &to);
    let said = usher(&bench, &["plan", "--json"]).expect(0);
    assert_eq!(serde_json::from_str::<Value>(&said.out).expect("a plan")[0]["read"], 2);
    assert_eq!(from.request().expect("a request").method, "GET");
    nobody_came(&listener);
}

#[test]
fn a_check_sends_nothing() {
    let (listener, url) = silent();
    usher(&bench(&url, &url), &["check"]).expect(0);
    nobody_came(&listener);
}

#[test]
fn other_hosts_are_refused() {
    let (listener, url) = silent();
    let bench = bench(&url, &url);
    let said =
        usher(&bench, &["run", "--set", "connectors.people.hosts=[\"acme.fetching.example\"]"]).expect(1);
    assert!(
        said.err.contains("is not at a host that this connector may reach (`acme.fetching.example`)"),
        "{}",
        said.err
    );
    nobody_came(&listener);
    let said =
        usher(&bench, &["check", "--quiet", "--set", "connectors.people.hosts=[\"evil.example\"]"]).expect(2);
    let complaint = "connectors.people.hosts.0: the plugin does not ask for the host `evil.example`, only for \
                     `*.fetching.example`";
    assert!(said.err.contains(complaint), "{}", said.err);
}

#[test]
fn what_it_asks_for_can_be_read_without_running_it() {
    let bench = Bench::new();
    let said = bench.usher(&["plugins", "show", "fetching", "--json"]).expect(0);
    let shown: Value = serde_json::from_str(&said.out).expect("a plugin");
    assert_eq!(shown["wants"], serde_json::json!(["input", "output", "clock", "ledger", "http"]));
    assert_eq!(shown["hosts"], serde_json::json!(["*.fetching.example"]));
    let said = bench.usher(&["plugins", "describe", "fetching"]).expect(0);
    assert!(said.out.contains("rate limit") && said.out.contains("made up"), "{}", said.out);
}
