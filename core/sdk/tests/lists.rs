//! Cells of lists, as a sink sees them: whatever stands in the other rows of their column.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{ArrayRef, RecordBatch, StringArray, StringViewArray, UInt32Array, UInt64Array};
use arrow_schema::{Field, Schema};
use usher_sdk::{
    ColumnRule, Columns, Fate, Order, Records, abi::Report, checks::Verdict, records::origin_fields,
};

/// Makes two items of one where the value says so, which no check may.
fn doubles(value: &str, out: &mut String) -> Verdict {
    if value != "twin" {
        return Verdict::Keep;
    }
    out.push_str("twin,other");
    Verdict::Changed("double")
}

/// What the cells of one column become: their items, and those with `more` added behind.
fn items(separator: char, texts: ArrayRef, rows: std::ops::Range<usize>) -> Vec<(Vec<String>, Vec<String>)> {
    let table = [ColumnRule { name: "tags", separator, check: doubles, ..ColumnRule::LIST }];
    let count = texts.len();
    let fields = [Field::new("tags", texts.data_type().clone(), true)].into_iter().chain(origin_fields());
    let places = (0..count as u64).collect::<Vec<_>>();
    let columns: Vec<ArrayRef> =
        vec![texts, Arc::new(UInt64Array::from(places)), Arc::new(UInt32Array::from(vec![1; count]))];
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns).unwrap();
    let batch = batch.slice(rows.start, rows.len());
    let mut columns = Columns::bind(&table, &batch.schema(), &[], Order::Table, &BTreeMap::new()).unwrap();
    let (mut found, mut report) = (Vec::new(), Report::default());
    let written = columns.write(&Records::new(batch, 0), &mut report, |row| {
        let all = |row: &usher_sdk::Row| row.items(0).map(str::to_owned).collect::<Vec<_>>();
        let before = all(row);
        row.push_item(0, "more");
        found.push((before, all(row)));
        Ok(Fate::Written)
    });
    written.unwrap();
    found
}

#[test]
fn an_item_that_holds_a_separator_is_left_out() {
    let single = ["a", "", "[\"b\", \"c\"]", "twin", "d e"];
    let expected: [&[&str]; 5] = [&["a"], &[], &["b", "c"], &[], &["d e"]];
    let expected: Vec<Vec<&str>> = expected.map(<[&str]>::to_vec).to_vec();
    // A column without a separator anywhere, one that has some in its last row, and the same as views.
    let some: Vec<&str> = single.into_iter().chain(["f,,g"]).collect();
    let forms: [ArrayRef; 3] = [
        Arc::new(StringArray::from(single.to_vec())),
        Arc::new(StringArray::from(some.clone())),
        Arc::new(StringViewArray::from(some.clone())),
    ];
    for (form, texts) in forms.into_iter().enumerate() {
        let found = items(',', texts.clone(), 0..5);
        let more = expected.iter().map(|items| [&items[..], &["more"]].concat());
        assert_eq!(found.iter().map(|(items, _)| items.clone()).collect::<Vec<_>>(), expected, "{form}");
        assert_eq!(
            found.into_iter().map(|(_, more)| more).collect::<Vec<_>>(),
            more.collect::<Vec<_>>(),
            "{form}"
        );
        if form > 0 {
            assert_eq!(items(',', texts, 4..6)[1].0, [""; 0], "{form}");
        }
    }
}

#[test]
fn so_it_is_with_any_separator() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a·b", "c,d", "[\"x\", \"y\"]"]));
    let found: Vec<Vec<String>> = items('·', texts, 0..3).into_iter().map(|(items, _)| items).collect();
    assert_eq!(found, [vec![], vec!["c,d"], vec!["x", "y"]]);
}
