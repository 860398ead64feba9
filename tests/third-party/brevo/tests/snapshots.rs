//! What comes of a run: files, rejects, values left out.

use serde_json::json;
use usher_testkit::{MemoryHost, balance, show, text_batch, write};

use usher_brevo::plugin;

#[test]
fn ordinary_people() {
    #[rustfmt::skip]
    let people = text_batch(&[
        ("EMAIL", vec![Some("ada@example.com"), Some("n/a"), None, Some(" zoe@example.com")]),
        ("LASTNAME", vec![Some("Lovelace; Countess"), Some("Hopper"), Some("Nobody"), None]),
        ("SMS", vec![Some("+442079460000"), Some("+1 202 555 0100"), None, Some("0199")]),
        ("PLAN", vec![Some("pro"), None, None, Some("free")]),
    ]);
    let host = MemoryHost::new();
    let written = write(plugin(), "contacts", json!({}), &host, vec![people]).expect("a run");
    balance(&written.report, 4).expect("every row is accounted for");
    insta::assert_snapshot!(show(&written, &host));
}

/// Rows of 10,000 bytes below a header of 11: 799 fit into 8,000,000 bytes.
#[test]
fn files_stay_within_the_limit() {
    let keys: Vec<String> = (0..1_000).map(|i| format!("{i:06}@example.com")).collect();
    let note = "x".repeat(10_000 - 18 - 2);
    let batch = text_batch(&[
        ("EMAIL", keys.iter().map(|key| Some(key.as_str())).collect()),
        ("NOTE", vec![Some(note.as_str()); keys.len()]),
    ]);
    let host = MemoryHost::new();
    write(plugin(), "contacts", json!({}), &host, vec![batch]).expect("a run");
    let sizes: Vec<(u64, usize)> = host.parts().iter().map(|p| (p.records, p.bytes.len())).collect();
    assert_eq!(sizes, [(799, 7_990_011), (201, 2_010_011)]);
}
