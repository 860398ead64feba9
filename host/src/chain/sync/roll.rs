//! The roll: who is in the source, whatever becomes of them further on.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, RecordBatch, builder::FixedSizeBinaryBuilder,
    cast::AsArray,
};
use arrow_schema::{DataType, Field, Schema};
use usher_abi::Error;

use super::{
    super::{
        shape::keep_rows,
        unique::{Keys, as_text, bad},
    },
    sorted::{Ordered, Sorted},
};
use crate::{expression::Program, services::Secret};

/// What makes one person's records known: an expression of the manifest (`unique`).
pub(super) struct RollKey {
    /// The expression, as the manifest writes it.
    pub(super) text: String,
    pub(super) program: Program,
    /// All keys are collected, because a sink asks who is missing.
    pub(super) collect: bool,
}

/// Rows that a condition has left out: with their origins and keys.
#[derive(Clone)]
pub(in crate::chain) struct Left {
    /// The reason in the books.
    pub(in crate::chain) reason: &'static str,
    pub(in crate::chain) input: u32,
    pub(in crate::chain) rows: RecordBatch,
}

impl Left {
    /// The rows of `batch` for which `out` is true, as far as they must be known.
    pub(in crate::chain) fn new(
        batch: &RecordBatch,
        out: &BooleanArray,
        input: u32,
        reason: &'static str,
    ) -> Result<Self, Error> {
        let schema = batch.schema();
        let own = schema.fields().iter().enumerate().filter(|(_, field)| field.name().starts_with('_'));
        let own: Vec<usize> = own.map(|(index, _)| index).collect();
        let known = batch.project(&own).map_err(|e| Error::bug("host.batch", e.to_string()))?;
        Ok(Self { reason, input, rows: keep_rows(&known, out)? })
    }
}

/// Adds the keys of its person to every record.
pub(in crate::chain) struct Roll {
    secret: Secret,
    keys: Vec<(RollKey, Sorted<16>)>,
    folded: String,
}

/// The column with the hashed keys of one expression, and the one with their texts.
pub(super) fn columns_of(index: usize) -> [String; 2] {
    [format!("_key{index}"), format!("_who{index}")]
}

impl Roll {
    pub(super) fn new(secret: Secret, keys: Vec<RollKey>) -> Self {
        let keys = keys.into_iter().map(|key| (key, Sorted::new())).collect();
        Self { secret, keys, folded: String::new() }
    }

    /// The batch with two columns more for each key.
    pub(in crate::chain) fn call(&mut self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let mut fields: Vec<Arc<Field>> = batch.schema().fields().iter().cloned().collect();
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        for (index, (key, all)) in self.keys.iter_mut().enumerate() {
            let texts = as_text(&key.program.value(batch).map_err(bad)?.array)?;
            let mut hashed = FixedSizeBinaryBuilder::with_capacity(batch.num_rows(), 16);
            let values = Keys::new(&texts);
            for row in 0..batch.num_rows() {
                match values.as_ref().and_then(|values| values.get(row)) {
                    None => hashed.append_null(),
                    Some(text) => {
                        usher_keys::fold(text, &mut self.folded);
                        let key_of = self.secret.key(&self.folded);
                        if key.collect {
                            all.push(key_of)?;
                        }
                        hashed.append_value(key_of).map_err(|e| Error::bug("host.batch", e.to_string()))?;
                    }
                }
            }
            let hashed: FixedSizeBinaryArray = hashed.finish();
            for (name, array) in columns_of(index).into_iter().zip([Arc::new(hashed) as ArrayRef, texts]) {
                fields.push(Arc::new(Field::new(name, array.data_type().clone(), true)));
                columns.push(array);
            }
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|e| Error::bug("host.batch", e.to_string()))
    }

    /// All keys of each expression that are collected.
    pub(in crate::chain) fn all(self) -> Result<Vec<Ordered<16>>, Error> {
        self.keys.into_iter().map(|(_, all)| all.into_ordered()).collect()
    }
}

/// The hashed keys and their texts in a batch that was called.
pub(super) fn keys_in(
    batch: &RecordBatch,
    index: usize,
) -> Result<(&FixedSizeBinaryArray, &ArrayRef), Error> {
    let [keys, texts] = columns_of(index);
    let keys = batch.column_by_name(&keys).and_then(|c| c.as_fixed_size_binary_opt());
    match (keys, batch.column_by_name(&texts)) {
        (Some(keys), Some(texts)) if *texts.data_type() == DataType::Utf8 => Ok((keys, texts)),
        _ => Err(Error::bug("host.batch", "a batch came without the keys of its records")),
    }
}
