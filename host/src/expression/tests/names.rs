//! Which names an expression reads, how they bind, and how programs describe themselves.

use super::super::{Bound, Expression, NamePath, Program};
use super::program;

fn names(text: &str) -> Vec<String> {
    Expression::parse(text).unwrap().names().iter().map(ToString::to_string).collect()
}

#[test]
fn names_are_the_longest_constant_paths() {
    assert_eq!(
        names("user_metadata.plan ~ identities[0].connection"),
        ["user_metadata.plan", "identities[0].connection"]
    );
    assert_eq!(
        names("row[\"First Name\"] ~ row['a'].b ~ row.a ~ row"),
        ["row[\"First Name\"]", "row[\"a\"].b", "row.a", "row"]
    );
    assert_eq!(names("a[b].c ~ a ~ a"), ["a", "b"]);
    assert_eq!(names("a['b c'].d[-1].e"), ["a[\"b c\"].d"]);
    assert_eq!(names("a.0.b"), ["a[0].b"]);
    assert_eq!(names("'a'"), [""; 0]);
    assert_eq!(names("{% for x in xs %}{{ x.a }}{{ y }}{% endfor %}{{ x }}"), ["xs", "y", "x"]);
    assert_eq!(names("{% set x = x %}{{ x }}{{ range(3) }}"), ["x"]);
    let quoted = Expression::parse("row['a'] ~ a").unwrap().names();
    assert_eq!(quoted.iter().map(|name| name.quoted).collect::<Vec<_>>(), [true, false]);
}

fn bind(text: &str) -> Program {
    let resolve = |path: &NamePath| {
        let consumed = path.segments.len().min(2);
        let column = path.segments[..consumed].iter().map(|segment| format!("{segment:?}")).collect();
        Some(Bound { column, consumed })
    };
    Expression::parse(text).unwrap().bind(&resolve).unwrap()
}

#[test]
fn columns_are_named_once() {
    let program = bind("a.b ~ a.b.c ~ d");
    assert_eq!(program.columns(), ["Key(\"a\")Key(\"b\")", "Key(\"d\")"]);
    assert!(!program.is_columnar());
    assert_eq!(program.describe(), "row by row: looks inside a value for `a.b.c`");
    assert!(bind("a.b ~ d").is_columnar());
}

#[test]
fn programs_are_sent_between_threads() {
    fn assert_send_sync<T: Send + Sync>() {}
    assert_send_sync::<Program>();
    assert_send_sync::<Expression>();
}

#[test]
fn programs_describe_themselves() {
    let texts = [
        "text",
        "row['First Name']",
        "text | trim | lower",
        "'Hi, it\\'s ' ~ (text | default('you'))",
        "not flag and (count > 3 or text in ['a', 'b'])",
        "text if flag else none",
        "text is not defined",
        "Hello {{ text | default(any) }}!",
        "{% for tag in tags %}{{ tag }}{% endfor %}",
        "any.plan",
        "text | title",
        "text is even",
        "count + 1",
        "text[:2]",
        "text | replace(any, '')",
        "text in tags",
        "range(3) | list",
    ];
    let all: Vec<String> =
        texts.iter().map(|text| format!("{text} => {}", program(text).describe())).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    text => copy of text
    row['First Name'] => copy of row["First Name"]
    text | trim | lower => column operations: lower(trim(text))
    'Hi, it\'s ' ~ (text | default('you')) => column operations: 'Hi, it\'s ' ~ default(text, 'you')
    not flag and (count > 3 or text in ['a', 'b']) => column operations: (not flag) and ((count > 3) or (text in ['a', 'b']))
    text if flag else none => column operations: text if flag else none
    text is not defined => column operations: not (text is defined)
    Hello {{ text | default(any) }}! => column operations: 'Hello ' ~ default(text, any) ~ '!'
    {% for tag in tags %}{{ tag }}{% endfor %} => row by row: uses `for`
    any.plan => row by row: looks inside a value for `any.plan`
    text | title => row by row: uses the filter `title`
    text is even => row by row: uses the test `even`
    count + 1 => row by row: calculates with `+`
    text[:2] => row by row: takes a slice
    text | replace(any, '') => row by row: uses `replace` with arguments that are not constant
    text in tags => row by row: uses `in` with a value of the row
    range(3) | list => row by row: calls `range`
    "#);
}
