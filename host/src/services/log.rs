//! Log lines, counters and cancellation of one connector.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    sync::{Arc, Mutex},
};

use usher_abi::{HostLog, LogLevel};

use super::{clock::Cancel, private::lock};

/// Counters kept per connector; a connector that makes up names without end loses the later ones.
const COUNTERS: usize = 1_000;

/// A line of the log, before anybody has decided how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// How bad it is.
    pub level: LogLevel,
    /// Who says it; none: the host.
    pub connector: Option<&'a str>,
    /// Where in the connector it comes from; empty: nobody wants to know.
    pub target: &'a str,
    /// Stable, of an error; empty: it has none.
    pub code: &'a str,
    /// For people.
    pub message: &'a str,
}

impl<'a> LogLine<'a> {
    /// A line of the host.
    pub fn new(level: LogLevel, message: &'a str) -> Self {
        Self { level, connector: None, target: "", code: "", message }
    }

    /// The level in a word.
    pub fn word(&self) -> &'static str {
        match self.level {
            LogLevel::DEBUG => "debug",
            LogLevel::INFO => "info",
            LogLevel::WARN => "warning",
            LogLevel::ERROR => "error",
            _ => "log",
        }
    }

    /// As people read it. What the host says for information stands by itself.
    pub fn text(&self) -> String {
        let Self { connector, target, message, .. } = self;
        let Some(connector) = connector else {
            return match self.level >= LogLevel::WARN {
                true => format!("{}: {message}", self.word()),
                false => (*message).to_owned(),
            };
        };
        let mut line = format!("{}: {connector}: ", self.word());
        // The target tells a developer where a line comes from; people reading a run do not need it.
        if !target.is_empty() {
            push_clean(&mut line, target, "\n  ");
            line.push_str(": ");
        }
        push_clean(&mut line, message, "\n  ");
        line
    }

    /// The message, without what could steer a terminal.
    pub fn clean_message(&self) -> String {
        let mut message = String::with_capacity(self.message.len());
        push_clean(&mut message, self.message, "\n");
        message
    }
}

/// Takes the lines of a run. The caller decides how they look and where they go (standard error, past the progress bars);
/// it may be called from any thread.
pub type LineSink = Arc<dyn Fn(&LogLine<'_>) + Send + Sync>;

/// What one connector says while it runs.
pub struct RunLog {
    connector: String,
    least: LogLevel,
    sink: LineSink,
    cancel: Cancel,
    counters: Mutex<BTreeMap<String, i64>>,
}

impl RunLog {
    /// The log of `connector`: lines of level `least` and above go to `sink`.
    pub fn new(connector: &str, least: LogLevel, sink: LineSink, cancel: Cancel) -> Self {
        Self { connector: connector.to_owned(), least, sink, cancel, counters: Mutex::default() }
    }

    /// The connector's name.
    pub fn connector(&self) -> &str {
        &self.connector
    }

    /// The counters as they are now.
    pub fn counters(&self) -> BTreeMap<String, i64> {
        lock(&self.counters).clone()
    }
}

impl fmt::Debug for RunLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunLog").field("connector", &self.connector).finish_non_exhaustive()
    }
}

impl HostLog for RunLog {
    fn log(&self, level: LogLevel, target: &str, message: &str) {
        if level < self.least {
            return;
        }
        let target = if self.least <= LogLevel::DEBUG { target } else { "" };
        let connector = Some(self.connector.as_str());
        (self.sink)(&LogLine { level, connector, target, code: "", message: message.trim_end() });
    }

    fn metric(&self, name: &str, amount: i64) {
        let mut counters = lock(&self.counters);
        if let Some(value) = counters.get_mut(name) {
            *value = value.saturating_add(amount);
        } else if counters.len() < COUNTERS {
            counters.insert(name.to_owned(), amount);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}

/// Appends text of a connector so that it can neither steer a terminal nor, with line ends that are set in, pass for a line
/// of the host.
fn push_clean(line: &mut String, text: &str, line_end: &str) {
    for c in text.chars() {
        match c {
            '\n' => line.push_str(line_end),
            '\t' => line.push(c),
            c if c.is_control() => {
                // Writing to a `String` cannot fail.
                let _ = write!(line, "{}", c.escape_default());
            }
            c => line.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(least: LogLevel) -> (RunLog, Arc<Mutex<Vec<String>>>, Cancel) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let cancel = Cancel::new();
        let sink: LineSink = Arc::new(move |line: &LogLine<'_>| lock(&sink).push(line.text()));
        (RunLog::new("support", least, sink, cancel.clone()), lines, cancel)
    }

    #[test]
    fn lines_below_the_level_are_left_out() {
        let (log, lines, _) = log(LogLevel::WARN);
        log.log(LogLevel::INFO, "x", "not shown");
        log.log(LogLevel::WARN, "x", "3 tags were cut\n");
        log.log(LogLevel::ERROR, "x", "two\nlines");
        log.log(LogLevel(77), "x", "from a newer plugin");
        assert_eq!(
            *lock(&lines),
            [
                "warning: support: 3 tags were cut",
                "error: support: two\n  lines",
                "log: support: from a newer plugin"
            ]
        );
    }

    #[test]
    fn debugging_shows_where_a_line_comes_from() {
        let (log, lines, _) = log(LogLevel::DEBUG);
        log.log(LogLevel::DEBUG, "zendesk::sink", "opened");
        assert_eq!(*lock(&lines), ["debug: support: zendesk::sink: opened"]);
    }

    #[test]
    fn a_line_cannot_steer_the_terminal() {
        let (log, lines, _) = log(LogLevel::INFO);
        log.log(LogLevel::INFO, "", "a\u{1b}[2Jb\rc\u{9b}d");
        assert_eq!(*lock(&lines), ["info: support: a\\u{1b}[2Jb\\rc\\u{9b}d"]);
    }

    #[test]
    fn what_stands_in_json_cannot_steer_it_either() {
        let line = LogLine::new(LogLevel::INFO, "a\u{1b}b\u{9b}c\nd");
        assert_eq!(line.clean_message(), "a\\u{1b}b\\u{9b}c\nd");
    }

    #[test]
    fn the_host_speaks_for_itself() {
        let text = |level| LogLine::new(level, "x\n y").text();
        assert_eq!([LogLevel::INFO, LogLevel::WARN].map(text), ["x\n y", "warning: x\n y"]);
    }

    #[test]
    fn counters_add_up_and_are_bounded() {
        let (log, _, _) = log(LogLevel::INFO);
        log.metric("requests", 2);
        log.metric("requests", -1);
        log.metric("big", i64::MAX);
        log.metric("big", 1);
        for n in 0..2_000 {
            log.metric(&format!("n{n}"), 1);
        }
        let counters = log.counters();
        assert_eq!((counters["requests"], counters["big"], counters.len()), (1, i64::MAX, COUNTERS));
    }

    #[test]
    fn cancellation_is_shared() {
        let (log, _, cancel) = log(LogLevel::INFO);
        assert!(!log.is_cancelled());
        cancel.cancel();
        assert!(log.is_cancelled());
    }
}
