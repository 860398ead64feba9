//! `usher login`: a code in a browser, a login that is kept, and a plan that uses it. The vendor is a stand-in on this machine.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Bench, Said};

/// The stand-in ends by itself after this time, and no read from it takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Constant Contact that knows logins and lists.
struct Vendor {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<(String, String)>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Vendor {
    /// The third question for the login is answered with `end`.
    fn new(end: Value) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (known, stopped) = (asked.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let until = Instant::now() + PATIENCE;
            while !stopped.load(Ordering::SeqCst) && Instant::now() < until {
                match listener.accept() {
                    Ok((stream, _)) => drop(serve(stream, &end, &known)),
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    Err(_) => return,
                }
            }
        });
        Self { address, asked, stop, thread: Some(thread) }
    }

    fn count(&self, line: &str) -> usize {
        self.asked.lock().expect("the stand-in lives").iter().filter(|(l, _)| l.contains(line)).count()
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_some_and(|end| end.is_ok()), "the stand-in panicked");
    }
}

fn serve(mut stream: TcpStream, end: &Value, asked: &Mutex<Vec<(String, String)>>) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    let line = head.split(" http/").next().unwrap_or_default().to_owned();
    let (status, answer) = {
        let mut asked = asked.lock().expect("requests");
        asked.push((line.clone(), String::from_utf8_lossy(&body).into_owned()));
        let times = asked.iter().filter(|(l, _)| *l == line).count();
        answer(&line, times, end)
    };
    let body = answer.to_string();
    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes())
}

fn answer(line: &str, times: usize, end: &Value) -> (u16, Value) {
    match line {
        "post /oauth2/default/v1/device/authorize" => (
            200,
            json!({
                "device_code": "hush-device", "user_code": "ABCD-EFGH", "expires_in": 90, "interval": 1,
                "verification_uri": "https://identity.example.com/activate",
            }),
        ),
        "post /oauth2/default/v1/token" if times == 1 => (400, json!({ "error": "authorization_pending" })),
        "post /oauth2/default/v1/token" if times == 2 => (503, json!({})),
        "post /oauth2/default/v1/token" => (if end["error"].is_null() { 200 } else { 400 }, end.clone()),
        "get /v3/account/summary" => (200, json!({ "encoded_account_id": "p07e1l8cdif9dl" })),
        line if line.starts_with("get /v3/contact_lists?name=newsletter") => (
            200,
            json!({ "lists": [{ "list_id": "06a8e55c-9f1c-11ee-8c90-0242ac120002", "name": "Newsletter" }] }),
        ),
        _ => (404, json!([])),
    }
}

fn tokens() -> Value {
    json!({
        "access_token": "hush-access", "refresh_token": "hush-refresh", "expires_in": 86_400,
        "scope": "contact_data offline_access account_read",
    })
}

fn bench(vendor: &Vendor) -> Bench {
    let bench = Bench::new();
    bench.write("people.csv", "email\nada@example.com\n");
    let address = vendor.address;
    bench.write(
        "connectors.toml",
        format!(
            "version = 1\n\n[connectors.people]\nplugin = \"csv\"\noptions = {{ input = \"people.csv\" }}\n\n\
             [connectors.newsletter]\nplugin = \"constant-contact\"\nhosts = [\"{address}\"]\n\
             [connectors.newsletter.options]\ndeliver = \"api\"\nlists = [\"Newsletter\"]\n\
             consent = {{ not_needed = \"they are customers\" }}\napi_base = \"http://{address}/v3\"\n\
             api = {{ client_id = \"app\", auth_base = \"http://{address}\" }}\n\n\
             [chains.main]\nfrom = \"people\"\nto = [\"newsletter\"]\n"
        ),
    );
    bench
}

fn silent(said: Said) -> Said {
    assert!(!format!("{}{}", said.out, said.err).contains("hush"), "{}{}", said.out, said.err);
    said
}

#[test]
fn a_code_is_shown_and_the_login_is_kept_for_plans() {
    let vendor = Vendor::new(tokens());
    let bench = bench(&vendor);
    let before = silent(bench.usher(&["plan"])).expect(2);
    assert!(before.err.contains("usher login"), "{}", before.err);
    insta::assert_snapshot!("login", silent(bench.usher(&["login", "newsletter"])).expect(0).shown());
    assert_eq!(vendor.count("/token"), 3, "not yet, out of order, done");
    silent(bench.usher(&["plan"])).expect(0);
    assert_eq!(vendor.count("/token"), 3, "the access token is good for a day");
    assert_eq!(vendor.count("get /v3/contact_lists"), 1);
    insta::assert_snapshot!("export", bench.usher(&["login", "newsletter", "--export"]).expect(0).shown());
}

#[test]
fn a_login_that_is_refused_ends() {
    let vendor = Vendor::new(json!({ "error": "access_denied" }));
    let bench = bench(&vendor);
    insta::assert_snapshot!(
        "refused",
        silent(bench.usher(&["login", "newsletter", "--quiet"])).expect(1).shown()
    );
    let none = bench.usher(&["login", "newsletter", "--export"]).expect(1);
    assert!(none.err.contains("no refresh token is kept"), "{}", none.err);
}

#[test]
fn connectors_without_a_login_and_without_a_name_are_told() {
    let vendor = Vendor::new(tokens());
    let bench = bench(&vendor);
    let all = [["login", "people"], ["login", "newsleter"], ["login", "x"]];
    let said = all.map(|arguments| bench.usher(&arguments).expect(2).shown());
    insta::assert_snapshot!("no_login", said.join("\n"));
}
