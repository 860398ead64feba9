//! A stand-in for an Auth0 tenant on this machine: as much of it as an export needs, and the troubles that exports have.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

/// It ends by itself after this time, and no read from it takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happens to a download.
pub(super) enum Trouble {
    /// The link is older than its 60 seconds.
    Expired,
    /// The connection breaks in the middle.
    Cut,
}

/// A request as it came.
pub(super) struct Asked {
    /// `GET /api/v2/jobs/job_…`
    pub(super) line: String,
    pub(super) authorization: Option<String>,
    pub(super) body: String,
}

/// What the stand-in knows.
pub(super) struct Account {
    /// The file that every export gives, before it is packed.
    pub(super) users: String,
    /// So many questions for a job are answered with `pending`.
    pub(super) pending: u64,
    pub(super) troubles: VecDeque<Trouble>,
    pub(super) asked: Vec<Asked>,
}

/// It serves until it is dropped.
pub(super) struct Tenant {
    address: SocketAddr,
    account: Arc<Mutex<Account>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Tenant {
    pub(super) fn new(users: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let account =
            Account { users: users.to_owned(), pending: 0, troubles: VecDeque::new(), asked: Vec::new() };
        let (account, stop) = (Arc::new(Mutex::new(account)), Arc::new(AtomicBool::new(false)));
        let (known, stopped) = (account.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let until = Instant::now() + PATIENCE;
            while !stopped.load(Ordering::SeqCst) && Instant::now() < until {
                match listener.accept() {
                    // Whoever breaks off is not answered; the next one is.
                    Ok((stream, _)) => drop(serve(stream, address, &known)),
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    Err(_) => return,
                }
            }
        });
        Self { address, account, stop, thread: Some(thread) }
    }

    /// `127.0.0.1:<port>`
    pub(super) fn domain(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().expect("the stand-in lives")
    }

    /// The requests whose line begins so.
    pub(super) fn count(&self, begin: &str) -> usize {
        self.account().asked.iter().filter(|asked| asked.line.starts_with(begin)).count()
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_some_and(|end| end.is_ok()), "the stand-in panicked");
    }
}

fn serve(mut stream: TcpStream, address: SocketAddr, account: &Mutex<Account>) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let asked = receive(&mut stream)?;
    let (status, body, cut) = answer(&asked, address, &mut account.lock().expect("an account"));
    account.lock().expect("an account").asked.push(asked);
    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(if cut { &body[..body.len() / 2] } else { &body })
}

fn receive(stream: &mut TcpStream) -> std::io::Result<Asked> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        bytes.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let header = |name: &str| {
        let pairs = head.lines().filter_map(|line| line.split_once(": "));
        pairs.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
    };
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let line = head.split(" HTTP/").next().unwrap_or_default().to_owned();
    Ok(Asked {
        line,
        authorization: header("authorization"),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// Status, body, and whether the connection breaks within it.
fn answer(asked: &Asked, address: SocketAddr, account: &mut Account) -> (u16, Vec<u8>, bool) {
    const JOB: &str = "job_0000000000000001";
    let json = |status, value: Value| (status, value.to_string().into_bytes(), false);
    let refused = |status, message: &str| {
        json(status, json!({ "statusCode": status, "error": "x", "message": message }))
    };
    let job = |more: Value| {
        let mut job = json!({ "id": JOB, "type": "users_export" });
        for (key, value) in more.as_object().into_iter().flatten() {
            job[key] = value.clone();
        }
        json(200, job)
    };
    let is_known = asked.authorization.as_deref() == Some("Bearer hush-token");
    match asked.line.as_str() {
        "POST /oauth/token" if asked.body.contains("client_secret=hush-secret") => json(
            200,
            json!({ "access_token": "hush-token", "token_type": "Bearer", "expires_in": 86_400, "scope": "read:users" }),
        ),
        "POST /oauth/token" => {
            json(401, json!({ "error": "access_denied", "error_description": "Unauthorized" }))
        }
        line if line.starts_with("GET /files/") => match account.troubles.pop_front() {
            _ if asked.authorization.is_some() => (400, b"<Error/>".to_vec(), false),
            Some(Trouble::Expired) => (403, b"<Error/>".to_vec(), false),
            trouble => (200, packed(&account.users), trouble.is_some()),
        },
        _ if !is_known => refused(401, "Invalid token"),
        "POST /api/v2/jobs/users-exports" => job(json!({ "status": "pending" })),
        line if *line == format!("GET /api/v2/jobs/{JOB}") => {
            if account.pending > 0 {
                account.pending -= 1;
                return job(json!({ "status": "pending", "time_left_seconds": 1 }));
            }
            let location = format!("{address}/files/acme.json.gz?Signature=hush-signature");
            job(json!({ "status": "completed", "location": location }))
        }
        _ => refused(404, "Not found"),
    }
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}
