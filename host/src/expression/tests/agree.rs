//! The property that holds column operations to minijinja, and the forms that must become them.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch, StringArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use proptest::prelude::*;

use super::{Row, program, run};

/// Forms that must become column operations.
const COLUMNAR: &[&str] = &[
    "text",
    "any",
    "tags",
    "row['First Name']",
    "'constant'",
    "42",
    "-1.5",
    "true",
    "none",
    "text ~ ' ' ~ any",
    "count ~ ratio ~ flag ~ tags ~ time ~ day",
    "text | lower",
    "any | upper",
    "view | trim | lower",
    "text | trim",
    "any | trim",
    "text | lower | trim",
    "view | default('x')",
    "large if flag else view",
    "(text | trim) if flag else any",
    "large | trim('-x') | upper",
    "flag | upper",
    "text | default('x')",
    "any | default(text)",
    "flag | default('none given', true)",
    "count | default(7)",
    "tags | default('no tags', boolean=true)",
    "(any | default('free')) == 'free'",
    "text | replace('a', 'bb') | replace('b', '')",
    "any | replace('', '-')",
    "tags | join(', ')",
    "text | join('+')",
    "any | join(';')",
    "text | split(',')",
    "any | split",
    "text | split(',', 1) | join('|')",
    "tags | split(',')",
    "text | split(',') | first",
    "tags | last",
    "any | first",
    "any_view | length",
    "tags | length",
    "text | length",
    "text | e164('US')",
    "text | date",
    "time | date('%d.%m.%Y %H:%M')",
    "day | date",
    "any | sha256",
    "text == 'true'",
    "text != any",
    "any == any_view",
    "any == 'TRUE'",
    "any == '[1,2]'",
    "any == true",
    "any == 42",
    "text == 'a' == flag",
    "count == 1",
    "count == ratio",
    "tags == any",
    "text < 'm'",
    "text >= any",
    "count < 5",
    "0 <= count <= 5",
    "ratio > count",
    "text > 10",
    "text == none",
    "flag and any",
    "flag or text",
    "not text",
    "not (text == 'a' and flag) or count > 3",
    "text if flag else any",
    "text if any",
    "1 if flag else 2",
    "flag if count > 2 else text",
    "tags if flag else tags",
    "tags if flag else text",
    "(count if flag else text) ~ '!'",
    "(flag if count > 2 else text) and flag",
    "(text | date) if flag else text",
    "flag and (text | date) == '2024-01-01'",
    "(text | date) ~ (any | date)",
    "text is defined",
    "any is undefined",
    "tags is not defined",
    "text is none",
    "(text | lower) == (any | lower)",
    "(text | lower) != (large | lower)",
    "(view | lower) == (tags | lower)",
    "(flag | lower) == ('TRUE' | lower)",
    "('a' | upper) if false else 'b'",
    "text in ['a', 'true', '5']",
    "count in [1, 2.0, '3']",
    "any not in ('true', 'x')",
    "{{ text }}",
    "Hello {{ text | default(any) }}, {{ count }}{{ flag }}",
    "{{ 'yes' if flag else 'no' }}\n",
    "{{ text }}{{ tags | join(',') }}{# comment #}",
];

/// Forms whose types mix, so that they may run row by row even though they are column operations.
const MIXED: &[&str] = &[
    "(flag if count > 2 else text) == 'true'",
    "(any | default(text)) == true",
    "(any | first) == 1",
    "(tags if flag else text) | length",
    "(tags if flag else text) | first",
    "(count if flag else text) in [1, 'a']",
    "(tags if flag else text) | split(',')",
];

/// Forms that only minijinja runs; the property then says that they do not fail and stay deterministic.
const ROW_BY_ROW: &[&str] = &[
    "any.a",
    "any[0] ~ any['b']",
    "text | title",
    "count + 1",
    "[text, any, flag, count, ratio, tags]",
    "text[:2]",
    "text in any",
    "tags | map('upper') | join(',')",
    "{% for tag in tags if tag != 'x' %}{{ tag }}{{ loop.index }}{% else %}{{ text }}{% endfor %}",
    "{% if any %}{{ text }}{% else %}-{% endif %}",
    "{% set text = any | default('x') %}{{ text }}{{ flag }}",
];

#[test]
fn the_common_forms_become_column_operations() {
    for form in COLUMNAR.iter().chain(MIXED) {
        assert!(program(form).is_columnar(), "{form}: {}", program(form).describe());
    }
    for form in ROW_BY_ROW {
        assert!(!program(form).is_columnar(), "{form}");
    }
}

#[test]
fn nothing_fails_on_no_rows() {
    for form in COLUMNAR.iter().chain(MIXED).chain(ROW_BY_ROW) {
        assert!(run(form, &[]).is_empty());
    }
}

#[test]
fn slices_of_batches_are_read_in_place() {
    let mut rows: Vec<Row> = ["Ab", "cD", "é", "x,Y", " p ", "Q", "R", "s", "T", "Ü", "v"].map(row).to_vec();
    rows.insert(6, Row::default());
    for form in COLUMNAR {
        let program = program(form);
        let whole = program.value(&super::batch(&rows)).unwrap();
        let part = program.value(&super::batch(&rows).slice(1, 9)).unwrap();
        assert_eq!(super::texts(&part.array), super::texts(&whole.array)[1..10], "{form}");
    }
}

/// A branch that few rows take is worked out for them alone.
#[test]
fn few_rows_are_as_many() {
    let texts = ["Ab", "maybe", "[broken", "true", "42", "2024-13-01", "é"];
    let mut rows: Vec<Row> = texts.iter().cycle().take(160).map(|text| row(text)).collect();
    for (number, row) in (0..).zip(&mut rows) {
        row.count = Some(number);
        row.flag = Some(number % 3 == 0);
        row.ratio = (number % 5 > 0).then_some(0.5 * number as f64);
        row.time = Some(number * 1_000_000);
        row.day = Some(number as i32);
    }
    let typed = ["ratio if flag", "tags | split(',')", "flag", "count"];
    for form in COLUMNAR.iter().chain(MIXED).chain(&typed).filter(|form| !form.contains("{{")) {
        for few in ["count in [5, 6, 26]", "count > 1000", "count == 0"] {
            run(&format!("({form}) if {few} else any"), &rows);
            run(&format!("any if not ({few}) else ({form})"), &rows);
            run(&format!("({form}) if {few} else ({form})"), &rows);
        }
    }
    let wrong = |form: &str| -> Vec<usize> {
        let found = run(form, &rows);
        (0..160).filter(|row| found[*row].as_ref().is_some_and(|text| text.starts_with('!'))).collect()
    };
    assert_eq!(wrong("(text | date) if count in [5, 8] else 'good'"), [5, 8], "errors know their rows");
    let within = "((text | date) if count == 8 else 'b') if count in [1,2,3,4,5,6,7,8,9,10] else 'a'";
    assert_eq!(wrong(within), [8], "few of few, too");
}

/// Arrow lets a null stand over bytes.
#[test]
fn nulls_are_nulls_whatever_stands_there() {
    let given = ["a", " É ", "B", "c", "D", "e", " F ", "", "G"];
    let good = given.map(|text| !matches!(text, " É " | "c" | " F "));
    let rows: Vec<Row> = given.map(row).to_vec();
    let batch = super::batch(&rows);
    let texts = StringArray::from_iter_values(given);
    let nulls = NullBuffer::from(good.to_vec());
    let texts = StringArray::new(texts.offsets().clone(), texts.values().clone(), Some(nulls));
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        DataType::Utf8 => Arc::new(texts.clone()),
        _ => column.clone(),
    });
    let batch = RecordBatch::try_new(batch.schema(), columns.collect()).unwrap();
    for batch in [batch.slice(1, 7), batch] {
        for form in COLUMNAR {
            let program = program(form);
            let (fast, slow) = (program.value(&batch).unwrap(), program.value_row_by_row(&batch).unwrap());
            assert_eq!(super::texts(&fast.array), super::texts(&slow.array), "{form}");
        }
    }
}

#[test]
fn what_runs_row_by_row_does_not_depend_on_the_number_of_threads() {
    let texts = ["Ab", "maybe", "[broken", "true", "42", "2024-13-01", "é"];
    let rows: Vec<Row> = texts.iter().cycle().take(2_100).map(|text| row(text)).collect();
    let batch = super::batch(&rows);
    for form in ROW_BY_ROW.iter().chain(MIXED) {
        let program = program(form);
        let (value, condition) =
            (program.value_row_by_row(&batch).unwrap(), program.condition_row_by_row(&batch).unwrap());
        for threads in [2, 3, 64] {
            let program = program.clone().on_threads(threads);
            let spread = program.value_row_by_row(&batch).unwrap();
            assert_eq!(super::texts(&spread.array), super::texts(&value.array), "{form} on {threads}");
            assert_eq!(spread.errors, value.errors, "{form} on {threads}");
            let spread = program.condition_row_by_row(&batch).unwrap();
            assert_eq!((spread.keep, spread.errors), (condition.keep.clone(), condition.errors.clone()));
        }
    }
    let wrong =
        program("text | date if text != 'Ab' else none").on_threads(3).value_row_by_row(&batch).unwrap();
    assert!(wrong.errors.iter().any(|(row, _)| *row > 2_000), "errors know their rows");
}

fn row(text: &str) -> Row {
    let some = Some(text.to_owned());
    Row { text: some.clone(), any: some.clone(), tags: Some(vec![some]), count: Some(2), ..Row::default() }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "", "a", "true", "TRUE", "False", "none", "null", "None", "42", "-1.5", "1e3", "007", "maybe", "[1,2]",
            "[\"a\", null, true, 1.0]", "[]", "{\"a\": {\"b\": 1}, \"b\": [1]}", "{}", "[broken", "{broken}", "2024-02-29",
            "2024-02-29T10:00:00+02:00", "2024-13-01", "+14155552671", "(415) 555-2671", "a,b,,c", " pad ded ", "-x-", "ΑΣ ΣΑΣ",
            "ǅ İı ß", "\u{1F600}é", "line\nbreak\t\"quote\" \\",
        ]).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9,. ]{0,8}",
        1 => "\\PC{0,6}",
    ]
}

fn rows() -> impl Strategy<Value = Row> {
    use prop::option::weighted;
    let tags = prop::collection::vec(weighted(0.8, texts()), 0..3);
    let floats = prop_oneof![Just(0.0), Just(1.0), Just(-2.5), Just(1e21), Just(f64::NAN), any::<f64>()];
    (
        (weighted(0.8, texts()), weighted(0.8, texts()), weighted(0.7, any::<bool>())),
        (weighted(0.8, prop_oneof![-2i64..8, any::<i64>()]), weighted(0.8, floats), weighted(0.8, tags)),
        (
            weighted(0.8, -60_000_000_000_000_000i64..200_000_000_000_000_000),
            weighted(0.8, -700_000i32..2_900_000),
        ),
    )
        .prop_map(|((text, any, flag), (count, ratio, tags), (time, day))| Row {
            text,
            any,
            flag,
            count,
            ratio,
            tags,
            time,
            day,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Values, conditions and errors of both ways of running are the same, row for row.
    #[test]
    fn column_operations_agree_with_minijinja(rows in prop::collection::vec(rows(), 1..12)) {
        for form in COLUMNAR.iter().chain(MIXED).chain(ROW_BY_ROW) {
            run(form, &rows);
        }
    }

    /// No cell says none, null, undefined, True or False unless the input did.
    #[test]
    fn nothing_prints_pythonic_words(flag in prop::option::of(any::<bool>()), count in prop::option::of(0i64..9)) {
        let row = Row { flag, count, ..Row::default() };
        for form in COLUMNAR.iter().chain(MIXED).chain(ROW_BY_ROW).filter(|form| !form.starts_with('[')) {
            if let Some(text) = run(form, std::slice::from_ref(&row)).remove(0) && !text.starts_with('!') {
                let words = ["None", "null", "undefined", "True", "False"];
                prop_assert!(!words.iter().any(|word| text.contains(word)), "{}: {}", form, text);
            }
        }
    }

    /// No text makes the parser, the printer or the lowering fail other than by an error.
    #[test]
    fn any_text_parses_or_is_refused(words in prop::collection::vec(prop::sample::select(WORDS), 0..12), noise in "\\PC{0,8}") {
        for text in [words.concat(), words.join(" "), format!("{}{noise}", words.concat())] {
            if let Ok(expression) = super::Expression::parse(&text) && let Ok(program) = expression.bind(&super::resolve) {
                let _ = program.value(&super::batch(&[Row::default()])).map_err(|error| error.to_string());
            }
        }
    }
}

const WORDS: &[&str] = &[
    "text", "any", "tags", "(", ")", "[", "]", "{{", "}}", "{%", "%}", " if ", " else ", "endif", " and ",
    " not ", " in ", " is ", "defined", "|", "lower", "default", "'a'", "\"é", "1", "-", "~", "==", "<", ".",
    ",", ":", "set ", "for ", "x", "=", "é", "\n",
];
