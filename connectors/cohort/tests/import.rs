//! The files, taken in by a double of Cohort's import that knows nothing of this connector.

#[path = "../../../tests/importers/mod.rs"]
mod importers;

use importers::{account::Account, cohort};
use serde_json::json;
use usher_cohort::plugin;
use usher_testkit::{MemoryHost, text_batch, write};

#[test]
fn every_row_that_was_written_is_taken() {
    let keys: Vec<String> = (0..100).map(|i| format!("User{}@example.com", i % 90)).collect();
    let cycle = |values: [Option<&'static str>; 4]| values.into_iter().cycle().take(100).collect::<Vec<_>>();
    let batch = text_batch(&[
        ("email", keys.iter().map(|k| Some(k.as_str())).collect()),
        ("first_name", cycle([Some("Ada, Countess"), Some("Éloïse"), None, Some("two\nlines")])),
        ("score", cycle([Some("1.5"), Some("many"), None, Some(" 7 ")])),
        ("vip", cycle([Some("TRUE"), Some("yes"), Some("false"), None])),
        ("since", cycle([Some("2024/2/29"), Some("soon"), Some("2015-08-24T23:10:20Z"), None])),
    ]);
    let properties = json!({ "score": "number", "vip": "boolean", "since": "date" });
    let host = MemoryHost::new();
    let written =
        write(plugin(), "users", json!({ "properties": properties, "max_bytes": 1000 }), &host, vec![batch])
            .unwrap();
    assert_eq!((written.report.written.count, written.report.rejects.len()), (90, 10));

    let types = [
        ("score", cohort::Property::Number),
        ("vip", cohort::Property::Boolean),
        ("since", cohort::Property::Date),
    ];
    let settings = cohort::Settings {
        properties: types.map(|(n, p)| (n.to_owned(), p)).into(),
        ..cohort::Settings::default()
    };
    let mut account = Account::default();
    assert!(host.parts().len() > 1);
    for (part, said) in host.parts().iter().zip(&written.receipt.parts) {
        let result = account.import(&part.bytes, &settings);
        assert_eq!((&result.refused, &result.failed, &result.silent), (&None, &vec![], &vec![]));
        assert_eq!(result.created, said.rows);
    }
    let first = account.by_email("user0@example.com").unwrap();
    let fields = ["first_name", "score", "vip", "since"].map(|name| first.field(name));
    assert_eq!(fields, ["Ada, Countess", "1.5", "true", "2024-02-29"]);
}
