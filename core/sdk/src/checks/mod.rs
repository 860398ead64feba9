//! Checks for values: functions from text to a [`Verdict`], named in a column's table row.

mod dates;
mod email;
mod invisible;
#[cfg(feature = "phone")]
mod phone;
mod simple;

pub use dates::{iso_date, iso_datetime_utc, parse_date};
pub use email::{email, is_email};
pub use invisible::{clean_key, clean_text, is_invisible};
#[cfg(feature = "phone")]
pub use phone::{Region, e164, parse_region};
pub use simple::{any, boolean, integer, number, trimmed};

/// What a check thinks of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good as it stands.
    Keep,
    /// Good once replaced by what the check has written into its second argument; the text names the rule.
    Changed(&'static str),
    /// Bad.
    Bad(Fault),
}

/// Why a value is bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable, documented in `docs/reject-codes.md`.
    pub code: &'static str,
    /// For people, with the value shortened; see [`shown`].
    pub message: String,
}

impl Fault {
    /// A fault.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A check in a static table: takes the value (never empty) and an empty buffer for its replacement.
///
/// ```
/// use usher_sdk::checks::{shown, Check, Fault, Verdict};
///
/// fn language(value: &str, out: &mut String) -> Verdict {
///     match value {
///         "en" | "fr" => Verdict::Keep,
///         "english" => {
///             out.push_str("en");
///             Verdict::Changed("language")
///         }
///         other => {
///             let message = format!("{} is neither en nor fr", shown(other));
///             Verdict::Bad(Fault { code: "acme.language", message })
///         }
///     }
/// }
///
/// const CHECK: Check = language;
/// assert!(matches!(CHECK("de", &mut String::new()), Verdict::Bad(_)));
/// ```
pub type Check = fn(&str, &mut String) -> Verdict;

/// A check that needs options, put in place of a table's own with [`Columns::override_check`](crate::Columns::override_check).
pub type BoxedCheck = Box<dyn Fn(&str, &mut String) -> Verdict + Send>;

/// A value as messages show it: in backquotes, control characters escaped, at most 60 characters.
///
/// ```
/// use usher_sdk::checks::shown;
///
/// assert_eq!(shown("a\tb"), r"`a\u{9}b`");
/// ```
pub fn shown(value: &str) -> String {
    let mut text = String::from("`");
    for (i, c) in value.chars().enumerate() {
        if i == 60 {
            text.push('…');
            break;
        }
        if c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{A0}')
        {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    text.push('`');
    text
}
