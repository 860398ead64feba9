//! Constant Contact's description, and where reality differs.

use std::sync::OnceLock;

use crate::contract::{Contract, Document, Exception};

const EXCEPTIONS: &[Exception] = &[Exception {
    line: "",
    holds: "status 429",
    reason: "limits hold for every call (sheet, 8), the description names them for activities only",
}];

pub(crate) fn contract() -> &'static Contract {
    static READ: OnceLock<Contract> = OnceLock::new();
    READ.get_or_init(|| Contract {
        documents: vec![
            Document::new("constant-contact", "/v3", include_str!("../../openapi/constant-contact.json")),
            Document::new("constant-contact-reads", "/v3", include_str!("reads.json")),
        ],
        outside: &["/oauth2/"], // in no document: the vendor has none of its tokens
        in_links: &["cursor"],
        ending: "",
        exceptions: EXCEPTIONS,
    })
}
