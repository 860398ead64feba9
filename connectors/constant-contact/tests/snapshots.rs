//! Every output that a person or a vendor sees.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch, StringArray,
    builder::{ListBuilder, StringBuilder},
};
use serde_json::{Value, json};
use usher_constant_contact::plugin;
use usher_testkit::{MemoryHost, Written, balance, check, description, show, text_batch, write};

const LIST: &str = "06a8e55c-9f1c-11ee-8c90-0242ac120002";

fn options(more: Value) -> Value {
    let mut options = json!({ "consent": { "not_needed": "they are customers" } });
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    options
}

fn run(more: Value, batch: RecordBatch) -> (Written, MemoryHost) {
    let (host, rows) = (MemoryHost::new(), batch.num_rows() as u64);
    let written = write(plugin(), "contacts", options(more), &host, vec![batch]).unwrap();
    balance(&written.report, rows).unwrap();
    (written, host)
}

fn shown(more: Value, batch: RecordBatch) -> String {
    let (written, host) = run(more, batch);
    show(&written, &host)
}

fn problems(options: Value, columns: &[&str]) -> String {
    let found = check(plugin(), usher_sdk::abi::Role::Sink, "contacts", options, columns).unwrap();
    let line = |p: &usher_sdk::abi::Problem| {
        format!("{} {} {}{}\n", p.pointer, p.code, p.message, if p.warning { " (warning)" } else { "" })
    };
    found.iter().map(line).collect()
}

fn people() -> RecordBatch {
    text_batch(&[
        ("cf:plan", vec![Some("pro"), Some("free, but \"vip\""), None]),
        ("email", vec![Some("ada@example.com"), Some("Grace@Example.com"), Some(" marie@example.com ")]),
        ("first_name", vec![Some("Ada"), Some("Grace"), Some("Marie")]),
        ("last_name", vec![Some("Lovelace"), Some("Hopper"), Some("Skłodowska, Curie")]),
        ("birthday", vec![Some("1815-12-10"), Some("0000-12-09"), None]),
        ("anniversary", vec![Some("7/8/1935"), None, Some("1903-12-10")]),
        ("phone", vec![Some("+442079460000"), Some("415 555 0101"), None]),
        ("street", vec![Some("12 St James's Square\nLondon"), None, None]),
        ("state", vec![None, Some("New York"), None]),
        ("country", vec![Some("UK"), Some("usa"), None]),
    ])
}

#[test]
fn describes_itself() {
    insta::assert_json_snapshot!(description(plugin()));
}

#[test]
fn ordinary_contacts_for_the_upload_page() {
    insta::assert_snapshot!(shown(json!({}), people()));
}

#[test]
fn ordinary_contacts_for_the_api() {
    insta::assert_snapshot!(shown(json!({ "deliver": "api-file", "list_ids": [LIST] }), people()));
}

#[test]
fn birthdays_in_two_columns() {
    let batch = || {
        text_batch(&[
            ("email", ["a@b.co", "b@b.co", "c@b.co", "d@b.co", "e@b.co", "f@b.co"].map(Some).to_vec()),
            ("birthday_day", vec![Some("29"), Some("31"), None, Some("1"), Some("32"), Some("07")]),
            ("birthday_month", vec![Some("2"), Some("4"), Some("5"), None, Some("1"), Some("7")]),
        ])
    };
    let reject = json!({ "on_invalid": { "birthday_day": "reject_row" } });
    let all =
        [shown(json!({}), batch()), shown(json!({ "deliver": "api-file" }), batch()), shown(reject, batch())];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn every_reject_and_every_value_left_out() {
    let long_email = format!("{}@{}.example.com", "a".repeat(40), "b".repeat(28));
    let longest_email = format!("{}@{}.example.com", "a".repeat(40), "b".repeat(27));
    let name = "ж".repeat(51);
    let mut columns: Vec<(String, Vec<Option<&str>>)> = vec![
        (
            "email".into(),
            vec![
                Some("ada@example.com"),
                Some("ADA@example.com"),
                Some("n/a"),
                Some(&long_email),
                None,
                None,
                None,
                Some("three@example.com"),
                Some("four@example.com"),
                Some("places@example.com"),
                Some("fields@example.com"),
                Some(&longest_email),
                Some("sales@example.com"),
            ],
        ),
        ("first_name".into(), vec![Some(&name)]),
        ("birthday".into(), vec![Some("2023-02-29")]),
        ("anniversary".into(), vec![Some("1900-12-31")]),
        (
            "sms_number".into(),
            vec![Some("+44 20 7946 0000"), None, None, None, None, Some("1231231234"), Some("123-123-1234")],
        ),
        (
            "sms_consent_date".into(),
            vec![Some("soon"), None, None, None, None, Some("1/2/2024"), Some("2024-01-02")],
        ),
    ];
    let at =
        |row: usize, value: &'static str| (0..13).map(|i| (i == row).then_some(value)).collect::<Vec<_>>();
    for phone in ["home_phone", "work_phone", "mobile_phone", "other_phone"] {
        let mut values = at(8, "1");
        values[7] = (phone != "other_phone").then_some("1");
        columns.push((phone.to_owned(), values));
    }
    columns.extend(
        ["street", "home_city", "work_zip", "other_country"].map(|place| (place.to_owned(), at(9, "x"))),
    );
    columns.extend((0..26).map(|i| (format!("cf:f{i:02}"), at(10, "x"))));
    for (_, values) in &mut columns {
        values.resize(13, None);
    }
    let columns: Vec<(&str, Vec<Option<&str>>)> =
        columns.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    insta::assert_snapshot!(shown(json!({ "role_addresses": "reject" }), text_batch(&columns)));
}

#[test]
fn numbers_for_texts_need_a_date_when_consent_is_explicit() {
    let batch = || {
        text_batch(&[
            ("email", vec![Some("a@b.co"), Some("b@b.co"), None, None]),
            (
                "sms_number",
                vec![Some("+1 (415) 555-0101"), Some("4155550102"), Some("4155550103"), Some("4155550104")],
            ),
            ("sms_consent_date", vec![None, Some("2024-01-02"), Some("2024-01-02"), None]),
        ])
    };
    let explicit = json!({ "deliver": "api-file", "sms_permission_to_send": "explicit" });
    let mut strict = explicit.clone();
    strict["on_invalid"] = json!({ "sms_number": "reject_row" });
    let all =
        [shown(json!({ "deliver": "api-file" }), batch()), shown(explicit, batch()), shown(strict, batch())];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_row_too_long_does_not_keep_its_address_from_others() {
    let batch = text_batch(&[
        ("email", vec![Some("a@b.co"), Some("a@b.co"), Some("a@b.co")]),
        ("last_name", vec![Some("a name that makes the row too long"), None, None]),
    ]);
    insta::assert_snapshot!(shown(json!({ "max_bytes": 40 }), batch));
}

#[test]
fn parts_stay_within_their_limits() {
    let emails: Vec<String> = (1..=7).map(|i| format!("user{i}@b.co")).collect();
    let batch = || text_batch(&[("email", emails.iter().map(|e| Some(e.as_str())).collect())]);
    // `Email Address` and a line end have 14 bytes, a row 11.
    let all = [
        shown(json!({ "max_rows": 3 }), batch()),
        shown(json!({ "max_bytes": 47 }), batch()),
        shown(json!({ "max_bytes": 46 }), batch()),
        shown(json!({ "deliver": "api-file", "max_rows": 4 }), batch()),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn the_vendors_limits_hold_for_the_api() {
    let emails: Vec<String> = (0..40_001).map(|i| format!("user{i}@b.co")).collect();
    let column = || ("email", emails.iter().map(|e| Some(e.as_str())).collect::<Vec<_>>());
    let counts = |more: Value, columns: &[(&str, Vec<Option<&str>>)]| -> Vec<(u64, usize, usize)> {
        let (_, host) = run(more, text_batch(columns));
        let breaks = |bytes: &[u8]| bytes.iter().filter(|b| matches!(b, b'\n' | b'\r')).count();
        host.parts().iter().map(|p| (p.records, breaks(&p.bytes), p.bytes.len())).collect()
    };
    let api = json!({ "deliver": "api-file" });
    let parts = counts(api.clone(), &[column()]);
    assert_eq!(parts.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(), [(39_999, 40_000), (2, 3)]);
    // Line breaks inside values are lines, too.
    let parts = counts(api.clone(), &[column(), ("street", vec![Some("1\n2"); 40_001])]);
    assert_eq!(
        parts.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(),
        [(19_999, 39_999), (19_999, 39_999), (3, 7)]
    );
    // Bytes: a row has more than 250, so 39,999 of them would be 10 MB.
    let wide = "x".repeat(250);
    let parts = counts(api, &[column(), ("street", vec![Some(wide.as_str()); 40_001])]);
    assert_eq!(parts.iter().map(|p| p.0).sum::<u64>(), 40_001);
    assert!(
        parts.len() == 3 && parts.iter().all(|p| p.2 <= 3_990_000) && parts[0].2 > 3_990_000 - 300,
        "{parts:?}"
    );
    // The upload page takes all of them at once.
    assert_eq!(counts(json!({}), &[column()]).len(), 1);
}

#[test]
fn limits_differ_between_the_forms() {
    let (street, zip) = ("s".repeat(51), "z".repeat(26));
    let batch = || {
        text_batch(&[
            ("email", vec![Some("a@b.co")]),
            ("work_street2", vec![Some(&street)]),
            ("zip", vec![Some(&zip)]),
        ])
    };
    let cut = json!({ "on_invalid": { "Zip / Postal Code": "truncate" } });
    let all =
        [shown(json!({}), batch()), shown(json!({ "deliver": "api-file" }), batch()), shown(cut, batch())];
    insta::assert_snapshot!(all.join("\n"));
}

fn notable() -> RecordBatch {
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("a"), Some("b")]);
    list.append_null();
    list.append_null();
    list.append_null();
    let long = format!("{}@example.com", "a".repeat(39));
    let texts = |values: [Option<&str>; 4]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let columns = vec![
        (
            "email",
            texts([
                Some("admin@example.com"),
                Some("Admin@example.org"),
                Some("nospam@example.com"),
                Some(&long),
            ]),
        ),
        ("phone", texts([Some("+442079460000"), Some("+14155550101"), None, None])),
        ("state", texts([Some("Texas"), Some("TX"), None, None])),
        ("country", texts([Some("US"), Some("US"), None, None])),
        ("cf:Favourite colours", Arc::new(list.finish()) as ArrayRef),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap()
}

#[test]
fn guide_for_the_upload_page() {
    let (written, _) = run(json!({ "max_rows": 3, "lists": ["Newsletter", "Customers"] }), notable());
    insta::assert_json_snapshot!(json!({ "problems": written.problems, "receipt": written.receipt }));
}

#[test]
fn guide_for_the_api() {
    let more = json!({
        "deliver": "api-file", "max_rows": 3, "consent": "consent", "sms_permission_to_send": "explicit",
        "list_ids": [LIST, "16a8e55c-9f1c-11ee-8c90-0242ac120002"],
    });
    let (written, _) = run(more, notable());
    insta::assert_json_snapshot!(json!({ "problems": written.problems, "receipt": written.receipt }));
}

#[test]
fn problems_with_columns_and_options() {
    let page = problems(
        json!({ "list_ids": [LIST] }),
        &[
            "Email Address",
            "email",
            "Frist Name",
            "Birthday",
            "birthday_day",
            "cf:",
            "cf: ",
            "cf:City",
            "cf:Plan",
            "cf:plan",
            "City",
            "cf:Job title",
            "mobile_phone",
        ],
    );
    let api = problems(
        options(json!({ "deliver": "api-file", "lists": ["Newsletter"] })),
        &[
            "first_name",
            "sms_number",
            "birthday_month",
            "home_street",
            "home_country",
            "cf:Favourite  colour",
            "cf:a\u{20}b",
            &format!("cf:{}", "x".repeat(51)),
        ],
    );
    let bad = problems(
        json!({
            "consent": { "needed": true }, "list_ids": ["x"], "api_base": "api.cc.email", "max_rows": 1_000_000,
            "max_bytes": 0, "sms_permission_to_send": "explicit",
            "on_invalid": { "Email Address": "truncate", "Birthday": "truncate", "frist_name": "reject_row" },
        }),
        &["email"],
    );
    insta::assert_snapshot!([page, api, bad].join("\n"));
}
