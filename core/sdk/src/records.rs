//! Batches as connectors handle them.

use arrow_array::{
    RecordBatch,
    cast::AsArray,
    types::{UInt32Type, UInt64Type},
};
use arrow_schema::{DataType, Field, Schema};
use usher_abi::{Error, Origin, ValueKind};

pub use usher_abi::metadata::{KIND, LENGTH, OFFSET};

/// Some thousand rows of one input.
#[derive(Clone, Debug)]
pub struct Records {
    /// The rows; the last two columns are [`OFFSET`] (UInt64) and [`LENGTH`] (UInt32).
    pub batch: RecordBatch,
    /// The input that they come from.
    pub input: u32,
    /// A source's checkpoint after these rows, in its own form; empty when it keeps none.
    pub checkpoint: Vec<u8>,
}

impl Records {
    /// Rows without a checkpoint.
    pub fn new(batch: RecordBatch, input: u32) -> Self {
        Self { batch, input, checkpoint: Vec::new() }
    }

    /// Where the rows come from; an error when the two columns are missing.
    pub fn origins(&self) -> Result<Origins<'_>, Error> {
        let missing =
            |name| Error::bug("batch.origin", format!("the batch has no column `{name}` of the right type"));
        let offsets = self.batch.column_by_name(OFFSET).and_then(|c| c.as_primitive_opt::<UInt64Type>());
        let lengths = self.batch.column_by_name(LENGTH).and_then(|c| c.as_primitive_opt::<UInt32Type>());
        Ok(Origins {
            input: self.input,
            offsets: offsets.ok_or_else(|| missing(OFFSET))?.values(),
            lengths: lengths.ok_or_else(|| missing(LENGTH))?.values(),
        })
    }
}

/// Origins of the rows of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Origins<'a> {
    input: u32,
    offsets: &'a [u64],
    lengths: &'a [u32],
}

impl Origins<'_> {
    /// The origin of a row.
    #[inline]
    pub fn get(&self, row: usize) -> Origin {
        Origin { input: self.input, length: self.lengths[row], offset: self.offsets[row] }
    }
}

/// The columns that a sink is given, with their places: all but the two that say where rows come from.
pub fn given(schema: &Schema) -> impl Iterator<Item = (usize, &Field)> {
    let fields = schema.fields().iter().map(AsRef::as_ref).enumerate();
    fields.filter(|(_, field): &(usize, &Field)| field.name() != OFFSET && field.name() != LENGTH)
}

/// What a column's text is, if whoever made the batch says so.
pub fn kind(field: &Field) -> Option<ValueKind> {
    field.metadata().get(KIND).and_then(|kind| ValueKind::from_name(kind))
}

/// Whether no two rows that come have the same text in a column, the white space around it and its case left aside; blanks
/// do not count. Of the items of a list nothing is said.
pub fn is_unique(field: &Field) -> bool {
    use usher_abi::metadata::{FOLDED, UNIQUE};
    field.metadata().get(UNIQUE).is_some_and(|how| how == FOLDED)
}

/// The claims that a column of a transform's schema provides.
pub fn claims(field: &Field) -> Vec<String> {
    let claims = field.metadata().get(usher_abi::metadata::CLAIMS);
    claims.and_then(|claims| serde_json::from_str(claims).ok()).unwrap_or_default()
}

/// The two fields that every batch ends with.
pub fn origin_fields() -> [Field; 2] {
    [Field::new(OFFSET, DataType::UInt64, false), Field::new(LENGTH, DataType::UInt32, false)]
}
