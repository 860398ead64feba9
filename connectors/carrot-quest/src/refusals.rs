//! What a refusal of Carrot quest means, as a table: each row says where it stands.
//!
//! Source: `ERR`; the README has the address.

use usher_sdk::abi::{Error, ErrorClass};

use crate::api::Envelope;

/// One of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Users,
    Import,
    Props,
    User,
}

impl Call {
    fn name(self) -> &'static str {
        match self {
            Self::Users => "asking for the app's users",
            Self::Import => "importing a part",
            Self::Props => "setting a user's properties",
            Self::User => "reading a user back",
        }
    }

    /// What it sends that may be corrected.
    fn arguments(self) -> &'static str {
        match self {
            Self::Users => "`app`",
            Self::Import => "`app`, `merge_field`, `delimiter`, `tags`, or the columns",
            Self::Props => "`app`, or the columns",
            Self::User => "the ids in `$user_id`",
        }
    }
}

#[derive(Debug)]
struct Meaning {
    status: u16,
    error: &'static str,
    class: ErrorClass,
    code: &'static str,
    /// What to do next; `{arguments}` stands for what the call sends.
    help: &'static str,
}

const fn row(
    status: u16,
    error: &'static str,
    class: ErrorClass,
    code: &'static str,
    help: &'static str,
) -> Meaning {
    Meaning { status, error, class, code, help }
}

/// All of `ERR`. A status whose error has another name is read by its status alone.
const MEANINGS: &[Meaning] = &[
    row(
        400,
        "ValidationError",
        ErrorClass::PERMANENT,
        "carrot.validation",
        "correct what it names ({arguments})",
    ),
    row(
        400,
        "BadRequest",
        ErrorClass::PERMANENT,
        "carrot.bad-request",
        "correct what it names, or report it",
    ),
    row(
        400,
        "LookupError",
        ErrorClass::PERMANENT,
        "carrot.lookup",
        "an id was not found; see that `app` is the app of the token",
    ),
    row(
        401,
        "NotAuthenticated",
        ErrorClass::AUTH,
        "carrot.token",
        "the token is wrong or expired; take one from the admin panel (Settings > Developers > API keys) as `token` within \
         `api`",
    ),
    row(
        403,
        "PermissionDeniedError",
        ErrorClass::AUTH,
        "carrot.permission",
        "the token lacks a right; grant it in the admin panel (Settings > Developers > API keys), or take another token",
    ),
    row(
        404,
        "Error404",
        ErrorClass::PERMANENT,
        "carrot.no-method",
        "there is no such method; see `api_base`",
    ),
    row(
        405,
        "MethodNotAllowed",
        ErrorClass::PERMANENT,
        "carrot.wrong-verb",
        "the method takes no such request; see `api_base`",
    ),
    row(
        429,
        "TooManyRequests",
        ErrorClass::RATE_LIMITED,
        "carrot.rate-limited",
        "a key may make 60 requests a minute, whoever uses it, and far more get it blocked; wait, and run again",
    ),
    row(
        500,
        "Error500",
        ErrorClass::TRANSIENT,
        "carrot.unavailable",
        "Carrot quest has trouble; run again later with the same command",
    ),
];

/// The error of a reply that is no success.
pub(crate) fn refused(
    call: Call,
    status: u16,
    envelope: Option<&Envelope>,
    retry_after_ms: Option<u64>,
) -> Error {
    let name = envelope.map_or("", |envelope| envelope.error.as_str());
    let exact = MEANINGS.iter().find(|row| row.status == status && row.error == name);
    let by_status = || MEANINGS.iter().find(|row| row.status == status && status != 400);
    let (class, code, help) = match (exact.or_else(by_status), status) {
        (Some(row), _) => (row.class, row.code, row.help),
        (None, 408 | 500..=599) => (
            ErrorClass::TRANSIENT,
            "carrot.unavailable",
            "it has trouble; run again later with the same command",
        ),
        (None, _) => (
            ErrorClass::PERMANENT,
            "carrot.refused",
            "see `api_base`, and what stands between here and there",
        ),
    };
    let help = help.replace("{arguments}", call.arguments());
    let words = envelope.map_or("", |envelope| envelope.words.as_str());
    let said = match (name.is_empty(), words.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!(" ({name})"),
        (true, false) => format!(" ({words})"),
        (false, false) => format!(" ({name}: {words})"),
    };
    let mut error = Error::new(class, code, format!("{}: answered {status}{said}; {help}", call.name()))
        .details(serde_json::json!({ "status": status, "error": name }).to_string());
    error.retry_after_ms = retry_after_ms.unwrap_or(0);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        for (i, row) in MEANINGS.iter().enumerate() {
            assert!(!row.help.is_empty(), "{row:?}");
            let twice = MEANINGS[..i].iter().any(|o| (o.status, o.error) == (row.status, row.error));
            assert!(!twice, "{row:?}");
        }
    }

    #[test]
    fn other_answers_go_by_their_status() {
        let told = |status| {
            let error = refused(Call::Import, status, None, None);
            (error.class, error.code.to_string())
        };
        assert_eq!(told(400), (ErrorClass::PERMANENT, "carrot.refused".to_owned()));
        assert_eq!(told(401), (ErrorClass::AUTH, "carrot.token".to_owned()));
        assert_eq!(told(429), (ErrorClass::RATE_LIMITED, "carrot.rate-limited".to_owned()));
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(told(status), (ErrorClass::TRANSIENT, "carrot.unavailable".to_owned()));
        }
        for status in [301, 402, 413, 418] {
            assert_eq!(told(status), (ErrorClass::PERMANENT, "carrot.refused".to_owned()));
        }
        assert_eq!(refused(Call::User, 429, None, Some(3_000)).retry_after_ms, 3_000);
    }
}
