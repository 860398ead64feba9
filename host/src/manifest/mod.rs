//! The manifest: `connectors.toml` read, checked and kept with its places.
//!
//! Everything is read by hand from the TOML tree, so that all problems are found in one go and each can point at
//! its line, its key and the nearest right spelling. What a plugin says of its options comes later
//! ([`check_options`]), with the same places.
//!
//! | File | What it holds |
//! |---|---|
//! | `place.rs` | byte spans, lines and columns, dotted keys |
//! | `tree.rs` | the TOML as a plain tree with spans |
//! | `source.rs` | text + tree + flags: where a key stands |
//! | `overrides.rs` | `--set key=value` |
//! | `secrets.rs` | `${env:NAME}`, `${file:path}`, redaction |
//! | `model.rs`, `manifest.rs` | the types that the rest of the host works with |
//! | `load.rs`, `read.rs`, `connector.rs`, `changed_only.rs`, `jail.rs`, `chain.rs`, `rejects.rs`, `retention.rs`, `unique.rs`, `references.rs` | from text to types |
//! | `schema.rs`, `alternatives.rs`, `expected.rs`, `written_secrets.rs` | JSON Schema, the part that plugins use |
//! | `options.rs` | a connector's options against its component |
//! | `edit.rs`, `lines.rs`, `save.rs` | the text with a few changes; what changed in it; the file, replaced |
//! | `editor.rs` | the JSON Schema of the manifest itself |
//! | `diagnostic.rs`, `render.rs` | what is said, and how it looks |

mod alternatives;
mod chain;
mod changed_only;
mod connector;
mod diagnostic;
mod digest;
mod edit;
mod editor;
mod expected;
mod jail;
mod lines;
mod load;
#[expect(clippy::module_inception, reason = "the file is named after the type that the folder is about")]
mod manifest;
mod model;
mod options;
mod overrides;
mod place;
mod read;
mod references;
mod rejects;
mod render;
mod retention;
mod save;
mod schema;
mod secrets;
mod source;
mod tree;
mod unique;
mod written_secrets;

#[cfg(test)]
mod tests;

pub use diagnostic::{Diagnostic, Severity};
pub use edit::Edit;
pub use editor::json_schema;
pub use lines::{Hunk, changed_lines};
pub use load::{Draft, Lookup};
pub use manifest::Manifest;
pub use model::{
    Chain, ChangedOnly, Claim, Connector, Exclude, Field, Isolation, Jail, Keep, MaxRejects, OnMissing,
    Retention, Text, Unique,
};
pub use options::{check_options, unknown_options, written_secrets};
pub use overrides::Overrides;
pub use place::{KeyPath, Location, Span};
pub use rejects::RejectRecord;
pub use render::{render, render_file};
pub use save::save;
pub use schema::{SchemaProblem, schema_check};
pub use secrets::redact;
pub use written_secrets::secret_pointers;
