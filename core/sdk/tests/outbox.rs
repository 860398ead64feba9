//! Deliveries to a made-up vendor, on exchanges that the tests write down.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use serde_json::{Value, json};
use usher_sdk::{
    Host, Http, Reply as Answer,
    abi::{Error, Origin, Report, service::PartFormat},
    outbox::{
        Destination, Doubt, Fates, Jobs, Outbox, Progress, Reaction, RowReject, Sent, Step, Unit, UnitLimits,
        UnitOutcome,
    },
};
use usher_testkit::{MemoryHost, Reply};

const BATCH: &str = "https://api.example.com/batch";

/// A vendor that answers with what became of rows, or with a job.
#[derive(Default)]
struct Vendor {
    doubts: Vec<u64>,
    closed: u32,
    /// What it refuses says nothing of other rows.
    harmless: bool,
}

fn outcome(answer: &Value) -> UnitOutcome {
    let rows = answer["refused"].as_array().cloned().unwrap_or_default();
    let reject = |row: &Value| RowReject {
        row: row.as_u64().unwrap(),
        code: "vendor.refused".to_owned(),
        message: "the vendor refused it".to_owned(),
        details: json!({ "said": "no" }),
        ..RowReject::default()
    };
    UnitOutcome {
        rejects: rows.iter().map(reject).collect(),
        ..UnitOutcome::all(Fates::Confirmed, json!({ "answered": true }))
    }
}

impl Destination for Vendor {
    fn account(&self) -> String {
        "acme".to_owned()
    }

    fn in_flight(&self) -> usize {
        2
    }

    fn send(&mut self, http: &Http, unit: &Unit) -> Result<Step, Error> {
        Ok(http.post(BATCH).body("text/plain", unit.records.clone()).header("X-Unit", &unit.id).into())
    }

    fn sent(&mut self, _: &Unit, reply: Answer) -> Result<Reaction, Error> {
        if reply.status() == 429 {
            return Ok(Reaction::Later(1_000));
        }
        let text = reply.error_for_status()?.text(1_000)?;
        Ok(match serde_json::from_str::<Value>(&text) {
            Ok(answer) if answer["job"].is_string() => {
                Reaction::Job(answer["job"].as_str().unwrap().to_owned())
            }
            Ok(answer) if answer["done"] == true => Reaction::Done(outcome(&answer)),
            _ => Reaction::NotUnderstood(text),
        })
    }

    fn poll(&mut self, http: &Http, jobs: &mut Jobs<'_>) -> Result<Vec<Progress>, Error> {
        let ask = |job: &str| -> Result<Progress, Error> {
            let reply = http.get(format!("https://api.example.com/jobs/{job}")).send()?;
            if reply.status() == 404 {
                return Ok(Progress::Lost);
            }
            let answer: Value = reply.error_for_status()?.json(1_000)?;
            Ok(if answer["done"] == true { Progress::Done(outcome(&answer)) } else { Progress::Running })
        };
        jobs.list().iter().map(|job| ask(&job.job)).collect()
    }

    fn doubt(&mut self, _: &Http, unit: &Unit, _: u64) -> Result<Doubt, Error> {
        self.doubts.push(unit.number);
        Ok(Doubt::SendAgain)
    }

    fn is_harmless(&self, _: &RowReject) -> bool {
        self.harmless
    }

    fn close(&mut self, _: &Http) -> Result<(), Error> {
        self.closed += 1;
        Ok(())
    }
}

fn memory(replies: &[Reply]) -> MemoryHost {
    let memory = MemoryHost::new();
    replies.iter().fold(memory, |memory, reply| memory.with_reply("POST", BATCH, reply.clone()))
}

fn done() -> Reply {
    Reply::new(200).json(&json!({ "done": true }))
}

fn job(name: &str) -> Reply {
    Reply::new(202).json(&json!({ "job": name }))
}

/// Five rows in units of two, the first `canary` before the others.
fn deliver(memory: &MemoryHost, vendor: &mut Vendor, canary: u64) -> (Result<Sent, Error>, Report) {
    let services = memory.services();
    let host = Host::new(services.table(), Default::default());
    let limits = UnitLimits { rows: 2, bytes: 100 };
    let format = PartFormat::ndjson();
    let mut outbox = Outbox::new(&host, "rows", "ndjson", &format, b"", limits, canary).unwrap();
    for n in 0..5u64 {
        let origin = Origin { input: 0, length: 1, offset: n * 10 };
        outbox.push(format!("{{\"n\":{n}}}\n").as_bytes(), origin).unwrap().unwrap();
    }
    let mut report = Report::default();
    (outbox.deliver(vendor, &mut report), report)
}

/// confirmed, unknown, rejected
fn fates(report: &Report) -> (u64, u64, usize) {
    (report.confirmed.count, report.unknown.count, report.rejects.len())
}

fn bodies(memory: &MemoryHost) -> Vec<String> {
    memory.requests().iter().filter(|sent| sent.head.method == "POST").map(|sent| sent.text()).collect()
}

const UNITS: [&str; 3] = ["{\"n\":0}\n{\"n\":1}\n", "{\"n\":2}\n{\"n\":3}\n", "{\"n\":4}\n"];

#[test]
fn all_rows_go_out_once_and_their_fates_come_back() {
    let refused = Reply::new(200).json(&json!({ "done": true, "refused": [1] }));
    let memory = memory(&[done(), refused, done()]);
    let mut vendor = Vendor::default();
    let (sent, report) = deliver(&memory, &mut vendor, 0);
    let sent = sent.unwrap();
    assert_eq!(bodies(&memory), UNITS);
    assert_eq!(fates(&report), (4, 0, 1));
    assert_eq!(
        (report.rejects[0].origin.offset, report.rejects[0].details.as_str()),
        (30, r#"{"said":"no"}"#)
    );
    let delivery = &sent.delivery;
    assert_eq!((delivery.units, delivery.settled, delivery.earlier, &delivery.stopped), (3, 3, 0, &None));
    assert_eq!(delivery.answers[1]["first_row"], 3);
    assert_eq!((sent.parts.len(), sent.parts[0].rows, sent.parts[0].extra), (1, 5, true));
    assert_eq!((vendor.closed, vendor.doubts), (1, vec![]));
}

#[test]
fn jobs_are_asked_for_until_they_are_done() {
    let memory = memory(&[job("a"), job("b"), job("c")])
        .with_reply("GET", "https://api.example.com/jobs/a", Reply::new(200).json(&json!({})))
        .with_reply("GET", "https://api.example.com/jobs/a", done())
        .with_reply("GET", "https://api.example.com/jobs/b", done())
        .with_reply("GET", "https://api.example.com/jobs/c", done());
    let (sent, report) = deliver(&memory, &mut Vendor::default(), 0);
    assert_eq!((fates(&report), sent.unwrap().delivery.settled), ((5, 0, 0), 3));
    let asked: Vec<String> =
        memory.requests().iter().map(|s| s.head.url.replace("https://api.example.com/", "")).collect();
    // Two at most are under way: the third goes out when one is done.
    assert_eq!(asked, ["batch", "batch", "jobs/a", "jobs/b", "batch", "jobs/a", "jobs/c"]);
}

#[test]
fn a_vendor_without_room_gets_the_unit_later() {
    let memory = memory(&[Reply::new(429), done(), done(), done()]);
    let (sent, report) = deliver(&memory, &mut Vendor::default(), 0);
    assert_eq!((fates(&report), sent.unwrap().delivery.settled), ((5, 0, 0), 3));
    assert_eq!(bodies(&memory).iter().filter(|body| *body == UNITS[0]).count(), 2);
}

#[test]
fn canaries_go_first_and_hold_the_others_back() {
    let bad = memory(&[Reply::new(200).json(&json!({ "done": true, "refused": [0] }))]);
    let (sent, report) = deliver(&bad, &mut Vendor::default(), 1);
    let delivery = sent.unwrap().delivery;
    assert_eq!(bodies(&bad), ["{\"n\":0}\n"]);
    assert_eq!((fates(&report), delivery.units, delivery.settled), ((0, 0, 1), 3, 1));
    let stopped = delivery.stopped.unwrap();
    assert_eq!((stopped.code.as_str(), stopped.retryable), ("delivery.canary", false));
    assert!(
        stopped.message.contains("of the 1 rows sent first, 1 did not come back clean"),
        "{}",
        stopped.message
    );

    let good = memory(&[done(), done(), done()]);
    let (sent, report) = deliver(&good, &mut Vendor::default(), 1);
    assert_eq!((fates(&report), sent.unwrap().delivery.settled), ((5, 0, 0), 3));
    assert_eq!(bodies(&good), ["{\"n\":0}\n", "{\"n\":1}\n{\"n\":2}\n", "{\"n\":3}\n{\"n\":4}\n"]);
}

#[test]
fn a_delivery_that_stopped_goes_on_where_it_was() {
    // The second unit is refused for want of credentials; what the third is answered is still heard.
    let memory = memory(&[done(), Reply::new(401), done()]);
    let (sent, report) = deliver(&memory, &mut Vendor::default(), 0);
    let delivery = sent.unwrap().delivery;
    assert_eq!((fates(&report), delivery.settled), ((3, 2, 0), 2));
    assert_eq!(delivery.stopped.unwrap().code, "http.status");

    let memory = memory.with_reply("POST", BATCH, done());
    let mut vendor = Vendor::default();
    let (sent, report) = deliver(&memory, &mut vendor, 0);
    let delivery = sent.unwrap().delivery;
    assert_eq!((fates(&report), delivery.settled, delivery.earlier), ((5, 0, 0), 3, 2));
    assert_eq!(vendor.doubts, [1], "a unit that may have arrived is asked about");
    assert_eq!(bodies(&memory).iter().filter(|body| *body == UNITS[0]).count(), 1);
    // A third attempt has nothing to send.
    let before = bodies(&memory).len();
    let (sent, report) = deliver(&memory, &mut Vendor::default(), 0);
    assert_eq!(
        (fates(&report), sent.unwrap().delivery.earlier, bodies(&memory).len()),
        ((5, 0, 0), 3, before)
    );
}

#[test]
fn a_job_that_is_known_is_asked_for_and_not_sent_again() {
    let memory = memory(&[job("a"), done(), done()])
        .with_reply("GET", "https://api.example.com/jobs/a", Reply::new(500))
        .with_reply("GET", "https://api.example.com/jobs/a", done());
    let (sent, report) = deliver(&memory, &mut Vendor::default(), 0);
    assert_eq!(sent.unwrap().delivery.stopped.unwrap().code, "http.status");
    assert_eq!(fates(&report), (3, 2, 0));
    let mut vendor = Vendor::default();
    let (sent, report) = deliver(&memory, &mut vendor, 0);
    assert_eq!((fates(&report), sent.unwrap().delivery.earlier), ((5, 0, 0), 2));
    assert_eq!((bodies(&memory).len(), vendor.doubts), (3, vec![]));
}

#[test]
fn a_lost_job_is_sent_again_but_not_for_ever() {
    let mut memory = memory(&[job("a"), done(), done()]);
    for name in ["b", "c", "d"] {
        memory = memory.with_reply("POST", BATCH, job(name));
    }
    for name in ["a", "b", "c", "d"] {
        memory = memory.with_reply("GET", &format!("https://api.example.com/jobs/{name}"), Reply::new(404));
    }
    let (sent, report) = deliver(&memory, &mut Vendor::default(), 0);
    let sent = sent.unwrap();
    assert_eq!((fates(&report), sent.delivery.settled, &sent.delivery.stopped), ((3, 2, 0), 2, &None));
    assert_eq!(
        sent.warnings,
        [
            "rows 1 to 2 of those sent: the vendor has lost its job (sent 4 times); what became of them is not known"
        ]
    );
}

#[test]
fn an_answer_that_is_not_understood_is_kept() {
    let memory = memory(&[done(), Reply::new(200).body("<html>"), done()]);
    let (sent, report) = deliver(&memory, &mut Vendor::default(), 0);
    let sent = sent.unwrap();
    assert_eq!((fates(&report), sent.delivery.settled, &sent.delivery.stopped), ((3, 2, 0), 2, &None));
    assert_eq!(sent.parts[1].bytes, 6);
    assert!(sent.warnings[0].contains("rows 3 to 4 of those sent: the vendor's answer was not understood"));
}

#[test]
fn answers_that_nobody_understands_end_the_delivery() {
    let page = || Reply::new(200).body("<html>");
    let memory = memory(&[page(), page(), page()]);
    let (sent, report) = deliver(&memory, &mut Vendor::default(), 0);
    let sent = sent.unwrap();
    assert_eq!((fates(&report), sent.parts.len()), ((0, 5, 0), 4));
    assert_eq!(sent.delivery.stopped.unwrap().code, "delivery.not-understood");
}

#[test]
fn a_reply_that_breaks_off_leaves_a_unit_in_doubt_which_is_resolved_at_once() {
    let memory = memory(&[done().cut(), done(), done(), done()]);
    let mut vendor = Vendor::default();
    let (sent, report) = deliver(&memory, &mut vendor, 0);
    assert_eq!((fates(&report), sent.unwrap().delivery.stopped), ((5, 0, 0), None));
    assert_eq!((vendor.doubts, bodies(&memory).len()), (vec![0], 4));
}

#[test]
fn a_vendor_that_never_answers_ends_the_delivery() {
    // Only to the second unit.
    let replies: Vec<Reply> = (0..9).map(|n| if n == 1 { done() } else { done().cut() }).collect();
    let memory = memory(&replies);
    let (sent, report) = deliver(&memory, &mut Vendor::default(), 0);
    let stopped = sent.unwrap().delivery.stopped.unwrap();
    assert_eq!((stopped.code.as_str(), stopped.retryable), ("delivery.in-doubt", true));
    assert_eq!(fates(&report), (2, 3, 0));
    assert_eq!(bodies(&memory).iter().filter(|body| *body == UNITS[0]).count(), 4);
}

#[test]
fn an_answer_to_a_question_for_jobs_that_breaks_off_is_asked_for_again() {
    let memory = memory(&[job("a"), done(), done()])
        .with_reply("GET", "https://api.example.com/jobs/a", done().cut())
        .with_reply("GET", "https://api.example.com/jobs/a", done());
    let (sent, report) = deliver(&memory, &mut Vendor::default(), 0);
    assert_eq!((fates(&report), sent.unwrap().delivery.stopped), ((5, 0, 0), None));
}

#[test]
fn a_refusal_says_nothing_of_the_try_before() {
    // It may have arrived: the reply was no answer to that.
    let memory = memory(&[Reply::new(401), done()]);
    let (_, report) = deliver(&memory, &mut Vendor::default(), 0);
    assert_eq!(fates(&report), (2, 2, 0));
    // Sent again, and refused for want of room: still in doubt, and not "not sent". Then it ends with the third unit.
    let memory = memory.with_reply("POST", BATCH, Reply::new(429)).with_reply("POST", BATCH, Reply::new(401));
    let (_, report) = deliver(&memory, &mut Vendor::default(), 0);
    assert_eq!(fates(&report), (2, 3, 0));
    let memory = memory.with_reply("POST", BATCH, done()).with_reply("POST", BATCH, done());
    let mut vendor = Vendor::default();
    let (_, report) = deliver(&memory, &mut vendor, 0);
    assert_eq!((fates(&report), vendor.doubts), ((5, 0, 0), vec![0, 2]));
}

#[test]
fn canaries_that_came_back_unwell_are_sent_again() {
    let memory = memory(&[Reply::new(200).json(&json!({ "done": true, "refused": [0] }))]);
    let (_, report) = deliver(&memory, &mut Vendor::default(), 1);
    assert_eq!(fates(&report), (0, 0, 1));
    // Somebody has put right at the vendor what was wrong.
    let memory =
        [done(), done(), done()].into_iter().fold(memory, |m, reply| m.with_reply("POST", BATCH, reply));
    let (sent, report) = deliver(&memory, &mut Vendor::default(), 1);
    assert_eq!((fates(&report), sent.unwrap().delivery.stopped), ((5, 0, 0), None));
}

#[test]
fn some_rejects_say_nothing_of_the_rows_to_come() {
    let memory = memory(&[Reply::new(200).json(&json!({ "done": true, "refused": [0] })), done(), done()]);
    let (sent, report) = deliver(&memory, &mut Vendor { harmless: true, ..Vendor::default() }, 1);
    assert_eq!((fates(&report), sent.unwrap().delivery.stopped), ((4, 0, 1), None));
}

#[test]
fn a_dry_run_puts_every_request_together_and_sends_none() {
    let memory = memory(&[]).reads_only();
    let mut vendor = Vendor::default();
    let (sent, report) = deliver(&memory, &mut vendor, 2);
    let delivery = sent.unwrap().delivery;
    assert_eq!((fates(&report), delivery.units, delivery.settled), ((0, 0, 0), 3, 0));
    assert_eq!((delivery.stopped.unwrap().code.as_str(), vendor.closed), ("http.dry-run", 0));
    assert_eq!(bodies(&memory), [""; 0]);
}
