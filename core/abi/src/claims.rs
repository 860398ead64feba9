//! Claims: user attributes with an agreed meaning. Sources say which of their attributes provide them, sinks which of
//! their columns want them.

/// The claims that have a meaning everywhere: OpenID Connect Core 1.0 §5.1, and our own (`docs/claims.md`).
pub const STANDARD_CLAIMS: &[&str] = &[
    // OpenID Connect Core 1.0 §5.1
    "sub",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "email_verified",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_number_verified",
    "address",
    "updated_at",
    // our own
    "blocked",
    "company",
    "consent",
    "created_at",
    "job_title",
    "last_login",
    "organizations",
    "tags",
];

/// Whether a claim has an agreed meaning; a chain's other claims become custom fields of a vendor.
pub fn is_standard(claim: &str) -> bool {
    STANDARD_CLAIMS.contains(&claim)
}
