//! Every message, with its place.

use super::super::{Expression, NamePath};
use super::{Row, batch, program, resolve};

/// The messages for texts that cannot be parsed or bound.
#[test]
fn messages_of_texts() {
    let texts = [
        "",
        "text ~",
        "text | lowr",
        "text is definde",
        "text | lower(1)",
        "text | e164('UK')",
        "text | date('%!')",
        "text | replace('a')",
        "lower(text)",
        "rage(3)",
        "text.lower()",
        "text or 'fallback'",
        "'x' if 'yes' else 'y'",
        "not 5",
        "text text",
        "'open",
        "text == 'ä' ~ )",
        "{{ text",
        "{{ text }",
        "{% if flag %}x",
        "a\nb {{ text | nope }}",
        "{% autoescape true %}{% endautoescape %}",
        "{% if flag %}{% set t = 1 %}{% endif %}{{ t }}",
        "{% set text.a = 1 %}",
        "__x",
        "99999999999999999999",
        "end-user",
        "text ~ self-serve-plan",
        "agent",
        "[nam, emial.x[0], row['No Such']]",
    ];
    let message = |text: &str| match Expression::parse(text) {
        Err(error) => error.to_string(),
        Ok(expression) => {
            expression.bind(&resolve).err().map_or("no error".to_owned(), |error| error.to_string())
        }
    };
    let all: Vec<String> = texts
        .iter()
        .map(|text| {
            format!(
                "{} => {}",
                if text.is_empty() { "(nothing)".to_owned() } else { text.replace('\n', "⏎") },
                message(text)
            )
        })
        .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    (nothing) => column 1: the expression is empty; for empty text write ''
    text ~ => column 7: unexpected end of input, expected expression
    text | lowr => column 8: unknown filter `lowr`; did you mean `lower`?
    text is definde => column 9: unknown test `definde`; did you mean `defined`?
    text | lower(1) => column 8: `lower` takes no arguments; write `| lower`
    text | e164('UK') => column 8: unknown region `UK`; write a country of ISO 3166, as in e164('US')
    text | date('%!') => column 8: bad date format `%!`: strftime formatting failed: found unrecognized specifier directive `!`; write one as in date('%Y-%m-%d')
    text | replace('a') => column 8: `replace` takes two texts, as in replace('a', 'b')
    lower(text) => column 1: `lower` is a filter, not a function; write `x | lower`
    rage(3) => column 1: unknown function `rage`; did you mean `range`?
    text.lower() => column 1: `text.lower` cannot be called; use a filter, as in `x | lower`
    text or 'fallback' => column 9: `or` needs conditions, not `fallback`; for a fallback write `… | default('fallback')`
    'x' if 'yes' else 'y' => column 8: `if` needs conditions, not `yes`; compare with it, as in `… == 'yes'`
    not 5 => column 5: `not` needs conditions, not `5`; compare with it, as in `… == '5'`
    text text => column 6: unexpected input after expression
    'open => column 1: unexpected end of string
    text == 'ä' ~ ) => column 15: unexpected `)`
    {{ text => column 8: unexpected end of input, expected end of variable block
    {{ text } => column 9: unexpected `}`, expected end of variable block
    {% if flag %}x => column 15: unexpected end of input, expected end of block
    a⏎b {{ text | nope }} => line 2, column 13: unknown filter `nope`; known are abs, attr, batch, bool, capitalize, chain, count, d, date, default, dictsort, e, e164, escape, first, float, format, groupby, indent, int, items, join, last, length, lines, list, lower, map, max, min, reject, rejectattr, replace, reverse, round, select, selectattr, sha256, slice, sort, split, string, sum, title, trim, unique, upper, zip
    {% autoescape true %}{% endautoescape %} => column 4: cells are never escaped; remove `autoescape`, or use the filter `e`
    {% if flag %}{% set t = 1 %}{% endif %}{{ t }} => column 43: `t` is set in only one branch of an `if`; set it in both
    {% set text.a = 1 %} => column 13: only attributes of a `namespace()` can be set
    __x => column 1: names that start with `__` are reserved; rename `__x`
    99999999999999999999 => column 1: the number 99999999999999999999 is too large; write it as text
    end-user => column 1: unknown name `end` in the subtraction `end-user`; for the text write 'end-user'
    text ~ self-serve-plan => column 8: unknown name `self` in the subtraction `self-serve-plan`; for the text write 'self-serve-plan'
    agent => column 1: unknown name `agent`; for the text write 'agent'
    [nam, emial.x[0], row['No Such']] => column 2: unknown name `nam`; column 7: unknown name `emial.x[0]`; column 19: unknown name `row["No Such"]`
    "#);
    assert!(all.iter().all(|line| !line.ends_with('.')));
}

#[test]
fn messages_of_rows_and_batches() {
    let batch = batch(&[Row { text: Some("a\nb".repeat(20)), count: Some(1), ..Row::default() }]);
    let message = |text: &str| match program(text).value(&batch) {
        Ok(value) => value.errors.into_iter().map(|(_, message)| message).next().unwrap_or_default(),
        Err(error) => error.to_string(),
    };
    let texts = [
        "text and flag",
        "text < 5",
        "text | date",
        "count | first",
        "count | length",
        "text in count",
        "text + none",
        "text | round",
    ];
    let all: Vec<String> = texts.iter().map(|text| format!("{text} => {}", message(text))).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    text and flag => `text` is `a ba ba ba ba ba ba ba ba ba ba ba ba ba…`, not true or false
    text < 5 => `a ba ba ba ba ba ba ba ba ba ba ba ba ba…` is not a number; compare numbers with numbers and texts with texts
    text | date => `a ba ba ba ba ba ba ba ba ba ba ba ba ba…` is not an ISO date or time; write it as in 2024-12-31
    count | first => `first` needs a list or text, not `1`
    count | length => `length` needs a list or text, not `1`
    text in count => `in` needs a list, map or text on its right, not `1`
    text + none => tried to use + operator on unsupported types string and undefined
    text | round => cannot round value (string)
    "#);
    let missing = program("text | lower").value(&batch.project(&[4]).unwrap()).unwrap_err();
    insta::assert_snapshot!(missing.to_string(), @"the batch has no column `text`");
}

#[test]
fn unknown_names_are_reported_together() {
    let error = Expression::parse("a ~ b.c ~ a ~ end-user").unwrap().bind(&|_: &NamePath| None).unwrap_err();
    let found: Vec<(String, usize, Option<&str>)> = error
        .unknown
        .iter()
        .map(|name| (name.path.to_string(), name.offset, name.hyphenated.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("a".to_owned(), 0, None),
            ("b.c".to_owned(), 4, None),
            ("end".to_owned(), 14, Some("end-user")),
            ("user".to_owned(), 18, Some("end-user")),
        ]
    );
}
