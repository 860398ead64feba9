//! Any Arrow column, read as text.

use std::{fmt::Write as _, ops::Range};

use arrow_array::{Array, ArrayRef, cast::AsArray, types};
use arrow_schema::{DataType, TimeUnit};
use usher_abi::Error;

/// A column of a batch whose values are wanted as text (or, for lists, as texts).
#[derive(Debug)]
pub struct Cells<'a> {
    form: Form<'a>,
    nulls: Option<&'a arrow_buffer::NullBuffer>,
}

#[derive(Debug)]
enum Form<'a> {
    Utf8(&'a arrow_array::StringArray),
    View(&'a arrow_array::StringViewArray),
    Boolean(&'a arrow_array::BooleanArray),
    Integer(&'a [i64]),
    Number(&'a [f64]),
    /// Microseconds since the epoch, UTC.
    Timestamp(&'a [i64]),
    /// Days since the epoch.
    Date(&'a [i32]),
    List(&'a arrow_array::ListArray, &'a arrow_array::StringArray),
}

/// Texts one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    bytes: &'a [u8],
    ends: &'a [i32],
    nulls: Option<&'a arrow_buffer::NullBuffer>,
}

impl<'a> Texts<'a> {
    /// The bytes of all texts.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the text of a row stands in them; an empty range for nulls.
    #[inline]
    pub fn part(&self, row: usize) -> Range<usize> {
        let (from, to) = (self.ends[row] as usize, self.ends[row + 1] as usize);
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) { from..from } else { from..to }
    }
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Null or missing.
    Null,
    /// A text as it stands in the batch.
    Text(&'a str),
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Microseconds since the epoch, UTC.
    Timestamp(i64),
    /// Days since the epoch.
    Date(i32),
    /// A list; see [`Cells::items`].
    List,
}

impl<'a> Cells<'a> {
    /// A reader over a column; an error for Arrow types outside Usher's subset.
    pub fn new(name: &str, array: &'a ArrayRef) -> Result<Self, Error> {
        let unsupported = || {
            Error::bug(
                "batch.type",
                format!("column `{name}` has the Arrow type {}, which no sink takes", array.data_type()),
            )
        };
        let form = match array.data_type() {
            DataType::Utf8 => Form::Utf8(array.as_string()),
            DataType::Utf8View => Form::View(array.as_string_view()),
            DataType::Boolean => Form::Boolean(array.as_boolean()),
            DataType::Int64 => Form::Integer(array.as_primitive::<types::Int64Type>().values()),
            DataType::Float64 => Form::Number(array.as_primitive::<types::Float64Type>().values()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Form::Timestamp(array.as_primitive::<types::TimestampMicrosecondType>().values())
            }
            DataType::Date32 => Form::Date(array.as_primitive::<types::Date32Type>().values()),
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Form::List(list, list.values().as_string_opt::<i32>().ok_or_else(unsupported)?)
            }
            _ => return Err(unsupported()),
        };
        Ok(Self { form, nulls: array.nulls() })
    }

    /// The value of a row.
    #[inline]
    pub fn value(&self, row: usize) -> Value<'a> {
        if self.nulls.is_some_and(|n| n.is_null(row)) {
            return Value::Null;
        }
        match self.form {
            Form::Utf8(array) => Value::Text(array.value(row)),
            Form::View(array) => Value::Text(array.value(row)),
            Form::Boolean(array) => Value::Boolean(array.value(row)),
            Form::Integer(values) => Value::Integer(values[row]),
            Form::Number(values) => Value::Number(values[row]),
            Form::Timestamp(values) => Value::Timestamp(values[row]),
            Form::Date(values) => Value::Date(values[row]),
            Form::List(..) => Value::List,
        }
    }

    /// The bytes of all texts of the column, one after the other; `None` where they do not stand so.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        let Form::Utf8(array) = self.form else { return None };
        let offsets = array.value_offsets();
        let (first, last) = (*offsets.first()?, *offsets.last()?);
        array.value_data().get(usize::try_from(first).ok()?..usize::try_from(last).ok()?)
    }

    /// The column's texts, for whoever copies all of them; `None` for other columns.
    pub fn texts(&self) -> Option<Texts<'a>> {
        let Form::Utf8(array) = self.form else { return None };
        Some(Texts { bytes: array.value_data(), ends: array.value_offsets(), nulls: self.nulls })
    }

    /// The texts of a row of a list column; null items are left out. Nothing for other columns.
    pub fn items(&self, row: usize) -> impl Iterator<Item = &'a str> + use<'a> {
        let (texts, range) = match self.form {
            Form::List(list, texts) => {
                let offsets = list.value_offsets();
                (Some(texts), offsets[row] as usize..offsets[row + 1] as usize)
            }
            _ => (None, 0..0),
        };
        range.filter_map(move |i| texts.filter(|t| t.is_valid(i)).map(|t| t.value(i)))
    }

    /// Appends the value of a row as text: booleans as `true`/`false`, numbers in their shortest form, times as
    /// RFC 3339 in UTC, dates as `YYYY-MM-DD`, lists as JSON. Answers whether there was a value.
    pub fn append_text(&self, row: usize, into: &mut String) -> bool {
        match self.value(row) {
            Value::Null => return false,
            Value::Text(text) => into.push_str(text),
            Value::Boolean(value) => into.push_str(if value { "true" } else { "false" }),
            Value::Integer(value) => into.push_str(itoa::Buffer::new().format(value)),
            Value::Number(value) => {
                let _ = write!(into, "{value}");
            }
            Value::Timestamp(micros) => {
                if let Ok(time) = jiff::Timestamp::from_microsecond(micros) {
                    let _ = write!(into, "{time}");
                }
            }
            Value::Date(days) => {
                let epoch = jiff::civil::date(1970, 1, 1);
                if let Ok(date) = epoch.checked_add(jiff::Span::new().days(days)) {
                    let _ = write!(into, "{date}");
                }
            }
            Value::List => {
                into.push('[');
                for (i, item) in self.items(row).enumerate() {
                    into.push_str(if i > 0 { "," } else { "" });
                    crate::json_text::push_string(item, into);
                }
                into.push(']');
            }
        }
        true
    }
}
