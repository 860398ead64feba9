//! The log: every line for standard error goes through here, as text or as a line of JSON.

use std::{
    fs::File,
    io::Write,
    sync::{Mutex, OnceLock, PoisonError},
};

use clap::ValueEnum;
use jiff::Timestamp;
use serde::Serialize;
use usher_abi::LogLevel;

use crate::services::LogLine;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

static FORMAT: OnceLock<LogFormat> = OnceLock::new();
/// The chain that is at work, and its run. One process runs one chain at a time.
static WORK: Mutex<Work> = Mutex::new(Work { chain: None, run: None });
/// Standard error, where plugins' prints go elsewhere.
pub(super) static KEPT: OnceLock<File> = OnceLock::new();

#[derive(Clone, Serialize)]
struct Work {
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
}

/// A line of JSON.
#[derive(Serialize)]
struct Record<'a> {
    time: String,
    level: &'a str,
    #[serde(flatten)]
    work: Work,
    #[serde(skip_serializing_if = "Option::is_none")]
    connector: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    target: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    code: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    key: &'a str,
    message: &'a str,
}

/// Says how lines are written from now on; the first call counts.
pub(crate) fn log_as(format: LogFormat) {
    let _ = FORMAT.set(format);
}

/// Whether lines are JSON.
pub(crate) fn is_json() -> bool {
    FORMAT.get() == Some(&LogFormat::Json)
}

/// Lines are of this chain from now on, and of this run once it has an id.
pub(crate) fn at_work(chain: Option<&str>, run: Option<&str>) {
    let work = Work { chain: chain.map(str::to_owned), run: run.map(str::to_owned) };
    *WORK.lock().unwrap_or_else(PoisonError::into_inner) = work;
}

/// Writes a line. It does not panic when nobody reads it.
pub(crate) fn log(line: &LogLine<'_>) {
    log_with_key(line, "");
}

/// Writes a line about a key of the manifest.
pub(crate) fn log_with_key(line: &LogLine<'_>, key: &str) {
    if !is_json() {
        return write(&line.text());
    }
    if line.message.trim().is_empty() {
        return;
    }
    let message = line.clean_message();
    let record = Record {
        time: Timestamp::now().to_string(),
        level: line.word(),
        work: WORK.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        connector: line.connector,
        target: line.target,
        code: line.code,
        key,
        message: &message,
    };
    if let Ok(text) = serde_json::to_string(&record) {
        write(&text);
    }
}

/// Writes one whole line at once, so that threads do not mix theirs.
fn write(line: &str) {
    let line = format!("{line}\n");
    let _ = match KEPT.get() {
        Some(mut kept) => kept.write_all(line.as_bytes()),
        None => std::io::stderr().lock().write_all(line.as_bytes()),
    };
}

/// What a plugin prints by itself, past the host's log.
pub(super) fn log_stray(line: &str) {
    log(&LogLine { target: "print", ..LogLine::new(LogLevel::INFO, line) });
}
