//! What a refusal of Zendesk means, as a table: each row says where it stands.

use usher_sdk::abi::{Error, ErrorClass};

/// One of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Me,
    Fields,
    Roles,
    Locales,
    Users,
    Organizations,
    /// Users by the hundred.
    Send,
    /// Organizations by the hundred.
    SendOrganizations,
    Jobs,
}

impl Call {
    /// Whether it writes.
    fn sends(self) -> bool {
        matches!(self, Self::Send | Self::SendOrganizations)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Me => "asking who this is",
            Self::Fields => "asking for the user fields",
            Self::Roles => "asking for the roles of agents",
            Self::Locales => "asking for the languages",
            Self::Users => "asking which users are there",
            Self::Organizations => "asking which organizations are there",
            Self::Send => "sending",
            Self::SendOrganizations => "creating organizations",
            Self::Jobs => "asking how far jobs are",
        }
    }
}

#[derive(Debug)]
struct Meaning {
    /// `None`: whatever is called.
    call: Option<Call>,
    status: u16,
    class: ErrorClass,
    code: &'static str,
    help: &'static str,
    source: &'static str,
}

const CREDENTIALS: &str = "compare the credentials in `api` with Admin Center > Apps and integrations > APIs, and see that \
                           access by API token is switched on there";

const WHOLE: &str = "Zendesk does not take what was sent as a whole; report it";
const LARGE: &str =
    "the request is larger than Zendesk takes, which names no limit; shorten long texts, or report it";
const CORRECT: &str =
    "Zendesk does not take what was sent as a whole; correct what it names in `fields`, and run again";
/// DEV-REQ, security-and-auth: an OAuth token may do what its scopes say.
const SCOPE: &str = "; an OAuth token also needs the scope `write`";

const MEANINGS: &[Meaning] = &[
    Meaning {
        call: None,
        status: 401,
        class: ErrorClass::AUTH,
        code: "api.credentials",
        help: CREDENTIALS,
        source: "DEV-REQ",
    },
    Meaning {
        call: Some(Call::Send),
        status: 403,
        class: ErrorClass::AUTH,
        code: "api.imports",
        help: "data imports are not enabled for the account (its owner asks Zendesk Customer Support for them), or these \
               credentials are not those of an administrator or of an agent whose custom role may manage users",
        source: "DEV-USR, KB-USR, OAS",
    },
    Meaning {
        call: Some(Call::SendOrganizations),
        status: 403,
        class: ErrorClass::AUTH,
        code: "api.right",
        help: "these credentials are not those of an administrator or of an agent who may manage organizations; use an \
               administrator's, or say the ids of organizations that are there in `organization_ids`",
        source: "DEV-ORG",
    },
    Meaning {
        call: Some(Call::Roles),
        status: 403,
        class: ErrorClass::AUTH,
        code: "api.right",
        help: "only Enterprise plans have custom roles, and only agents may see them; leave `custom_role` out on other plans",
        source: "OAS",
    },
    Meaning {
        call: None,
        status: 403,
        class: ErrorClass::AUTH,
        code: "api.right",
        help: "use the credentials of an administrator",
        source: "DEV-REQ, OAS",
    },
    Meaning {
        call: Some(Call::Me),
        status: 404,
        class: ErrorClass::PERMANENT,
        code: "api.subdomain",
        help: "no account has this `subdomain`; write what stands before `.zendesk.com` in the account's address",
        source: "NODE",
    },
    Meaning {
        call: Some(Call::Roles),
        status: 404,
        class: ErrorClass::PERMANENT,
        code: "api.right",
        help: "only Enterprise plans have custom roles; leave `custom_role` out on other plans",
        source: "OAS",
    },
    Meaning {
        call: None,
        status: 404,
        class: ErrorClass::PERMANENT,
        code: "api.refused",
        help: "compare `subdomain` with the account's address",
        source: "ZENPY, NODE",
    },
    Meaning {
        call: Some(Call::Send),
        status: 400,
        class: ErrorClass::PERMANENT,
        code: "api.refused",
        help: WHOLE,
        source: "DEV-REQ, ZENPY",
    },
    Meaning {
        call: Some(Call::Send),
        status: 413,
        class: ErrorClass::PERMANENT,
        code: "api.refused",
        help: LARGE,
        source: "RFC 9110",
    },
    Meaning {
        call: Some(Call::Send),
        status: 422,
        class: ErrorClass::PERMANENT,
        code: "api.refused",
        help: CORRECT,
        source: "DEV-REQ",
    },
    Meaning {
        call: Some(Call::SendOrganizations),
        status: 400,
        class: ErrorClass::PERMANENT,
        code: "api.refused",
        help: WHOLE,
        source: "DEV-REQ, ZENPY",
    },
    Meaning {
        call: Some(Call::SendOrganizations),
        status: 413,
        class: ErrorClass::PERMANENT,
        code: "api.refused",
        help: LARGE,
        source: "RFC 9110",
    },
    Meaning {
        call: Some(Call::SendOrganizations),
        status: 422,
        class: ErrorClass::PERMANENT,
        code: "api.refused",
        help: CORRECT,
        source: "DEV-REQ",
    },
    Meaning {
        call: None,
        status: 429,
        class: ErrorClass::RATE_LIMITED,
        code: "api.rate-limited",
        help: "the account's rate limit is used up; wait, and run again",
        source: "DEV-RATE",
    },
];

/// The error of a reply that is no success; `words` are Zendesk's own.
pub(crate) fn refused(
    call: Call,
    status: u16,
    words: Option<&str>,
    retry_after_ms: Option<u64>,
    by_oauth: bool,
) -> Error {
    let of = |call: Option<Call>| MEANINGS.iter().find(move |row| row.call == call && row.status == status);
    let known = of(Some(call)).or_else(|| of(None));
    let (class, code, help) = match (known, status) {
        (Some(row), _) => (row.class, row.code, row.help),
        (None, 408 | 500..=599) => (
            ErrorClass::TRANSIENT,
            "api.unavailable",
            "it has trouble; run again later, which goes on where this ended",
        ),
        (None, 300..=399) => (
            ErrorClass::PERMANENT,
            "api.refused",
            "it points elsewhere; compare `subdomain` with the account's address",
        ),
        (None, _) => (
            ErrorClass::PERMANENT,
            "api.refused",
            "what it means is not documented for this call; see what Zendesk says, and report it",
        ),
    };
    let scope = if by_oauth && status == 403 && call.sends() { SCOPE } else { "" };
    let words = words.map_or(String::new(), |words| format!(" ({words})"));
    let message = format!("{}: Zendesk answered {status}{words}; {help}{scope}", call.name());
    let source = known.map(|row| row.source);
    let mut error = Error::new(class, code, message)
        .details(serde_json::json!({ "status": status, "source": source }).to_string());
    error.retry_after_ms = retry_after_ms.unwrap_or(0);
    error
}

/// The error of an anonymous user, whom a wrong token makes of everybody (NODE).
pub(crate) fn anonymous() -> Error {
    let message = format!(
        "Zendesk takes whoever asks for an anonymous user: these credentials are wrong; {CREDENTIALS}"
    );
    Error::new(ErrorClass::AUTH, "api.credentials", message)
}

/// The error of a success that cannot be read.
pub(crate) fn unreadable(call: Call, what: &str) -> Error {
    let message = format!(
        "{}: Zendesk answered something that is not {what}; see whether `subdomain` is right, and what the address answers",
        call.name()
    );
    Error::data("api.reply", message)
}

#[cfg(test)]
mod tests {
    use usher_sdk::abi::ErrorClass;

    use super::{Call, MEANINGS, refused};

    const ALL: [Call; 9] = [
        Call::Me,
        Call::Fields,
        Call::Roles,
        Call::Locales,
        Call::Users,
        Call::Organizations,
        Call::Send,
        Call::SendOrganizations,
        Call::Jobs,
    ];

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
    fn a_403_speaks_of_what_was_called() {
        let told = |call, by_oauth| refused(call, 403, None, None, by_oauth).to_string();
        assert!(told(Call::Send, false).contains("imports are not enabled"));
        assert!(!told(Call::SendOrganizations, false).contains("imports"));
        for (call, by_oauth, scope) in [
            (Call::Send, true, true),
            (Call::SendOrganizations, true, true),
            (Call::Send, false, false),
            (Call::Fields, true, false),
        ] {
            assert_eq!(told(call, by_oauth).contains("scope `write`"), scope, "{call:?}");
        }
    }

    #[test]
    fn other_statuses_go_by_their_hundreds() {
        for call in ALL {
            let class = |status| refused(call, status, None, None, false).class;
            assert_eq!(
                (class(401), class(403), class(429)),
                (ErrorClass::AUTH, ErrorClass::AUTH, ErrorClass::RATE_LIMITED)
            );
            for status in [408, 500, 502, 503, 504] {
                assert_eq!(class(status), ErrorClass::TRANSIENT, "{status}");
            }
            for status in [301, 404, 405, 410, 418] {
                assert_eq!(class(status), ErrorClass::PERMANENT, "{status}");
            }
        }
        assert_eq!(refused(Call::Jobs, 429, None, Some(3_000), false).retry_after_ms, 3_000);
    }
}
