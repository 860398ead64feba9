//! The one minijinja environment that all programs share.

use std::sync::LazyLock;

use minijinja::{Environment, Error, ErrorKind, Output, UndefinedBehavior};

use super::cell::Cell;
use super::filters;
use super::text::{LONGEST, too_long};
use super::value::with_cell;

/// Steps of minijinja that one row may take.
const FUEL: u64 = 100_000;

thread_local! {
    /// Bytes that the template of this row has printed of values.
    static PRINTED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// A row begins: nothing of it is printed yet.
pub(super) fn begin_row() {
    PRINTED.set(0);
}

fn print(out: &mut Output<'_>, text: &str) -> Result<(), Error> {
    PRINTED.set(PRINTED.get() + text.len());
    if PRINTED.get() > LONGEST {
        return Err(Error::new(ErrorKind::InvalidOperation, too_long()));
    }
    out.write_str(text).map_err(Error::from)
}

/// Undefined is chainable, values print as the module documents, our filters are there.
pub(super) static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(FUEL));
    environment.set_formatter(|out, _, value| {
        with_cell(value, |cell| match cell {
            Cell::Text(text) | Cell::Json(text) => print(out, text),
            cell => print(out, &cell.to_text()),
        })
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
