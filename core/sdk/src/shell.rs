//! Commands that a person pastes into a shell.

/// A text as one word of a POSIX shell, taken literally: `$user_id` becomes `'$user_id'`.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_are_literal() {
        assert_eq!(quote("$user_id"), "'$user_id'");
        assert_eq!(quote("it's `x`"), r"'it'\''s `x`'");
    }
}
