//! Rows with the same key become one.

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, cast::AsArray};
use arrow_buffer::BooleanBufferBuilder;
use usher_abi::{Error, Identity, Merged, Origin};
use usher_keys::{Fingerprints, Print};

use super::shape::Origins;
use crate::{expression::Program, manifest::Keep};

/// Rows whose keys are looked up together.
const GROUP: usize = 128;

/// Where a record is, in eight bytes: which input (16 bits) and where in it (48 bits).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place([u32; 2]);

impl Place {
    fn new(input: u32, offset: u64) -> Self {
        let packed = (u64::from(input as u16) << 48) | (offset & 0xFFFF_FFFF_FFFF);
        Self([(packed >> 32) as u32, packed as u32])
    }

    fn origin(self) -> Origin {
        let packed = (u64::from(self.0[0]) << 32) | u64::from(self.0[1]);
        Origin { input: (packed >> 48) as u32, length: 0, offset: packed & 0xFFFF_FFFF_FFFF }
    }
}

/// Texts of a key column; null and blank keys are no keys.
pub(super) struct Keys<'a>(&'a arrow_array::StringArray);

impl<'a> Keys<'a> {
    pub(super) fn new(array: &'a ArrayRef) -> Option<Self> {
        array.as_string_opt::<i32>().map(Self)
    }

    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        if self.0.is_null(row) {
            return None;
        }
        Some(self.0.value(row)).filter(|key| !key.trim().is_empty())
    }
}

/// Calls `each` with every row and the print of its key, if it has one. Keys are fetched in groups, since each look alone would
/// wait for memory.
pub(super) fn each_print<V: Copy + Default>(
    table: &mut Fingerprints<V>,
    keys: &Keys<'_>,
    mut each: impl FnMut(&mut Fingerprints<V>, usize, Option<Print>),
) {
    let rows = keys.0.len();
    let mut prints: Vec<Option<Print>> = Vec::with_capacity(GROUP);
    for first in (0..rows).step_by(GROUP) {
        let group = first..rows.min(first + GROUP);
        prints.clear();
        prints.extend(group.clone().map(|row| keys.get(row).map(|key| table.folded(key))));
        table.fetch(prints.iter().flatten());
        group.zip(&prints).for_each(|(row, print)| each(table, row, *print));
    }
}

/// A key column as text, whatever its type.
pub(super) fn as_text(array: &ArrayRef) -> Result<ArrayRef, Error> {
    if array.data_type() == &arrow_schema::DataType::Utf8 {
        return Ok(array.clone());
    }
    let formatter = arrow_text(array)?;
    Ok(std::sync::Arc::new(formatter))
}

fn arrow_text(array: &ArrayRef) -> Result<arrow_array::StringArray, Error> {
    use arrow_schema::DataType::{Boolean, Float64, Int64, Utf8View};
    match array.data_type() {
        Int64 | Float64 | Boolean | Utf8View => {
            Ok((0..array.len()).map(|row| cell_text(array, row)).collect())
        }
        other => {
            let message =
                format!("a key of the type {other} cannot be compared; take a text, a number or a boolean");
            Err(Error::config("unique.type", message))
        }
    }
}

/// A value as text; none when it is null. For keys that are no texts, and for people who look at rows.
pub(super) fn cell_text(array: &ArrayRef, row: usize) -> Option<String> {
    use arrow_array::types::{Float64Type, Int64Type};
    use arrow_schema::DataType;
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Utf8View => array.as_string_view().value(row).to_owned(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let texts: Vec<Option<String>> = (0..items.len()).map(|i| cell_text(&items, i)).collect();
            serde_json::Value::from(texts).to_string()
        }
        _ => format!("{:?}", array.slice(row, 1)),
    })
}

/// `unique`, at work.
pub(super) struct UniqueStage {
    pub(super) key: Program,
    pub(super) keep: Keep,
    /// `keep = { max = … }`: what is compared.
    pub(super) rank: Option<Program>,
    seen: Fingerprints<Place>,
    /// Whether `seen` holds the winners of a survey, or grows as rows pass (`keep = "first"`).
    surveyed: bool,
    /// During a survey of `max`: the largest rank so far, by the winner's number.
    ranks: Fingerprints<u32>,
    best: Vec<Rank>,
}

/// What `max` compares: numbers as numbers, everything else as text; missing is least.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Rank {
    Missing,
    Number(f64),
    Text(Box<str>),
}

impl UniqueStage {
    pub(super) fn new(key: Program, keep: Keep, rank: Option<Program>) -> Self {
        let (seen, ranks) = (Fingerprints::new(), Fingerprints::new());
        Self { key, keep, rank, seen, surveyed: false, ranks, best: Vec::new() }
    }

    /// Whether the winners are known only after all rows were seen.
    pub(super) fn needs_survey(&self) -> bool {
        self.keep != Keep::First
    }

    /// Looks at rows of the first pass.
    pub(super) fn survey(&mut self, batch: &RecordBatch, origins: &Origins<'_>) -> Result<(), Error> {
        self.surveyed = true;
        let keys = self.keys(batch)?;
        let Some(keys) = Keys::new(&keys) else { return Ok(()) };
        let rank = match &self.rank {
            Some(program) => Some(as_text(&program.value(batch).map_err(bad)?.array)?),
            None => None,
        };
        for row in 0..batch.num_rows() {
            let Some(key) = keys.get(row) else { continue };
            let print = self.seen.folded(key);
            let place = Place::new(origins.input, origins.offsets[row]);
            let wins = match &rank {
                None => true,
                Some(rank) => self.outranks(key, rank_of(rank, row)),
            };
            if wins {
                self.seen.insert(print, place);
            }
        }
        Ok(())
    }

    fn outranks(&mut self, key: &str, rank: Rank) -> bool {
        let print = self.ranks.folded(key);
        match self.ranks.get(print) {
            None => {
                self.ranks.insert(print, self.best.len() as u32);
                self.best.push(rank);
                true
            }
            Some(at) if rank > self.best[at as usize] => {
                self.best[at as usize] = rank;
                true
            }
            Some(_) => false,
        }
    }

    /// Forgets what rows of an earlier pass went by; winners of a survey stay.
    pub(super) fn restart(&mut self) {
        if !self.surveyed {
            self.seen = Fingerprints::new();
        }
    }

    /// After the first pass: the ranks are not needed any more.
    pub(super) fn survey_done(&mut self) {
        self.ranks = Fingerprints::new();
        self.best = Vec::new();
    }

    /// Which rows stay; the others are merged into their survivors.
    pub(super) fn keep(
        &mut self,
        batch: &RecordBatch,
        origins: &Origins<'_>,
        merged: &mut Vec<Merged>,
        books: &mut Identity,
    ) -> Result<BooleanArray, Error> {
        let mut keep = BooleanBufferBuilder::new(batch.num_rows());
        let keys = self.keys(batch)?;
        let Some(keys) = Keys::new(&keys) else {
            keep.append_n(batch.num_rows(), true);
            return Ok(BooleanArray::new(keep.finish(), None));
        };
        let surveyed = self.surveyed;
        each_print(&mut self.seen, &keys, |seen, row, print| {
            let Some(print) = print else { return keep.append(true) };
            let place = Place::new(origins.input, origins.offsets[row]);
            let seen = seen.get_or_insert(print, place);
            let survivor = seen.unwrap_or(place);
            // Of a survey the winner is noted before it comes; else whatever is noted came before.
            let stays = seen.is_none() || surveyed && survivor == place;
            keep.append(stays);
            if !stays {
                books.add(origins.input, origins.offsets[row]);
                merged.push(Merged { origin: origins.get(row), survivor: survivor.origin() });
            }
        });
        Ok(BooleanArray::new(keep.finish(), None))
    }

    fn keys(&self, batch: &RecordBatch) -> Result<ArrayRef, Error> {
        as_text(&self.key.value(batch).map_err(bad)?.array)
    }
}

fn rank_of(rank: &ArrayRef, row: usize) -> Rank {
    let texts = rank.as_string::<i32>();
    if texts.is_null(row) || texts.value(row).is_empty() {
        return Rank::Missing;
    }
    let text = texts.value(row);
    text.parse().map_or_else(|_| Rank::Text(text.into()), Rank::Number)
}

pub(super) fn bad(error: crate::expression::EvalError) -> Error {
    Error::bug("expression.batch", error.to_string())
}
