//! Claims with an agreed meaning (`docs/claims.md`).

/// OpenID Connect Core 1.0, section 5.1, then our own.
pub const CLAIMS: &[&str] = &[
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
    "company",
    "tags",
    "created_at",
    "consent",
    "last_login",
    "blocked",
];

/// Whether a name is one of [`CLAIMS`].
pub fn is_claim(name: &str) -> bool {
    CLAIMS.contains(&name)
}
