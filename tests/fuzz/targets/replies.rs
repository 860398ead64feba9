//! Replies of vendors, as connectors read them. The first byte says which connector asks; each reply is a status in one line,
//! headers in lines, an empty line, the body; between replies stands a line of `%%`.

use serde_json::json;
use usher_abi::{Error, ErrorClass};
use usher_testkit::{MemoryHost, Reply, drive, read, text_batch, write};

pub(crate) fn run(input: &[u8]) {
    let Some((first, replies)) = input.split_first() else { return };
    let mut host = MemoryHost::new();
    for reply in split(replies, b"\n%%\n").take(64) {
        host = host.with_reply_to_any(reply_of(reply));
    }
    let sink = |module, component, options, columns: [&str; 3]| {
        let [email, name, id] = columns;
        let people = text_batch(&[
            (email, vec![Some("ada@example.com"), Some("bob@example.com")]),
            (name, vec![Some("Ada"), Some("Bob")]),
            (id, vec![Some("1"), Some("2")]),
        ]);
        write(module, component, options, &host, vec![people]).map(drop)
    };
    let came = match first % 5 {
        0 => sink(
            crate::module("zendesk"),
            "users",
            json!({
                "deliver": "api", "import_type": "create_and_update", "plan": "team",
                "api": { "subdomain": "acme", "email": "agent@example.com", "api_token": "t" },
            }),
            ["emails", "name", "external_id"],
        ),
        1 => sink(
            crate::module("carrot-quest"),
            "users",
            json!({ "deliver": "api", "api": { "token": "t", "wait_seconds": 60 } }),
            ["$email", "$name", "$user_id"],
        ),
        2 => sink(
            crate::module("constant-contact"),
            "contacts",
            json!({
                "deliver": "api", "consent": "last_name", "lists": ["Newsletter"],
                "api": { "client_id": "app", "refresh_token": "t" },
            }),
            ["email", "first_name", "last_name"],
        ),
        3 => login(&host),
        _ => read(
            crate::module("auth0"),
            "users",
            json!({ "tenant": { "domain": "acme.eu.auth0.com", "client_id": "app", "client_secret": "t" } }),
            &host,
            Some(&["email", "user_id"]),
        )
        .map(drop),
    };
    // Whatever a vendor says, the connector is not at fault.
    if let Err(Error { class: ErrorClass::BUG, code, message, .. }) = came {
        panic!("{code}: {message}");
    }
    assert_eq!((host.open_requests(), host.open_parts()), (0, Vec::new()));
}

fn login(host: &MemoryHost) -> Result<(), Error> {
    let options = json!({ "api": { "client_id": "app" } });
    let services = host.services();
    let mut login = drive::Login::open(crate::module("constant-contact"), &options.to_string(), &services)?;
    login.begin()?;
    for _ in 0..4 {
        login.poll()?;
    }
    login.export().map(drop)
}

fn reply_of(text: &[u8]) -> Reply {
    let mut lines = split(text, b"\n");
    let first = lines.next().and_then(|line| std::str::from_utf8(line).ok()?.trim().parse().ok());
    let mut reply = Reply::new(first.unwrap_or(200));
    for line in lines.take_while(|line| !line.is_empty()).take(16) {
        if let Some((name, value)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(": ")) {
            reply = reply.header(name, value);
        }
    }
    let body = text.windows(2).position(|two| two == b"\n\n").map_or(&[][..], |at| &text[at + 2..]);
    reply.body(body)
}

fn split<'a>(mut rest: &'a [u8], by: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        match rest.windows(by.len()).position(|window| window == by) {
            Some(at) => {
                let piece = &rest[..at];
                rest = &rest[at + by.len()..];
                Some(piece)
            }
            None => {
                ended = true;
                Some(rest)
            }
        }
    })
}
