//! What can go wrong.

use std::{thread, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

/// Options of both components.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// What goes wrong
    pub(crate) fault: Fault,
}

/// A way to misbehave. Those of the other role do nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    /// Nothing goes wrong
    #[default]
    None,
    /// Panics where it is opened
    PanicInOpen,
    /// Panics in `check`
    PanicInCheck,
    /// Panics in `catalog`
    PanicInCatalog,
    /// Panics in `plan`
    PanicInPlan,
    /// Panics in `open_split`
    PanicInOpenSplit,
    /// Panics in `next`
    PanicInNext,
    /// Panics in `begin`
    PanicInBegin,
    /// Panics in `write`
    PanicInWrite,
    /// Panics in `flush`
    PanicInFlush,
    /// Panics in `finish`
    PanicInFinish,
    /// Panics where it is closed
    PanicInClose,
    /// A thread of its own panics, and it does not expect that
    PanicInThread,
    /// A text that is not UTF-8
    InvalidUtf8,
    /// Offsets behind the end of the texts
    OffsetsBeyond,
    /// An Arrow type that does not cross the boundary
    ForeignType,
    /// A column that was asked for does not come
    ColumnMissing,
    /// The columns that say where rows come from do not come
    OriginsMissing,
    /// Rejects records that it was never given
    RejectStrangers,
    /// Says that it wrote a row which it did not write
    Boast,
    /// Neither writes nor rejects a row
    Swallow,
    /// Says that a part holds more records than it does
    Miscount,
    /// Leaves a part unfinished
    Unfinished,
    /// Never comes back and does not care about being cancelled
    NeverReturn,
    /// Writes to standard output
    Print,
}

impl Options {
    /// Panics at the caller's place if this is the fault asked for.
    #[track_caller]
    pub(crate) fn panic_if(&self, fault: Fault) {
        if self.fault == fault {
            panic!("{fault:?} was asked for");
        }
    }

    /// The faults that any work can have.
    pub(crate) fn work(&self) {
        match self.fault {
            Fault::PanicInThread => {
                let worker = thread::spawn(|| panic!("a thread of the plugin panics"));
                worker.join().expect("the thread ended well");
            }
            Fault::NeverReturn => loop {
                thread::sleep(Duration::from_secs(1));
            },
            Fault::Print => print(),
            _ => {}
        }
    }
}

#[expect(clippy::print_stdout, reason = "that is the fault")]
fn print() {
    println!("misbehaving was here");
}
