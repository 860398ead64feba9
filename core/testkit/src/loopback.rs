//! A web server for one request, on this machine only: what does a command really send?

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Longest wait for a connection, and for each read from it.
const PATIENCE: Duration = Duration::from_secs(20);
const MOST_BYTES: usize = 256 << 20;

/// Waits for one request on a free port of 127.0.0.1; ends by itself after 20 seconds without one.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    thread: JoinHandle<Result<Request, String>>,
}

/// The request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `POST`.
    pub method: String,
    /// `/users/import`.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

/// One part of a `multipart/form-data` body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormPart {
    /// The field's name.
    pub name: String,
    /// The file's name, if it is a file.
    pub file_name: Option<String>,
    /// The content's type, if it is given.
    pub content_type: Option<String>,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Loopback {
    /// Listens, and answers the request with `200 OK` and this JSON text.
    pub fn answering(json: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let json = json.to_owned();
        let thread = std::thread::spawn(move || serve(&listener, &json));
        Ok(Self { address, thread })
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The request, once it has come; an error when none came in time or it was cut.
    pub fn request(self) -> Result<Request, String> {
        self.thread.join().unwrap_or_else(|_| Err("the server panicked".to_owned()))
    }
}

fn serve(listener: &TcpListener, json: &str) -> Result<Request, String> {
    let deadline = Instant::now() + PATIENCE;
    let mut stream = loop {
        match listener.accept() {
            Ok((stream, _)) => break stream,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(e) => return Err(format!("no request came: {e}")),
        }
    };
    let request = receive(&mut stream).map_err(|e| format!("reading the request: {e}"))?;
    let reply = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{json}",
        json.len()
    );
    stream.write_all(reply.as_bytes()).map_err(|e| format!("answering: {e}"))?;
    Ok(request)
}

fn receive(stream: &mut TcpStream) -> io::Result<Request> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let cut = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    let head = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut chunk)? {
            0 => return Err(cut("it ends within its head")),
            n => bytes.extend_from_slice(&chunk[..n]),
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) =
        (first.next().unwrap_or_default().to_owned(), first.next().unwrap_or_default().to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut request = Request { method, path, headers, body: bytes.split_off(head + 4) };
    let length: usize = match request.header("content-length") {
        Some(length) => length.parse().map_err(|_| cut("its Content-Length is no number"))?,
        None if request.header("transfer-encoding").is_none() => 0,
        None => return Err(cut("its body is sent in chunks, which this server does not read")),
    };
    if length > MOST_BYTES {
        return Err(cut("it is too large for a test"));
    }
    if request.header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    while request.body.len() < length {
        match stream.read(&mut chunk)? {
            0 => return Err(cut("it ends within its body")),
            n => request.body.extend_from_slice(&chunk[..n]),
        }
    }
    Ok(request)
}

impl Request {
    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The parts of a `multipart/form-data` body, read strictly by RFC 7578.
    pub fn form(&self) -> Result<Vec<FormPart>, String> {
        let kind = self.header("content-type").unwrap_or_default();
        let boundary = kind
            .strip_prefix("multipart/form-data; boundary=")
            .ok_or_else(|| format!("the body is no form, but `{kind}`"))?
            .trim_matches('"');
        let open = format!("--{boundary}\r\n");
        let between = format!("\r\n--{boundary}");
        let mut rest =
            self.body.strip_prefix(open.as_bytes()).ok_or("the body does not begin with its boundary")?;
        let mut parts = Vec::new();
        loop {
            let head = find(rest, b"\r\n\r\n").ok_or("a part without an end of its head")?;
            let content = &rest[head + 4..];
            let end = find(content, between.as_bytes()).ok_or("a part without an end")?;
            parts.push(form_part(&String::from_utf8_lossy(&rest[..head]), &content[..end])?);
            let after = &content[end + between.len()..];
            match after.strip_prefix(b"\r\n") {
                Some(next) => rest = next,
                None if after == b"--\r\n" => return Ok(parts),
                None => return Err("the last boundary is followed by something".to_owned()),
            }
        }
    }
}

fn form_part(head: &str, bytes: &[u8]) -> Result<FormPart, String> {
    let header = |name: &str| {
        head.split("\r\n").filter_map(|line| line.split_once(':')).find(|(n, _)| n.eq_ignore_ascii_case(name))
    };
    let (_, disposition) = header("content-disposition").ok_or("a part without Content-Disposition")?;
    let parameter = |name: &str| {
        let start = disposition.find(&format!("; {name}=\""))? + name.len() + 4;
        disposition[start..].split_once('"').map(|(value, _)| value.to_owned())
    };
    Ok(FormPart {
        name: parameter("name").ok_or("a part without a name")?,
        file_name: parameter("filename"),
        content_type: header("content-type").map(|(_, value)| value.trim().to_owned()),
        bytes: bytes.to_vec(),
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|b| *b == first).map(|i| from + i) {
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_taken_apart() {
        let body = "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\r\n--X\r\nContent-Disposition: \
                    form-data; name=\"file\"; filename=\"f.csv\"\r\nContent-Type: text/csv\r\n\r\nx\n\r\n--X--\r\n";
        let server = Loopback::answering("{}").unwrap();
        let address = server.url().replace("http://", "");
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "POST /p HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=X\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let request = server.request().unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/p"));
        let parts = request.form().unwrap();
        assert_eq!((parts[0].name.as_str(), parts[0].bytes.as_slice()), ("a", &b"1\r\n"[..]));
        assert_eq!(parts[1].file_name.as_deref(), Some("f.csv"));
        assert_eq!(
            (parts[1].content_type.as_deref(), parts[1].bytes.as_slice()),
            (Some("text/csv"), &b"x\n"[..])
        );
    }
}
