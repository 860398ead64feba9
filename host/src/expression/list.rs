//! Filters about lists, on one value: `join`, `split`, `first`, `last`, `length`.

use super::ast::Const;
use super::cell::{Cell, short};
use super::json;
use super::text::{LONGEST, too_long};

/// Appends the elements of a JSON list with the separator between them. Text that is no JSON list is
/// appended as it is.
pub(super) fn join_text(separator: &str, text: &str, out: &mut String) -> Result<(), String> {
    let start = out.len();
    let mut first = true;
    let is_list = json::elements(text, |element| {
        if out.len() - start > LONGEST {
            return;
        }
        if !first {
            out.push_str(separator);
        }
        first = false;
        element.print(out);
    });
    if !is_list {
        out.truncate(start);
        out.push_str(text);
        return Ok(());
    }
    if out.len() - start > LONGEST { Err(too_long()) } else { Ok(()) }
}

/// The filter `split`: at a separator or at white space, at most so often.
#[derive(Debug, Clone)]
pub(super) struct Split {
    separator: Option<String>,
    limit: Option<usize>,
}

impl Split {
    pub(super) fn new(arguments: &[Const]) -> Result<Split, String> {
        let (separator, limit) = match arguments {
            [] => (None, None),
            [separator] => (Some(separator), None),
            [separator, Const::Integer(limit)] => (Some(separator), usize::try_from(*limit).ok()),
            _ => {
                return Err(
                    "`split` takes a separator and how often to split, as in split(',', 1)".to_owned()
                );
            }
        };
        let separator = match separator {
            None | Some(Const::Null) => None,
            Some(separator) => Some(separator.cell().to_text().into_owned()),
        };
        Ok(Split { separator, limit })
    }

    /// Calls `each` with the pieces of a value that is not null; a list is already in pieces.
    pub(super) fn pieces(&self, cell: Cell<'_>, mut each: impl FnMut(Option<&str>)) {
        if let Cell::Json(text) = cell
            && text.starts_with('[')
        {
            json::elements(text, |element| match element {
                Cell::Null => each(None),
                element => each(Some(&element.to_text())),
            });
            return;
        }
        let text = cell.to_text();
        match (&self.separator, self.limit) {
            (Some(separator), None) => text.split(separator.as_str()).for_each(|piece| each(Some(piece))),
            (Some(separator), Some(limit)) => {
                text.splitn(limit.saturating_add(1), separator.as_str()).for_each(|piece| each(Some(piece)));
            }
            (None, None) => text.split_whitespace().for_each(|piece| each(Some(piece))),
            (None, Some(limit)) => {
                let mut rest = text.trim();
                for _ in 0..limit {
                    let Some((piece, after)) = rest.split_once(char::is_whitespace) else { break };
                    each(Some(piece));
                    rest = after.trim_start();
                }
                if !rest.is_empty() {
                    each(Some(rest));
                }
            }
        }
    }
}

/// Which end of a list or text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

impl End {
    pub(super) fn filter(self) -> &'static str {
        match self {
            End::First => "first",
            End::Last => "last",
        }
    }

    /// Calls `use_cell` with the element at this end: of a list, or the character of a text. Null if there
    /// is none.
    pub(super) fn take<T>(
        self,
        cell: Cell<'_>,
        mut use_cell: impl FnMut(Cell<'_>) -> T,
    ) -> Result<T, String> {
        match cell {
            Cell::Null => Ok(use_cell(Cell::Null)),
            Cell::Text(text) => {
                let char = match self {
                    End::First => text.chars().next(),
                    End::Last => text.chars().next_back(),
                };
                let mut buffer = [0; 4];
                Ok(use_cell(char.map_or(Cell::Null, |char| Cell::Text(char.encode_utf8(&mut buffer)))))
            }
            Cell::Json(text) if text.starts_with('[') => {
                let mut found = None;
                json::elements(text, |element| {
                    if self == End::Last || found.is_none() {
                        found = Some(use_cell(element));
                    }
                });
                Ok(found.unwrap_or_else(|| use_cell(Cell::Null)))
            }
            Cell::Json(_) | Cell::Bool(_) | Cell::Integer(_) | Cell::Float(_) => {
                Err(no_list(self.filter(), cell))
            }
        }
    }
}

/// The number of characters of a text, of elements of a list or of entries of a map; 0 for null.
pub(super) fn length(cell: Cell<'_>) -> Result<i64, String> {
    let length = match cell {
        Cell::Null => 0,
        Cell::Text(text) => text.chars().count(),
        Cell::Json(text) => json::length(text).unwrap_or_default(),
        Cell::Bool(_) | Cell::Integer(_) | Cell::Float(_) => return Err(no_list("length", cell)),
    };
    i64::try_from(length).map_err(|_| no_list("length", cell))
}

fn no_list(filter: &str, cell: Cell<'_>) -> String {
    format!("`{filter}` needs a list or text, not `{}`", short(&cell.to_text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(separator: &str, text: &str) -> String {
        let mut out = String::new();
        join_text(separator, text, &mut out).unwrap();
        out
    }

    fn split(arguments: &[Const], cell: Cell<'_>) -> Vec<String> {
        let mut pieces = Vec::new();
        Split::new(arguments).unwrap().pieces(cell, |piece| pieces.push(piece.unwrap_or("null").to_owned()));
        pieces
    }

    #[test]
    fn joins_json_lists_and_leaves_other_text() {
        assert_eq!(join(", ", r#"["a",1,true,null,"b"]"#), "a, 1, true, , b");
        assert_eq!(join(", ", "[]"), "");
        assert_eq!(join(", ", r#"["a", oops"#), r#"["a", oops"#);
        assert_eq!(join(", ", "plain"), "plain");
    }

    #[test]
    fn splits() {
        let text = |text: &str| Const::Text(text.to_owned());
        assert_eq!(split(&[text(",")], Cell::Text("a,,b")), ["a", "", "b"]);
        assert_eq!(split(&[text(",")], Cell::Text("")), [""]);
        assert_eq!(split(&[text(","), Const::Integer(1)], Cell::Text("a,b,c")), ["a", "b,c"]);
        assert_eq!(split(&[], Cell::Text(" a  b ")), ["a", "b"]);
        assert_eq!(split(&[Const::Null, Const::Integer(1)], Cell::Text(" a  b c")), ["a", "b c"]);
        assert_eq!(split(&[text(",")], Cell::Json("[1,null]")), ["1", "null"]);
    }

    #[test]
    fn ends_and_lengths() {
        let take = |end: End, cell| end.take(cell, |cell| cell.to_text().into_owned());
        assert_eq!(take(End::First, Cell::Text("éa")).unwrap(), "é");
        assert_eq!(take(End::Last, Cell::Json("[1,2]")).unwrap(), "2");
        assert_eq!(take(End::Last, Cell::Json("[]")).unwrap(), "");
        assert!(take(End::First, Cell::Bool(true)).is_err());
        assert_eq!(length(Cell::Text("éa")), Ok(2));
        assert_eq!(length(Cell::Json(r#"{"a":1}"#)), Ok(1));
        insta::assert_snapshot!(length(Cell::Integer(5)).unwrap_err(), @"`length` needs a list or text, not `5`");
    }
}
