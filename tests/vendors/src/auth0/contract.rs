//! Auth0's two descriptions. No reply departs from them.

use std::sync::OnceLock;

use crate::contract::{Contract, Document};

pub(crate) fn contract() -> &'static Contract {
    static READ: OnceLock<Contract> = OnceLock::new();
    READ.get_or_init(|| Contract {
        documents: vec![
            Document::new("auth0-management", "/api/v2", include_str!("../../openapi/auth0-management.json")),
            Document::new(
                "auth0-authentication",
                "",
                include_str!("../../openapi/auth0-authentication.json"),
            ),
        ],
        outside: &["/files/"], // the storage is another service
        in_links: &[],
        ending: "",
        exceptions: &[],
    })
}
