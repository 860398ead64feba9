//! What is written parses back to what was given.

use proptest::prelude::*;
use serde_json::json;
use usher_carrot_quest::plugin;
use usher_testkit::{MemoryHost, text_batch, write};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn files_parse_back(
        cells in prop::collection::vec(prop::collection::vec("([a-zé]([ ,;|\"'\r\n\t\u{200D}🙂я=+-]{0,10}[a-z.]))?", 3), 1..20),
        delimiter in prop::sample::select(vec![("tab", b'\t'), (",", b','), ("|", b'|'), (";", b';'), ("space", b' ')]),
        max_rows in 1..25u64,
    ) {
        let keys: Vec<String> = (0..cells.len()).map(|i| format!("auth0|{i}")).collect();
        let column = |i: usize| cells.iter().map(|row| Some(row[i].as_str())).collect::<Vec<_>>();
        let batch = text_batch(&[
            ("a b", column(0)),
            ("c;d,e|f", column(1)),
            ("$name", column(2)),
            ("$user_id", keys.iter().map(|k| Some(k.as_str())).collect()),
        ]);
        let host = MemoryHost::new();
        let options = json!({ "delimiter": delimiter.0, "max_rows": max_rows });
        let written = write(plugin(), "users", options, &host, vec![batch]).unwrap();
        prop_assert_eq!(written.report.written.count, cells.len() as u64);
        let mut rows = Vec::new();
        for part in host.parts() {
            let mut reader = csv::ReaderBuilder::new().delimiter(delimiter.1).from_reader(part.bytes.as_slice());
            prop_assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), ["$user_id", "$name", "a b", "c;d,e|f"]);
            rows.extend(reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()));
        }
        let given: Vec<Vec<String>> = cells
            .iter()
            .zip(&keys)
            .map(|(row, key)| vec![key.clone(), row[2].clone(), row[0].clone(), row[1].clone()])
            .collect();
        prop_assert_eq!(rows, given);
    }
}
