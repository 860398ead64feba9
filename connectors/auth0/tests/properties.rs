//! What holds for any records.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use proptest::prelude::*;
use serde_json::{Value, json};
use usher_testkit::{MemoryHost, ReadPlan, read_with, records};

const WANTED: [&str; 6] =
    ["user_id", "email_verified", "logins_count", "user_metadata.note", "user_metadata", "last_login"];

fn user() -> impl Strategy<Value = Value> {
    (any::<String>(), any::<Option<bool>>(), any::<Option<i64>>(), any::<Option<String>>(), any::<bool>())
        .prop_map(|(id, verified, count, note, flat)| {
            let mut user = json!({ "user_id": id, "email_verified": verified, "logins_count": count });
            if flat {
                user["user_metadata.note"] = json!(note);
            } else {
                user["user_metadata"] = json!({ "note": note, "n": [1, 2.5, null] });
            }
            user
        })
}

/// The rows as text, and how many records were rejected.
fn rows(input: &str, slab: usize, splits: u32) -> (String, usize) {
    let host = MemoryHost::new().with_input("in", input).slab_size(slab);
    let plan = ReadPlan { projection: Some(&WANTED), max_splits: splits };
    let read =
        read_with(usher_auth0::plugin(), "users", json!({ "input": "in", "escape": "on" }), &host, plan)
            .unwrap();
    (records(&read.batches), read.report.rejects.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_serde_json_writes_comes_back(users in prop::collection::vec(user(), 1..5), slab in 1usize..200, array in any::<bool>()) {
        let text = if array {
            serde_json::to_string(&users).unwrap()
        } else {
            users.iter().map(|u| format!("{u}\n")).collect()
        };
        let (whole, rejects) = rows(&text, 1 << 20, 1);
        prop_assert_eq!(rejects, 0);
        prop_assert_eq!(&rows(&text, slab, 3).0, &whole);
        let got: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(got.len(), users.len());
        for (got, user) in got.iter().zip(&users) {
            for name in ["user_id", "email_verified", "logins_count"] {
                prop_assert_eq!(&got[name], &user[name]);
            }
            let note = user.get("user_metadata.note").unwrap_or(&user["user_metadata"]["note"]);
            prop_assert_eq!(&got["user_metadata.note"], note);
            let metadata = user.get("user_metadata").map_or(Value::Null, |m| m.to_string().into());
            prop_assert_eq!(&got["user_metadata"], &metadata);
        }
    }

    #[test]
    fn what_the_exporter_writes_comes_back(
        users in prop::collection::vec((any::<String>(), any::<Option<bool>>(), any::<i64>()), 1..5), slab in 1usize..200,
    ) {
        // Every text quoted, with a `'` in front; everything else bare.
        let mut text = "user_id,email_verified,logins_count,user_metadata.note,user_metadata,last_login\n".to_owned();
        for (id, verified, count) in &users {
            let quoted = id.replace('"', "\"\"");
            let verified = verified.map_or(String::new(), |v| v.to_string());
            text.push_str(&format!("\"'{quoted}\",{verified},{count},\"'{quoted}\",,2023-05-01T10:20:30.456Z\n"));
        }
        let (whole, rejects) = rows(&text, 1 << 20, 1);
        prop_assert_eq!(rejects, 0);
        prop_assert_eq!(&rows(&text, slab, 3).0, &whole);
        let got: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for (got, (id, verified, count)) in got.iter().zip(&users) {
            prop_assert_eq!(&got["user_id"], &json!(id));
            prop_assert_eq!(&got["user_metadata.note"], &json!(id));
            prop_assert_eq!(&got["email_verified"], &json!(verified));
            prop_assert_eq!(&got["logins_count"], &json!(count));
            prop_assert_eq!(&got["last_login"], "2023-05-01T10:20:30.456Z");
        }
    }
}
