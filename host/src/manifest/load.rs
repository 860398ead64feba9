//! From a path to a [`Manifest`], or to all that is wrong with it.

use std::{
    env::VarError,
    fs::File,
    io::{ErrorKind, Read as _},
    path::Path,
};

use usher_abi::nearest;

use super::{
    diagnostic::{Diagnostic, Severity},
    manifest::Manifest,
    overrides::Overrides,
    place::{KeyPath, Location, Span},
    read::Reader,
    secrets::Resolver,
    source::Source,
    tree::{self, Kind, Node},
};

/// The largest manifest, in bytes; anything larger is another file by mistake.
const MAX_MANIFEST: u64 = 1_000_000;
/// The version of the manifest's form that this host reads.
const VERSION: i64 = 1;
/// The keys of the manifest itself.
pub(super) const KEYS: [&str; 8] =
    ["version", "out", "state", "plugins", "rejects", "retention", "connectors", "chains"];

/// How an environment variable is found; `&|name| std::env::var(name)` outside tests.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Result<String, VarError>;

/// A manifest with what is wrong with it: good enough to ask the plugins about the rest, not to run.
#[derive(Debug)]
pub struct Draft {
    /// What could be read. Connectors and chains that could not are missing.
    pub manifest: Manifest,
    /// All problems, in the order of the text.
    pub problems: Vec<Diagnostic>,
}

impl Draft {
    /// Reads the manifest at `path`.
    ///
    /// # Errors
    ///
    /// Where there is no manifest in it: no file, no TOML, another version. [`render_file`](super::render_file) shows
    /// them.
    pub fn load(path: &Path, overrides: &Overrides) -> Result<Self, Vec<Diagnostic>> {
        let text = read(path).map_err(|problem| vec![problem])?;
        Self::parse(path, text, overrides, &|name| std::env::var(name))
    }

    /// Checks the text of the manifest at `path`, which is not read again.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub fn parse(
        path: &Path,
        text: String,
        overrides: &Overrides,
        lookup: Lookup<'_>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut root = tree::parse(&text).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        let flags = overrides.apply(&mut root, &mut problems);
        let source = Source { text, root, flags };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => ".".into(),
        };
        let mut reader = Reader { source: &source, problems };
        if reader.is_other_version() {
            return Err(reader.problems);
        }
        let mut resolver = Resolver { folder: &folder, lookup, secrets: Vec::new() };
        reader.known_keys(source.root.entries(), &KeyPath::default(), &KEYS, "");
        let out = reader.path("out", "out");
        let state = reader.path("state", ".usher");
        let plugins = match source.root.get("plugins") {
            Some(node) => reader.strings(node, &KeyPath::from(["plugins"])).unwrap_or_default(),
            None => Vec::new(),
        };
        let retention = source.root.get("retention").map(|node| reader.retention(node));
        let reject_record = reader.reject_record();
        let mut connectors = Vec::new();
        for (name, node) in reader.section("connectors") {
            connectors.extend(reader.connector(name, node, &mut resolver));
        }
        let mut chains = Vec::new();
        for (name, node) in reader.section("chains") {
            chains.extend(reader.chain(name, node));
        }
        reader.references();
        let Reader { mut problems, .. } = reader;
        let secrets = resolver.secrets;
        problems.sort_by_key(|problem| problem.location.map(|location| location.span.start));
        let manifest = Manifest {
            path: path.to_owned(),
            out: folder.join(out),
            state: folder.join(state),
            plugins: plugins.iter().map(|plugin| folder.join(plugin)).collect(),
            retention,
            folder,
            version: 1,
            reject_record,
            connectors,
            chains,
            secrets,
            source,
        };
        Ok(Self { manifest, problems })
    }
}

impl Manifest {
    /// Reads and checks the manifest at `path`; all problems at once.
    ///
    /// # Errors
    ///
    /// At least one [`Diagnostic`], in the order of the text. [`render_file`](super::render_file) shows them.
    pub fn load(path: &Path, overrides: &Overrides) -> Result<Self, Vec<Diagnostic>> {
        Self::of(Draft::load(path, overrides)?)
    }

    /// Checks the text of the manifest at `path`, which is not read again.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub fn parse(
        path: &Path,
        text: String,
        overrides: &Overrides,
        lookup: Lookup<'_>,
    ) -> Result<Self, Vec<Diagnostic>> {
        Self::of(Draft::parse(path, text, overrides, lookup)?)
    }

    fn of(draft: Draft) -> Result<Self, Vec<Diagnostic>> {
        if draft.problems.is_empty() { Ok(draft.manifest) } else { Err(draft.problems) }
    }
}

impl<'a> Reader<'a> {
    /// Reports a missing or foreign version; true if the rest cannot be judged.
    fn is_other_version(&mut self) -> bool {
        let path = KeyPath::from(["version"]);
        match self.source.root.get("version") {
            None => {
                let misspelt = self.source.root.entries().iter().any(|(key, _)| {
                    !KEYS.contains(&key.as_str()) && nearest(key, KEYS).name() == Some("version")
                });
                if !misspelt {
                    self.error(
                        &path,
                        "missing",
                        Some("write `version = 1` in the first line, before any `[…]`"),
                    );
                }
                false
            }
            Some(Node { kind: Kind::Integer(VERSION), .. }) => false,
            Some(Node { kind: Kind::Integer(other), .. }) => {
                let help = if *other > VERSION { "get a newer usher, or" } else { "" };
                let help = format!("{help} write `version = {VERSION}`");
                self.error(
                    &path,
                    format!("this usher reads version {VERSION}, not {other}"),
                    Some(help.trim()),
                );
                true
            }
            Some(node) => {
                self.wrong_type(&path, node, "an integer", Some("write `version = 1`"));
                false
            }
        }
    }

    /// A folder, relative to the manifest.
    fn path(&mut self, key: &str, default: &str) -> String {
        let node = self.source.root.get(key);
        node.and_then(|node| self.string(node, &KeyPath::from([key]))).unwrap_or_else(|| default.to_owned())
    }

    /// The entries of `connectors` or `chains`, of which there must be at least one.
    fn section(&mut self, key: &str) -> &'a [(String, Node)] {
        let example = if key == "chains" { "[chains.main]" } else { "[connectors.users]" };
        let source = self.source;
        let entries = match source.root.get(key) {
            Some(node) => match self.table(node, &KeyPath::from([key]), example) {
                Some(entries) => entries,
                None => return &[],
            },
            None => &[],
        };
        let misspelt = || {
            let others = source.root.entries().iter().filter(|(other, _)| !KEYS.contains(&other.as_str()));
            others.into_iter().any(|(other, _)| nearest(other, KEYS).name() == Some(key))
        };
        if entries.is_empty() && !misspelt() {
            let help = match key {
                "chains" => "write `[chains.main]` with `from = \"…\"` and `to = [\"…\"]`",
                _ => "write `[connectors.users]` with `plugin = \"…\"`",
            };
            self.error(&KeyPath::from([key]), "none", Some(help));
        }
        entries
    }
}

/// The manifest's text.
fn read(path: &Path) -> Result<String, Diagnostic> {
    let shown = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let shown = shown.display();
    let other = "name another with `usher run --manifest PATH`";
    let mut bytes = Vec::new();
    if path.is_dir() {
        let inside = path.join("connectors.toml");
        let help = format!("name the file: `usher run --manifest {}`", inside.display());
        return Err(
            Diagnostic::error(format!("cannot read the manifest `{shown}`: it is a folder")).help(help)
        );
    }
    match File::open(path).and_then(|file| file.take(MAX_MANIFEST + 1).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(Diagnostic::error(format!("no manifest: tried `{shown}`"))
                .help(format!("go to the folder that has a connectors.toml, or {other}")));
        }
        Err(error) => {
            let message = format!("cannot read the manifest `{shown}`: {}", error.kind());
            return Err(
                Diagnostic::error(message).help(format!("make it readable for this user, or {other}"))
            );
        }
    }
    if bytes.len() as u64 > MAX_MANIFEST {
        let message = format!("`{shown}` is no manifest: it is larger than 1 MB");
        return Err(Diagnostic::error(message).help(other));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let valid = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
        Diagnostic::error("the manifest is not UTF-8")
            .at(Location::of(&valid, Span { start: at, end: at }))
            .help("save it as UTF-8")
    })
}

impl Manifest {
    /// A diagnostic about `path`, at its value, with secrets taken out.
    pub(super) fn report(&self, severity: Severity, path: &KeyPath, message: &str) -> Diagnostic {
        self.source.at_value(severity, path, self.redact(message))
    }
}
