//! What host and worker say to each other. Both are the same executable, so nothing here has versions.
//!
//! A conversation has one thread on either side and a socket of its own, a *lane*. The host sends a [`Call`]; the worker's
//! thread works on it and may [ask](Ask) the host for services as often as it likes; the [`Outcome`] ends it. So a service
//! works on the thread that called the plugin, as it does in one process. Large bytes do not go through the socket: they are
//! put into shared memory, and the message says how many there are.

use serde::{Deserialize, Serialize};
use usher_abi::{
    Error, LogLevel, Report, Split,
    service::{InputFile, PartFormat},
};

use super::flat::FlatBatch;

/// What the worker is to be; the first message on its control socket, beside its descriptors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Start {
    /// The plugin's file, absolute.
    pub(super) plugin: std::path::PathBuf,
    /// What its jail allows.
    pub(super) rights: super::Rights,
}

/// A message on the control socket, which the worker's first thread reads: it is never busy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Control {
    /// A lane more: its socket and its memory come with it.
    Lane,
    /// Cancels an instance.
    Cancel(u32),
}

/// How the start went: what the worker says first, on its first lane.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Started {
    /// The plugin is loaded, and says this of itself. The jail is shut.
    Ready {
        /// A [`Description`](usher_abi::Description) in JSON.
        description: String,
        /// Whether it can log in to its vendor.
        login: bool,
        /// What of the jail this system cannot do, in words.
        gaps: Vec<String>,
    },
    /// It could not be loaded.
    Refused {
        /// Half a line.
        reason: String,
        /// The layout difference.
        detail: Option<String>,
    },
}

/// What the host sends on a lane.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToWorker {
    Call(Call),
    Answer(Result<Answer, Error>),
}

/// What the worker sends on a lane.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FromWorker {
    /// Places of the host's memory that nobody here reads any more.
    pub(super) released: Vec<u64>,
    pub(super) said: Said,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    Started(Started),
    Ask(Ask),
    Outcome(Box<Outcome>),
}

/// A function of a plugin's tables; numbers name instances, streams and logins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Call {
    Open { kind: u32, component: String, options: String },
    OpenLogin { options: String },
    Check { of: u32, request: String },
    Catalog { of: u32, request: String },
    Plan { of: u32, request: String },
    OpenSplit { of: u32, split: Split, checkpoint: Vec<u8> },
    Next { of: u32 },
    OutputSchema { of: u32, schema: FlatBatch },
    Apply { of: u32, batch: Lent },
    Flush { of: u32 },
    Begin { of: u32, schema: FlatBatch },
    Write { of: u32, batch: Lent },
    Finish { of: u32, request: String },
    BeginLogin { of: u32 },
    PollLogin { of: u32 },
    ExportLogin { of: u32 },
    Close { of: u32 },
}

impl Call {
    /// The function's name, for messages.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::OpenLogin { .. } | Self::BeginLogin { .. } => "login",
            Self::Check { .. } => "check",
            Self::Catalog { .. } => "catalog",
            Self::Plan { .. } => "plan",
            Self::OpenSplit { .. } => "open_split",
            Self::Next { .. } => "next",
            Self::OutputSchema { .. } => "output_schema",
            Self::Apply { .. } => "apply",
            Self::Flush { .. } => "flush",
            Self::Begin { .. } => "begin",
            Self::Write { .. } => "write",
            Self::Finish { .. } => "finish",
            Self::PollLogin { .. } => "poll",
            Self::ExportLogin { .. } => "export",
            Self::Close { .. } => "close",
        }
    }
}

/// A batch in the host's memory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lent {
    pub(super) batch: FlatBatch,
    pub(super) piece: Piece,
}

/// Some bytes of the host's memory, which are the worker's to read until it says that they are released.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Piece {
    pub(super) place: u64,
    pub(super) len: u64,
    /// The memory is getting short: to be copied, and released at once.
    pub(super) copy: bool,
}

impl Outcome {
    /// How many bytes of a batch lie in the lane's memory, as it says.
    pub(super) fn handed(&self) -> u64 {
        match &self.result {
            Some(Ok(Value::Status(_, Some(batch)))) => batch.bytes(),
            _ => 0,
        }
    }
}

/// What a function answered, and its report.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) result: Option<Result<Value, Error>>,
    pub(super) report: Report,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Value {
    Nothing,
    /// A number that names what was opened.
    Opened(u32),
    /// The plugin has none.
    None,
    Text(String),
    Splits(Vec<Split>),
    /// A status, and the batch, whose bytes lie in the lane's memory.
    Status(u32, Option<FlatBatch>),
    Schema(FlatBatch),
}

/// A function of a service.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    Log {
        level: LogLevelNumber,
        target: String,
        message: String,
    },
    Metric {
        name: String,
        amount: i64,
    },
    /// Whether the service is there.
    Has(String),
    InputOpen(String),
    InputReader {
        input: u32,
        start: u64,
        end: u64,
    },
    InputNext(u64),
    InputClose(u64),
    OutputCreate {
        stem: String,
        extension: String,
        format: PartFormat,
    },
    /// The bytes lie in the lane's memory.
    OutputWrite {
        part: u64,
        len: u64,
    },
    OutputReadBack {
        part: u64,
        offset: u64,
        len: u64,
    },
    OutputFinish {
        part: u64,
        records: u64,
    },
    OutputDiscard(u64),
    Now,
    Sleep(u64),
    StateGet(String),
    StatePut(String, Vec<u8>),
    StateDelete(String),
    LedgerFind(String, Vec<u8>),
    LedgerNote(String, Vec<u8>, Vec<u8>),
    /// The body lies in the lane's memory.
    HttpBegin {
        head: String,
        len: u64,
    },
    HttpWait(u64),
    HttpNext(u64),
    HttpKeep(u64, String),
    HttpClose(u64),
}

impl Ask {
    /// How many bytes it says lie in the lane's memory.
    pub(super) fn handed(&self) -> u64 {
        match self {
            Self::OutputWrite { len, .. } | Self::HttpBegin { len, .. } => *len,
            _ => 0,
        }
    }
}

/// [`LogLevel`] as a number.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct LogLevelNumber(pub(super) u32);

impl From<LogLevel> for LogLevelNumber {
    fn from(level: LogLevel) -> Self {
        Self(level.0)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Nothing,
    Yes(bool),
    Number(u64),
    Text(String),
    Bytes(Option<Vec<u8>>),
    File(InputFile),
    Files(Vec<InputFile>),
    /// A slab and its place in the input; none at the end.
    Slab(Option<(Piece, u64)>),
}
