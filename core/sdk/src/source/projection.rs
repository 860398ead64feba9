//! Which values of a JSON record are wanted.

use super::{
    builders::Wanted,
    path::{Path, Step},
};

/// A top-level key under which a file writes the value of a path (Auth0: `export_as`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The path, as it is asked for.
    pub path: String,
    /// The key.
    pub key: String,
    /// Whether the key wins over the path's own spelling where a record has both.
    pub wins: bool,
}

/// The wanted values, as a tree over the keys and indexes that lead to them.
///
/// A path is found as nested objects and arrays, and under a top-level key that is literally the path or the beginning
/// of it (`"user_metadata.plan"`, `"identities[0]": {…}`). Of repeated keys the last one counts.
#[derive(Debug)]
pub struct Projection {
    columns: Vec<Wanted>,
    hidden: Vec<&'static [&'static str]>,
    nodes: Vec<Node>,
}

/// A place in a record.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// The columns that take the value here, and how much this spelling counts.
    pub(crate) columns: Vec<(usize, u8)>,
    pub(crate) keys: Keys,
    pub(crate) items: Vec<(u32, usize)>,
    /// The columns that take a value further down, with the node where they do.
    pub(crate) below: Vec<(usize, usize)>,
}

/// What a value is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// For nothing.
    Nothing,
    /// For one column and nothing further down.
    Column { node: u32, column: u32, weight: u8 },
    /// For what the node says.
    Node(u32),
}

impl Node {
    /// Whether nothing further down is wanted.
    #[inline]
    pub(crate) fn is_leaf(&self) -> bool {
        self.below.is_empty()
    }

    /// What the value at this node, whose number is `node`, is wanted for.
    pub(crate) fn target(&self, node: usize) -> Target {
        let node = node as u32;
        match *self.columns {
            [(column, weight)] if self.is_leaf() => Target::Column { node, column: column as u32, weight },
            _ => Target::Node(node),
        }
    }

    /// The node of an array's item.
    pub(crate) fn item(&self, index: u32) -> Option<usize> {
        self.items.iter().find(|(i, _)| *i == index).map(|(_, node)| *node)
    }
}

/// Keys of an object, ordered by length; those of one length are told apart by their first and last eight bytes, and
/// only longer ones than sixteen by all.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    list: Vec<Key>,
    /// Where in `list` the keys of each length begin; one entry more than the longest key.
    starts: Vec<u32>,
}

#[derive(Debug)]
struct Key {
    name: Box<str>,
    ends: (u64, u64),
    node: usize,
}

/// The first and the last eight bytes of a key.
#[inline]
fn ends(key: &[u8]) -> (u64, u64) {
    match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (key.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
    }
}

impl Keys {
    /// The node behind a key.
    #[inline]
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        let (from, to) = (*self.starts.get(key.len())?, *self.starts.get(key.len() + 1)?);
        if from == to {
            return None;
        }
        let wanted = ends(key);
        let same = |k: &&Key| k.ends == wanted && (key.len() <= 16 || k.name.as_bytes() == key);
        self.list.get(from as usize..to as usize)?.iter().find(same).map(|k| k.node)
    }

    fn index(&mut self) {
        self.list.sort_by_key(|key| key.name.len());
        let longest = self.list.last().map_or(0, |key| key.name.len());
        let below = |length| self.list.partition_point(|key| key.name.len() < length) as u32;
        self.starts = (0..=longest + 1).map(below).collect();
    }
}

impl Projection {
    /// A projection to columns, with other spellings of their paths.
    pub fn new(columns: &[Wanted], renames: &[Rename]) -> Self {
        let mut this = Self {
            columns: columns.to_vec(),
            hidden: vec![&[]; columns.len()],
            nodes: vec![Node::default()],
        };
        for (column, wanted) in columns.iter().enumerate() {
            this.add(column, &wanted.name, renames);
        }
        for at in (0..this.nodes.len()).rev() {
            // Nodes further down come later, so theirs are known.
            let keys = this.nodes[at].keys.list.iter().map(|key| key.node);
            let children: Vec<usize> =
                keys.chain(this.nodes[at].items.iter().map(|(_, node)| *node)).collect();
            let of = |node: usize| {
                let own = this.nodes[node].columns.iter().map(move |(column, _)| (*column, node));
                own.chain(this.nodes[node].below.iter().copied())
            };
            let below = children.into_iter().flat_map(of).collect();
            this.nodes[at].below = below;
            this.nodes[at].keys.index();
        }
        this
    }

    /// Leaves keys out of the arrays and objects that columns at or below `root` hold.
    #[must_use]
    pub fn hide(mut self, root: &str, keys: &'static [&'static str]) -> Self {
        for (column, hidden) in self.columns.iter().zip(&mut self.hidden) {
            if column
                .name
                .strip_prefix(root)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            {
                *hidden = keys;
            }
        }
        self
    }

    /// The columns.
    pub fn columns(&self) -> &[Wanted] {
        &self.columns
    }

    /// The tree; its root is the first node.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The keys that a column leaves out of arrays and objects.
    pub(crate) fn hidden(&self, column: usize) -> &'static [&'static str] {
        self.hidden[column]
    }

    fn add(&mut self, column: usize, name: &str, renames: &[Rename]) {
        const RENAMED: u8 = 1;
        const PLAIN: u8 = 2;
        const WINS: u8 = 3;
        let key = |text: &str| Step::Key(text.into());
        // A name that is no path can only be a key.
        let (steps, prefixes) = match name.parse::<Path>() {
            Ok(path) => (path.steps().to_vec(), path.prefixes().map(|p| p.to_string()).collect()),
            Err(_) => (vec![key(name)], vec![name.to_owned()]),
        };
        for (depth, prefix) in prefixes.iter().enumerate() {
            let rest = &steps[depth + 1..];
            self.insert(column, PLAIN, &[&[key(prefix)], rest].concat());
            for rename in renames.iter().filter(|r| r.path == *prefix) {
                self.insert(
                    column,
                    if rename.wins { WINS } else { RENAMED },
                    &[&[key(&rename.key)], rest].concat(),
                );
            }
        }
        self.insert(column, PLAIN, &steps);
    }

    fn insert(&mut self, column: usize, weight: u8, steps: &[Step]) {
        let mut at = 0;
        for step in steps {
            let found = match step {
                Step::Key(key) => self.nodes[at].keys.list.iter().find(|k| k.name == *key).map(|k| k.node),
                Step::Index(index) => self.nodes[at].item(*index),
            };
            let next = self.nodes.len();
            match (found, step) {
                (Some(node), _) => {
                    at = node;
                    continue;
                }
                (None, Step::Key(key)) => {
                    let ends = ends(key.as_bytes());
                    self.nodes[at].keys.list.push(Key { name: key.clone(), ends, node: next });
                }
                (None, Step::Index(index)) => self.nodes[at].items.push((*index, next)),
            }
            self.nodes.push(Node::default());
            at = next;
        }
        let columns = &mut self.nodes[at].columns;
        match columns.iter_mut().find(|(c, _)| *c == column) {
            Some((_, old)) => *old = weight.max(*old),
            None => columns.push((column, weight)),
        }
    }
}
