//! Texts that people and attackers write, and that break programs.

/// What each text is, and the text, short ones first.
pub fn hostile_texts() -> Vec<(&'static str, String)> {
    let mut texts: Vec<(&'static str, String)> = [
        ("a quote", "\""),
        ("a comma", "a,b"),
        ("a semicolon", "a;b"),
        ("a tab", "a\tb"),
        ("a bar", "a|b"),
        ("LF", "a\nb"),
        ("CR", "a\rb"),
        ("CRLF", "a\r\nb"),
        ("a line end at the end", "a\n"),
        ("blanks around", "  a  "),
        ("a no-break space", "\u{a0}a\u{a0}"),
        ("NUL", "a\0b"),
        ("a bell and an escape", "a\u{7}\u{1b}[31m"),
        ("a backslash", "a\\"),
        ("a backslash and a quote", "a\\\"b"),
        ("a formula", "=1+1"),
        ("a formula that calls", "=cmd|' /C calc'!A0"),
        ("a formula by plus", "+1"),
        ("a formula by minus", "-1"),
        ("a formula by at", "@SUM(1)"),
        ("a formula by tab", "\t=1"),
        ("the text null", "null"),
        ("the text undefined", "undefined"),
        ("a template", "{{ 7 * 7 }}"),
        ("a record number", "{n}"),
        ("markup", "<script>alert(1)</script>"),
        ("an entity", "&amp;&#0;"),
        ("SQL", "'; DROP TABLE users; --"),
        ("a format string", "%s%n%x"),
        ("a path", "../../etc/passwd"),
        ("right to left", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}"),
        ("an override of the direction", "a\u{202e}b"),
        ("a zero-width joiner", "a\u{200d}b"),
        ("a byte order mark", "\u{feff}a"),
        ("a combining mark", "e\u{301}"),
        ("many combining marks", "Z\u{351}\u{36b}\u{343}\u{36a}\u{302}"),
        ("four bytes", "\u{1f98a}"),
        ("a family", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}"),
        ("a noncharacter", "\u{ffff}"),
        ("the last code point", "\u{10ffff}"),
        ("a dotted capital I", "\u{130}"),
        ("a line separator", "a\u{2028}b"),
        ("a huge number", "1e999"),
        ("not a number", "NaN"),
    ]
    .map(|(what, text)| (what, text.to_owned()))
    .to_vec();
    texts.push(("a thousand quotes", "\"".repeat(1000)));
    texts.push(("10,000 four-byte characters", "\u{1f98a}".repeat(10_000)));
    texts.push(("1 MB", "x".repeat(1_000_000)));
    texts
}
