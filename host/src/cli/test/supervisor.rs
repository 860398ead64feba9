//! Watches the process that runs the checks: names the check that hangs or ends it, and goes on behind it.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use usher_testkit::{Check, Outcome, Verdict};

use super::{watch::read_on, worker::Message};
use crate::manifest::Isolation;

/// After so many checks that hang or end the process, the rest is not run.
const MOST_LOST: usize = 3;

/// How long a process may take to end once it has nothing more to say.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What to run.
pub(super) struct Job<'a> {
    pub(super) plugin: &'a Path,
    pub(super) cases: Option<&'a Path>,
    pub(super) quick: bool,
    /// Where the plugin runs: in the process that runs the checks, or in workers of that.
    pub(super) isolation: Isolation,
    pub(super) grants: &'a [String],
    /// How long a check may take.
    pub(super) deadline: Duration,
    /// No progress on standard error.
    pub(super) silent: bool,
}

/// Runs the suite to its end, in as many processes as that takes.
pub(super) fn run(job: &Job<'_>) -> io::Result<Outcome> {
    let mut state = State::new(job.silent);
    for _ in 0..MOST_LOST {
        if round(job, &mut state)? {
            return Ok(state.end(job));
        }
    }
    Ok(state.end(job))
}

/// One process, from the next check on; whether all of them have run.
fn round(job: &Job<'_>, state: &mut State) -> io::Result<bool> {
    let mut worker = Worker::start(job, state.next)?;
    let fate = loop {
        match worker.messages.recv_timeout(job.deadline) {
            Ok(Message::Refused(why)) => {
                state.lost(why.lines().next().unwrap_or_default());
                break Some(true);
            }
            Ok(Message::Planned(names)) => state.plan(names),
            Ok(Message::Began(_)) => {}
            Ok(Message::Ended { check, printed, threads }) => {
                state.ended(check, &printed, threads, &worker.complaints());
                if state.next == state.names.len() {
                    break Some(true);
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                state.lost(&format!("it did not return within {} s", job.deadline.as_secs()));
                break Some(false);
            }
            Err(RecvTimeoutError::Disconnected) => break None,
        }
    };
    // Whatever the plugin left running must not hold anybody up. A process that says nothing more is about to end.
    if fate.is_none() {
        let patience = Instant::now() + LAST_WORDS;
        while worker.process.try_wait()?.is_none() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(10));
        }
    }
    let _ = worker.process.kill();
    let status = worker.process.wait()?;
    let Some(done) = fate else {
        let last = worker.complaints().lines().rfind(|line| !line.trim().is_empty()).map(str::to_owned);
        let last = last.map_or_else(String::new, |line| format!("; the last line on standard error: {line}"));
        state.lost(&format!("it ended the process ({status}){last}"));
        return Ok(state.is_over());
    };
    Ok(done || state.is_over())
}

struct Worker {
    process: Child,
    messages: Receiver<Message>,
    errors: File,
    read: u64,
}

impl Worker {
    fn start(job: &Job<'_>, from: usize) -> io::Result<Self> {
        let errors = tempfile::tempfile()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("test").arg(std::path::absolute(job.plugin)?).args(["--worker", &from.to_string()]);
        command.args(["--supervisor", &std::process::id().to_string()]);
        if let Some(cases) = job.cases {
            command.arg("--cases").arg(cases);
        }
        command.args(["--isolation", job.isolation.name()]);
        command.args(job.grants.iter().flat_map(|grant| ["--grant", grant]));
        if job.quick {
            command.arg("--quick");
        }
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors.try_clone()?).spawn()?;
        let (sender, messages) = channel();
        if let Some(output) = process.stdout.take() {
            thread::spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                lines.map_while(|line| serde_json::from_str(&line).ok()).try_for_each(|m| sender.send(m))
            });
        }
        Ok(Self { process, messages, errors, read: 0 })
    }

    /// What came on standard error since the last time.
    fn complaints(&mut self) -> String {
        read_on(&self.errors, &mut self.read)
    }
}

/// What is known so far.
struct State {
    names: Vec<(String, String)>,
    next: usize,
    checks: Vec<Check>,
    /// What is true of the process as a whole: the first failure of each, if there was one.
    printed: Option<String>,
    threads: Option<String>,
    panicked: Option<String>,
    sees_threads: bool,
    bar: ProgressBar,
}

impl State {
    fn new(silent: bool) -> Self {
        let target = if silent { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let style = ProgressStyle::with_template("{pos} of {len} checks, {elapsed}: {msg}");
        let bar = ProgressBar::with_draw_target(None, target);
        Self {
            names: Vec::new(),
            next: 0,
            checks: Vec::new(),
            printed: None,
            threads: None,
            panicked: None,
            sees_threads: true,
            bar: style.map_or(bar.clone(), |style| bar.with_style(style)),
        }
    }

    fn plan(&mut self, names: Vec<(String, String)>) {
        if self.names.is_empty() {
            self.checks.push(loading(Verdict::Passed));
        }
        self.bar.set_length(names.len() as u64);
        self.names = names;
        self.show();
    }

    fn show(&self) {
        self.bar.set_position(self.next as u64);
        if let Some((subject, name)) = self.names.get(self.next) {
            self.bar.set_message(format!("{subject}: {name}"));
        }
    }

    fn ended(&mut self, check: Check, printed: &str, threads: Option<usize>, complaints: &str) {
        let place = format!("in `{}: {}`", check.subject, check.name);
        if !printed.is_empty() {
            let text: String = printed.trim_end().chars().take(200).collect();
            self.printed.get_or_insert_with(|| format!("{place}, `{}` is printed", text.escape_debug()));
        }
        match threads {
            None => self.sees_threads = false,
            Some(0) => {}
            Some(left) => {
                self.threads.get_or_insert_with(|| format!("{place}, {left} more than before are left"));
            }
        }
        let mut lines = complaints.lines().skip_while(|line| !line.contains("panicked"));
        if let Some(line) = lines.next() {
            let what = lines.next().unwrap_or_default();
            self.panicked.get_or_insert_with(|| format!("{place}: {} {what}", line.trim()).trim().to_owned());
        }
        self.checks.push(check);
        self.next += 1;
        self.show();
    }

    /// Nothing is left to run, or it could not even be loaded, which is not tried again.
    fn is_over(&self) -> bool {
        self.next >= self.names.len()
    }

    /// The check that runs has no verdict of its own.
    fn lost(&mut self, why: &str) {
        let verdict = Verdict::Failed(why.to_owned());
        match self.names.get(self.next) {
            Some((subject, name)) => {
                self.checks.push(Check { subject: subject.clone(), name: name.clone(), verdict });
                self.next += 1;
            }
            None => self.checks.push(loading(verdict)),
        }
    }

    fn end(mut self, job: &Job<'_>) -> Outcome {
        self.bar.finish_and_clear();
        let why = "not run: checks before it hung or ended the process";
        let rest: Vec<_> = self.names.drain(self.next.min(self.names.len())..).collect();
        self.checks.extend(rest.into_iter().map(|(subject, name)| Check {
            subject,
            name,
            verdict: Verdict::Skipped(why.to_owned()),
        }));
        let verdict = |failure: Option<String>| failure.map_or(Verdict::Passed, Verdict::Failed);
        let threads = match self.sees_threads {
            true => verdict(self.threads),
            false => Verdict::Skipped("only Linux lists the threads of a process".to_owned()),
        };
        let (printed, threads) = match job.isolation {
            Isolation::None => (verdict(self.printed), threads),
            // Whatever is printed there is gone, and threads end with their process.
            Isolation::Process => (unseen(), unseen()),
        };
        let of_process = [
            ("nothing goes to standard output", printed),
            ("no thread is left behind", threads),
            ("nothing panics where nobody answers for it", verdict(self.panicked)),
        ];
        self.checks.extend(of_process.map(|(name, verdict)| Check {
            subject: "process".to_owned(),
            name: name.to_owned(),
            verdict,
        }));
        Outcome { checks: self.checks }
    }
}

fn unseen() -> Verdict {
    Verdict::Skipped("its jail is not looked into; a plugin that you trust is tested without".to_owned())
}

fn loading(verdict: Verdict) -> Check {
    Check { subject: "plugin".to_owned(), name: "is loaded and says what it is".to_owned(), verdict }
}
