//! Checks of single values that only Zendesk asks for.

use usher_sdk::checks::{Fault, Verdict, shown};

use crate::options::RoleSpelling;

/// A BCP 47 language tag; the POSIX form is rewritten (`en_US.UTF-8` → `en-US`, rule `bcp47`), capitals stay as they
/// are. Anything else is `locale.syntax`.
pub(crate) fn locale(value: &str, out: &mut String) -> Verdict {
    let bare = value.trim();
    let bare = bare.split(['.', '@']).next().unwrap_or(bare);
    let mut subtags = bare.split(['-', '_']);
    let language = subtags.next().unwrap_or_default();
    let good = matches!(language.len(), 2 | 3)
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && subtags.all(|tag| matches!(tag.len(), 1..=8) && tag.bytes().all(|b| b.is_ascii_alphanumeric()));
    if !good {
        return Verdict::Bad(Fault::new(
            "locale.syntax",
            format!("{} is not a language tag such as en-US", shown(value)),
        ));
    }
    if bare == value && !bare.contains('_') {
        return Verdict::Keep;
    }
    out.extend(bare.chars().map(|c| if c == '_' { '-' } else { c }));
    Verdict::Changed("bcp47")
}

/// An id of the account: digits; anything else is `value.not-id`.
pub(crate) fn id(value: &str, out: &mut String) -> Verdict {
    let trimmed = value.trim();
    if trimmed.is_empty() || !trimmed.bytes().all(|b| b.is_ascii_digit()) {
        return Verdict::Bad(Fault::new("value.not-id", format!("{} is not an id of digits", shown(value))));
    }
    if trimmed.len() == value.len() {
        return Verdict::Keep;
    }
    out.push_str(trimmed);
    Verdict::Changed("trim")
}

/// An address of the web; anything else is `value.not-url`.
pub(crate) fn url(value: &str, out: &mut String) -> Verdict {
    let trimmed = value.trim();
    let rest = trimmed.strip_prefix("https://").or_else(|| trimmed.strip_prefix("http://"));
    let good = rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with('/')
            && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
    });
    if !good {
        let message = format!("{} is not an address that begins with https:// or http://", shown(value));
        return Verdict::Bad(Fault::new("value.not-url", message));
    }
    if trimmed.len() == value.len() {
        return Verdict::Keep;
    }
    out.push_str(trimmed);
    Verdict::Changed("trim")
}

/// One of the five restrictions; other capitals are lowered (rule `lower`), anything else is `restriction.unknown`.
pub(crate) fn restriction(value: &str, out: &mut String) -> Verdict {
    const VALUES: [&str; 5] = ["assigned", "groups", "none", "organization", "requested"];
    if VALUES.contains(&value) {
        return Verdict::Keep;
    }
    let trimmed = value.trim();
    match VALUES.iter().find(|known| known.eq_ignore_ascii_case(trimmed)) {
        Some(known) => {
            out.push_str(known);
            Verdict::Changed("lower")
        }
        None => {
            let message = format!("{} is none of {}", shown(value), VALUES.join(", "));
            Verdict::Bad(Fault::new("restriction.unknown", message))
        }
    }
}

/// A role in the spelling of the option `role_spelling` (rule `role-spelling`); anything else is `role.unknown`. The API
/// knows administrators, the data importer does not (OAS, KB-USR).
pub(crate) fn role(spelling: RoleSpelling, by_api: bool, value: &str, out: &mut String) -> Verdict {
    let trimmed = value.trim();
    let (lower, capital) = if is_end_user(trimmed) {
        ("end-user", "End-user")
    } else if trimmed.eq_ignore_ascii_case("agent") {
        ("agent", "Agent")
    } else if by_api && is_admin(trimmed) {
        ("admin", "Admin")
    } else {
        let why = if by_api {
            "is none of `end-user`, `agent` and `admin`"
        } else if is_admin(trimmed) {
            "cannot be given by an import; make people administrators in Admin Center"
        } else {
            "is neither `end-user` nor `agent`"
        };
        return Verdict::Bad(Fault::new("role.unknown", format!("{} {why}", shown(value))));
    };
    let right = if spelling == RoleSpelling::Lower { lower } else { capital };
    if value == right {
        return Verdict::Keep;
    }
    out.push_str(right);
    Verdict::Changed("role-spelling")
}

/// Whether a role is that of an administrator, in any spelling.
pub(crate) fn is_admin(role: &str) -> bool {
    role.eq_ignore_ascii_case("admin")
}

/// Whether a role is that of an end user, in any spelling.
pub(crate) fn is_end_user(role: &str) -> bool {
    ["end-user", "end_user", "end user"].iter().any(|known| known.eq_ignore_ascii_case(role))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(check: impl Fn(&str, &mut String) -> Verdict, value: &str) -> String {
        let mut out = String::new();
        match check(value, &mut out) {
            Verdict::Keep => format!("keep {value}"),
            Verdict::Changed(rule) => format!("{rule} -> {out}"),
            Verdict::Bad(fault) => format!("{}: {}", fault.code, fault.message),
        }
    }

    #[test]
    fn locales() {
        for good in ["fr", "en-US", "es-419", "zh-cn", "zh-Hant-TW", "en-US-x-12"] {
            assert_eq!(run(locale, good), format!("keep {good}"));
        }
        assert_eq!(run(locale, "en_US"), "bcp47 -> en-US");
        assert_eq!(run(locale, "fr_FR.UTF-8"), "bcp47 -> fr-FR");
        assert_eq!(run(locale, "de_AT@euro"), "bcp47 -> de-AT");
        assert_eq!(run(locale, " fr"), "bcp47 -> fr");
        for bad in ["C", "POSIX", "english", "e", "en--US", "en-", "12", "français"] {
            assert!(run(locale, bad).starts_with("locale.syntax: "), "{bad}");
        }
    }

    #[test]
    fn roles() {
        let lower = |value: &str, out: &mut String| role(RoleSpelling::Lower, false, value, out);
        let capital = |value: &str, out: &mut String| role(RoleSpelling::Capital, false, value, out);
        assert_eq!(run(lower, "end-user"), "keep end-user");
        assert_eq!(run(lower, "Agent"), "role-spelling -> agent");
        assert_eq!(run(capital, "end user"), "role-spelling -> End-user");
        assert_eq!(run(capital, "Agent"), "keep Agent");
        assert!(run(lower, "admin").contains("Admin Center"));
        assert!(run(lower, "boss").starts_with("role.unknown: `boss` is neither"));
    }

    #[test]
    fn ids_addresses_and_restrictions() {
        assert_eq!(run(id, "6164063675162"), "keep 6164063675162");
        assert_eq!(run(id, " 7 "), "trim -> 7");
        assert!(run(id, "-1").starts_with("value.not-id"));
        assert_eq!(run(url, "https://example.com/a.png"), "keep https://example.com/a.png");
        assert!(run(url, "example.com/a.png").starts_with("value.not-url"));
        assert!(run(url, "https:///a b").starts_with("value.not-url"));
        assert_eq!(run(restriction, "Requested"), "lower -> requested");
        assert!(run(restriction, "organisation").starts_with("restriction.unknown"));
    }
}
