//! Texts in URLs and forms.

/// Appends `name=value` pairs as `application/x-www-form-urlencoded`, as the URL standard writes them: letters,
/// digits and `*-._` as they are, a blank as `+`, all else as `%XX` of its UTF-8.
pub(super) fn push_pairs<N: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = (N, V)>,
    into: &mut String,
) {
    for (i, (name, value)) in pairs.into_iter().enumerate() {
        if i > 0 {
            into.push('&');
        }
        push_encoded(name.as_ref(), into);
        into.push('=');
        push_encoded(value.as_ref(), into);
    }
}

fn push_encoded(text: &str, into: &mut String) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                into.push(char::from(byte))
            }
            b' ' => into.push('+'),
            _ => into.extend(['%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::push_pairs;

    #[test]
    fn pairs_are_written_as_browsers_write_them() {
        let mut text = String::new();
        push_pairs([("e mail", "ada+1@example.com"), ("п", "a&b=c%~"), ("empty", "")], &mut text);
        assert_eq!(text, "e+mail=ada%2B1%40example.com&%D0%BF=a%26b%3Dc%25%7E&empty=");
    }
}
