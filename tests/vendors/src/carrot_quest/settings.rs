//! What an app is like, and what the sheet does not know.

use std::time::Duration;

use serde_json::Value;

use crate::{faults::FaultPlan, unknown::OnUnknown};

/// How `data.row_errors` is written, which is unverified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowErrors {
    /// `{3: "…"}`, as printed in the vendor's sample, which is no JSON.
    BareKeys,
    /// `{"3": "…"}`
    StringKeys,
    /// Left out when there are none; string keys otherwise.
    MissingWhenEmpty,
}

/// What an empty cell does, which is unverified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyCells {
    /// Nothing.
    Skip,
    /// It takes the property away.
    Clear,
}

/// An app of Carrot quest before its first request.
#[derive(Clone, Debug)]
pub struct Settings {
    /// 0 is a free port.
    pub port: u16,
    /// The app's id.
    pub app: String,
    /// The API key.
    pub token: String,
    /// Requests a minute for the key.
    pub requests_per_minute: u32,
    /// Whether 429 says `Retry-After`, which is unverified.
    pub tells_retry_after: bool,
    /// How much faster than real the vendor's minutes pass: at 60, a minute lasts a second.
    pub speed: f64,
    /// How long accepted rows wait until they are applied, on the wall clock.
    pub applies_after: Duration,
    /// How likely an accepted row is lost without a word, 0 to 1; drawn from `seed`.
    pub loses: f64,
    /// Draws which rows are lost.
    pub seed: u64,
    /// How errors of rows are written.
    pub row_errors: RowErrors,
    /// Whether row 1 is the header: then the first record is row 2.
    pub header_counts: bool,
    /// What an empty cell does.
    pub empty_cells: EmptyCells,
    /// Whether a byte order mark is taken off; else it is part of the first heading.
    pub takes_byte_order_mark: bool,
    /// Whether the import guesses types of custom properties, as `/props` does (`00123` becomes 123).
    pub guesses_types: bool,
    /// A heading that begins with `$` and is no system property: the file is refused, or the column dropped.
    pub on_unknown: OnUnknown,
    /// Whether `/props` takes a body in JSON.
    pub takes_json: bool,
    /// Whether `GET /apps/{id}/users` has its list right in `data`; else in `data.users`. Unverified.
    pub list_right_in_data: bool,
    /// How old that list is, on the wall clock: the vendor speaks of minutes.
    pub list_delay: Duration,
    /// Users that are there, by properties; `$user_id` among them is theirs. The later ones were active later.
    pub users: Vec<Value>,
    /// What goes wrong.
    pub faults: FaultPlan,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            app: "1234".to_owned(),
            token: "hush-key".to_owned(),
            requests_per_minute: 60,
            tells_retry_after: false,
            speed: 1.0,
            applies_after: Duration::from_millis(50),
            loses: 0.0,
            seed: 0,
            row_errors: RowErrors::BareKeys,
            header_counts: true,
            empty_cells: EmptyCells::Skip,
            takes_byte_order_mark: false,
            guesses_types: false,
            on_unknown: OnUnknown::Refuse,
            takes_json: false,
            list_right_in_data: false,
            list_delay: Duration::ZERO,
            users: Vec::new(),
            faults: FaultPlan::none(),
        }
    }
}
