//! What is known of Auth0's profile attributes and of the headings that its exports use, as tables.
//!
//! Sources: `PROF` User Profile Structure, `NORM` Normalized User Profiles, `OAS` Management API (OpenAPI), `EXP` Bulk
//! User Exports, `EXT` the User Import/Export extension, `CC` Auth0's guide for Constant Contact, `OIDC` OpenID Connect
//! Core 1.0 §5.1 (attributes that identity providers pass on; the profile is open). The README has the addresses.

use usher_sdk::abi::ValueKind::{self, Any, Boolean, Integer, List, Text, Timestamp};

/// A profile attribute.
#[derive(Debug)]
pub(crate) struct Standard {
    pub(crate) path: &'static str,
    pub(crate) kind: ValueKind,
    /// The claim that it provides.
    pub(crate) claim: Option<&'static str>,
    /// Whether the CSV exporter puts a `'` before every value (it does before texts, not before its own dates).
    pub(crate) escaped: bool,
    pub(crate) summary: &'static str,
    /// Where it stands.
    pub(crate) source: &'static str,
}

const fn row(
    path: &'static str,
    kind: ValueKind,
    claim: &'static str,
    summary: &'static str,
    source: &'static str,
) -> Standard {
    let claim = if claim.is_empty() { None } else { Some(claim) };
    Standard { path, kind, claim, escaped: matches!(kind, Text), summary, source }
}

/// The attributes with a documented meaning.
pub(crate) const STANDARD: &[Standard] = &[
    row("user_id", Text, "sub", "`provider|id`, always there", "PROF"),
    row("email", Text, "email", "absent for some identity providers and for SMS users", "PROF"),
    row("email_verified", Boolean, "email_verified", "", "PROF"),
    row("username", Text, "preferred_username", "only where the connection uses it", "PROF"),
    row("phone_number", Text, "phone_number", "E.164; SMS users only", "OAS"),
    row("phone_verified", Boolean, "phone_number_verified", "SMS users only", "PROF"),
    row("name", Text, "name", "always generated; the email for database users who gave none", "NORM"),
    row("given_name", Text, "given_name", "", "PROF"),
    row("family_name", Text, "family_name", "", "PROF"),
    row("nickname", Text, "nickname", "always generated", "NORM"),
    row("picture", Text, "picture", "always generated", "NORM"),
    row("locale", Text, "locale", "as the identity provider writes it (`en`, `en_US`)", "OIDC"),
    row("zoneinfo", Text, "zoneinfo", "", "OIDC"),
    row("gender", Text, "gender", "", "OIDC"),
    row("birthdate", Text, "birthdate", "`YYYY-MM-DD` or `YYYY`", "OIDC"),
    row("created_at", Timestamp, "created_at", "", "PROF"),
    row("updated_at", Timestamp, "updated_at", "moves at each login", "PROF"),
    row("last_login", Timestamp, "last_login", "", "PROF"),
    row("last_ip", Text, "", "", "PROF"),
    row("logins_count", Integer, "", "", "PROF"),
    row("last_password_reset", Timestamp, "", "absent until the first reset", "PROF"),
    row("blocked", Boolean, "blocked", "usually absent unless set", "PROF"),
    row("multifactor", List, "", "providers enrolled, such as `duo`", "PROF"),
    row("multifactor_last_modified", Timestamp, "", "", "PROF"),
    row("identities", Any, "", "linked accounts, as JSON; tokens in it are never read", "PROF"),
    row("identities[0].connection", Text, "", "name of the primary connection", "OAS"),
    row("identities[0].provider", Text, "", "", "OAS"),
    row("identities[0].user_id", Any, "", "text or number", "OAS"),
    row("identities[0].isSocial", Boolean, "", "", "OAS"),
    row("user_metadata", Any, "", "as JSON; CSV exports hold single leaves only", "EXP"),
    row("app_metadata", Any, "", "as JSON; CSV exports hold single leaves only", "EXP"),
];

/// The row of an attribute.
pub(crate) fn standard(path: &str) -> Option<&'static Standard> {
    STANDARD.iter().find(|row| row.path == path)
}

/// Headings (CSV) and keys (`export_as` in NDJSON) that Auth0's own tools and guides give to attributes: heading,
/// attribute, source. Anything else is free text that only the option `headings` can explain.
pub(crate) const HEADINGS: &[(&str, &str, &str)] = &[
    ("Id", "user_id", "EXT"),
    ("Given Name", "given_name", "EXT"),
    ("Family Name", "family_name", "EXT"),
    ("Nickname", "nickname", "EXT"),
    ("Name", "name", "EXT"),
    ("Email", "email", "EXT"),
    ("Email Verified", "email_verified", "EXT"),
    ("Picture", "picture", "EXT"),
    ("Connection", "identities[0].connection", "EXT"),
    ("Created At", "created_at", "EXT"),
    ("Updated At", "updated_at", "EXT"),
    ("Email Address", "email", "CC"),
    ("First Name", "given_name", "CC"),
    ("Last Name", "family_name", "CC"),
];

/// Keys inside `identities` that are never read.
pub(crate) const TOKENS: &[&str] = &["access_token", "refresh_token"];

/// Why an attribute is never read, if so: Auth0 does not export it (`PROF`), or it is a credential (`OAS`).
pub(crate) fn refused(path: &str) -> Option<&'static str> {
    const NOT_EXPORTED: &[&str] = &["blocked_for", "guardian_authenticators", "tenant"];
    let root = path.split(['.', '[']).next().unwrap_or(path);
    let leaf = path.rsplit('.').next().unwrap_or(path);
    if NOT_EXPORTED.contains(&root) {
        Some("Auth0 does not export it")
    } else if root == "identities" && TOKENS.contains(&leaf) {
        Some("it is a credential of the user at the identity provider")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use usher_sdk::source::{Path, is_standard};

    use super::{HEADINGS, STANDARD, refused, standard};

    #[test]
    fn the_tables_agree_with_each_other() {
        for row in STANDARD {
            assert!(row.path.parse::<Path>().is_ok_and(|p| p.fits()), "{}", row.path);
            assert!(row.claim.is_none_or(is_standard), "{}", row.path);
            assert!(!row.source.is_empty(), "{}", row.path);
            assert!(refused(row.path).is_none(), "{}", row.path);
        }
        for (heading, path, source) in HEADINGS {
            assert!(standard(path).is_some(), "{heading}");
            assert!(!source.is_empty(), "{heading}");
        }
        let mut claims: Vec<_> = STANDARD.iter().filter_map(|row| row.claim).collect();
        claims.sort_unstable();
        let all = claims.len();
        claims.dedup();
        assert_eq!(claims.len(), all, "a claim comes from one attribute");
    }

    #[test]
    fn credentials_and_what_is_not_exported_are_refused() {
        for path in [
            "tenant",
            "blocked_for",
            "guardian_authenticators[0]",
            "identities[12].access_token",
            "identities[0].profileData.refresh_token",
        ] {
            assert!(refused(path).is_some(), "{path}");
        }
        for path in
            ["tenantid", "user_metadata.tenant", "user_metadata.access_token", "identities", "identities[0]"]
        {
            assert!(refused(path).is_none(), "{path}");
        }
    }
}
