//! The longest values of columns whose length a vendor limits, as the sink gets them; only plans measure them.

use arrow_array::{Array, ArrayRef, RecordBatch, cast::AsArray};
use arrow_schema::DataType;
use usher_abi::{Column, Error, Origin, ValueKind};

use super::shape::Origins;

/// The limited columns of a sink, each with the longest value so far.
#[derive(Debug, Default)]
pub(super) struct Longest {
    pub(super) columns: Vec<Measured>,
}

/// A column of limited length.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) column: String,
    /// The most Unicode scalar values of a text, or of an item of a list.
    pub(super) limit: u32,
    /// Of the longest.
    pub(super) chars: usize,
    /// Values above the limit.
    pub(super) over: u64,
    /// Of the first record with the longest; none while no value has come.
    pub(super) origin: Option<Origin>,
}

impl Longest {
    /// Those of `columns` whose length a sink's `rules` limit.
    pub(super) fn new<'a>(rules: &[Column], columns: impl Iterator<Item = &'a str>) -> Self {
        let measured = |column: &str| {
            let rule = rule(rules, column)?;
            let limit = rule.max_chars.filter(|_| rule.kind != ValueKind::List)?;
            Some(Measured { column: column.to_owned(), limit, chars: 0, over: 0, origin: None })
        };
        Self { columns: columns.filter_map(measured).collect() }
    }

    /// Measures the rows that a sink gets. What is no text (a number, a date) is never too long, and passed over.
    pub(super) fn take(&mut self, shaped: &RecordBatch, input: u32) -> Result<(), Error> {
        let origins = Origins::new(shaped, input)?;
        for measured in &mut self.columns {
            let Some(array) = shaped.column_by_name(&measured.column) else { continue };
            measured.array(array, |row| origins.get(row));
        }
        Ok(())
    }
}

impl Measured {
    fn array(&mut self, array: &ArrayRef, origin: impl Fn(usize) -> Origin) {
        match array.data_type() {
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                texts.iter().enumerate().for_each(|(row, text)| self.text(text, || origin(row)));
            }
            DataType::Utf8View => {
                let texts = array.as_string_view();
                texts.iter().enumerate().for_each(|(row, text)| self.text(text, || origin(row)));
            }
            DataType::List(_) => {
                let lists = array.as_list::<i32>();
                let Some(items) = lists.values().as_string_opt::<i32>() else { return };
                for (row, ends) in
                    lists.offsets().windows(2).enumerate().filter(|(row, _)| lists.is_valid(*row))
                {
                    for item in (ends[0] as usize..ends[1] as usize).filter(|item| items.is_valid(*item)) {
                        self.text(Some(items.value(item)), || origin(row));
                    }
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: Option<&str>, origin: impl FnOnce() -> Origin) {
        let Some(text) = text else { return };
        // A text of so many bytes has no more characters: most need not be counted.
        if self.origin.is_some() && text.len() <= self.chars.min(self.limit as usize) {
            return;
        }
        let chars = text.chars().count();
        self.over += u64::from(chars > self.limit as usize);
        if chars > self.chars || self.origin.is_none() {
            self.chars = chars;
            self.origin = Some(origin());
        }
    }
}

/// The rule of a column: its own, or that of a pattern.
fn rule<'a>(rules: &'a [Column], column: &str) -> Option<&'a Column> {
    let own = rules.iter().find(|rule| rule.name == column);
    let pattern =
        |rule: &&Column| rule.name.strip_suffix('*').is_some_and(|prefix| column.starts_with(prefix));
    own.or_else(|| rules.iter().find(pattern))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        StringArray,
        builder::{ListBuilder, StringBuilder},
    };

    use super::*;

    fn measured(limit: u32, array: ArrayRef) -> (usize, u64, Option<u64>) {
        let mut measured = Measured { column: String::new(), limit, chars: 0, over: 0, origin: None };
        measured.array(&array, |row| Origin { input: 0, length: 0, offset: row as u64 });
        (measured.chars, measured.over, measured.origin.map(|origin| origin.offset))
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        let texts = |texts: &[Option<&str>]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
        assert_eq!(measured(3, texts(&[None, Some("ab"), Some("éé"), Some("ça!")])), (3, 0, Some(3)));
        assert_eq!(
            measured(3, texts(&[Some("abcde"), Some("abcd"), Some("abc"), Some("ééé")])),
            (5, 2, Some(0))
        );
        assert_eq!(measured(3, texts(&[None, Some(""), Some("")])), (0, 0, Some(1)));
        assert_eq!(measured(3, texts(&[None])), (0, 0, None));
        assert_eq!(measured(3, Arc::new(arrow_array::Int64Array::from(vec![12345]))), (0, 0, None));
    }

    #[test]
    fn of_a_list_each_item_is_measured() {
        let mut lists = ListBuilder::new(StringBuilder::new());
        lists.append_value([Some("a"), None, Some("abcd")]);
        lists.append_null();
        lists.append_value([Some("abcdef"), Some("abc")]);
        assert_eq!(measured(3, Arc::new(lists.finish())), (6, 2, Some(2)));
    }

    #[test]
    fn a_column_goes_before_a_pattern() {
        let column = |name: &str, max| Column { name: name.to_owned(), max_chars: max, ..Column::default() };
        let rules = [column("custom.*", Some(255)), column("custom.note", Some(9)), column("id", None)];
        let longest = Longest::new(&rules, ["custom.plan", "custom.note", "id", "other"].into_iter());
        let limits: Vec<_> = longest.columns.iter().map(|m| (m.column.as_str(), m.limit)).collect();
        assert_eq!(limits, [("custom.plan", 255), ("custom.note", 9)]);
    }
}
