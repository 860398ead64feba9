//! Secrets in options: `${env:NAME}` and `${file:path}`, and how they are kept out of every text.

use std::{
    env::VarError,
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use super::load::Lookup;

/// The largest file that `${file:…}` takes, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// Resolves references and remembers what they gave.
pub(super) struct Resolver<'a> {
    pub(super) folder: &'a Path,
    pub(super) lookup: Lookup<'a>,
    pub(super) secrets: Vec<String>,
}

/// What is wrong with a reference, and what to do.
pub(super) struct Unresolved {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Resolver<'_> {
    /// The text with its references resolved, or all that are wrong with it. `$${` is a `${` that means itself.
    pub(super) fn resolve(&mut self, text: &str) -> Result<String, Vec<Unresolved>> {
        let (mut out, mut problems, mut rest) = (String::with_capacity(text.len()), Vec::new(), text);
        while let Some(at) = rest.find("${") {
            let before = &rest[..at];
            let after = &rest[at + 2..];
            if let Some(before) = before.strip_suffix('$') {
                out.push_str(before);
                out.push_str("${");
                rest = after;
                continue;
            }
            out.push_str(before);
            let Some(end) = after.find('}') else {
                problems.push(bad(
                    format!("`${{{after}` is not closed"),
                    "write `$${` for a `${` that means itself",
                ));
                return Err(problems);
            };
            match self.reference(&after[..end]) {
                Ok(secret) => out.push_str(&secret),
                Err(problem) => problems.push(problem),
            }
            rest = &after[end + 1..];
        }
        out.push_str(rest);
        if problems.is_empty() { Ok(out) } else { Err(problems) }
    }

    fn reference(&mut self, inner: &str) -> Result<String, Unresolved> {
        let secret = match inner.split_once(':') {
            Some(("env", name)) => self.variable(name)?,
            Some(("file", path)) => self.file(path)?,
            _ => {
                return Err(bad(
                    format!("`${{{inner}}}` is no reference"),
                    "write `${env:NAME}` or `${file:path}`, and `$${` for a `${` that means itself",
                ));
            }
        };
        if !self.secrets.contains(&secret) {
            self.secrets.push(secret.clone());
        }
        Ok(secret)
    }

    fn variable(&self, name: &str) -> Result<String, Unresolved> {
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let valid = name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit());
        if !valid {
            return Err(bad(
                format!("`{name}` is no name of an environment variable"),
                "letters, digits and `_`, without blanks or defaults: `${env:API_TOKEN}`",
            ));
        }
        match (self.lookup)(name) {
            Ok(value) if value.is_empty() => Err(bad(
                format!("environment variable `{name}` is empty"),
                &format!("set it: `export {name}=…`"),
            )),
            Ok(value) => Ok(value),
            Err(VarError::NotPresent) => Err(bad(
                format!("environment variable `{name}` is not set"),
                &format!("set it: `export {name}=…`"),
            )),
            Err(VarError::NotUnicode(_)) => {
                Err(bad(format!("environment variable `{name}` is not UTF-8"), "set it to text"))
            }
        }
    }

    fn file(&self, path: &str) -> Result<String, Unresolved> {
        let full: PathBuf = self.folder.join(path);
        let shown = full.display();
        if path.is_empty() {
            return Err(bad("`${file:}` names no file".to_owned(), "write `${file:path}`"));
        }
        let relative = "paths are relative to the manifest";
        let cannot = |kind: ErrorKind| {
            let why = if kind == ErrorKind::NotFound { "no such file".to_owned() } else { kind.to_string() };
            bad(format!("cannot read the secret file `{shown}`: {why}"), relative)
        };
        let mut bytes = Vec::new();
        let read = File::open(&full).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
        read.map_err(|error| cannot(error.kind()))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(bad(
                format!("the secret file `{shown}` is larger than 64 KiB"),
                "name the file of one secret",
            ));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| bad(format!("the secret file `{shown}` is not UTF-8"), "name a text file"))?;
        let text = text.strip_suffix('\n').map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
        if text.is_empty() {
            return Err(bad(format!("the secret file `{shown}` is empty"), "write the secret into it"));
        }
        Ok(text.to_owned())
    }
}

fn bad(message: String, help: &str) -> Unresolved {
    Unresolved { message, help: Some(help.to_owned()) }
}

/// The text with every secret in it overwritten, length kept, so that spans still fit. Secrets of less than four
/// bytes stay: the manifest is full of them by chance.
pub(super) fn mask(text: &str, secrets: &[String]) -> String {
    let mut out = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        out = out.replace(secret.as_str(), &"*".repeat(secret.len()));
    }
    out
}

/// The text with every secret replaced by `[secret]`, also where it stands escaped in JSON. Longer secrets go
/// first, so that one that contains another leaves nothing behind.
pub fn redact(text: &str, secrets: &[String]) -> String {
    let mut forms: Vec<String> = Vec::new();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let json = serde_json::Value::from(secret.as_str()).to_string();
        forms.push(json[1..json.len() - 1].to_owned());
        forms.push(secret.clone());
    }
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        // One pass: what was put in is not searched again.
        let length = match forms.iter().find(|form| rest.starts_with(form.as_str())) {
            Some(form) => {
                out.push_str("[secret]");
                form.len()
            }
            None => {
                out.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    out
}
