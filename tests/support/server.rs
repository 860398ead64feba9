//! A web server on this machine that answers as a test says, one request after the other.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// It ends by itself after this time, and no read from it takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it came.
#[derive(Clone)]
pub(crate) struct Asked {
    /// `GET /api/v2/jobs/job_…`
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

/// What is answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// The connection breaks in the middle of the body.
    pub(crate) cut: bool,
}

impl Answer {
    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Self {
        Self { status, body: value.to_string().into_bytes(), cut: false }
    }
}

/// It serves until it is dropped; `S` is what it knows.
pub(crate) struct Server<S> {
    address: SocketAddr,
    state: Arc<Mutex<(S, Vec<Asked>)>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<S: Send + 'static> Server<S> {
    /// `answer` is asked for every request; it gets the server's own address, too.
    pub(crate) fn new(state: S, answer: fn(&Asked, SocketAddr, &mut S) -> Answer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (state, stop) = (Arc::new(Mutex::new((state, Vec::new()))), Arc::new(AtomicBool::new(false)));
        let (known, stopped) = (state.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let until = Instant::now() + PATIENCE;
            while !stopped.load(Ordering::SeqCst) && Instant::now() < until {
                match listener.accept() {
                    // Whoever breaks off is not answered; the next one is.
                    Ok((stream, _)) => drop(serve(stream, address, &known, answer)),
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    Err(_) => return,
                }
            }
        });
        Self { address, state, stop, thread: Some(thread) }
    }

    /// `127.0.0.1:<port>`
    pub(crate) fn domain(&self) -> String {
        self.address.to_string()
    }

    /// What it knows, and what it was asked.
    pub(crate) fn state(&self) -> MutexGuard<'_, (S, Vec<Asked>)> {
        self.state.lock().expect("the server lives")
    }

    /// The requests whose line begins so.
    pub(crate) fn asked(&self, begin: &str) -> Vec<Asked> {
        self.state().1.iter().filter(|asked| asked.line.starts_with(begin)).cloned().collect()
    }
}

impl<S> Drop for Server<S> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_some_and(|end| end.is_ok()), "the server panicked");
    }
}

fn serve<S>(
    mut stream: TcpStream,
    address: SocketAddr,
    state: &Mutex<(S, Vec<Asked>)>,
    answer: fn(&Asked, SocketAddr, &mut S) -> Answer,
) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let asked = receive(&mut stream)?;
    let Answer { status, body, cut } = {
        let mut state = state.lock().expect("the server lives");
        let answer = answer(&asked, address, &mut state.0);
        state.1.push(asked);
        answer
    };
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
