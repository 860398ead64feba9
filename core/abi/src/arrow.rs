//! Between the boundary's Arrow structs and the arrow crates. Used by both sides; no arrow type is part of the
//! boundary itself.

use std::{ffi::CStr, mem, sync::Arc};

use arrow_array::{Array, RecordBatch, StringArray, StructArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow_data::{ArrayData, ffi::FFI_ArrowArray};
use arrow_schema::{DataType, Schema, SchemaRef, ffi::FFI_ArrowSchema};

use crate::{
    ArrowArray, ArrowSchema, Batch, Error,
    metadata::{LENGTH, OFFSET},
};

const _: () = {
    assert!(mem::size_of::<ArrowArray>() == mem::size_of::<FFI_ArrowArray>());
    assert!(mem::align_of::<ArrowArray>() == mem::align_of::<FFI_ArrowArray>());
    assert!(mem::size_of::<ArrowSchema>() == mem::size_of::<FFI_ArrowSchema>());
    assert!(mem::align_of::<ArrowSchema>() == mem::align_of::<FFI_ArrowSchema>());
};

/// Hands a batch over without copying its values.
pub fn export_batch(records: &RecordBatch, input: u32, checkpoint: Vec<u8>) -> Result<Batch, Error> {
    let data = StructArray::from(records.clone()).into_data();
    let mut buffer_lens = Vec::new();
    lengths(&data, &mut buffer_lens);
    let mut batch = Batch::empty();
    // SAFETY: both are `struct ArrowArray` of the Arrow C Data Interface (sizes asserted above).
    batch.array = unsafe { mem::transmute::<FFI_ArrowArray, ArrowArray>(FFI_ArrowArray::new(&data)) };
    batch.schema = export_schema(records.schema_ref())?;
    batch.buffer_lens = buffer_lens.into();
    batch.input = input;
    batch.checkpoint = checkpoint.into();
    Ok(batch)
}

/// A schema as the boundary has it.
pub fn export_schema(schema: &Schema) -> Result<ArrowSchema, Error> {
    let schema = FFI_ArrowSchema::try_from(schema)
        .map_err(|e| Error::bug("abi.schema", format!("this schema cannot cross the boundary: {e}")))?;
    // SAFETY: both are `struct ArrowSchema` of the Arrow C Data Interface (sizes asserted above).
    Ok(unsafe { mem::transmute::<FFI_ArrowSchema, ArrowSchema>(schema) })
}

/// The schema behind the boundary's struct, which is only lent.
pub fn import_schema(schema: &ArrowSchema) -> Result<SchemaRef, Error> {
    if schema.release.is_none() || schema.format.is_null() {
        return Err(invalid("the schema is empty"));
    }
    check_schema(schema, Place::Rows)?;
    // SAFETY: same struct (sizes asserted above), lent for the call, its pointers checked just above.
    let ffi = unsafe { &*std::ptr::from_ref(schema).cast::<FFI_ArrowSchema>() };
    Schema::try_from(ffi).map(Arc::new).map_err(|e| invalid(e.to_string()))
}

/// Takes a batch over, leaving an empty one behind. Shapes, buffer lengths, offsets and UTF-8 are checked before a
/// value is used; what fails is an error of class `bug`: the producer is at fault.
pub fn import_batch(batch: &mut Batch) -> Result<RecordBatch, Error> {
    let batch = mem::take(batch);
    let schema = import_schema(&batch.schema)?;
    let mut lens = batch.buffer_lens.iter().copied();
    check(&batch.array, &batch.schema, 0, &mut lens)?;
    if lens.next().is_some() {
        return Err(invalid("more buffer lengths than buffers"));
    }
    if batch.array.length == 0 {
        // The offsets of an empty slice may point anywhere.
        return Ok(RecordBatch::new_empty(schema));
    }
    let Batch { mut array, schema: c_schema, .. } = batch;
    forget_null_counts(&mut array);
    // SAFETY: same structs (sizes asserted above); ownership moves, so nothing is released twice.
    let (array, c_schema) = unsafe {
        (
            mem::transmute::<ArrowArray, FFI_ArrowArray>(array),
            mem::transmute::<ArrowSchema, FFI_ArrowSchema>(c_schema),
        )
    };
    // SAFETY: `check` has held the array against its schema and the stated lengths.
    let data = unsafe { arrow_array::ffi::from_ffi(array, &c_schema) }.map_err(|e| invalid(e.to_string()))?;
    validate(&data, &schema)?;
    let rows = data.len();
    let array = StructArray::from(data);
    let (_, columns, nulls) = array.into_parts();
    if nulls.is_some_and(|n| n.null_count() > 0) {
        return Err(invalid("whole rows are null"));
    }
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(|e| invalid(e.to_string()))
}

/// All that `validate_full` finds. It reads texts of a column as one, which costs a fraction of reading them one by one.
fn validate(data: &ArrayData, schema: &Schema) -> Result<(), Error> {
    let fault = |e: arrow_schema::ArrowError| invalid(e.to_string());
    data.validate().map_err(fault)?;
    data.validate_nulls().map_err(fault)?;
    let texts = |column: &ArrayData| *column.data_type() == DataType::Utf8 && are_texts(column);
    let columns = data.child_data().iter().zip(schema.fields());
    columns.filter(|(column, _)| !texts(column)).try_for_each(|(column, field)| {
        // Whatever is wrong with it is told in the arrow crates' words.
        column.validate_full().map_err(|e| invalid(format!("column `{}`: {e}", field.name())))
    })
}

/// Whether a column of texts is sound, its validity aside where it has none: offsets that grow within the values, and
/// between them UTF-8.
fn are_texts(column: &ArrayData) -> bool {
    let Some(values) = column.buffers().get(1).map(|values| values.as_slice()) else { return false };
    if column.is_empty()
        || column.buffers()[0].len() < (column.offset() + column.len() + 1) * size_of::<i32>()
    {
        return false;
    }
    is_text(&column.buffer::<i32>(0)[..=column.len()], values) && column.validate_nulls().is_ok()
}

/// Whether between growing offsets, of which there is one at least, stands UTF-8.
fn is_text(offsets: &[i32], values: &[u8]) -> bool {
    let grow = offsets.windows(2).fold(offsets[0] >= 0, |grow, pair| grow & (pair[0] <= pair[1]));
    let place = |offset: i32| usize::try_from(offset).ok();
    let (first, last) = (place(offsets[0]), place(offsets[offsets.len() - 1]));
    let Some(text) = first.zip(last).filter(|_| grow).and_then(|(first, last)| values.get(first..last))
    else {
        return false;
    };
    // A byte that goes on with a character begins none.
    let begins = |offset: &i32| values.get(*offset as usize).is_none_or(|byte| byte & 0xC0 != 0x80);
    text.is_ascii() || (simdutf8::basic::from_utf8(text).is_ok() && offsets.iter().all(begins))
}

/// A column of texts that stand one behind the other in `values`; they are checked as one. An error is the caller's fault.
pub fn text_column(
    ends: OffsetBuffer<i32>,
    values: Buffer,
    nulls: Option<NullBuffer>,
) -> Result<StringArray, Error> {
    let fits = nulls.as_ref().is_none_or(|nulls| nulls.len() == ends.len() - 1);
    if fits && is_text(&ends, &values) {
        // SAFETY: the offsets grow, lie within the values and begin no text within a character; the values between them are
        // UTF-8; there is a validity bit for each text.
        return Ok(unsafe { StringArray::new_unchecked(ends, values, nulls) });
    }
    // Whatever is wrong with it is told in the arrow crates' words.
    StringArray::try_new(ends, values, nulls)
        .map_err(|e| Error::bug("source.batch", format!("the texts are no column: {e}")))
}

fn invalid(what: impl Into<String>) -> Error {
    Error::bug("abi.batch", format!("an invalid batch crossed the boundary: {}", what.into()))
}

/// Lengths of the buffers that `FFI_ArrowArray::new` exports for `data`, in its order.
fn lengths(data: &ArrayData, into: &mut Vec<u64>) {
    let layout = arrow_data::layout(data.data_type());
    if layout.can_contain_null_mask {
        into.push(data.nulls().map_or(0, |_| (data.len() + data.offset()).div_ceil(8) as u64));
    }
    for buffer in data.buffers() {
        into.push(buffer.len() as u64);
    }
    if layout.variadic {
        into.push(8 * (data.buffers().len().saturating_sub(1)) as u64);
    }
    for child in data.child_data() {
        lengths(child, into);
    }
}

/// Has the nulls counted again: the arrow crates drop a validity buffer whose producer says that it has no nulls. The
/// children have been checked.
fn forget_null_counts(array: &mut ArrowArray) {
    array.null_count = -1;
    for i in 0..usize::try_from(array.n_children).unwrap_or(0) {
        // SAFETY: `check` has seen `n_children` children, and nobody else holds them.
        if let Some(child) = unsafe { array.children.add(i).read().as_mut() } {
            forget_null_counts(child);
        }
    }
}

/// Where a field stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Rows,
    Column,
    Item,
}

/// Looks at the pointers, texts and numbers of children of a schema, before the arrow crates assert them.
fn check_schema(schema: &ArrowSchema, place: Place) -> Result<(), Error> {
    let text = |pointer: *const std::ffi::c_char, what: &str| {
        // SAFETY: texts are NUL-terminated by the Arrow C Data Interface; null was looked for.
        unsafe { CStr::from_ptr(pointer) }.to_str().map_err(|_| invalid(format!("a {what} is not UTF-8")))
    };
    if schema.format.is_null() {
        return Err(invalid("a format is missing"));
    }
    let format = text(schema.format, "format")?;
    let name = if schema.name.is_null() { "" } else { text(schema.name, "name")? };
    let children =
        usize::try_from(schema.n_children).map_err(|_| invalid("a negative number of children"))?;
    let expected = match (place, format) {
        (Place::Rows, "+s") => children,
        (Place::Column, "+l") => 1,
        (Place::Column, "u" | "z" | "b" | "l" | "g" | "tdD" | "vu" | "vz" | "tsu:UTC") => 0,
        (Place::Column, "L") if name == OFFSET => 0,
        (Place::Column, "I") if name == LENGTH => 0,
        (Place::Item, "u") => 0,
        (_, other) => {
            return Err(invalid(format!("the type `{other}` of `{name}` is not of Usher's subset")));
        }
    };
    if children != expected || (children > 0 && schema.children.is_null()) || !schema.dictionary.is_null() {
        return Err(invalid(format!(
            "`{format}` has {children} children, or lacks them, or has a dictionary"
        )));
    }
    for i in 0..children {
        // SAFETY: `schema.children` holds `n_children` pointers.
        let child = unsafe { schema.children.add(i).read().as_ref() };
        let within = if place == Place::Rows { Place::Column } else { Place::Item };
        check_schema(child.ok_or_else(|| invalid("a child is missing"))?, within)?;
    }
    Ok(())
}

/// Holds an array against its schema and the stated buffer lengths, before anything reads it.
fn check(
    array: &ArrowArray,
    schema: &ArrowSchema,
    depth: u32,
    lens: &mut impl Iterator<Item = u64>,
) -> Result<(), Error> {
    if schema.format.is_null() || (array.release.is_none() && depth == 0) {
        return Err(invalid("a struct is empty"));
    }
    // SAFETY: the producer's format strings are NUL-terminated by the Arrow C Data Interface.
    let format =
        unsafe { CStr::from_ptr(schema.format) }.to_str().map_err(|_| invalid("a format is not text"))?;
    let rows = array
        .offset
        .checked_add(array.length)
        .filter(|_| array.offset >= 0 && array.length >= 0)
        .ok_or_else(|| invalid("a negative length"))? as u64;
    let count = usize::try_from(array.n_buffers).map_err(|_| invalid("a negative number of buffers"))?;
    if count > 0 && array.buffers.is_null() {
        return Err(invalid("buffers are missing"));
    }
    let mut buffers = Vec::new();
    for i in 0..count {
        let len = lens.next().ok_or_else(|| invalid("fewer buffer lengths than buffers"))?;
        // SAFETY: `buffers` holds `n_buffers` pointers.
        let pointer = unsafe { *array.buffers.add(i) };
        if pointer.is_null() && len > 0 {
            return Err(invalid("a buffer is missing"));
        }
        buffers.push((pointer.cast::<u8>(), len));
    }
    let need = |index: usize, bytes: Option<u64>| -> Result<(), Error> {
        let bytes = bytes.ok_or_else(|| invalid("a length overflows"))?;
        match buffers.get(index) {
            Some((_, len)) if *len >= bytes => Ok(()),
            Some((_, len)) => {
                Err(invalid(format!("buffer {index} of `{format}` has {len} bytes, {bytes} are needed")))
            }
            None => Err(invalid(format!("buffer {index} of `{format}` is missing"))),
        }
    };
    // The arrow crates read these in place; all other buffers they align themselves.
    let aligned = |index: usize, to: usize| match buffers.get(index) {
        Some((pointer, _)) if pointer.addr() % to != 0 => {
            Err(invalid(format!("buffer {index} of `{format}` is not aligned")))
        }
        _ => Ok(()),
    };
    let bits = rows.div_ceil(8);
    if buffers.first().is_some_and(|(pointer, _)| !pointer.is_null()) {
        need(0, Some(bits))?;
    } else if array.null_count > 0 {
        return Err(invalid("nulls without a validity buffer"));
    }
    let last_offset = || -> Result<u64, Error> {
        if rows == 0 {
            return Ok(0);
        }
        need(1, rows.checked_add(1).and_then(|n| n.checked_mul(4)))?;
        aligned(1, align_of::<i32>())?;
        let (pointer, _) = buffers[1];
        // SAFETY: the buffer has `rows + 1` offsets of four bytes, checked just above; no alignment is assumed.
        let last = unsafe { pointer.cast::<i32>().add(rows as usize).read_unaligned() };
        u64::try_from(last).map_err(|_| invalid("a negative offset"))
    };
    let mut children = 0;
    match format {
        "u" | "z" => need(2, Some(last_offset()?))?,
        "b" => need(1, Some(bits))?,
        "l" | "g" | "L" => need(1, rows.checked_mul(8))?,
        "I" | "tdD" => need(1, rows.checked_mul(4))?,
        _ if format.starts_with("tsu:") => need(1, rows.checked_mul(8))?,
        "vu" | "vz" => {
            need(1, rows.checked_mul(16))?;
            let data = count.checked_sub(3).ok_or_else(|| invalid("a view array lacks buffers"))?;
            need(count - 1, Some(8 * data as u64))?;
            aligned(count - 1, align_of::<i64>())?;
            for i in 0..data {
                let (pointer, _) = buffers[count - 1];
                // SAFETY: the last buffer holds `data` lengths of eight bytes, checked just above.
                let len = unsafe { pointer.cast::<i64>().add(i).read_unaligned() };
                need(2 + i, u64::try_from(len).ok())?;
            }
        }
        "+l" => {
            let last = last_offset()?;
            children = 1;
            let child = child(array, 0, 1)?;
            if (child.length as u64) < last {
                return Err(invalid("a list points behind its values"));
            }
        }
        "+s" => {
            children =
                usize::try_from(schema.n_children).map_err(|_| invalid("a negative number of children"))?;
            for i in 0..children {
                if (child(array, i, children)?.length as u64) < rows {
                    return Err(invalid("a column is shorter than its batch"));
                }
            }
        }
        other => return Err(invalid(format!("the type `{other}` is not of Usher's subset"))),
    }
    if array.n_children != children as i64 || schema.n_children != children as i64 {
        return Err(invalid(format!(
            "`{format}` has {} children, {children} are expected",
            array.n_children
        )));
    }
    for i in 0..children {
        if schema.children.is_null() {
            return Err(invalid("children of a schema are missing"));
        }
        // SAFETY: `schema.children` holds `n_children` pointers, checked just above.
        let child_schema = unsafe { schema.children.add(i).read().as_ref() };
        check(
            child(array, i, children)?,
            child_schema.ok_or_else(|| invalid("a child is missing"))?,
            depth + 1,
            lens,
        )?;
    }
    Ok(())
}

fn child(array: &ArrowArray, index: usize, of: usize) -> Result<&ArrowArray, Error> {
    if array.children.is_null() || array.n_children != of as i64 {
        return Err(invalid("children are missing"));
    }
    // SAFETY: `children` holds `n_children` pointers and `index` is below it.
    unsafe { array.children.add(index).read().as_ref() }.ok_or_else(|| invalid("a child is missing"))
}
