//! What can go wrong.

use std::{env, fs, path::PathBuf, process, thread, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::abi::{Error, ErrorClass};

/// A way to misbehave. Those of other roles do nothing.
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
    /// Panics in `output_schema`
    PanicInOutputSchema,
    /// Panics in `apply`
    PanicInApply,
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
    /// Numbers where the catalog promises text
    OtherKind,
    /// A column that was asked for does not come
    ColumnMissing,
    /// The columns that say where rows come from do not come
    OriginsMissing,
    /// Announces a column that does not come
    PromiseColumn,
    /// Hands on a column and does not say what it is made from
    InventColumn,
    /// Announces the columns in another order than they come
    OtherOrder,
    /// Says that rows come from another place of their input
    OtherOrigins,
    /// Says that rows come from another input
    OtherInput,
    /// Hands a row on twice
    Double,
    /// Holds rows back and never hands them on
    KeepBack,
    /// Hands on the same rows at the end, again and again
    EndlessRows,
    /// Hands on no rows at the end, again and again
    EndlessNothing,
    /// Rejects records that it was never given
    RejectStrangers,
    /// Says that a row is merged into a record that it was never given
    MergeIntoStrangers,
    /// Says that it wrote a row which it did not write
    Boast,
    /// Neither hands on nor rejects a row
    Swallow,
    /// Says that a part holds more records than it does
    Miscount,
    /// Leaves a part unfinished
    Unfinished,
    /// An error of a class that does not exist
    UnknownClass,
    /// Never comes back and does not care about being cancelled
    NeverReturn,
    /// Ends the process, and says that all went well
    Exit,
    /// Ends the process by a signal
    Abort,
    /// Ends the process behind the first hundred thousand rows, and says that all went well
    ExitLate,
    /// Ends the process by a signal behind the first hundred thousand rows
    AbortLate,
    /// Writes to standard output
    Print,
    /// Every instance leaves memory behind
    LeakMemory,
    /// Every batch behind the first ten thousand rows leaves memory behind
    LeakRows,
    /// Every instance leaves a thread behind
    LeakThread,
}

impl Fault {
    /// Panics at the caller's place if this is the fault asked for.
    #[track_caller]
    pub(crate) fn panic_if(self, fault: Self) {
        if self == fault {
            panic!("{fault:?} was asked for");
        }
    }

    /// The faults that opening can have.
    #[track_caller]
    pub(crate) fn open(self) {
        self.panic_if(Self::PanicInOpen);
        match self {
            Self::LeakMemory => {
                vec![1u8; 64 << 10].leak();
            }
            Self::LeakThread => {
                thread::spawn(|| thread::sleep(Duration::from_secs(3_600)));
            }
            _ => {}
        }
    }

    /// The faults that any work can have, after so many rows.
    pub(crate) fn work(self, rows: u64) -> Result<(), Error> {
        match self {
            Self::LeakRows if rows > 10_000 => {
                vec![1u8; 1 << 20].leak();
            }
            Self::PanicInThread => {
                let worker = thread::spawn(|| panic!("a thread of the plugin panics"));
                worker.join().expect("the thread ended well");
            }
            Self::UnknownClass => {
                return Err(Error::new(
                    ErrorClass(99),
                    "misbehaving.class",
                    "an error of a class of its own",
                ));
            }
            Self::NeverReturn => never_return(),
            Self::Exit => process::exit(0),
            Self::ExitLate if rows > 100_000 => process::exit(0),
            Self::AbortLate if rows > 100_000 => process::abort(),
            Self::Abort => process::abort(),
            Self::Print => print(),
            _ => {}
        }
        Ok(())
    }
}

/// Leaves its process's id where `USHER_STUCK` says, so that a test need not guess when and where it has come to this.
pub(crate) fn never_return() -> ! {
    if let Some(mark) = env::var_os("USHER_STUCK").map(PathBuf::from) {
        // Written elsewhere first, so that whoever sees it sees all of it. The test that waits for it says if it is missing.
        let half = format!("{}-half", mark.display());
        let _ = fs::write(&half, process::id().to_string()).and_then(|()| fs::rename(half, mark));
    }
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

#[expect(clippy::print_stdout, reason = "that is the fault")]
fn print() {
    println!("misbehaving was here");
}
