//! Columns of imports: names and lengths, from the contract.

/// Columns that both imports take, with the most characters of a value.
const BOTH: [(&str, usize); 16] = [
    ("email", 50),
    ("first_name", 50),
    ("last_name", 50),
    ("phone", 50),
    ("job_title", 50),
    ("anniversary", usize::MAX),
    ("birthday_day", usize::MAX),
    ("birthday_month", usize::MAX),
    ("company_name", 50),
    ("street", 255),
    ("street2", 255),
    ("city", 50),
    ("state", 50),
    ("zip", 50),
    ("country", 50),
    ("sms_number", 16),
];

/// Columns that the JSON import takes beside those; the contract prints `home country` with a blank.
const MORE: [(&str, usize); 23] = [
    ("home_phone", 50),
    ("work_phone", 50),
    ("mobile_phone", 50),
    ("other_phone", 50),
    ("home_street", 255),
    ("home_street2", 255),
    ("home_city", 50),
    ("home_state", 50),
    ("home_zip", 50),
    ("home country", 50),
    ("work_street", 255),
    ("work_street2", 255),
    ("work_city", 50),
    ("work_state", 50),
    ("work_zip", 50),
    ("work_country", 50),
    ("other_street", 255),
    ("other_street2", 255),
    ("other_city", 50),
    ("other_state", 50),
    ("other_zip", 50),
    ("other_country", 50),
    ("sms_consent_date", 16),
];

/// Characters of a custom field's value.
pub(crate) const LONGEST_CUSTOM: usize = 255;
/// Custom fields of a contact.
pub(crate) const MOST_CUSTOM: usize = 25;
/// Characters of an address: the import's schema says 50, the contact itself holds 80.
const LONGEST_ADDRESS: usize = 80;

/// The most characters of a column's value; `None` when the import has no such column.
pub(crate) fn longest(column: &str, takes_all: bool) -> Option<usize> {
    if column == "email" {
        return Some(LONGEST_ADDRESS);
    }
    let more = MORE.iter().filter(|(name, _)| takes_all || *name == "sms_consent_date");
    BOTH.iter().chain(more).find(|(name, _)| *name == column).map(|(_, longest)| *longest)
}

/// Whether an anniversary has one of the forms that are read.
pub(crate) fn is_anniversary(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['/', '-']).collect();
    let [a, b, c] = parts[..] else { return false };
    let (year, month, day) = if a.len() == 4 { (a, b, c) } else { (c, a, b) };
    let number = |text: &str| text.parse::<i8>().unwrap_or(0);
    let year = year.parse::<i16>().ok().filter(|_| year.len() == 4);
    let is_mixed = text.contains('/') && text.contains('-');
    !is_mixed && year.is_some_and(|year| jiff::civil::Date::new(year, number(month), number(day)).is_ok())
}

/// Whether month and day make a birthday.
pub(crate) fn is_birthday(month: &str, day: &str) -> bool {
    let number = |text: &str| text.trim().parse::<i8>().unwrap_or(0);
    jiff::civil::Date::new(2024, number(month), number(day)).is_ok() // a leap year: 29 February is a birthday
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anniversaries_have_eight_forms() {
        for good in ["01/31/2024", "1/3/2024", "2024/01/31", "2024/1/3", "2024-01-31", "2024-1-3", "1-3-2024"]
        {
            assert!(is_anniversary(good), "{good}");
        }
        for bad in ["31/01/2024", "2024-13-01", "24-01-01", "2024", "", "1/3-2024"] {
            assert!(!is_anniversary(bad), "{bad}");
        }
    }

    #[test]
    fn a_birthday_has_both_parts() {
        assert!(
            is_birthday("2", "29")
                && !is_birthday("2", "30")
                && !is_birthday("2", "")
                && !is_birthday("13", "1")
        );
    }
}
