//! What a refusal of Auth0 means, as a table: each row says where it stands.
//!
//! Sources: `AUTH`, `OAS`, `EXP`, `COMM`, `RATE`; the README has the addresses.

use usher_sdk::abi::{Error, ErrorClass};

/// One of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Token,
    Order,
    Job,
    Download,
}

impl Call {
    fn name(self) -> &'static str {
        match self {
            Self::Token => "asking for a token",
            Self::Order => "ordering the export",
            Self::Job => "asking how far the export is",
            Self::Download => "downloading the export",
        }
    }
}

#[derive(Debug)]
struct Meaning {
    call: Call,
    status: u16,
    class: ErrorClass,
    code: &'static str,
    /// What to do next.
    help: &'static str,
    /// Where it stands.
    source: &'static str,
}

const fn row(
    call: Call,
    status: u16,
    class: ErrorClass,
    code: &'static str,
    help: &'static str,
    source: &'static str,
) -> Meaning {
    Meaning { call, status, class, code, help, source }
}

const MEANINGS: &[Meaning] = &[
    row(
        Call::Token,
        400,
        ErrorClass::PERMANENT,
        "export.refused",
        "see that the application in the Dashboard is of the kind machine to machine",
        "AUTH",
    ),
    row(
        Call::Token,
        401,
        ErrorClass::AUTH,
        "export.credentials",
        "compare `client_id` and `client_secret` with the settings of the application in the Dashboard",
        "AUTH",
    ),
    row(
        Call::Token,
        403,
        ErrorClass::AUTH,
        "export.audience",
        "authorise the application for the Management API in the Dashboard, and give the tenant's own domain as `domain`",
        "AUTH, COMM",
    ),
    row(
        Call::Token,
        429,
        ErrorClass::RATE_LIMITED,
        "export.rate-limited",
        "the quota of tokens is used up; wait, and run again",
        "RATE",
    ),
    row(
        Call::Order,
        400,
        ErrorClass::PERMANENT,
        "export.refused",
        "see that `connection_id` is the id of a connection of this tenant, and that the attributes are paths",
        "OAS",
    ),
    row(
        Call::Order,
        401,
        ErrorClass::AUTH,
        "export.token",
        "the token was not taken; see that the application is of the kind machine to machine and `domain` its tenant's",
        "OAS",
    ),
    row(
        Call::Order,
        403,
        ErrorClass::AUTH,
        "export.scope",
        "grant the application the scope `read:users` of the Management API",
        "OAS",
    ),
    row(
        Call::Order,
        429,
        ErrorClass::RATE_LIMITED,
        "export.rate-limited",
        "the tenant's rate limit is used up; wait, and run again",
        "OAS, RATE",
    ),
    row(
        Call::Job,
        401,
        ErrorClass::AUTH,
        "export.token",
        "the token was not taken; run again, which takes the same export up",
        "OAS",
    ),
    row(
        Call::Job,
        403,
        ErrorClass::AUTH,
        "export.scope",
        "grant the application the scope `create:users` of the Management API beside `read:users`, and run again",
        "OAS (its security section names `read:users`, too; the text of its 403 names only `create:users`)",
    ),
    row(
        Call::Job,
        404,
        ErrorClass::PERMANENT,
        "export.job-gone",
        "Auth0 deletes exports after 24 hours; run again",
        "OAS, EXP",
    ),
    row(
        Call::Job,
        429,
        ErrorClass::RATE_LIMITED,
        "export.rate-limited",
        "the tenant's rate limit is used up; wait, and run again, which takes the same export up",
        "OAS, RATE",
    ),
];

/// The error of a reply that is no success; `words` are Auth0's own.
pub(crate) fn refused(call: Call, status: u16, words: Option<&str>, retry_after_ms: Option<u64>) -> Error {
    let known = MEANINGS.iter().find(|row| row.call == call && row.status == status);
    let (class, code, help) = match (known, status) {
        (Some(row), _) => (row.class, row.code, row.help),
        (None, 429) => (ErrorClass::RATE_LIMITED, "export.rate-limited", "wait, and run again"),
        (None, 408 | 500..=599) => (
            ErrorClass::TRANSIENT,
            "export.unavailable",
            "it has trouble; run again later, which takes an export that was ordered up",
        ),
        (None, _) if call == Call::Download => (
            ErrorClass::PERMANENT,
            "export.download",
            "the link may have expired; run again, which orders a new export if need be",
        ),
        (None, _) => {
            (ErrorClass::PERMANENT, "export.refused", "see `domain` and the tenant's logs in the Dashboard")
        }
    };
    let words = words.map_or(String::new(), |words| format!(" ({words})"));
    let message = format!("{}: answered {status}{words}; {help}", call.name());
    let source = known.map(|row| row.source);
    let mut error = Error::new(class, code, message)
        .details(serde_json::json!({ "status": status, "source": source }).to_string());
    error.retry_after_ms = retry_after_ms.unwrap_or(0);
    error
}

#[cfg(test)]
mod tests {
    use usher_sdk::abi::ErrorClass;

    use super::{Call, MEANINGS, refused};

    #[test]
    fn the_table_is_whole() {
        for (i, row) in MEANINGS.iter().enumerate() {
            assert!(!row.source.is_empty() && !row.help.is_empty(), "{row:?}");
            let twice =
                MEANINGS[..i].iter().any(|other| (other.call, other.status) == (row.call, row.status));
            assert!(!twice, "{row:?}");
        }
    }

    #[test]
    fn other_statuses_go_by_their_hundreds() {
        let class = |call, status| refused(call, status, None, None).class;
        for call in [Call::Token, Call::Order, Call::Job, Call::Download] {
            assert_eq!(class(call, 429), ErrorClass::RATE_LIMITED);
            for status in [408, 500, 502, 503, 504] {
                assert_eq!(class(call, status), ErrorClass::TRANSIENT, "{status}");
            }
            for status in [301, 405, 410, 418] {
                assert_eq!(class(call, status), ErrorClass::PERMANENT, "{status}");
            }
        }
        assert_eq!(refused(Call::Job, 429, None, Some(3_000)).retry_after_ms, 3_000);
    }
}
