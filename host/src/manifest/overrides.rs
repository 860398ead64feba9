//! `--set key=value`: values from the command line, put into the tree before it is read.

use usher_abi::nearest;

use super::{
    diagnostic::Diagnostic,
    place::KeyPath,
    tree::{self, Kind, Node},
};

/// What the command line changes in the manifest.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The texts of all `--set` flags, in order: `connectors.users.options.input=other.ndjson`.
    pub set: Vec<String>,
}

impl Overrides {
    /// These `--set` texts.
    pub fn new(set: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { set: set.into_iter().map(Into::into).collect() }
    }

    /// The values of keys below `key`, in order, and all the others.
    pub fn split(self, key: &KeyPath) -> (Vec<(KeyPath, String)>, Self) {
        let (mut below, mut others) = (Vec::new(), Self::default());
        for text in self.set {
            match split(&text) {
                Some((path, value)) if path != *key && path.starts_with(key) => {
                    below.push((path, value.to_owned()));
                }
                _ => others.set.push(text),
            }
        }
        (below, others)
    }

    /// Puts all values into the tree; answers the keys that were set.
    pub(super) fn apply(&self, root: &mut Node, problems: &mut Vec<Diagnostic>) -> Vec<KeyPath> {
        let mut done = Vec::new();
        for text in &self.set {
            match split(text) {
                None => problems.push(
                    Diagnostic::error(format!("--set {text}: expected key=value"))
                        .help("for example `--set connectors.users.options.input=users.ndjson`"),
                ),
                Some((path, value)) => match place(root, &path) {
                    Ok(node) => {
                        *node = tree::parse_value(value);
                        done.push(path);
                    }
                    Err(problem) => {
                        problems
                            .push(Diagnostic { from_flag: true, ..Diagnostic::error(problem).about(&path) });
                    }
                },
            }
        }
        done
    }
}

/// Key and value, at the first `=` outside quotes.
fn split(text: &str) -> Option<(KeyPath, &str)> {
    let mut quote = None;
    let at = text.char_indices().find_map(|(at, c)| match (quote, c) {
        (None, '=') => Some(at),
        (None, '"' | '\'') => {
            quote = Some(c);
            None
        }
        (Some(open), _) if open == c => {
            quote = None;
            None
        }
        _ => None,
    })?;
    Some((tree::parse_key(&text[..at])?, &text[at + 1..]))
}

/// The place of `path`, made if its table may have it. Connectors and chains are not made: a misspelt name would
/// silently do nothing.
fn place<'n>(root: &'n mut Node, path: &KeyPath) -> Result<&'n mut Node, String> {
    let mut node = root;
    for (depth, segment) in path.segments().iter().enumerate() {
        let here = KeyPath::new(&path.segments()[..depth]);
        let named = match path.segments()[0].as_str() {
            "connectors" if depth == 1 => Some("connector"),
            "chains" if depth == 1 => Some("chain"),
            _ => None,
        };
        let what = node.what();
        match &mut node.kind {
            Kind::Table(entries) => {
                let found = entries.iter().position(|(key, _)| key == segment);
                if let (None, Some(named)) = (found, named) {
                    let names = entries.iter().map(|(key, _)| key.as_str());
                    return Err(format!("there is no {named} `{segment}`{}", nearest(segment, names)));
                }
                let at = found.unwrap_or_else(|| {
                    entries.push((segment.clone(), Node::empty_table()));
                    entries.len() - 1
                });
                node = &mut entries[at].1;
            }
            Kind::List(items) => {
                let count = items.len();
                node = segment.parse::<usize>().ok().and_then(|at| items.get_mut(at)).ok_or_else(|| {
                    format!("`{here}` is a list of {count}, counted from 0; `{segment}` is not in it")
                })?;
            }
            _ => return Err(format!("`{here}` is {what}, so nothing can be set below it")),
        }
    }
    Ok(node)
}
