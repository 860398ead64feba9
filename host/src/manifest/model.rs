//! The types that the rest of the host works with: what a manifest says, checked.

use std::{fmt, time::Duration};

use serde_json::Value;

use super::place::Span;

/// A text with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text, escapes resolved.
    pub text: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// A named instance of a plugin's component.
#[derive(Clone, PartialEq)]
pub struct Connector {
    /// Its name in the manifest: `[a-z0-9_-]+`.
    pub name: String,
    /// The plugin: a name or a path, as written.
    pub plugin: String,
    /// The component, where the manifest says which.
    pub component: Option<String>,
    /// The options with secrets resolved; always an object. Never print it whole.
    pub options: Value,
    /// Whether all of them could be read; else [`Self::options`] holds the rest.
    pub options_read: bool,
    /// What fills the columns, in the order of the manifest.
    pub fields: Vec<Field>,
    /// The rows it takes.
    pub where_: Option<Text>,
    /// The rows that count as one.
    pub unique: Option<Unique>,
    /// Its own limit of rejects; see [`Manifest::max_rejects`](super::Manifest::max_rejects).
    pub max_rejects: Option<MaxRejects>,
    /// Whether no rows at all are fine; see [`Manifest::allow_empty`](super::Manifest::allow_empty).
    pub allow_empty: Option<bool>,
    /// The network hosts that it may reach, of those that its plugin asks for; without it, all of those.
    pub hosts: Option<Vec<String>>,
    /// Whether what it downloads is kept in the run's folder.
    pub store: bool,
    /// Where its plugin runs, and what it may do there.
    pub jail: Jail,
    /// Set when only new and changed rows go out to it (`sync = "changed"`).
    pub changed_only: Option<ChangedOnly>,
    /// Where its name stands.
    pub span: Span,
}

impl Connector {
    /// Whether `plugin` is a path (`./x.so`) and no name.
    pub fn plugin_is_path(&self) -> bool {
        self.plugin.contains(['/', '\\'])
            || [".so", ".dylib", ".dll"].iter().any(|ending| self.plugin.ends_with(ending))
    }
}

impl fmt::Debug for Connector {
    /// Options by their keys only: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<&String> = self.options.as_object().into_iter().flat_map(|o| o.keys()).collect();
        f.debug_struct("Connector")
            .field("name", &self.name)
            .field("plugin", &self.plugin)
            .field("component", &self.component)
            .field("options (keys)", &options)
            .field("fields", &self.fields)
            .field("where_", &self.where_)
            .field("unique", &self.unique)
            .field("max_rejects", &self.max_rejects)
            .field("allow_empty", &self.allow_empty)
            .field("hosts", &self.hosts)
            .field("store", &self.store)
            .field("jail", &self.jail)
            .field("changed_only", &self.changed_only)
            .finish_non_exhaustive()
    }
}

/// Where a connector's plugin runs, and what it may do there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Jail {
    /// Without it: in the host's process what came with the host or is locked, apart everything else.
    pub isolation: Option<Isolation>,
    /// Bytes of memory that its process may have.
    pub memory: Option<u64>,
    /// How long a call may take, the host's own time not counted.
    pub deadline: Option<Duration>,
    /// What it may have of the system, of what the plugin wants: `network`, absolute paths.
    pub grants: Vec<String>,
}

/// Where a plugin's code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// In the host's own process.
    None,
    /// In a process of its own, in a jail.
    Process,
}

impl Isolation {
    /// The words for both.
    pub const NAMES: [&str; 2] = ["none", "process"];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Process => "process",
        }
    }

    /// By its word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Process].into_iter().find(|one| one.name() == text)
    }
}

/// A sink that gets only the rows that are new, or not as the vendor last confirmed them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangedOnly {
    /// What is done about people who were delivered and are gone from the source.
    pub on_missing: OnMissing,
    /// So many of a hundred of them may be gone.
    pub max_missing: f64,
}

/// What is done about people who were delivered to a sink and are gone from the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMissing {
    /// Nothing.
    #[default]
    Ignore,
    /// They are listed.
    Report,
    /// They are listed, and taken out at the vendor's.
    Suspend,
}

/// How long what is kept of runs, since they were published. What is not named is kept for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Whole runs.
    pub runs: Option<Duration>,
    /// Files of a run that hold rejected, left-out, withdrawn or missing values.
    pub rejects: Option<Duration>,
    /// What a run has downloaded, or read again.
    pub inputs: Option<Duration>,
}

/// What fills a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The column, as the manifest writes it.
    pub column: String,
    /// The expression or template; `true`, `5` and `1.5` come as these texts.
    pub expression: String,
    /// Where the expression stands.
    pub span: Span,
}

/// From one source, through transforms, to sinks.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// Its name in the manifest: `[a-z0-9_-]+`.
    pub name: String,
    /// The connector that is read.
    pub from: String,
    /// The connectors that transform, in order.
    pub through: Vec<String>,
    /// Claims of its own.
    pub claims: Vec<Claim>,
    /// The rows it takes.
    pub where_: Option<Text>,
    /// The rows that count as one.
    pub unique: Option<Unique>,
    /// The rows it leaves out.
    pub exclude: Option<Exclude>,
    /// The connectors that take the rows; at least one.
    pub to: Vec<String>,
    /// The limit of rejects of connectors that have none of their own.
    pub max_rejects: Option<MaxRejects>,
    /// By how much the rows may differ from the last good run's: so many of a hundred.
    pub max_change: Option<f64>,
    /// Whether no rows at all are fine, for connectors that do not say.
    pub allow_empty: Option<bool>,
    /// Where its name stands.
    pub span: Span,
}

/// A claim that a chain names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// The attribute that provides it.
    pub path: String,
    /// Where the attribute stands.
    pub span: Span,
}

/// Rows of another source whose key is in it are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclude {
    /// The connector that is read.
    pub from: String,
    /// The key in both.
    pub key: String,
    /// Where it stands.
    pub span: Span,
}

/// Rows with the same key become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    /// The attribute or claim.
    pub key: String,
    /// The row that stays.
    pub keep: Keep,
    /// Where it stands.
    pub span: Span,
}

/// The row that stays of those with the same key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The first in the input.
    #[default]
    First,
    /// The last in the input.
    Last,
    /// The one with the largest value of this attribute.
    Max(String),
}

/// How many rejects a sink may have before the run counts as refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxRejects {
    /// So many rows.
    Count(u64),
    /// So many of a hundred rows, from 0 to 100.
    Percent(f64),
}

impl Default for MaxRejects {
    fn default() -> Self {
        Self::Percent(5.0)
    }
}

impl MaxRejects {
    /// `"5%"` or `"0.1 %"`; `None` for anything else.
    pub fn parse_percent(text: &str) -> Option<Self> {
        percent(text).filter(|percent| *percent <= 100.0).map(Self::Percent)
    }

    /// Whether `rejects` of `rows` is more than allowed.
    pub fn exceeded(self, rejects: u64, rows: u64) -> bool {
        match self {
            Self::Count(most) => rejects > most,
            Self::Percent(most) => rejects as f64 * 100.0 > most * rows as f64,
        }
    }
}

/// The number of `"5%"` or `"0.1 %"`.
pub(super) fn percent(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix('%')?.trim_end();
    let plain = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    if plain { number.parse().ok() } else { None }
}

impl fmt::Display for MaxRejects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(most) => write!(f, "{most}"),
            Self::Percent(most) => write!(f, "{most}%"),
        }
    }
}
