//! The meanings that the module documents, one by one. Every line runs both ways.

use std::sync::Arc;

use arrow_array::Array;
use arrow_schema::DataType;

use super::{Row, batch, holds, one, program, run};

fn null_row(text: &str) -> Option<String> {
    run(text, &[Row::default()]).remove(0)
}

#[test]
fn bare_paths_are_copied() {
    let batch = batch(&[Row { any: Some("TRUE".to_owned()), ..Row::default() }]);
    for name in ["text", "any", "view", "large", "flag", "count", "ratio", "tags", "time", "day"] {
        let value = program(name).value(&batch).unwrap();
        assert!(Arc::ptr_eq(&value.array, batch.column_by_name(name).unwrap()), "{name}");
    }
    // In an expression dynamic text is what it says.
    assert_eq!(one("any ~ ''", "TRUE"), "true");
    assert_eq!(one("text ~ ''", "TRUE"), "TRUE");
}

#[test]
fn results_have_the_type_of_the_expression() {
    let batch = batch(&[Row::default()]);
    let type_of = |text: &str| program(text).value(&batch).unwrap().array.data_type().clone();
    assert_eq!(type_of("text == 'a'"), DataType::Boolean);
    assert_eq!(type_of("tags | length"), DataType::Int64);
    assert_eq!(
        type_of("text | split(',')"),
        DataType::List(super::Field::new_list_field(DataType::Utf8, true).into())
    );
    assert_eq!(type_of("ratio if flag else ratio"), DataType::Utf8);
    assert_eq!(type_of("{{ flag }}"), DataType::Utf8);
    assert_eq!(type_of("count + 1"), DataType::Utf8);
    assert_eq!(type_of("view | lower"), DataType::Utf8);
}

#[test]
fn missing_is_null_as_a_result_and_empty_in_text() {
    for text in [
        "text",
        "text | lower",
        "any.a.b",
        "none",
        "text if flag",
        "text | e164('US')",
        "text | title",
        "text[9]",
    ] {
        assert_eq!(null_row(text), None, "{text}");
    }
    for text in ["text ~ any", "{{ text }}", "{{ none }}", "{% if text %}x{% endif %}", "text | default"] {
        assert_eq!(null_row(text).as_deref(), Some(""), "{text}");
    }
}

#[test]
fn default_covers_missing_and_empty_only() {
    assert_eq!(one("text | default('x')", ""), "x");
    assert_eq!(one("text | default('x')", " "), " ");
    assert_eq!(null_row("text | default('x')").as_deref(), Some("x"));
    assert_eq!(one("false | default('x')", ""), "false");
    assert_eq!(one("0 | default('x')", ""), "0");
    assert_eq!(one("any | default('x')", "false"), "false");
    assert_eq!(one("{{ text | default(any) | default('y') }}", ""), "y");
}

#[test]
fn conditions_are_booleans() {
    for yes in ["true", "TRUE", "True"] {
        assert!(
            holds("text", yes)
                && holds("any", yes)
                && holds("text and any", yes)
                && holds("not not text", yes)
        );
        assert_eq!(one("1 if text else 2", yes), "1");
        assert_eq!(one("{% if any %}1{% else %}2{% endif %}", yes), "1");
    }
    for no in ["false", "FALSE", "False"] {
        assert!(!holds("text", no) && !holds("any", no) && holds("not text and not any", no));
        assert!(!holds("text or any", no));
        assert_eq!(one("1 if text else 2", no), "2");
        assert_eq!(one("{% if any %}1{% else %}2{% endif %}", no), "2");
        assert_eq!(one("{% for x in [text, any] if x %}x{% endfor %}", no), "");
    }
    let missing = [Row::default()];
    for text in [
        "text",
        "any",
        "flag",
        "text and flag",
        "text or flag",
        "text == 'a'",
        "count < 5",
        "count >= 5",
        "any.b",
    ] {
        let conditions = program(text).condition(&batch(&missing)).unwrap();
        assert!(!conditions.keep.value(0) && conditions.errors.is_empty(), "{text}");
    }
    assert!(program("not text").condition(&batch(&missing)).unwrap().keep.value(0));
}

#[test]
fn what_is_no_condition_is_an_error_of_its_row() {
    let rows = ["maybe", "true", "", "1"].map(|text| Row { text: Some(text.to_owned()), ..Row::default() });
    let conditions = program("text").condition(&batch(&rows)).unwrap();
    assert_eq!(conditions.keep.iter().flatten().collect::<Vec<_>>(), [false, true, false, false]);
    assert_eq!(conditions.keep.null_count(), 0);
    insta::assert_debug_snapshot!(conditions.errors, @r#"
    [
        (
            0,
            "`text` is `maybe`, not true or false",
        ),
        (
            2,
            "`text` is empty text, not true or false",
        ),
        (
            3,
            "`text` is `1`, not true or false",
        ),
    ]
    "#);
    assert_eq!(one("'a' if text | lower else 'b'", "Maybe"), "! `lower(text)` is `maybe`, not true or false");
    assert_eq!(one("{% if text %}x{% endif %}", "maybe"), "! `text` is `maybe`, not true or false");
    assert_eq!(one("not tags", "x"), "true");
}

#[test]
fn unreached_operands_cannot_fail() {
    assert_eq!(one("text == 'x' and (text | date) == 'y'", "a"), "false");
    assert_eq!(one("text == 'a' or (text | date) == 'y'", "a"), "true");
    assert_eq!(one("text if text == 'a' else text | date", "a"), "a");
    assert!(one("text == 'a' and (text | date) == 'y'", "a").starts_with("! `a` is not an ISO date"));
    assert!(one("(text | date) ~ 'x' if text == 'a' else 'b'", "a").starts_with("! `a` is not"));
}

#[test]
fn comparisons_read_text_as_the_other_side() {
    assert!(holds("text == 42 and text >= 42 and text < 43.5 and any > 7", "42"));
    assert!(holds("text == true and any == true and any == 'TRUE' and text != false", "true"));
    assert!(!holds("text == 'TRUE'", "true"));
    assert!(holds("text in [1, 42] and text not in ['a']", "42"));
    assert!(holds("'b' in any and 'c' not in any", "[\"a\", \"b\"]"));
    assert!(holds("'a' in any", "{\"a\": 1}"));
    assert!(holds("'el' in text", "hello"));
    assert_eq!(
        one("text > 1", "many"),
        "! `many` is not a number; compare numbers with numbers and texts with texts"
    );
    assert!(holds("flag == none and flag is none and flag is undefined and not flag is defined", ""));
}

#[test]
fn dynamic_values_are_looked_into() {
    let identity =
        r#"{"identities": [{"connection": "x", "isSocial": false, "n": 1, "f": 1.0, "no": null}]}"#;
    assert_eq!(one("any.identities[0].connection", identity), "x");
    assert_eq!(one("any.identities[0].isSocial", identity), "false");
    assert_eq!(one("any.identities[0].n ~ any.identities[0].f", identity), "11.0");
    assert_eq!(one("any.identities[0].no", identity), "null");
    assert_eq!(one("any.identities[0].no is defined", identity), "false");
    assert_eq!(one("any.identities[-1]['connection']", identity), "x");
    assert_eq!(one("any.identities | map(attribute='connection') | join(',')", identity), "x");
    assert_eq!(one("any.identities | join(',', attribute='connection')", identity), "x");
    // Maps print with their keys in the order they came in.
    assert_eq!(one("any", r#"{"b":1,"a":2}"#), r#"{"b":1,"a":2}"#);
    assert_eq!(one("any ~ ''", r#"{"b":1,"a":2}"#), r#"{"b":1,"a":2}"#);
    assert_eq!(one("any.x", r#"{"x":{"b":1,"a":[true,null]}}"#), r#"{"b":1,"a":[true,null]}"#);
    assert_eq!(one("text.a", identity), "null");
}

#[test]
fn lists_print_as_compact_json() {
    assert_eq!(one("text | split(',')", "a,\"b"), r#"["a","\"b"]"#);
    assert_eq!(one("[text, true, none, 1.0, [2]]", "a"), r#"["a",true,null,1.0,[2]]"#);
    assert_eq!(one("{'a': text, 'b': [flag]}", "x"), r#"{"a":"x","b":[null]}"#);
    assert_eq!(one("{{ text | split(',') | map('upper') }}", "a,b"), r#"["A","B"]"#);
}

#[test]
fn builtin_filters_see_our_texts() {
    assert_eq!(one("true | title", ""), "true".replace('t', "T"));
    assert_eq!(one("true | capitalize ~ true | string", ""), "Truetrue");
    assert_eq!(one("[true, none, 'a'] | join('-')", ""), "true--a");
    assert_eq!(one("'%s is %s and %d' | format(true, none, 5)", ""), "true is  and 5");
    assert_eq!(one("text | e", "<a>"), "&lt;a&gt;");
    assert_eq!(one("text | bool", "False"), "false");
    assert_eq!(one("text is true", "True"), "true");
    assert_eq!(one("[1, 5, 9] | select('gt', 4) | list", ""), "[5,9]");
    assert_eq!(one("(text | int) + 1", "41"), "42");
}

#[test]
fn templates_keep_their_own_names() {
    assert_eq!(one("{% set text = 'mine' %}{{ text }}", "x"), "mine");
    assert_eq!(
        one("{% for text in ['a', 'b'] %}{{ text }}{{ loop.index }}{% endfor %}{{ text }}", "x"),
        "a1b2x"
    );
    assert_eq!(
        one("{% with text = text ~ '!', n = 1 %}{{ text }}{{ n }}{% endwith %}{{ text }}", "x"),
        "x!1x"
    );
    assert_eq!(one("{% set t %}{{ text }}?{% endset %}{{ t | upper }}", "x"), "X?");
    assert_eq!(one("{% filter upper | replace('X', 'y') %}{{ text }}z{% endfilter %}", "x"), "yZ");
    assert_eq!(one("{% set ns = namespace(n=1) %}{% set ns.n = 2 %}{{ ns.n }}", "x"), "2");
    assert_eq!(one("{% for (k, v) in {'a': 1} | items %}{{ k }}={{ v }}{% endfor %}", "x"), "a=1");
    assert_eq!(one("{% raw %}{{ no }}{% endraw %}{{ text }}", "x"), "{{ no }}x");
    assert_eq!(one("a\n{{ text -}}\n b\n", "x"), "a\nxb");
    assert_eq!(one("{% if text == 'y' %}1{% elif text == 'x' %}2{% else %}3{% endif %}", "x"), "2");
    assert_eq!(
        one("{% for x in [[1, [2]], 3] recursive %}{{ loop(x) if x is sequence else x }}{% endfor %}", ""),
        "123"
    );
}

#[test]
fn every_filter_and_test_that_parses_exists() {
    use super::super::check::{FILTERS, TESTS};
    use super::super::environment::ENVIRONMENT;
    for (names, kind) in [(FILTERS, "filter"), (TESTS, "test")] {
        let exists = ENVIRONMENT.compile_expression_owned(format!("name is {kind}")).unwrap();
        let exists = |name: &str| {
            exists.eval(std::collections::BTreeMap::from([("name", name.to_owned())])).unwrap().is_true()
        };
        let missing: Vec<_> = names.iter().filter(|name| !exists(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

#[test]
fn long_chains_are_no_deep_nesting() {
    let text = vec!["text"; 300].join(" ~ ");
    assert_eq!(one(&text, "a").len(), 300);
    let text = vec!["text == 'a'"; 300].join(" and ");
    assert!(holds(&text, "a"));
}

#[test]
fn a_row_that_never_ends_is_stopped() {
    let text = "{% for a in range(1000) %}{% for b in range(1000) %}{{ text }}{% endfor %}{% endfor %}";
    assert_eq!(one(text, ""), "! stopped after 100000 steps; make the expression do less per row");
}

/// What values of a record can blow up: each of these would be gigabytes.
#[test]
fn a_row_whose_text_never_ends_is_stopped() {
    let stopped = "! stopped at a text of more than 10 MB; make the expression do less per row";
    let long = "x,".repeat(20_000);
    for (text, value) in [
        ("text | replace(',', text)", long.as_str()),
        ("{{ text | replace(',', text) }}", long.as_str()),
        ("text | split(',') | join(text)", long.as_str()),
        ("{% for piece in text | split(',') %}{{ text }}{% endfor %}", long.as_str()),
        ("text | format(1)", "%999999999d"),
        ("text | format(a=1)", "%(a)999999999d"),
        ("text | format(1, 2)", "%6000000d%6000000d"),
        ("text | indent(text | length * 1000)", long.as_str()),
        ("text | indent(width=100000000)", "x"),
    ] {
        assert_eq!(one(text, value), stopped, "{text}");
    }
    assert_eq!(one("{{ text | format(7) }}", "%03d"), "007");
    assert_eq!(one("text | indent(2)", "a\nb"), "a\n  b");
}
