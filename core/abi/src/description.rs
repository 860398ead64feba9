//! What a plugin says of itself and of its work, as JSON: the types that both sides (de)serialise.

use std::collections::BTreeMap;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned},
};
use serde_json::Value;

use crate::error::{Error, ErrorClass};

/// What `describe()` answers: everything about the plugin that needs no instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The plugin's name, as manifests write it (`constant-contact`).
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// What it offers; the first of each role is that role's default. Of roles that are not known here nothing is listed.
    #[serde(deserialize_with = "of_known_roles")]
    pub components: Vec<Component>,
}

/// What a newer side says with a word that is not known here is no reason to refuse it: `other` stands for such words.
fn known<'de, T: DeserializeOwned, D: Deserializer<'de>>(from: D, other: T) -> Result<T, D::Error> {
    Value::deserialize(from).map(|word| serde_json::from_value(word).unwrap_or(other))
}

fn known_kind<'de, D: Deserializer<'de>>(from: D) -> Result<ValueKind, D::Error> {
    known(from, ValueKind::Any)
}

/// Whoever asks for consent in a way that is not known here gets nobody without it.
fn known_consent<'de, D: Deserializer<'de>>(from: D) -> Result<Consent, D::Error> {
    known(from, Consent::Required)
}

fn known_answer<'de, D: Deserializer<'de>>(from: D) -> Result<OnInvalid, D::Error> {
    known(from, OnInvalid::RejectRow)
}

/// Those of a list that have a `role` which is known.
pub(crate) fn of_known_roles<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    let all = Vec::<Value>::deserialize(from)?;
    let known = all.into_iter().filter(|one| one["role"].as_str().is_none_or(|role| ROLES.contains(&role)));
    known.map(|one| serde_json::from_value(one).map_err(de::Error::custom)).collect()
}

/// The names of [`Role`]s.
const ROLES: [&str; 3] = ["source", "transform", "sink"];

/// What a component does in a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Source,
    /// Changes.
    Transform,
    /// Writes.
    Sink,
}

/// One source, transform or sink of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// Its name (`users`), unique among the components of the same role.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// One line for people.
    pub summary: String,
    /// JSON Schema (2020-12, the subset of `docs/writing-a-connector.md`) of its options.
    pub options: Value,
    /// Sources: the attributes every input of the kind may have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
    /// Sources: attributes beyond that list may exist. Sinks: columns beyond the table may be written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
    /// Sinks: the columns, in the vendor's order. A name that ends in `*` is a pattern.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// Sinks: the vendor's limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
    /// How often the vendor lets itself be asked; the host holds the requests of `usher.http/1` to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rate_limits: Vec<RateLimit>,
    /// Sinks: the column that a claim of the chain's own becomes, `{claim}` standing for its name
    /// (`custom_fields.{claim}`); `None` when such claims are not delivered by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_claim: Option<String>,
    /// Sinks: whether the option `consent` exists and must be given. The host evaluates it.
    #[serde(default, skip_serializing_if = "Consent::is_none", deserialize_with = "known_consent")]
    pub consent: Consent,
    /// Sinks: how people who are gone from the source are taken out at the vendor's (`on_missing = "suspend"`); `None`
    /// where that cannot be said with what the sink sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<Suspend>,
}

/// How a sink takes people out at the vendor's: one more instance of it gets a row for each of them, after everything else
/// was sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Suspend {
    /// The column by which the vendor finds a person, case and outer white space aside.
    pub key: String,
    /// The columns that say it, with their text for everybody (`suspended` = `true`).
    pub columns: BTreeMap<String, String>,
    /// The options of the connector that the instance is opened with; it gets no other …
    pub keep: Vec<String>,
    /// … but for these.
    pub options: BTreeMap<String, Value>,
    /// The form of delivery that can do it; empty: all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub deliver: String,
    /// The code of the reject of somebody whom the vendor has not got, so that nothing is left to be done.
    pub absent: String,
}

impl Suspend {
    /// The columns of its rows: the key, of which every row has its own text, and the others.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let others = self.columns.iter().map(|(column, text)| (column.as_str(), Some(text.as_str())));
        [(self.key.as_str(), None)].into_iter().chain(others)
    }
}

/// Whether a sink asks for consent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consent {
    /// The sink has no such option.
    #[default]
    None,
    /// `consent` may be given.
    Optional,
    /// `consent` must be given, as a condition or as `{ not_needed = "reason" }`.
    Required,
}

impl Consent {
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// The meaning of a value, apart from its Arrow form. A source writes it into the field's metadata as
/// `usher.kind`; a field without it is taken by its Arrow type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ValueKind {
    /// Text.
    #[default]
    Text,
    /// True or false.
    Boolean,
    /// Whole number.
    Integer,
    /// Number.
    Number,
    /// A point in time; crosses as RFC 3339 text or as an Arrow timestamp.
    Timestamp,
    /// A calendar date, as `YYYY-MM-DD` text or as an Arrow date.
    Date,
    /// A list of texts.
    List,
    /// Not known before it is read: crosses as text, scalars as themselves, arrays and objects as compact JSON.
    Any,
}

impl ValueKind {
    /// The name, as metadata and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::List => "list",
            Self::Any => "any",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Text,
            Self::Boolean,
            Self::Integer,
            Self::Number,
            Self::Timestamp,
            Self::Date,
            Self::List,
            Self::Any,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// A path in the source's record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// The path (`user_metadata.plan`, `identities[0].connection`) or, for flat inputs, the heading.
    pub path: String,
    /// What its values are.
    #[serde(default, deserialize_with = "known_kind")]
    pub kind: ValueKind,
    /// The claim it provides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// One line for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
}

/// What `catalog()` answers: the attributes of *this* input, with *these* options.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// The attributes; for flat inputs, in the order of the header.
    pub attributes: Vec<Attribute>,
    /// Whether others may exist (an NDJSON record may hold anything; a CSV header says all).
    pub open: bool,
    /// Remarks for the run's report (`escape = "auto"` chose …).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What a bad value of a column does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnInvalid {
    /// The row is rejected.
    #[default]
    RejectRow,
    /// The value is left out and listed.
    LeaveOut,
    /// The value is cut to the limit and counted.
    Truncate,
}

/// A column of a sink: the vendor's rule, as data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The name in the file, or a pattern that ends in `*` (`custom_fields.*`).
    pub name: String,
    /// Other spellings that `fields` accepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// What its values are.
    #[serde(default, deserialize_with = "known_kind")]
    pub kind: ValueKind,
    /// The expression over claims that fills it by default; used when the chain has at least one of the claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Must be filled in every row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Longest text, in Unicode scalar values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_chars: Option<u32>,
    /// Most items of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
    /// What a bad value does unless the manifest says otherwise.
    #[serde(default, deserialize_with = "known_answer")]
    pub on_invalid: OnInvalid,
    /// The rule in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Where the rule stands (`KB-USR`, `OAS`; the sheets in the connector's README say what these are).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
}

/// A limit of a vendor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// What is limited (`rows`, `bytes`, `row_bytes`, `columns`).
    pub of: String,
    /// The largest value that is kept to.
    pub max: u64,
    /// In which form of delivery it holds; empty: in all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub deliver: String,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
}

/// So many requests in so much time. It is counted by plugin, name and account, over all connectors of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// What requests name it by (`imports`).
    pub name: String,
    /// So many requests, at least 1, …
    pub requests: u32,
    /// … within so many seconds, at least 1, whenever these begin.
    pub per_seconds: u32,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
}

/// Something wrong with options or columns, found by `check`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// JSON pointer into the options (`/headings/email`) or `/fields/<column>` for columns.
    pub pointer: String,
    /// Stable.
    pub code: String,
    /// For people, with the nearest right spelling where there is one.
    pub message: String,
    /// Only worth a warning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warning: bool,
}

/// What a sink says it did, answered by `finish`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The files, in the order in which they are to be used.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// For the person who uploads.
    #[serde(default)]
    pub guide: Guide,
    /// What a person should know (`no plan given: …`).
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Facts of the run that belong into the receipt (`consent not needed: …`).
    #[serde(default)]
    pub facts: BTreeMap<String, Value>,
    /// What was sent to a vendor, by sinks that send. Only those may leave rows without a fate: they were not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}

/// How far a sink came with sending. A unit is what goes out in one request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The vendor's account that it went to; no secret.
    pub account: String,
    /// Units that there are.
    pub units: u64,
    /// Units of which it is known what became of them.
    pub settled: u64,
    /// Of these, units that an earlier attempt of the run had settled.
    #[serde(default)]
    pub earlier: u64,
    /// Why not all units were settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// What the vendor said of the units, in their order: ids of jobs, counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Value>,
}

/// Why a delivery ended before its time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// The error's code.
    pub code: String,
    /// For people.
    pub message: String,
    /// Whether the same command may get further.
    #[serde(default)]
    pub retryable: bool,
}

impl Stopped {
    /// By an error.
    pub fn by(error: &Error) -> Self {
        let retryable = matches!(error.class, ErrorClass::TRANSIENT | ErrorClass::RATE_LIMITED);
        Self { code: error.code.to_string(), message: error.to_string(), retryable }
    }
}

/// A file that a sink wrote.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its name in the connector's folder.
    pub name: String,
    /// Records, the header not counted.
    pub rows: u64,
    /// Bytes, the header counted.
    pub bytes: u64,
    /// Holds no records of the chain but something they need (organizations), so its rows are not counted as written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub extra: bool,
    /// What to choose for this file, if it differs from the others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// `UPLOAD.md`, in parts; every entry is a sentence of Markdown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Guide {
    /// What this is (`Zendesk data importer`).
    #[serde(default)]
    pub title: String,
    /// What must be true before.
    #[serde(default)]
    pub before: Vec<String>,
    /// What to do, in order.
    #[serde(default)]
    pub steps: Vec<String>,
    /// What to expect: counts, mails that go out.
    #[serde(default)]
    pub expect: Vec<String>,
    /// Where the result shows.
    #[serde(default)]
    pub results: Vec<String>,
    /// What cannot be undone.
    #[serde(default)]
    pub undo: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A newer plugin in an older host: what it says with words of its own is passed over, and never makes more of a value
    /// than there was.
    #[test]
    fn words_that_are_not_known_yet_refuse_nobody() {
        let text = r#"{"name":"x","version":"1","summary":"s","later":{},"components":[
            {"name":"a","role":"oracle","tables":7},
            {"name":"b","role":"sink","summary":"s","options":{},"consent":"twice","columns":[
                {"name":"c","kind":"decimal","on_invalid":"ask"},{"name":"d","kind":"date","on_invalid":"leave_out"}]}]}"#;
        let description: Description = serde_json::from_str(text).unwrap();
        let [sink] = &description.components[..] else { panic!("{description:?}") };
        assert_eq!((sink.name.as_str(), sink.role, sink.consent), ("b", Role::Sink, Consent::Required));
        let kinds: Vec<_> = sink.columns.iter().map(|column| (column.kind, column.on_invalid)).collect();
        assert_eq!(kinds, [(ValueKind::Any, OnInvalid::RejectRow), (ValueKind::Date, OnInvalid::LeaveOut)]);
        let catalog: Catalog =
            serde_json::from_str(r#"{"attributes":[{"path":"a","kind":"geo"}],"open":true}"#).unwrap();
        assert_eq!(catalog.attributes[0].kind, ValueKind::Any);
        // What is no role at all is a mistake.
        assert!(serde_json::from_str::<Description>(&text.replace("\"sink\"", "7")).is_err());
    }

    #[test]
    fn the_known_roles_are_all_roles() {
        for role in ROLES {
            serde_json::from_value::<Role>(role.into()).unwrap();
        }
        let (Role::Source | Role::Transform | Role::Sink) = Role::Sink;
    }
}
