//! Which property of the API a column becomes, as a table (OAS, DEV-USR).

/// How a cell becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    /// `true`, `false`.
    Boolean,
    /// Ids exceed 32 bits.
    Integer,
    /// `none` is null.
    Restriction,
    /// An array of texts.
    Tags,
    /// The first is the property; further ones are identities.
    Emails,
    Phones,
    /// A number: the property beside a flag.
    SharedPhone,
    Organizations,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Property {
    pub(crate) column: &'static str,
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers, and held by a test"))]
    source: &'static str,
}

const fn row(column: &'static str, name: &'static str, form: Form, source: &'static str) -> Property {
    Property { column, name, form, source }
}

const OAS: &str = "OAS";

/// The table, in the order of the columns. Custom fields are `user_fields`, by their key.
pub(crate) const PROPERTIES: &[Property] = &[
    row("name", "name", Form::Text, OAS),
    row("emails", "email", Form::Emails, "OAS: `email`, `identities[]` of type `email`"),
    row("ticket_restriction", "ticket_restriction", Form::Restriction, "OAS, DEV-USR: none is null"),
    row("external_id", "external_id", Form::Text, OAS),
    row("details", "details", Form::Text, OAS),
    row("notes", "notes", Form::Text, OAS),
    row("phones", "phone", Form::Phones, "OAS: `phone`, `identities[]` of type `phone_number`"),
    row("shared_phone", "phone", Form::SharedPhone, "OAS: `shared_phone_number` is a flag of `phone`"),
    row("role", "role", Form::Text, OAS),
    row("custom_role", "custom_role_id", Form::Integer, "OAS; names by `GET /api/v2/custom_roles`"),
    row("skip_verify_email", "skip_verify_email", Form::Boolean, "DEV-USR"),
    row("time_zone", "time_zone", Form::Text, "OAS, TZ"),
    row("locale", "locale", Form::Text, "OAS: wins over `locale_id`"),
    row("local_id", "locale_id", Form::Integer, OAS),
    row("moderator", "moderator", Form::Boolean, OAS),
    row("only_private_comments", "only_private_comments", Form::Boolean, OAS),
    row("remote_photo_url", "remote_photo_url", Form::Text, OAS),
    row("signature", "signature", Form::Text, OAS),
    row("suspended", "suspended", Form::Boolean, OAS),
    row("alias", "alias", Form::Text, OAS),
    row(
        "organizations",
        "organization",
        Form::Organizations,
        "OAS: `organization.name`, `organization_id`; DEV-USR",
    ),
    row("default_group_id", "default_group_id", Form::Integer, OAS),
    row("tags", "tags", Form::Tags, OAS),
    row("verified", "verified", Form::Boolean, "OAS, DEV-USR"),
];

/// The column behind a property, as vendors' errors name it.
pub(crate) fn column_of(property: &str) -> Option<&'static str> {
    PROPERTIES.iter().find(|row| row.name == property || row.column == property).map(|row| row.column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::{COLUMNS, CUSTOM};

    #[test]
    fn every_column_has_its_property() {
        let columns: Vec<&str> =
            COLUMNS.iter().map(|rule| rule.name).filter(|name| !name.starts_with(CUSTOM)).collect();
        let rows: Vec<&str> = PROPERTIES.iter().map(|row| row.column).collect();
        assert_eq!(rows, columns);
        assert!(PROPERTIES.iter().all(|row| !row.source.is_empty() && !row.name.is_empty()));
    }

    #[test]
    fn errors_find_their_column() {
        assert_eq!(column_of("email"), Some("emails"));
        assert_eq!(column_of("phone"), Some("phones"));
        assert_eq!(column_of("base"), None);
    }
}
