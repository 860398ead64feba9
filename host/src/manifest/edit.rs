//! A manifest's text, changed in a few places: comments, order and every other line stay byte for byte.

use toml_edit::{Array, DocumentMut, InlineTable, Item, RawString, TableLike, Value};

use super::{diagnostic::Diagnostic, place::KeyPath, tree::toml_value};

/// A text under change.
#[derive(Clone, Debug)]
pub struct Edit {
    document: DocumentMut,
    form: Form,
}

/// What the parser does not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Form {
    mark: bool,
    crlf: bool,
    last_line_ends: bool,
}

impl Edit {
    /// Begins to change a manifest's text.
    ///
    /// # Errors
    ///
    /// One that is no TOML, or of which other lines would change, too.
    pub fn of(text: &str) -> Result<Self, Diagnostic> {
        let form = Form {
            mark: text.starts_with(MARK),
            crlf: text.contains("\r\n"),
            last_line_ends: text.ends_with('\n'),
        };
        let plain = text.strip_prefix(MARK).unwrap_or(text).replace("\r\n", "\n");
        let document = plain.parse().map_err(|error: toml_edit::TomlError| {
            Diagnostic::error(format!("broken TOML: {}", error.message()))
        })?;
        let edit = Self { document, form };
        if edit.text() == text {
            return Ok(edit);
        }
        Err(Diagnostic::error("its lines end in more than one way, so a change would change others, too")
            .help("save it with one kind of line ends, or change it by hand"))
    }

    /// The text as it is now.
    pub fn text(&self) -> String {
        let mut text = self.document.to_string();
        if !self.form.last_line_ends && text.ends_with('\n') {
            text.pop();
        }
        if self.form.crlf {
            text = text.replace('\n', "\r\n");
        }
        if self.form.mark { format!("{MARK}{text}") } else { text }
    }

    /// Gives the key at `path` a value as `--set` reads it: TOML, or else a string. Tables on the way are made; what
    /// stands around an older value stays.
    ///
    /// # Errors
    ///
    /// Where something on the way is no table.
    pub fn set(&mut self, path: &KeyPath, value: &str) -> Result<(), Diagnostic> {
        let nowhere = || Diagnostic::error("nothing can be written below it").about(path);
        let (key, parents) = path.segments().split_last().ok_or_else(nowhere)?;
        let mut value = toml_value(value);
        value.decor_mut().clear();
        let mut item = self.document.as_item_mut();
        for parent in parents {
            if let Item::Value(Value::Array(_)) = item {
                return Err(nowhere());
            }
            let table = item.as_table_like_mut().ok_or_else(nowhere)?;
            if table.get(parent).is_none_or(Item::is_none) {
                table.insert(parent, Item::Value(Value::InlineTable(InlineTable::new())));
                tidy(item);
            }
            let table = item.as_table_like_mut().ok_or_else(nowhere)?;
            item = table.get_mut(parent).ok_or_else(nowhere)?;
        }
        if let Some(list) = item.as_array_mut() {
            let old = key.parse().ok().and_then(|at: usize| list.get_mut(at)).ok_or_else(nowhere)?;
            *value.decor_mut() = old.decor().clone();
            *old = value;
            return Ok(());
        }
        let table = item.as_table_like_mut().ok_or_else(nowhere)?;
        match table.get_mut(key) {
            Some(Item::Value(old)) => {
                *value.decor_mut() = old.decor().clone();
                *old = value;
            }
            _ => {
                table.remove(key);
                table.insert(key, Item::Value(value));
                tidy(item);
            }
        }
        Ok(())
    }

    /// Takes the key at `path` out, and tables that are empty then. Comments above it stay, one on its line goes with it.
    pub fn remove(&mut self, path: &KeyPath) {
        let mut homeless = String::new();
        for depth in (1..=path.segments().len()).rev() {
            let (parents, key) = (&path.segments()[..depth - 1], &path.segments()[depth - 1]);
            let parent = parents.iter().try_fold(self.document.as_item_mut(), |item, segment| {
                item.as_table_like_mut().and_then(|table| table.get_mut(segment))
            });
            let Some(parent) = parent else { continue };
            // Connectors and chains are there by name, however little they say.
            let whole = depth == path.segments().len();
            let empty = |item: &Item| item.as_table_like().is_some_and(TableLike::is_empty) && !remarks(item);
            if let Some(list) = parent.as_array_mut() {
                key.parse().ok().into_iter().for_each(|at| remove_item(list, at));
            } else if let Some(table) = parent.as_table_like_mut()
                && table.get(key).is_some_and(|item| whole || depth > 2 && empty(item))
            {
                homeless = remove_key(table, key, &homeless);
                tidy(parent);
                if let Item::Table(table) = parent
                    && !table.is_dotted()
                    && !homeless.is_empty()
                {
                    let above = std::mem::take(&mut homeless);
                    let after = format!("{}\n{}", text(table.decor().suffix()), above.trim_end());
                    table.decor_mut().set_suffix(after);
                }
            }
        }
    }
}

const MARK: char = '\u{feff}';

/// Gives an inline table that was changed its usual blanks. One of several lines is left as it is.
fn tidy(item: &mut Item) {
    if let Item::Value(Value::InlineTable(table)) = item
        && !table.to_string().contains('\n')
    {
        table.fmt();
    }
}

fn text(raw: Option<&RawString>) -> &str {
    raw.and_then(RawString::as_str).unwrap_or_default()
}

/// Whether a table has comments of its own.
fn remarks(item: &Item) -> bool {
    item.as_table().is_some_and(|table| {
        text(table.decor().prefix()).contains('#') || text(table.decor().suffix()).contains('#')
    })
}

/// Answers the comments above a key, and those `below` it, if it had no neighbours to keep them.
fn remove_key(table: &mut dyn TableLike, key: &str, below: &str) -> String {
    let above =
        table.key(key).map(|key| text(key.leaf_decor().prefix()).to_owned()).unwrap_or_default() + below;
    let keys: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
    let at = keys.iter().position(|other| other == key).unwrap_or_default();
    table.remove(key);
    if !above.contains('#') {
        return String::new();
    }
    // Comments above a table of its own header stand there, not at its key.
    let next = keys.get(at + 1).filter(|next| table.get(next).is_some_and(Item::is_value));
    if let Some(mut next) = next.and_then(|next| table.key_mut(next)) {
        let below = text(next.leaf_decor().prefix()).to_owned();
        next.leaf_decor_mut().set_prefix(above + &below);
        return String::new();
    }
    let before = keys[..at].iter().rev().find(|key| table.get(key).is_some_and(Item::is_value));
    if let Some(Item::Value(before)) = before.and_then(|before| table.get_mut(before)) {
        let after = format!("{}\n{}", text(before.decor().suffix()), above.trim_end());
        before.decor_mut().set_suffix(after);
        return String::new();
    }
    above
}

fn remove_item(list: &mut Array, at: usize) {
    if at >= list.len() {
        return;
    }
    let above = text(list.remove(at).decor().prefix()).to_owned();
    match list.get_mut(at) {
        Some(next) if at == 0 && !text(next.decor().prefix()).contains('#') => {
            next.decor_mut().set_prefix(above)
        }
        Some(next) if above.contains('#') => {
            let below = text(next.decor().prefix()).to_owned();
            next.decor_mut().set_prefix(above + &below);
        }
        None if above.contains('#') => {
            let below = text(Some(list.trailing())).to_owned();
            list.set_trailing(above.trim_end().to_owned() + &below);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a change leaves of a text: `-key` takes it out, `key=value` gives it a value.
    fn edited(text: &str, changes: &[&str]) -> String {
        let mut edit = Edit::of(text).unwrap();
        for change in changes {
            match (change.strip_prefix('-'), change.split_once('=')) {
                (Some(key), _) => edit.remove(&KeyPath::new(key.split('.'))),
                (None, Some((key, value))) => edit.set(&KeyPath::new(key.split('.')), value).unwrap(),
                (None, None) => unreachable!(),
            }
        }
        edit.text()
    }

    #[test]
    fn a_value_is_changed_where_it_stands() {
        for (before, after) in [
            ("[a.b]\nplugin   = \"x\"   # why\n", "[a.b]\nplugin   = \"y\"   # why\n"),
            ("a.b.plugin = 'x'\na.b.z = 1\n", "a.b.plugin = \"y\"\na.b.z = 1\n"),
            ("a = { b = { plugin = \"x\" } } # why", "a = { b = { plugin = \"y\" } } # why"),
            ("[a]\r\nb = { plugin='x', z = 1 }\r\n", "[a]\r\nb = { plugin=\"y\", z = 1 }\r\n"),
            ("\u{feff}[a.b]\nplugin = 'x'", "\u{feff}[a.b]\nplugin = \"y\""),
        ] {
            assert_eq!(edited(before, &["a.b.plugin=y"]), after);
        }
        let list = "[a]\nb = [\n  \"x\", # one\n  \"y\",\n]\n";
        assert_eq!(edited(list, &["a.b.0=z"]), list.replace('x', "z"));
    }

    #[test]
    fn what_is_new_stands_behind_what_is_there() {
        for (before, after) in [
            ("[a.b]\nplugin = 1\n\n[c]\n", "[a.b]\nplugin = 1\noptions = { consent = \"c\" }\n\n[c]\n"),
            ("[a.b]\noptions = { x = 1 } # why\n", "[a.b]\noptions = { x = 1, consent = \"c\" } # why\n"),
            ("[a.b.options]\nx = 1\n\n[c]\n", "[a.b.options]\nx = 1\nconsent = \"c\"\n\n[c]\n"),
            ("a.b.plugin = 1\n[c]\n", "a.b.plugin = 1\na.b.options = { consent = \"c\" }\n[c]\n"),
            ("[a]\nb = { plugin = 1 }\n", "[a]\nb = { plugin = 1, options = { consent = \"c\" } }\n"),
        ] {
            assert_eq!(edited(before, &["a.b.options.consent=c"]), after);
        }
        assert!(Edit::of("a = 1\n").unwrap().set(&KeyPath::from(["a", "b"]), "c").is_err());
    }

    #[test]
    fn what_goes_leaves_comments_and_no_empty_tables() {
        for (before, after) in [
            ("[a.b]\nx = 1\n# why\no = { p = 1 } # goes\n\n[c]\n", "[a.b]\nx = 1\n# why\n\n[c]\n"),
            ("[a.b]\n# why\no = { p = 1 }\n# then\nx = 1\n", "[a.b]\n# why\n# then\nx = 1\n"),
            ("[a.b]\no = { p = 1, q = 2 }\n", "[a.b]\no = { q = 2 }\n"),
            ("[a.b]\no = { q = 2, p = 1 }\n", "[a.b]\no = { q = 2 }\n"),
            ("[a.b]\nx = 1\n\n[a.b.o]\np = 1\n\n[c]\n", "[a.b]\nx = 1\n\n[c]\n"),
            ("[a.b]\nx = 1\n\n[a.b.o]\n# why\np = 1\n\n[c]\n", "[a.b]\nx = 1\n\n[a.b.o]\n# why\n\n[c]\n"),
            ("a.b.x = 1\n# why\na.b.o.p = 1\na.b.o.q = 2\n", "a.b.x = 1\n# why\na.b.o.q = 2\n"),
            ("[a]\nb.o.p = 1\n", "[a]\n"),
            ("a.b.x = 1\n# why\na.b.o.p = 1\n\n[c]\n", "a.b.x = 1\n# why\n\n[c]\n"),
            ("[a.b]\nx = 1\n# why\no = { p = 1 }\n\n# f\n[a.b.f]\n", "[a.b]\nx = 1\n# why\n\n# f\n[a.b.f]\n"),
        ] {
            assert_eq!(edited(before, &["-a.b.o.p"]), after);
        }
        assert_eq!(edited("[a.b]\nx = 1\n", &["-a.b.y", "-c"]), "[a.b]\nx = 1\n");
    }

    #[test]
    fn items_of_lists_go_with_their_commas() {
        for (before, at, after) in [
            ("a = [\"x\", \"y\"]\n", "-a.0", "a = [\"y\"]\n"),
            ("a = [\"x\", \"y\"]\n", "-a.1", "a = [\"x\"]\n"),
            ("a = [\n  \"x\", # one\n  \"y\", # two\n]\n", "-a.1", "a = [\n  \"x\", # one # two\n]\n"),
        ] {
            assert_eq!(edited(before, &[at]), after);
        }
    }

    #[test]
    fn what_would_not_come_back_is_refused() {
        assert!(Edit::of("a = 1\r\nb = 2\n").unwrap_err().message.contains("line"));
        assert!(Edit::of("a = ").unwrap_err().message.starts_with("broken TOML"));
    }
}
