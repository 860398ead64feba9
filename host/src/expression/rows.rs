//! Running row by row in minijinja.

use std::{panic::resume_unwind, sync::Arc, thread};

use arrow_array::RecordBatch;
use minijinja::Value;
use minijinja::value::{Object, ObjectRepr};

use super::column::Column;
use super::environment::{ENVIRONMENT, begin_row, message};
use super::error::EvalError;
use super::print::Code;
use super::value::from_cell;

/// The name that reads the nth column of the program.
pub(super) fn variable(column: usize) -> String {
    format!("__usher_{column}")
}

/// Whether minijinja accepts the code. The error is its message.
pub(super) fn check(code: &Code) -> Result<(), String> {
    match code {
        Code::Expression(source) => ENVIRONMENT.compile_expression(source).map(drop),
        Code::Template(source) => ENVIRONMENT.template_from_str(source).map(drop),
    }
    .map_err(|error| message(&error))
}

/// Fewer rows are not worth a thread.
const WORTH: usize = 512;

/// What `each` makes of the parts of a batch, on so many threads at most; in the order of the rows.
pub(super) fn spread<T: Send>(
    batch: &RecordBatch,
    threads: usize,
    each: impl Fn(&RecordBatch) -> Result<T, EvalError> + Sync,
) -> Result<Vec<T>, EvalError> {
    let rows = batch.num_rows();
    let part = rows.div_ceil(threads.min(rows / WORTH).max(1)).max(1);
    let each_of = |from: usize| each(&batch.slice(from, part.min(rows - from)));
    thread::scope(|scope| {
        let begin = |from: usize| (from, thread::Builder::new().spawn_scoped(scope, move || each_of(from)));
        let others: Vec<_> = (part..rows).step_by(part).map(begin).collect();
        let first = each_of(0);
        let others = others.into_iter().map(|(from, other)| match other {
            // What panicked there panics here.
            Ok(other) => other.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // No thread is to be had.
            Err(_) => each_of(from),
        });
        std::iter::once(first).chain(others).collect()
    })
}

/// Calls `each` with the result of every row in order, or the message of its error.
pub(super) fn run(
    code: &Code,
    columns: Vec<Column>,
    rows: usize,
    mut each: impl FnMut(usize, Result<Value, String>),
) -> Result<(), EvalError> {
    let columns: Arc<[Column]> = columns.into();
    let context = |row| Value::from_object(Row { columns: Arc::clone(&columns), row });
    let broken = |error: minijinja::Error| EvalError::new(message(&error));
    match code {
        Code::Expression(source) => {
            let expression = ENVIRONMENT.compile_expression(source).map_err(broken)?;
            for row in 0..rows {
                each(row, expression.eval(context(row)).map_err(|error| message(&error)));
            }
        }
        Code::Template(source) => {
            let template = ENVIRONMENT.template_from_str(source).map_err(broken)?;
            for row in 0..rows {
                begin_row();
                each(row, template.render(context(row)).map(Value::from).map_err(|error| message(&error)));
            }
        }
    }
    Ok(())
}

/// The names of one row, looked up when they are used.
#[derive(Debug)]
struct Row {
    columns: Arc<[Column]>,
    row: usize,
}

impl Object for Row {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let column: usize = key.strip_prefix("__usher_")?.parse().ok()?;
        Some(from_cell(self.columns.get(column)?.cell(self.row)))
    }
}
