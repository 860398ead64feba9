//! What to do about a code: the tables of `docs/reject-codes.md`, which is the one place where that is written.

/// Meaning and advice of a code; `None` for one of a connector from elsewhere.
pub(crate) fn advice(code: &str) -> Option<(&'static str, &'static str)> {
    const CODES: &str = include_str!("../../../docs/reject-codes.md");
    CODES.lines().find_map(|line| {
        let rest = line.strip_prefix("| `")?.strip_prefix(code)?.strip_prefix("` | ")?;
        let mut cells = rest.strip_suffix(" |")?.splitn(3, " | ").skip(1);
        Some((cells.next()?, cells.next()?))
    })
}

/// What is wrong by a code, in words that are the same for everybody.
pub(crate) fn meaning(code: &str) -> &'static str {
    // Behind a semicolon stands what is in a message that quotes the record, or in the details.
    advice(code).map_or("not taken", |(meaning, _)| meaning.split(';').next().unwrap_or(meaning))
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn advice_is_what_the_document_says() {
        assert_eq!(advice("email.syntax"), Some(("not an email address", "correct the record")));
        assert_eq!(advice("email"), None);
        assert_eq!(advice("acme.unheard-of"), None);
    }
}
