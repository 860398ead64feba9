//! Starting points of a [`Component`].

use schemars::JsonSchema;
use usher_abi::{Component, Consent, Role};

fn component<O: JsonSchema>(role: Role, name: &str, summary: &str) -> Component {
    Component {
        name: name.to_owned(),
        role,
        summary: summary.to_owned(),
        options: schemars::schema_for!(O).to_value(),
        attributes: Vec::new(),
        open: false,
        columns: Vec::new(),
        limits: Vec::new(),
        rate_limits: Vec::new(),
        custom_claim: None,
        consent: Consent::None,
        suspend: None,
    }
}

/// A source with the schema of its options `O`.
pub fn source<O: JsonSchema>(name: &str, summary: &str) -> Component {
    component::<O>(Role::Source, name, summary)
}

/// A transform with the schema of its options `O`.
pub fn transform<O: JsonSchema>(name: &str, summary: &str) -> Component {
    component::<O>(Role::Transform, name, summary)
}

/// A sink with the schema of its options `O`.
pub fn sink<O: JsonSchema>(name: &str, summary: &str) -> Component {
    component::<O>(Role::Sink, name, summary)
}
