//! Auth0's two descriptions. No reply departs from them.

use std::sync::OnceLock;

use crate::contract::{Contract, Document};

pub(crate) fn contract() -> &'static Contract {
    static READ: OnceLock<Contract> = OnceLock::new();
    READ.get_or_init(|| Contract {
        documents: vec![
            Document::new("/api/v2", include_str!("../../openapi/auth0-management.json")),
            Document::new("", include_str!("../../openapi/auth0-authentication.json")),
        ],
        outside: &["/files/"], // the storage is another service
        in_links: &[],
        ending: "",
        exceptions: &[],
    })
}
