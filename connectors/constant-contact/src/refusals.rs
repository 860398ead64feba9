//! What a refusal of Constant Contact means, as a table: each row says where it stands.
//!
//! Sources: `OAS`, `EVAN`, `STAFF-*`; the README has the addresses.

use usher_sdk::abi::{Error, ErrorClass};

use crate::api::Refusal;

#[derive(Debug)]
struct Meaning {
    status: u16,
    class: ErrorClass,
    code: &'static str,
    /// What to do next.
    help: &'static str,
    /// Where it stands.
    source: &'static str,
}

const fn row(
    status: u16,
    class: ErrorClass,
    code: &'static str,
    help: &'static str,
    source: &'static str,
) -> Meaning {
    Meaning { status, class, code, help, source }
}

const MEANINGS: &[Meaning] = &[
    row(
        400,
        ErrorClass::PERMANENT,
        "import.refused",
        "see what it says: a list or a custom field may have been deleted meanwhile, which `usher check --online` finds",
        "OAS",
    ),
    row(
        401,
        ErrorClass::AUTH,
        "import.token",
        "the access token was not taken, and neither was a new one; log in again with `usher login`",
        "OAS",
    ),
    row(
        403,
        ErrorClass::AUTH,
        "import.scope",
        "the login lacks the scope `contact_data`, the user the right to change contacts, or the application is disabled; \
         see the application in the developer portal, and log in again with `usher login`",
        "OAS",
    ),
    row(
        404,
        ErrorClass::PERMANENT,
        "import.not-found",
        "a list, a tag or the address of the API does not exist; run `usher plan`, which looks them up",
        "OAS",
    ),
    row(
        409,
        ErrorClass::PERMANENT,
        "import.conflict",
        "something of that name exists, or was changed at the same time; run again",
        "OAS",
    ),
    row(
        415,
        ErrorClass::PERMANENT,
        "import.content-type",
        "the file was not taken as one of CSV; report it",
        "OAS",
    ),
];

/// The error of a reply that is no success. `call` says what was done (`asking for the lists`).
pub(crate) fn refused(call: &str, refusal: &Refusal) -> Error {
    let status = refusal.status;
    let known = MEANINGS.iter().find(|row| row.status == status);
    let (class, code, help) = match (known, status) {
        (Some(row), _) => (row.class, row.code, row.help),
        (None, 429) => (
            ErrorClass::RATE_LIMITED,
            "import.throttled",
            "too many requests, or 1,000 imports are waiting (OAS); run again later",
        ),
        (None, 408 | 500..=599) => {
            (ErrorClass::TRANSIENT, "import.unavailable", "Constant Contact has trouble; run again later")
        }
        (None, _) => (ErrorClass::PERMANENT, "import.refused", "see what it says, and `api_base`"),
    };
    let message = format!("{call}: answered {status}{}; {help}", refusal.words());
    let details =
        serde_json::json!({ "status": status, "error_key": refusal.key, "source": known.map(|k| k.source) });
    Error::new(class, code, message).details(details.to_string())
}

/// The error of a day whose requests are used up (EVAN: they come back at 00:00 UTC, and asking today again is no use).
pub(crate) fn quota(call: &str, refusal: &Refusal, now_ms: u64) -> Error {
    const DAY_MS: u64 = 86_400_000;
    let wait = DAY_MS - now_ms % DAY_MS;
    let minutes = wait.div_ceil(60_000);
    let message = format!(
        "{call}: answered 429{}; the application's 10,000 requests of this day are used up; run the same command again \
         after 00:00 UTC, in {} h {} min, and it goes on from here",
        refusal.words(),
        minutes / 60,
        minutes % 60
    );
    let mut error = Error::new(ErrorClass::RATE_LIMITED, "import.quota", message);
    error.retry_after_ms = wait;
    error
}

/// What the host says when it has counted a day's requests itself, with what the vendor says of days.
pub(crate) fn day_is_used_up(error: Error) -> Error {
    const MINUTE_MS: u64 = 60_000;
    if error.code == "http.rate-limit" && error.retry_after_ms > MINUTE_MS {
        error.context(DAY)
    } else {
        error
    }
}

/// When a day of the vendor begins (EVAN).
pub(crate) const DAY: &str = "the application's 10,000 requests of a day are used up, as far as they were counted here; \
                              Constant Contact counts from 00:00 UTC, so run the same command again after that";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        for (i, row) in MEANINGS.iter().enumerate() {
            assert!(!row.source.is_empty() && !row.help.is_empty(), "{row:?}");
            assert!(MEANINGS[..i].iter().all(|other| other.status != row.status), "{row:?}");
        }
        let class = |status| refused("x", &Refusal { status, ..Refusal::default() }).class;
        assert_eq!([408, 500, 502, 503].map(class), [ErrorClass::TRANSIENT; 4]);
        assert_eq!([405, 410, 301].map(class), [ErrorClass::PERMANENT; 3]);
        assert_eq!(class(429), ErrorClass::RATE_LIMITED);
    }

    #[test]
    fn a_day_ends_at_midnight() {
        let error =
            quota("x", &Refusal { status: 429, ..Refusal::default() }, 86_400_000 * 20_000 + 84_590_000);
        assert_eq!(error.retry_after_ms, 1_810_000);
        assert!(error.message.contains("in 0 h 31 min"), "{error}");
    }
}
