//! Users to deliver, some of them bad.

use serde_json::{Value, json};

/// What is to become of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The vendor has it at the end.
    Delivered,
    /// The connector rejects it: its address is none.
    BadAddress,
    /// The vendor rejects it, for what it has already.
    Taken,
}

/// A user.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) plan: &'static str,
    pub(crate) fate: Fate,
}

/// So many users; one in 97 has no address, one in 83 is taken where `taken` is set.
pub(crate) fn people(count: u64, taken: bool) -> Vec<Person> {
    let person = |n: u64| {
        let fate = match n {
            _ if n % 97 == 5 => Fate::BadAddress,
            _ if taken && n % 83 == 7 => Fate::Taken,
            _ => Fate::Delivered,
        };
        let email =
            if fate == Fate::BadAddress { format!("nobody {n}") } else { format!("user{n}@example.com") };
        Person {
            id: format!("auth0|{n:07}"),
            email,
            // A comma and a quote, as names have them.
            name: format!("User \"{n}\", the {}th", n % 10),
            plan: ["free", "pro", "team"][(n % 3) as usize],
            fate,
        }
    };
    (0..count).map(person).collect()
}

/// An export of them.
pub(crate) fn export(people: &[Person]) -> String {
    let line = |p: &Person| {
        let user: Value = json!({
            "user_id": p.id, "email": p.email, "name": p.name, "user_metadata": { "plan": p.plan },
        });
        format!("{user}\n")
    };
    people.iter().map(line).collect()
}

/// The ids of those with one of these fates, sorted.
pub(crate) fn ids(people: &[Person], fates: &[Fate]) -> Vec<String> {
    people.iter().filter(|p| fates.contains(&p.fate)).map(|p| p.id.clone()).collect()
}
