//! Users that nobody is.

use serde_json::{Value, json};

const GIVEN: [&str; 8] = ["Ada", "Ève", "Jürgen", "日向", "Beth", "Carlos", "Nadia", "Ōmi"];
const FAMILY: [&str; 8] =
    ["Lovelace", "O'Neil", "Groß", "田中", "'t Hooft", "de la Cruz", "Abara", "Smith, Jr."];
const PLANS: [&str; 4] = ["free", "team", "business", "=1+1"];

/// So many users, always the same: `user0@example.com` and on. Some lack names, plans and consent, as people do; all
/// have an address and an id of their own.
pub fn made_up(count: usize) -> Vec<Value> {
    (0..count).map(made).collect()
}

fn made(number: usize) -> Value {
    let id = format!("{number:024x}");
    let email = format!("user{number}@example.com");
    let (given, family) = (GIVEN[number % 8], FAMILY[number / 8 % 8]);
    let day = number % 28 + 1;
    let mut user = json!({
        "user_id": format!("auth0|{id}"),
        "email": email,
        "email_verified": !number.is_multiple_of(10),
        "name": email,
        "nickname": format!("user{number}"),
        "picture": format!("https://example.com/avatars/{number}.png"),
        "created_at": format!("2023-05-{day:02}T10:20:30.456Z"),
        "updated_at": format!("2024-05-{day:02}T00:00:00.000Z"),
        "last_login": format!("2024-05-{day:02}T00:00:00.000Z"),
        "logins_count": number,
        "identities": [{
            "user_id": id,
            "provider": "auth0",
            "connection": "Username-Password-Authentication",
            "isSocial": false,
        }],
    });
    if !number.is_multiple_of(7) {
        user["given_name"] = json!(given);
        user["family_name"] = json!(family);
        user["name"] = json!(format!("{given} {family}"));
    }
    if !number.is_multiple_of(3) {
        let consent = json!({ "given": !number.is_multiple_of(5), "date": "2024-03-31" });
        user["user_metadata"] = json!({ "plan": PLANS[number % 4], "consent": consent });
    }
    user
}
