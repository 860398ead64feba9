//! Exchanges of `run --record` without the person. Records that are about them go out of bodies, whole; what is left of a
//! name stands as `[forgotten]`. Such a recording replays where the person has left the inputs, too, and the same people
//! still share a request.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};
use serde_json::Value;
use usher_abi::Error;

use super::{
    document::{forget_text, redact},
    person::{FORGOTTEN, Person},
};
use crate::runs::{
    files_below,
    replace::{pretty, replace},
    unreadable,
};

/// Takes the person out of all exchanges below a folder, or only looks (`dry`); answers the files, each with how often.
pub(super) fn forget_in_recording(
    folder: &Path,
    person: &Person,
    dry: bool,
) -> Result<Vec<(PathBuf, u64)>, Error> {
    let mut found = Vec::new();
    for name in files_below(folder).map_err(|error| unreadable(folder, &error))? {
        let path = folder.join(name);
        let text = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        // Anything else is somebody's own, and is told if it names the person.
        let Ok(mut exchange) = serde_json::from_slice::<Value>(&text) else { continue };
        let count = exchange_without(&mut exchange, person);
        if count > 0 {
            if !dry {
                replace(&path, &pretty(&exchange)?)?;
            }
            found.push((path, count));
        }
    }
    Ok(found)
}

fn exchange_without(exchange: &mut Value, person: &Person) -> u64 {
    let mut count = 0;
    for place in ["/request/body", "/body"] {
        count += exchange.pointer_mut(place).map_or(0, |body| content(body, person));
    }
    for place in ["/request/url", "/reply/url"] {
        if let Some(Value::String(url)) = exchange.pointer_mut(place)
            && let Some(other) = address(url, person)
        {
            *url = other;
            count += 1;
        }
    }
    // Headers and errors.
    count + redact(exchange, person)
}

/// A body: text, or bytes, which may be packed.
fn content(body: &mut Value, person: &Person) -> u64 {
    if let Some(Value::String(text)) = body.get_mut("text") {
        return forget_text(text, person).map_or(0, |(other, count)| {
            *text = other;
            count
        });
    }
    let Some(Value::String(text)) = body.get_mut("base64") else { return 0 };
    let Ok(bytes) = BASE64_STANDARD.decode(&*text) else { return 0 };
    let mut unpacked = String::new();
    let is_packed = MultiGzDecoder::new(&bytes[..]).read_to_string(&mut unpacked).is_ok();
    if !is_packed {
        unpacked = String::from_utf8_lossy(&bytes).into_owned();
    }
    let Some((other, count)) = forget_text(&unpacked, person) else { return 0 };
    let mut packed = other.clone().into_bytes();
    if is_packed {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        // Memory does not fail.
        if std::io::Write::write_all(&mut encoder, other.as_bytes()).is_ok() {
            packed = encoder.finish().unwrap_or_default();
        }
    }
    *text = BASE64_STANDARD.encode(packed);
    count
}

/// An address without the parts of it that name the person, as it stands or with `%40`.
fn address(url: &str, person: &Person) -> Option<String> {
    let mut other = String::with_capacity(url.len());
    let mut found = false;
    for piece in url.split_inclusive(['/', '?', '&', '=', '#']) {
        let (text, end) = match piece.char_indices().next_back() {
            Some((at, c)) if "/?&=#".contains(c) => piece.split_at(at),
            _ => (piece, ""),
        };
        let names = person.is_named_in(&decoded(text));
        found |= names;
        other.push_str(if names { FORGOTTEN } else { text });
        other.push_str(end);
    }
    found.then_some(other)
}

fn decoded(text: &str) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let (bytes, mut plain, mut at) = (text.as_bytes(), Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            (b'+', ..) if text.contains('%') => {
                plain.push(b' ');
                at += 1;
            }
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_exchange_forgets_in_bodies_addresses_and_headers() {
        let ada = Person::new(&["ada@x.com".to_owned()]).unwrap();
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        std::io::Write::write_all(&mut packed, b"{\"email\":\"ada@x.com\"}\n{\"email\":\"eve@x.com\"}\n")
            .unwrap();
        let packed = BASE64_STANDARD.encode(packed.finish().unwrap());
        let mut exchange = json!({
            "request": {
                "url": "https://x.com/search/ada@x.com?query=email%3Aada%40x.com&page=1",
                "headers": [["x-for", "ada@x.com"]],
                "body": { "text": "{\"emails\":[\"ada@x.com\",\"eve@x.com\"]}" },
            },
            "body": { "base64": packed },
        });
        assert_eq!(exchange_without(&mut exchange, &ada), 4);
        assert_eq!(exchange["request"]["url"], "https://x.com/search/[forgotten]?query=[forgotten]&page=1");
        assert_eq!(exchange["request"]["headers"], json!([["x-for", "[forgotten]"]]));
        assert_eq!(exchange["request"]["body"]["text"], "{\"emails\":[\"eve@x.com\"]}");
        let bytes = BASE64_STANDARD.decode(exchange["body"]["base64"].as_str().unwrap()).unwrap();
        let mut text = String::new();
        MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "{\"email\":\"eve@x.com\"}\n");
        assert_eq!(exchange_without(&mut exchange, &ada), 0);
    }
}
