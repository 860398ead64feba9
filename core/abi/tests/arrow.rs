//! Batches cross unharmed, and broken ones are refused before a byte of them is used.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows a test by `#[test]`, not the functions that tests share"
)]

use std::{
    collections::HashMap,
    ffi::{CString, c_void},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::Arc,
};

use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Float64Array, Int64Array,
    RecordBatch, RecordBatchOptions, StringArray, StringViewArray, TimestampMicrosecondArray, UInt32Array,
    UInt64Array,
    builder::{ListBuilder, StringBuilder},
};
use arrow_schema::{DataType, Field, Schema};
use usher_abi::{
    ArrowArray, ArrowSchema, Batch, Error, ErrorClass, export_batch, export_schema, import_batch,
    import_schema,
};

const LONG: &str = "a text that is longer than the twelve bytes of a view";

fn list() -> ArrayRef {
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("a"), None, Some("\u{1f98a}")]);
    list.append_null();
    list.append_value(Vec::<Option<&str>>::new());
    list.append_value([Some(LONG)]);
    Arc::new(list.finish())
}

/// Four rows of every type of the subset, nulls among them.
fn all_types() -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", Arc::new(StringArray::from(vec![Some("a"), None, Some(""), Some(LONG)]))),
        ("view", Arc::new(StringViewArray::from(vec![Some("a"), None, Some(""), Some(LONG)]))),
        (
            "bytes",
            Arc::new(BinaryArray::from(vec![Some(&b"\xff\0"[..]), None, Some(b""), Some(LONG.as_bytes())])),
        ),
        (
            "byte view",
            Arc::new(BinaryViewArray::from(vec![
                Some(&b"\xff\0"[..]),
                None,
                Some(b""),
                Some(LONG.as_bytes()),
            ])),
        ),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]))),
        ("int", Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(0), Some(i64::MAX)]))),
        ("float", Arc::new(Float64Array::from(vec![Some(f64::MIN), None, Some(-0.0), Some(f64::INFINITY)]))),
        (
            "time",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(-1), None, Some(0), Some(i64::MAX)])
                    .with_timezone("UTC"),
            ),
        ),
        ("date", Arc::new(Date32Array::from(vec![Some(-1), None, Some(0), Some(i32::MAX)]))),
        ("list", list()),
        ("_offset", Arc::new(UInt64Array::from(vec![0, 1, 2, u64::MAX]))),
        ("_length", Arc::new(UInt32Array::from(vec![0, 1, 2, u32::MAX]))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn one(column: impl Array + 'static) -> RecordBatch {
    RecordBatch::try_from_iter([("a", Arc::new(column) as ArrayRef)]).unwrap()
}

fn through(batch: &RecordBatch) -> RecordBatch {
    let mut crossing = export_batch(batch, 7, b"mark".to_vec()).unwrap();
    assert_eq!((crossing.input, crossing.checkpoint.as_slice()), (7, &b"mark"[..]));
    import_batch(&mut crossing).unwrap()
}

fn assert_crosses(batch: &RecordBatch) {
    assert_eq!(through(batch), *batch);
}

#[test]
fn every_type_crosses_with_nulls() {
    assert_crosses(&all_types());
    assert_crosses(&RecordBatch::new_empty(all_types().schema()));
}

#[test]
fn every_type_crosses_alone() {
    let all = all_types();
    for i in 0..all.num_columns() {
        assert_crosses(&all.project(&[i]).unwrap());
    }
}

#[test]
fn every_slice_crosses() {
    let all = all_types();
    for from in 0..=all.num_rows() {
        for len in 0..=all.num_rows() - from {
            assert_crosses(&all.slice(from, len));
            assert_crosses(&through(&all.slice(from, len)));
        }
    }
}

#[test]
fn slices_far_into_a_column_cross() {
    let texts: StringArray = (0..1000).map(|i| (i % 7 != 0).then(|| format!("row {i}"))).collect();
    let views: StringViewArray = (0..1000).map(|i| (i % 5 != 0).then(|| format!("{LONG} {i}"))).collect();
    let flags: BooleanArray = (0..1000).map(|i| (i % 3 != 0).then_some(i % 2 == 0)).collect();
    let columns: [(&str, ArrayRef); 3] =
        [("t", Arc::new(texts)), ("v", Arc::new(views)), ("f", Arc::new(flags))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    for (from, len) in [(1, 8), (7, 9), (8, 64), (63, 65), (511, 489), (999, 1), (1000, 0)] {
        assert_crosses(&batch.slice(from, len));
    }
}

#[test]
fn views_over_several_buffers_cross() {
    let long = |from: usize| -> StringViewArray {
        let mut builder = arrow_array::builder::StringViewBuilder::new().with_fixed_block_size(256);
        (from..from + 50).for_each(|i| builder.append_value(format!("{LONG} {i}")));
        builder.finish()
    };
    let views = long(0);
    assert!(views.data_buffers().len() > 1);
    assert_crosses(&one(views.clone()));
    assert_crosses(&one(views).slice(20, 3));
    assert_crosses(&one(StringViewArray::from(vec!["short"; 3])));
}

#[test]
fn batches_without_columns_keep_their_rows() {
    for rows in [0, 1, 1000] {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
        assert_eq!(through(&batch).num_rows(), rows);
    }
}

#[test]
fn names_and_metadata_cross() {
    let metadata =
        HashMap::from([("usher.kind".to_owned(), "any".to_owned()), ("é".to_owned(), String::new())]);
    let fields = vec![
        Field::new("a.b[0] \u{1f98a}", DataType::Utf8, true).with_metadata(metadata.clone()),
        Field::new("", DataType::Int64, false),
    ];
    let schema = Arc::new(Schema::new(fields).with_metadata(metadata));
    assert_eq!(import_schema(&export_schema(&schema).unwrap()).unwrap(), schema);
    let batch = RecordBatch::new_empty(schema.clone());
    assert_eq!(through(&batch).schema(), schema);
}

#[test]
fn values_are_neither_copied_nor_leaked() {
    let texts = StringArray::from(vec![LONG; 100]);
    let values = texts.values().clone();
    let before = values.strong_count();
    let batch = one(texts);
    let imported = through(&batch);
    let there = imported.column(0).as_any().downcast_ref::<StringArray>().unwrap();
    assert_eq!(there.values().as_ptr(), values.as_ptr());
    drop(imported);
    drop(export_batch(&batch, 0, Vec::new()).unwrap());
    drop(batch);
    assert_eq!(values.strong_count(), before - 1, "something still holds the values");
}

#[test]
fn a_taken_batch_is_empty() {
    let mut batch = export_batch(&all_types(), 0, Vec::new()).unwrap();
    import_batch(&mut batch).unwrap();
    assert!(batch.array.release.is_none() && batch.schema.release.is_none());
    refused(import_batch(&mut batch)).unwrap();
    refused(import_batch(&mut Batch::empty())).unwrap();
    refused(import_schema(&ArrowSchema::empty())).unwrap();
}

/// Null is what the validity buffer says, not what the count says.
#[test]
fn nulls_cross_however_they_are_counted() {
    for count in [-1, i64::MIN, 0, 1, 2, 4, 5, i64::MAX] {
        let mut batch = export_batch(&all_types(), 0, Vec::new()).unwrap();
        for i in 0..all_types().num_columns() - 2 {
            column(&mut batch, i).null_count = count;
        }
        assert_eq!(import_batch(&mut batch).unwrap(), all_types(), "{count}");
    }
}

/// A producer may have copied its buffers to any address.
#[test]
fn buffers_that_are_not_aligned_cross_or_are_refused() {
    let all = all_types();
    for i in 0..all.num_columns() {
        // Lives for longer than what is imported of it.
        let mut moved: Vec<Vec<u64>> = Vec::new();
        let mut batch = export_batch(&all, 0, Vec::new()).unwrap();
        let first = 1 + (0..i).map(|before| buffers(column(&mut batch, before))).sum::<usize>();
        let lens = batch.buffer_lens.clone();
        let array = column(&mut batch, i);
        for buffer in 1..usize::try_from(array.n_buffers).unwrap() {
            // SAFETY: the exporter made `n_buffers` pointers.
            let original = unsafe { *array.buffers.add(buffer) };
            let len = lens[first + buffer] as usize;
            moved.push(vec![0; len / 8 + 2]);
            let unaligned = moved.last_mut().unwrap().as_mut_ptr().cast::<u8>().wrapping_add(1);
            // SAFETY: the exporter says that the buffer has so many bytes, and there is room for one more.
            unsafe { ptr::copy_nonoverlapping(original.cast::<u8>(), unaligned, len) };
            set_buffer(array, buffer, unaligned.cast());
        }
        match import_batch(&mut batch) {
            Ok(batch) => assert_eq!(batch, all),
            Err(error) => refused::<()>(Err(error)).unwrap(),
        }
    }
}

/// Buffers of an array and of those within it.
fn buffers(array: &ArrowArray) -> usize {
    let within = (0..usize::try_from(array.n_children).unwrap()).map(|child| {
        // SAFETY: the exporter made `n_children` valid pointers.
        buffers(unsafe { &**array.children.add(child) })
    });
    usize::try_from(array.n_buffers).unwrap() + within.sum::<usize>()
}

fn refused<T>(result: Result<T, Error>) -> Result<(), String> {
    match result {
        Err(e) if e.class == ErrorClass::BUG && e.code.as_str() == "abi.batch" => Ok(()),
        Err(e) => Err(format!("refused with `{}`: {e}", e.code)),
        Ok(_) => Err("taken".to_owned()),
    }
}

/// Hands a child of the batch out to be broken.
fn column(batch: &mut Batch, index: usize) -> &mut ArrowArray {
    assert!((index as i64) < batch.array.n_children);
    // SAFETY: the exporter made `n_children` valid pointers, and the batch is borrowed mutably.
    unsafe { &mut **batch.array.children.add(index) }
}

/// As [`column`], of the schema; from now on nothing of the schema is freed, so that anything may stand in it.
fn field(batch: &mut Batch, index: usize) -> &mut ArrowSchema {
    assert!((index as i64) < batch.schema.n_children);
    batch.schema.release = Some(leak);
    // SAFETY: as in `column`.
    unsafe { &mut **batch.schema.children.add(index) }
}

unsafe extern "C" fn leak(schema: *mut ArrowSchema) {
    // SAFETY: called with the struct that is being dropped.
    unsafe { (*schema).release = None };
}

unsafe extern "C" fn leak_array(array: *mut ArrowArray) {
    // SAFETY: called with the struct that is being dropped.
    unsafe { (*array).release = None };
}

/// Puts other bytes (leaked, eight-byte aligned) in the place of a buffer.
fn replace_buffer(array: &mut ArrowArray, index: usize, bytes: &[u8]) {
    let mut words = vec![0u64; bytes.len().div_ceil(8).max(1)];
    // SAFETY: the words hold at least as many bytes.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), words.as_mut_ptr().cast::<u8>(), bytes.len()) };
    set_buffer(array, index, Vec::leak(words).as_ptr().cast());
}

fn set_buffer(array: &mut ArrowArray, index: usize, pointer: *const c_void) {
    assert!((index as i64) < array.n_buffers);
    // SAFETY: the exporter made `n_buffers` pointers, which it does not use to free the buffers.
    unsafe { *array.buffers.add(index) = pointer };
}

fn offsets(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_ne_bytes()).collect()
}

fn view(len: u32, prefix: &[u8; 4], buffer: u32, offset: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (at, part) in
        [len.to_ne_bytes(), *prefix, buffer.to_ne_bytes(), offset.to_ne_bytes()].iter().enumerate()
    {
        bytes[at * 4..at * 4 + 4].copy_from_slice(part);
    }
    bytes
}

fn text(string: impl Into<Vec<u8>>) -> *const std::ffi::c_char {
    CString::new(string).unwrap().into_raw()
}

/// What is broken, and how.
type Named = (&'static str, fn(&mut Batch));
type Break = Box<dyn Fn(&mut Batch)>;

/// Breaks a fresh export of `batch` in every way named and reports what was not refused in order.
fn assert_refused(batch: &RecordBatch, breaks: Vec<(&str, Break)>) {
    let mut wrong = Vec::new();
    for (what, break_it) in breaks {
        let mut broken = export_batch(batch, 0, Vec::new()).unwrap();
        break_it(&mut broken);
        let result = catch_unwind(AssertUnwindSafe(|| refused(import_batch(&mut broken))));
        mem::forget(broken);
        match result {
            Ok(Ok(())) => {}
            Ok(Err(e)) => wrong.push(format!("{what}: {e}")),
            Err(_) => wrong.push(format!("{what}: panicked")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn breaks<const N: usize>(list: [Named; N]) -> Vec<(&'static str, Break)> {
    list.into_iter().map(|(what, f)| (what, Box::new(f) as Break)).collect()
}

/// Three texts, the second null.
fn texts() -> RecordBatch {
    one(StringArray::from(vec![Some("abc"), None, Some("def")]))
}

#[test]
fn wrong_buffer_lengths_are_refused() {
    let all = all_types();
    let lens = export_batch(&all, 0, Vec::new()).unwrap().buffer_lens.len();
    let mut list = breaks([
        ("none", |b| b.buffer_lens.clear()),
        ("one more", |b| b.buffer_lens.push(0)),
        ("one less", |b| b.buffer_lens.truncate(b.buffer_lens.len() - 1)),
        ("all enormous", |b| b.buffer_lens.iter_mut().for_each(|len| *len = u64::MAX)),
    ]);
    for i in 0..lens {
        list.push((
            "a buffer said to be empty",
            Box::new(move |b| {
                if mem::take(&mut b.buffer_lens[i]) == 0 {
                    // It was empty or absent: break something else, so that this is refused, too.
                    b.buffer_lens.clear();
                }
            }),
        ));
    }
    assert_refused(&all, list);
    assert_refused(
        &texts(),
        breaks([
            ("offsets one byte short", |b| b.buffer_lens[2] -= 1),
            ("values one byte short", |b| b.buffer_lens[3] = 5),
            ("a validity buffer that is absent but said to be there", |b| b.buffer_lens[0] = 1),
        ]),
    );
}

#[test]
fn wrong_lengths_are_refused() {
    assert_refused(
        &texts(),
        breaks([
            ("negative length", |b| b.array.length = -1),
            ("negative length of a column", |b| column(b, 0).length = -1),
            ("least length", |b| column(b, 0).length = i64::MIN),
            ("negative offset", |b| b.array.offset = -1),
            ("negative offset of a column", |b| column(b, 0).offset = -1),
            ("an offset that overflows", |b| column(b, 0).offset = i64::MAX),
            ("both that overflow", |b| (column(b, 0).length, column(b, 0).offset) = (i64::MAX, i64::MAX)),
            ("a longer batch", |b| b.array.length = 4),
            ("a longest batch", |b| b.array.length = i64::MAX),
            ("a longer column", |b| column(b, 0).length = 4),
            ("a much longer column", |b| column(b, 0).length = i64::MAX - 1),
            ("a shorter column", |b| column(b, 0).length = 2),
            ("a column that begins later", |b| column(b, 0).offset = 1),
            ("a batch that begins later", |b| b.array.offset = 1),
        ]),
    );
    assert_refused(
        &one(Int64Array::from(vec![1, 2, 3])),
        breaks([("a length whose bytes overflow", |b| {
            b.array.length = i64::MAX / 4;
            column(b, 0).length = i64::MAX / 4;
        })]),
    );
}

#[test]
fn wrong_nulls_are_refused() {
    assert_refused(
        &texts(),
        breaks([
            ("a validity buffer that is missing", |b| set_buffer(column(b, 0), 0, ptr::null())),
            ("a validity buffer that is missing, said so", |b| {
                set_buffer(column(b, 0), 0, ptr::null());
                b.buffer_lens[1] = 0;
            }),
            ("null rows", |b| {
                b.array.null_count = 1;
                set_buffer(&mut b.array, 0, Vec::leak(vec![5u8]).as_ptr().cast());
                b.buffer_lens[0] = 1;
            }),
        ]),
    );
}

#[test]
fn wrong_texts_are_refused() {
    assert_refused(
        &texts(),
        breaks([
            ("no UTF-8", |b| replace_buffer(column(b, 0), 2, b"ab\xffdef")),
            ("a character cut in two", |b| replace_buffer(column(b, 0), 2, "ab\u{e9}ef".as_bytes())),
            ("offsets that decrease", |b| replace_buffer(column(b, 0), 1, &offsets(&[0, 5, 3, 6]))),
            ("a negative first offset", |b| replace_buffer(column(b, 0), 1, &offsets(&[-1, 3, 3, 6]))),
            ("a negative last offset", |b| replace_buffer(column(b, 0), 1, &offsets(&[0, 3, 3, -6]))),
            ("an offset behind the values", |b| replace_buffer(column(b, 0), 1, &offsets(&[0, 3, 3, 7]))),
            ("an offset far behind the values", |b| {
                replace_buffer(column(b, 0), 1, &offsets(&[0, 3, 3, i32::MAX]))
            }),
            ("an offset in between that is too large", |b| {
                replace_buffer(column(b, 0), 1, &offsets(&[0, 9, 9, 6]))
            }),
        ]),
    );
}

#[test]
fn wrong_views_are_refused() {
    let views = one(StringViewArray::from(vec!["short", LONG]));
    let good = view(5, b"shor", 0, 0);
    let with = move |second: [u8; 16]| -> Break {
        Box::new(move |b| {
            let mut first = good;
            first[8] = b't';
            replace_buffer(column(b, 0), 1, &[first, second].concat());
        })
    };
    assert_refused(
        &views,
        vec![
            ("a buffer that is not there", with(view(20, b"a te", 7, 0))),
            ("a place behind the buffer", with(view(20, b"a te", 0, 40))),
            ("a place far behind the buffer", with(view(u32::MAX, b"a te", 0, u32::MAX))),
            ("another prefix", with(view(20, b"zzzz", 0, 0))),
            ("a short text that is no UTF-8", with(view(4, b"\xff\xff\xff\xff", 0, 0))),
            ("padding that is not zero", with(view(2, b"abcd", 9, 9))),
            ("a data buffer that is no UTF-8", Box::new(|b| replace_buffer(column(b, 0), 2, &[0xff; 60]))),
            (
                "a negative length of a data buffer",
                Box::new(|b| replace_buffer(column(b, 0), 3, &(-1i64).to_ne_bytes())),
            ),
            (
                "a length behind the data buffer",
                Box::new(|b| replace_buffer(column(b, 0), 3, &99i64.to_ne_bytes())),
            ),
            (
                "too few buffers",
                Box::new(|b| {
                    column(b, 0).n_buffers = 2;
                    b.buffer_lens.truncate(3);
                }),
            ),
        ],
    );
}

#[test]
fn wrong_lists_are_refused() {
    let lists = RecordBatch::try_from_iter([("a", list())]).unwrap();
    assert_refused(
        &lists,
        breaks([
            ("offsets that decrease", |b| replace_buffer(column(b, 0), 1, &offsets(&[0, 4, 3, 3, 4]))),
            ("an offset behind the items", |b| replace_buffer(column(b, 0), 1, &offsets(&[0, 3, 3, 3, 5]))),
            ("a negative offset", |b| replace_buffer(column(b, 0), 1, &offsets(&[-2, 3, 3, 3, 4]))),
            ("items that are missing", |b| column(b, 0).n_children = 0),
            ("items that are null", |b| column(b, 0).children = ptr::null_mut()),
            ("items that are no UTF-8", |b| {
                let list = column(b, 0);
                // SAFETY: a list has one child.
                let items = unsafe { &mut **list.children };
                replace_buffer(items, 2, &[0xff; 100]);
            }),
        ]),
    );
}

#[test]
fn foreign_formats_are_refused() {
    for format in [
        "i", "U", "Z", "e", "s", "d:10,2", "w:16", "tsm:", "tdm", "ttu", "+L", "+w:2", "+m", "+us:0", "vx",
        "n", "", "l ", "\u{e9}",
    ] {
        let break_it: Break = Box::new(move |b| field(b, 0).format = text(format));
        assert_refused(&one(Int64Array::from(vec![1, 2, 3])), vec![(format, break_it)]);
    }
    assert_refused(
        &texts(),
        breaks([
            ("integers in the place of texts", |b| field(b, 0).format = text("l")),
            ("flags in the place of texts", |b| field(b, 0).format = text("b")),
            ("views in the place of texts", |b| field(b, 0).format = text("vu")),
            ("a list in the place of texts", |b| field(b, 0).format = text("+l")),
            ("a struct in the place of texts", |b| field(b, 0).format = text("+s")),
            ("texts in the place of the batch", |b| {
                field(b, 0);
                b.schema.format = text("u");
            }),
        ]),
    );
}

#[test]
fn wrong_shapes_are_refused() {
    assert_refused(
        &texts(),
        breaks([
            ("no columns", |b| b.array.n_children = 0),
            ("more columns than fields", |b| b.array.n_children = 2),
            ("a negative number of columns", |b| b.array.n_children = -1),
            ("columns that are missing", |b| b.array.children = ptr::null_mut()),
            ("a column that is missing", |b| {
                // The exporter frees its columns through these same pointers.
                b.array.release = Some(leak_array);
                // SAFETY: there is one child.
                unsafe { *b.array.children = ptr::null_mut() };
            }),
            ("no buffers", |b| column(b, 0).n_buffers = 0),
            ("one buffer less", |b| {
                column(b, 0).n_buffers = 2;
                b.buffer_lens.pop();
            }),
            ("a negative number of buffers", |b| column(b, 0).n_buffers = -1),
            ("buffers that are missing", |b| column(b, 0).buffers = ptr::null_mut()),
            ("values that are missing", |b| set_buffer(column(b, 0), 2, ptr::null())),
            ("offsets that are missing", |b| set_buffer(column(b, 0), 1, ptr::null())),
            ("a released batch", |b| b.array.release = None),
            ("a released schema", |b| b.schema.release = None),
        ]),
    );
}

#[test]
fn wrong_schemas_are_refused() {
    assert_refused(
        &texts(),
        breaks([
            ("no fields", |b| {
                field(b, 0);
                b.schema.n_children = 0;
            }),
            ("a negative number of fields", |b| {
                field(b, 0);
                b.schema.n_children = -1;
            }),
            ("fields that are missing", |b| {
                field(b, 0);
                b.schema.children = ptr::null_mut();
            }),
            ("a field that is missing", |b| {
                field(b, 0);
                // SAFETY: there is one field.
                unsafe { *b.schema.children = ptr::null_mut() };
            }),
            ("a format that is missing", |b| field(b, 0).format = ptr::null()),
            ("a format that is no UTF-8", |b| field(b, 0).format = text(&b"\xff"[..])),
            ("a name that is no UTF-8", |b| field(b, 0).name = text(&b"\xff"[..])),
            ("metadata with a negative count", |b| {
                field(b, 0).metadata = Vec::leak((-1i32).to_ne_bytes().to_vec()).as_ptr().cast();
            }),
        ]),
    );
}

/// An enormous `n_buffers` is caught by the stated lengths, before anything is allocated or read for it.
#[test]
fn enormous_counts_are_refused() {
    assert_refused(
        &texts(),
        breaks([
            ("buffers", |b| column(b, 0).n_buffers = i64::MAX),
            ("columns", |b| b.array.n_children = i64::MAX),
        ]),
    );
}
