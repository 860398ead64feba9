//! What the layer does to a connection, through a plain client over the socket.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::client::{Client, Got, PATIENCE};
use serde_json::json;
use usher_vendors::{Fault, FaultPlan, Struck, Zendesk, zendesk::Settings};

const UPSERT: &str = "POST /api/v2/users/create_or_update_many";

/// The vendor, and what the first upload met.
fn met(fault: Fault) -> (Zendesk, Result<Got, ureq::Error>) {
    let faults = FaultPlan::once(UPSERT, fault);
    let vendor = Zendesk::start(Settings { job_time: Duration::ZERO, faults, ..Settings::default() });
    let client = Client::new(vendor.url(), &[("authorization", "Bearer hush-oauth")]);
    let body = json!({ "users": [{ "name": "Ada", "email": "ada@example.com" }] });
    let got = client.send(UPSERT, "application/json", body.to_string().as_bytes());
    assert_eq!(vendor.faults(), [Struck { line: UPSERT.to_owned(), fault }]);
    (vendor, got)
}

#[test]
fn before_the_effect_nothing_is_done() {
    let cases = [
        (Fault::TooManyWithRetryAfter, 429, Some("1")),
        (Fault::TooMany, 429, None),
        (Fault::Error500, 500, None),
        (Fault::Error502, 502, None),
        (Fault::Error503, 503, None),
    ];
    for (fault, status, retry_after) in cases {
        let (vendor, got) = met(fault);
        let got = got.unwrap();
        assert_eq!((got.status, got.header("retry-after")), (status, retry_after), "{fault:?}");
        assert_eq!(vendor.account().users.len(), 0, "{fault:?}");
    }
}

#[test]
fn a_503_may_come_after_the_work_was_done() {
    let (vendor, got) = met(Fault::Error503After);
    assert_eq!(got.unwrap().status, 503);
    assert_eq!(vendor.account().users.len(), 1);
}

#[test]
fn a_page_takes_the_place_of_json() {
    let (vendor, got) = met(Fault::Html);
    let got = got.unwrap();
    assert_eq!((got.status, got.header("content-type")), (200, Some("text/html")));
    assert!(got.text().starts_with("<html>"));
    assert_eq!(vendor.account().users.len(), 1);
}

#[test]
fn a_reply_is_broken_off() {
    let (vendor, got) = met(Fault::Reset);
    assert!(got.is_err(), "half a reply was taken for a whole one");
    assert_eq!(vendor.account().users.len(), 1);
}

#[test]
fn what_breaks_a_reply_off_is_a_reset() {
    let faults = FaultPlan::once("GET /api/v2/users/me", Fault::Reset);
    let vendor = Zendesk::start(Settings { faults, ..Settings::default() });
    let mut stream = TcpStream::connect(vendor.domain()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /api/v2/users/me HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut came = Vec::new();
    let error = stream.read_to_end(&mut came).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let came = String::from_utf8(came).unwrap();
    assert!(came.starts_with("HTTP/1.1 200 OK") && came.contains("Anonymous"), "{came}");
}

#[test]
fn a_reply_comes_drop_by_drop() {
    let began = Instant::now();
    let (vendor, got) = met(Fault::Drip);
    assert_eq!(got.unwrap().json()["job_status"]["total"], 1);
    assert!(began.elapsed() >= Duration::from_millis(450));
    assert_eq!(vendor.account().users.len(), 1);
}

#[test]
fn a_simulator_ends_when_it_is_dropped() {
    let vendor = Zendesk::start(Settings::default());
    let client = Client::new(vendor.url(), &[]);
    assert_eq!(client.get("/api/v2/users/me").status, 200);
    let began = Instant::now();
    drop(vendor);
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(client.send("GET /api/v2/users/me", "", b"").is_err());
}
