//! What comes over the wire for a request: read as a reply within bounds, or an error.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, LazyLock, Mutex},
    thread,
    time::Duration,
};

use usher::services::{
    AllowedHosts, Cancel, ConnectorNetwork, Gate, Network, NetworkOptions, Sending, VirtualClock,
};
use usher_abi::{ErrorClass, HostLog, HttpReply, HttpRequest, LogLevel, service::HttpService};

/// The bytes of a body that may come.
const MOST: u64 = 1 << 20;

/// What the server says to whoever comes next.
static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// A server that says [`SAID`] and hangs up, for as long as the process lives.
static SERVER: LazyLock<SocketAddr> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let said = SAID.lock().expect("no panic").clone();
            let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&said);
        }
    });
    address
});

struct Silent;

impl HostLog for Silent {
    fn log(&self, _: LogLevel, _: &str, _: &str) {}
    fn metric(&self, _: &str, _: i64) {}
    fn is_cancelled(&self) -> bool {
        false
    }
}

pub(crate) fn run(input: &[u8]) {
    let address = *SERVER;
    *SAID.lock().expect("no panic") = input.to_vec();
    let cancel = Cancel::new();
    let network = Network::new(NetworkOptions {
        clock: Arc::new(VirtualClock::new(1_795_348_800_000, cancel.clone())),
        variable: Box::new(|_| None),
        seed: 7,
        at_once: 1,
        timeout: Duration::from_millis(500),
        most_body: MOST,
        ..NetworkOptions::new(cancel)
    });
    let http = network.service(ConnectorNetwork {
        name: "people".to_owned(),
        plugin: "acme".to_owned(),
        hosts: AllowedHosts::new(&["127.0.0.1".to_owned()], None).expect("a host"),
        rate_limits: Vec::new(),
        sending: Gate::new(Sending::All),
        log: Arc::new(Silent),
        redact: Arc::new(str::to_owned),
        inputs: None,
    });
    let request = HttpRequest {
        method: "GET".to_owned(),
        url: format!("http://{address}/"),
        idempotent: true,
        reads: true,
        gzip: true,
        max_attempts: 2,
        ..HttpRequest::default()
    };
    let ticket = http.begin(&serde_json::to_string(&request).expect("JSON"), b"").expect("a ticket");
    match http.wait(ticket) {
        Ok(head) => {
            let head: HttpReply = serde_json::from_str(&head).expect("a head");
            assert!(head.headers.len() <= 100, "{} headers", head.headers.len());
            let mut came = 0;
            loop {
                match http.next(ticket) {
                    Ok(Some(slab)) => came += slab.bytes().len() as u64,
                    Ok(None) => break,
                    Err(error) => {
                        assert_ne!(error.class, ErrorClass::BUG, "{error:?}");
                        break;
                    }
                }
                assert!(came <= MOST, "{came} bytes came");
            }
        }
        Err(error) => assert_ne!(error.class, ErrorClass::BUG, "{error:?}"),
    }
    http.close(ticket);
}
