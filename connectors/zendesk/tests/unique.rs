//! What the host has seen to need not be looked up; what comes of it is the same.

use std::collections::HashSet;

use arrow_array::RecordBatch;
use proptest::prelude::*;
use serde_json::json;
use usher_testkit::{MemoryHost, comes_once, text_batch, write};

/// One address, or the text of a list of some: `a`–`h` at one domain, so that lists often name those of other rows.
fn emails() -> impl Strategy<Value = String> {
    let address = prop::sample::select(b"abcdefghABCD".to_vec())
        .prop_map(|letter| format!("{}@example.com", char::from(letter)));
    prop_oneof![
        4 => address.clone(),
        1 => address.clone().prop_map(|address| format!(" {address}")),
        1 => Just(String::new()),
        2 => prop::collection::vec(address, 0..3).prop_map(|list| json!(list).to_string()),
    ]
}

proptest! {
    #[test]
    fn addresses_that_come_once_are_written_as_if_they_were_looked_up(
        rows in prop::collection::vec((emails(), prop::sample::select(vec!["1", "2", "3", "4", "5", "6", ""])), 0..12),
        mode in prop::sample::select(vec!["merge", "reject"]),
    ) {
        let mut seen = HashSet::new();
        let rows: Vec<(String, &str)> = rows
            .into_iter()
            .filter(|(email, _)| email.is_empty() || seen.insert(email.trim().to_lowercase()))
            .collect();
        let names: Vec<Option<&str>> = rows.iter().map(|_| Some("Ada")).collect();
        let batch = text_batch(&[
            ("name", names),
            ("emails", rows.iter().map(|(email, _)| Some(email.as_str())).collect()),
            ("external_id", rows.iter().map(|(_, id)| Some(*id)).collect()),
        ]);
        let written = |batch: RecordBatch| {
            let host = MemoryHost::new();
            let options = json!({ "on_duplicate": mode });
            let written = write(usher_zendesk::plugin(), "users", options, &host, vec![batch]).unwrap();
            let parts: Vec<Vec<u8>> = host.parts().into_iter().map(|part| part.bytes).collect();
            (parts, format!("{:#?}", written.report))
        };
        prop_assert_eq!(written(batch.clone()), written(comes_once(&batch, "emails")));
    }
}
