//! What a vendor answered and nobody understood, as it may be kept.

/// What stands in place of a word that may be somebody's.
const MASKED: &str = "[masked]";

/// So many digits make a word a number of somebody's: a phone, an id.
const MOST_DIGITS: usize = 6;

/// The text without addresses and long numbers. What is left shows what kind of answer it was.
pub(super) fn masked(text: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || c.is_control() || "\"'<>(),;:&?=/|\\[]{}".contains(c);
    let is_somebodys = |word: &str| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        word.contains('@') || word.to_ascii_lowercase().contains("%40") || digits > MOST_DIGITS
    };
    let mut kept = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_end) {
        let end = piece.chars().next_back().filter(|c| is_end(*c)).map_or(0, char::len_utf8);
        let (word, end) = piece.split_at(piece.len() - end);
        kept.push_str(if is_somebodys(word) { MASKED } else { word });
        kept.push_str(end);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn addresses_and_numbers_go_and_the_rest_stays() {
        for (given, kept) in [
            ("<h1>502 Bad Gateway</h1>\n", "<h1>502 Bad Gateway</h1>\n"),
            ("{\"error\":\"ada@example.com is taken\"}", "{\"error\":\"[masked] is taken\"}"),
            ("to=ada%40example.com&n=1", "to=[masked]&n=1"),
            ("call +49-170-1234567, please", "call [masked], please"),
            ("", ""),
        ] {
            assert_eq!(masked(given), kept);
        }
    }
}
