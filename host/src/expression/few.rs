//! Few rows of a batch, worked on by themselves: a branch that hardly any row takes costs what those rows cost.

use arrow_array::{
    Array, BooleanArray, Float64Array, Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray,
    StringViewArray, UInt32Array,
};
use arrow_buffer::BooleanBuffer;
use arrow_schema::ArrowError;
use arrow_select::{filter::filter_record_batch, take::take};

use super::column::{Column, Data, Texts};
use super::error::EvalError;

/// Up to one in so many, rows are few: taking them out and putting them back costs less than the others would.
const ONE_IN: usize = 8;

/// These rows, and where they are in the whole batch.
pub(super) struct Few {
    /// With the columns that the program reads.
    pub(super) batch: RecordBatch,
    /// Their numbers in the whole batch.
    pub(super) rows: Vec<usize>,
    /// The other way round, for each row of the whole batch; null where it is none of them.
    places: UInt32Array,
}

impl Few {
    /// The rows that are set in `taken`, unless they are many.
    pub(super) fn new(
        batch: &RecordBatch,
        names: &[String],
        taken: &BooleanBuffer,
    ) -> Result<Option<Few>, EvalError> {
        if taken.count_set_bits() * ONE_IN > taken.len() {
            return Ok(None);
        }
        let schema = batch.schema_ref();
        let read: Vec<usize> = names.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        let batch = batch.project(&read).map_err(failed)?;
        let batch = filter_record_batch(&batch, &BooleanArray::new(taken.clone(), None)).map_err(failed)?;
        let rows: Vec<usize> = taken.set_indices().collect();
        let mut places = vec![None; taken.len()];
        (0..).zip(&rows).for_each(|(place, row)| places[*row] = Some(place));
        Ok(Some(Few { batch, rows, places: UInt32Array::from(places) }))
    }

    /// Values of these rows where they are in the whole batch; null in all others.
    pub(super) fn spread(&self, data: Data) -> Result<Data, EvalError> {
        Ok(match data {
            Data::Lists(lists) => Data::Lists(self.put::<ListArray>(&lists)?),
            Data::Cells(column) => Data::Cells(match column {
                Column::Const(value) => Column::Const(value),
                Column::Bool(array) => Column::Bool(self.put::<BooleanArray>(&array)?),
                Column::Integer(array) => Column::Integer(self.put::<Int64Array>(&array)?),
                Column::Float(array) => Column::Float(self.put::<Float64Array>(&array)?),
                Column::Text(texts, reading) => {
                    let texts = match texts {
                        Texts::Utf8(array) => Texts::Utf8(self.put::<StringArray>(&array)?),
                        Texts::Large(array) => Texts::Large(self.put::<LargeStringArray>(&array)?),
                        Texts::View(array) => Texts::View(self.put::<StringViewArray>(&array)?),
                    };
                    Column::Text(texts, reading)
                }
            }),
        })
    }

    fn put<A: Array + Clone + 'static>(&self, array: &dyn Array) -> Result<A, EvalError> {
        let spread = take(array, &self.places, None).map_err(failed)?;
        let spread = spread.as_any().downcast_ref::<A>().cloned();
        spread.ok_or_else(|| EvalError::new("rows that were put back are of another type"))
    }
}

fn failed(error: ArrowError) -> EvalError {
    EvalError::new(error.to_string())
}
