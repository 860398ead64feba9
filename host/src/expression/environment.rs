//! The one minijinja environment that all programs share.

use std::sync::LazyLock;

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::cell::Cell;
use super::filters;
use super::value::with_cell;

/// Steps of minijinja that one row may take.
const FUEL: u64 = 100_000;

/// Undefined is chainable, values print as the module documents, our filters are there.
pub(super) static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(FUEL));
    environment.set_formatter(|out, _, value| {
        with_cell(value, |cell| match cell {
            Cell::Text(text) | Cell::Json(text) => out.write_str(text),
            cell => out.write_str(&cell.to_text()),
        })
        .map_err(Error::from)
    });
    filters::add_to(&mut environment);
    environment
});

/// An error of minijinja as the message for a row.
pub(super) fn message(error: &Error) -> String {
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => {
            format!("stopped after {FUEL} steps; make the expression do less per row")
        }
        (_, Some(detail)) => detail.replace('\n', " "),
        (kind, None) => kind.to_string(),
    }
}
