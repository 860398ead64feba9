//! A hash of each row as it goes out: names and values of its columns.

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, StringViewArray,
    cast::AsArray,
    types::{Float64Type, Int64Type},
};
use arrow_schema::DataType;

use super::super::unique::cell_text;
use crate::services::Secret;

/// Hashes rows of one sink.
#[derive(Debug)]
pub(super) struct RowHash {
    secret: Secret,
    mapping: String,
}

impl RowHash {
    /// `mapping`: the digest of what the sink makes of rows; another one is another hash.
    pub(super) fn new(secret: Secret, mapping: String) -> Self {
        Self { secret, mapping }
    }

    /// Makes `hashes` those of the rows of `batch`, by its first `columns` columns.
    pub(super) fn rows(&self, batch: &RecordBatch, columns: usize, hashes: &mut Vec<i64>) {
        let mut base = self.secret.row_hasher();
        base.update(self.mapping.as_bytes());
        let schema = batch.schema();
        let cells: Vec<(usize, Cells<'_>)> = (0..columns).map(|i| (i, Cells::new(batch.column(i)))).collect();
        for (i, _) in &cells {
            let name = schema.field(*i).name();
            base.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        }
        hashes.clear();
        for row in 0..batch.num_rows() {
            let mut hasher = base.clone();
            for (_, cells) in &cells {
                cells.feed(row, &mut hasher);
            }
            let mut hash = [0; 8];
            hash.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
            hashes.push(i64::from_le_bytes(hash));
        }
    }
}

/// A column, looked at once for all its rows.
enum Cells<'a> {
    Text(&'a StringArray),
    View(&'a StringViewArray),
    Integer(&'a Int64Array),
    Number(&'a Float64Array),
    Boolean(&'a BooleanArray),
    /// As people read it: lists, times.
    Other(&'a ArrayRef),
}

impl<'a> Cells<'a> {
    fn new(array: &'a ArrayRef) -> Self {
        match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Utf8View => Self::View(array.as_string_view()),
            DataType::Int64 => Self::Integer(array.as_primitive::<Int64Type>()),
            DataType::Float64 => Self::Number(array.as_primitive::<Float64Type>()),
            DataType::Boolean => Self::Boolean(array.as_boolean()),
            _ => Self::Other(array),
        }
    }

    /// Length and bytes of a value; a null is another length than any value has. The type of a column is none of the row's:
    /// a number and its text are the same to a vendor, or its column says otherwise.
    fn feed(&self, row: usize, hasher: &mut blake3::Hasher) {
        let null = match self {
            Self::Text(array) => array.is_null(row),
            Self::View(array) => array.is_null(row),
            Self::Integer(array) => array.is_null(row),
            Self::Number(array) => array.is_null(row),
            Self::Boolean(array) => array.is_null(row),
            Self::Other(array) => array.is_null(row),
        };
        let mut text = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        };
        match self {
            _ if null => drop(hasher.update(&u64::MAX.to_le_bytes())),
            Self::Text(array) => text(array.value(row).as_bytes()),
            Self::View(array) => text(array.value(row).as_bytes()),
            Self::Integer(array) => text(&array.value(row).to_le_bytes()),
            Self::Number(array) => text(&array.value(row).to_le_bytes()),
            Self::Boolean(array) => text(&[u8::from(array.value(row))]),
            Self::Other(array) => text(cell_text(array, row).unwrap_or_default().as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn hashes(mapping: &str, secret: &Secret, columns: &[(&str, ArrayRef)]) -> Vec<i64> {
        let batch = RecordBatch::try_from_iter(columns.iter().cloned()).unwrap();
        let mut hashes = Vec::new();
        RowHash::new(secret.clone(), mapping.to_owned()).rows(&batch, columns.len(), &mut hashes);
        hashes
    }

    fn texts(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn a_hash_changes_with_whatever_goes_out() {
        let secret = Secret::ephemeral().unwrap();
        let base = [("a", texts(&[Some("x"), Some("xy")])), ("b", texts(&[Some("yz"), Some("z")]))];
        let [first, second] = hashes("m", &secret, &base)[..] else { panic!() };
        assert_ne!(first, second, "the same bytes, cut elsewhere");
        assert_eq!(hashes("m", &secret, &base), [first, second]);
        assert_ne!(hashes("other", &secret, &base)[0], first);
        assert_ne!(hashes("m", &Secret::ephemeral().unwrap(), &base)[0], first);
        let renamed = [("a", base[0].1.clone()), ("c", base[1].1.clone())];
        assert_ne!(hashes("m", &secret, &renamed)[0], first);
        let empty = hashes("m", &secret, &[("a", texts(&[Some(""), None]))]);
        assert_ne!(empty[0], empty[1], "empty is not null");
    }

    #[test]
    fn views_and_texts_are_the_same() {
        let secret = Secret::ephemeral().unwrap();
        let view: ArrayRef = Arc::new(StringViewArray::from(vec![Some("somewhat longer than inline"), None]));
        let plain = texts(&[Some("somewhat longer than inline"), None]);
        assert_eq!(hashes("m", &secret, &[("a", view)]), hashes("m", &secret, &[("a", plain)]));
    }
}
