//! Progress on standard error: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{is_json, tell};
use crate::chain::Progress;

/// Shows a run's progress until [`end`](Self::end).
pub struct Watch {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Off a terminal, a run that takes longer says so as often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Begins to watch.
pub fn watch(chain: &str, progress: &Arc<Progress>) -> Watch {
    let done = Arc::new(AtomicBool::new(false));
    let (stop, progress, chain) = (done.clone(), progress.clone(), chain.to_owned());
    let thread = thread::spawn(move || {
        if std::io::stderr().is_terminal() && !is_json() {
            bar(&chain, &progress, &stop)
        } else {
            lines(&chain, &progress, &stop)
        }
    });
    Watch { done, thread: Some(thread) }
}

impl Watch {
    /// Takes the bar away.
    pub fn end(mut watch: Self) {
        watch.stop();
    }

    fn stop(&mut self) {
        self.done.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}

fn bar(chain: &str, progress: &Progress, stop: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let template = "{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg} eta {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    let sending_style =
        ProgressStyle::with_template("{prefix} {bar:30} {human_pos} of {human_len} rows sent, eta {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_prefix(chain.to_owned());
    while !stop.load(Ordering::Acquire) {
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let (sending, sent) = progress.sending();
        if sending > 0 {
            bar.set_style(sending_style.clone());
            bar.set_length(sending);
            bar.set_position(sent);
            thread::park_timeout(Duration::from_millis(100));
            continue;
        }
        bar.set_length(load(&progress.total).max(1));
        bar.set_position(load(&progress.bytes));
        bar.set_message(format!(
            "{} rows, {} rejects",
            HumanCount(load(&progress.records)),
            HumanCount(load(&progress.rejects))
        ));
        thread::park_timeout(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}

fn lines(chain: &str, progress: &Progress, stop: &AtomicBool) {
    let started = Instant::now();
    let mut next = LINE_EVERY;
    while !stop.load(Ordering::Acquire) {
        thread::park_timeout(next.saturating_sub(started.elapsed()));
        if started.elapsed() < next || stop.load(Ordering::Acquire) {
            continue;
        }
        next += LINE_EVERY;
        let (sending, sent) = progress.sending();
        if sending > 0 {
            tell!("{chain}: {} of {} rows sent", HumanCount(sent), HumanCount(sending));
            continue;
        }
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let (bytes, seconds) = (load(&progress.bytes), started.elapsed().as_secs_f64());
        tell!(
            "{chain}: {} rows, {} of {}, {}/s, {} rejects",
            HumanCount(load(&progress.records)),
            HumanBytes(bytes),
            HumanBytes(load(&progress.total)),
            HumanBytes((bytes as f64 / seconds) as u64),
            HumanCount(load(&progress.rejects)),
        );
    }
}
