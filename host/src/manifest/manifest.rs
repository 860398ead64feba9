//! The manifest as a whole.

use std::{fmt, path::PathBuf};

use usher_abi::{Problem, Role, nearest};

use super::{
    diagnostic::{Diagnostic, Severity},
    model::{Chain, Connector, MaxRejects, Retention},
    place::{KeyPath, Location, Span},
    rejects::RejectRecord,
    render,
    secrets::{mask, redact},
    source::Source,
};
use crate::report::list;

/// A manifest that has been read and checked by itself; what plugins say of it is not known yet.
#[derive(Clone)]
pub struct Manifest {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Its folder, to which all paths inside are relative.
    pub folder: PathBuf,
    /// The version of its form.
    pub version: u64,
    /// Where runs leave their files.
    pub out: PathBuf,
    /// Where state and ledger are.
    pub state: PathBuf,
    /// More folders to search for plugins.
    pub plugins: Vec<PathBuf>,
    /// How long runs are kept; without it, for ever.
    pub retention: Option<Retention>,
    /// What rejects hold of the records.
    pub reject_record: RejectRecord,
    /// The connectors, in the order of the text.
    pub connectors: Vec<Connector>,
    /// The chains, in the order of the text; at least one.
    pub chains: Vec<Chain>,
    /// Every text that must not be shown.
    pub secrets: Vec<String>,
    pub(super) source: Source,
}

impl Manifest {
    /// The connector of that name.
    pub fn connector(&self, name: &str) -> Option<&Connector> {
        self.connectors.iter().find(|connector| connector.name == name)
    }

    /// The chain of that name, as somebody typed it.
    ///
    /// # Errors
    ///
    /// A [`Diagnostic`] that proposes the nearest name or lists all.
    pub fn chain(&self, name: &str) -> Result<&Chain, Diagnostic> {
        self.chains.iter().find(|chain| chain.name == name).ok_or_else(|| {
            let names = || self.chains.iter().map(|chain| chain.name.as_str());
            let near = nearest(name, names());
            let problem = Diagnostic::error(format!("unknown chain `{name}`{near}"));
            if near.name().is_some() {
                problem
            } else {
                problem.help(format!("chains here: {}", list(names())))
            }
        })
    }

    /// What a connector is in the chains that name it; `None` if none does.
    pub fn role(&self, connector: &str) -> Option<Role> {
        self.chains.iter().find_map(|chain| {
            let excluded = chain.exclude.as_ref().is_some_and(|exclude| exclude.from == connector);
            let named = |names: &[String]| names.iter().any(|name| name == connector);
            match () {
                () if chain.from == connector || excluded => Some(Role::Source),
                () if named(&chain.through) => Some(Role::Transform),
                () if named(&chain.to) => Some(Role::Sink),
                () => None,
            }
        })
    }

    /// How many rejects `connector` may have in `chain`: its own limit, else the chain's, else 5%.
    pub fn max_rejects(&self, chain: &Chain, connector: &Connector) -> MaxRejects {
        connector.max_rejects.or(chain.max_rejects).unwrap_or_default()
    }

    /// Whether `connector` may end without a row in `chain`: as it says, else as the chain says, else not.
    pub fn allow_empty(&self, chain: &Chain, connector: &Connector) -> bool {
        connector.allow_empty.or(chain.allow_empty).unwrap_or(false)
    }

    /// The manifest's text.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// The keys that the command line gave a value.
    pub fn set_keys(&self) -> Vec<String> {
        self.source.flags.iter().map(ToString::to_string).collect()
    }

    /// Where the value of `path` stands, or else its longest prefix that stands anywhere; the first line for none.
    pub fn locate(&self, path: &KeyPath) -> Location {
        self.source.locate(path)
    }

    /// Where the key of `path` stands; as [`Self::locate`] where there is none.
    pub fn locate_key(&self, path: &KeyPath) -> Location {
        self.source.locate_key(path)
    }

    /// An error about the value of `path`, secrets taken out of the message.
    pub fn error(&self, path: &KeyPath, message: &str) -> Diagnostic {
        self.report(Severity::Error, path, message)
    }

    /// An error about the key of `path`, secrets taken out of the message.
    pub fn error_at_key(&self, path: &KeyPath, message: &str) -> Diagnostic {
        self.source.at_key(Severity::Error, path, self.redact(message))
    }

    /// A warning about the value of `path`, secrets taken out of the message.
    pub fn warning(&self, path: &KeyPath, message: &str) -> Diagnostic {
        self.report(Severity::Warning, path, message)
    }

    /// An error about a part of the text at `path`: bytes `within` the expression, as its parser counts them.
    pub fn error_within(&self, path: &KeyPath, within: Span, message: &str) -> Diagnostic {
        let location = self.source.locate_within(path, within);
        self.source.diagnostic(Severity::Error, path, location, self.redact(message))
    }

    /// What a plugin's own `check` found: `/fields/<column>` is a column, any other pointer an option.
    pub fn problem(&self, connector: &Connector, problem: &Problem) -> Diagnostic {
        let path = KeyPath::from(["connectors", connector.name.as_str()]);
        let severity = if problem.warning { Severity::Warning } else { Severity::Error };
        if problem.pointer == "/fields" || problem.pointer.starts_with("/fields/") {
            let path = path.pointer(&problem.pointer);
            return self.source.at_key(severity, &path, self.redact(&problem.message));
        }
        self.report(severity, &path.child("options").pointer(&problem.pointer), &problem.message)
    }

    /// The text with all secrets taken out.
    pub fn redact(&self, text: &str) -> String {
        redact(text, &self.secrets)
    }

    /// The report for people, with the manifest's lines; secrets that are written in them are masked.
    pub fn render(&self, diagnostics: &[Diagnostic], colour: bool) -> String {
        let text = mask(&self.source.text, &self.secrets);
        render::render(diagnostics, &self.path.display().to_string(), &text, colour)
    }
}

impl fmt::Debug for Manifest {
    /// Without the text and without any value of options: both may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("path", &self.path)
            .field("out", &self.out)
            .field("state", &self.state)
            .field("plugins", &self.plugins)
            .field("retention", &self.retention)
            .field("connectors", &self.connectors)
            .field("chains", &self.chains)
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}
