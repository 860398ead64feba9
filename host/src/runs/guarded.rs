//! Texts that a spreadsheet would run: in tables that people open, a `'` stands before them.

use std::borrow::Cow;

/// The text as such a table has it. Phone numbers and the like (`+33 1 23`, `-5`) stay as they are: nothing in them is run.
pub(crate) fn guarded(text: &str) -> Cow<'_, str> {
    if is_formula(text) { format!("'{text}").into() } else { text.into() }
}

/// What such a table means by a cell.
pub(crate) fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| is_formula(text)).unwrap_or(cell)
}

/// OWASP, "CSV Injection" and ASVS 1.2.10: what begins with `=`, `+`, `-`, `@`, a tab, a line end or NUL is taken for a formula.
fn is_formula(text: &str) -> bool {
    let of_a_number = |byte: u8| byte.is_ascii_digit() || b" .,()-/".contains(&byte);
    match text.as_bytes() {
        [b'=' | b'@' | b'\t' | b'\r' | b'\n' | 0, ..] => true,
        [b'+' | b'-', rest @ ..] => !rest.iter().copied().all(of_a_number),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_run_is_guarded_and_read_back() {
        for text in [
            "=1+1",
            "=cmd|' /C calc'!A0",
            "@SUM(1)",
            "+cmd",
            "-2+3",
            "\t=1",
            "\r=1",
            "\n=1",
            "\0=1",
            "-=",
            "+A1",
        ] {
            assert_eq!(guarded(text), format!("'{text}"));
            assert_eq!(unguarded(&guarded(text)), text);
        }
        for text in ["", "'", "ada@example.com", "{\"a\":\"=1\"}", "+33 (0)1-23.45/6", "-5", "'tis", "1=1"] {
            assert_eq!(guarded(text), text);
            assert_eq!(unguarded(text), text);
        }
    }
}
