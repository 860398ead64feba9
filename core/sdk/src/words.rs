//! Words of guides and warnings.

/// A number with its noun: `1 row`, `1,234 rows`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// A number with commas between thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_nouns() {
        let rows = |n| counted(n, "row", "rows");
        assert_eq!([rows(0), rows(1), rows(999)], ["0 rows", "1 row", "999 rows"]);
        assert_eq!([rows(1_000), rows(1_234_567)], ["1,000 rows", "1,234,567 rows"]);
    }
}
