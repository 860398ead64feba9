//! What is written parses back to what was given.

use proptest::prelude::*;
use serde_json::json;
use usher_constant_contact::plugin;
use usher_testkit::{MemoryHost, text_batch, write};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn files_parse_back(
        cells in prop::collection::vec(prop::collection::vec("([a-zé]([ ,;|\"'\r\n\t🙂я=+-]{0,10}[a-z.]))?", 3), 1..20),
        days in prop::collection::vec((1i8..=12, 1i8..=28), 20),
        api: bool,
        max_rows in 1..25u64,
    ) {
        let emails: Vec<String> = (0..cells.len()).map(|i| format!("user{i}@example.com")).collect();
        let births: Vec<String> = days.iter().map(|(month, day)| format!("1990-{month:02}-{day:02}")).collect();
        let column = |i: usize| cells.iter().map(|row| Some(row[i].as_str())).collect::<Vec<_>>();
        let batch = text_batch(&[
            ("cf:a, \"b\"", column(0)),
            ("First Name", column(1)),
            ("city", column(2)),
            ("birthday", births.iter().take(cells.len()).map(|b| Some(b.as_str())).collect()),
            ("email", emails.iter().map(|k| Some(k.as_str())).collect()),
        ]);
        let host = MemoryHost::new();
        let deliver = if api { "api-file" } else { "ui-file" };
        let options = json!({ "deliver": deliver, "max_rows": max_rows, "consent": "consent" });
        let written = write(plugin(), "contacts", options, &host, vec![batch]).unwrap();
        prop_assert_eq!(written.report.written.count, cells.len() as u64);
        let header: &[&str] = if api {
            &["email", "first_name", "birthday_month", "birthday_day", "city", "cf:a, \"b\""]
        } else {
            &["Email Address", "First Name", "Birthday", "City", "a, \"b\""]
        };
        let mut rows = Vec::new();
        for part in host.parts() {
            let mut reader = csv::Reader::from_reader(part.bytes.as_slice());
            prop_assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), header);
            rows.extend(reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()));
        }
        let given: Vec<Vec<String>> = cells
            .iter()
            .zip(&emails)
            .zip(&days)
            .map(|((row, email), (month, day))| {
                let mut cells = vec![email.clone(), row[1].clone()];
                if api {
                    cells.extend([month.to_string(), day.to_string()]);
                } else {
                    cells.push(format!("{month:02}/{day:02}/1990"));
                }
                cells.extend([row[2].clone(), row[0].clone()]);
                cells
            })
            .collect();
        prop_assert_eq!(rows, given);
    }
}
