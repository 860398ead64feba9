//! `usher worker`: the process that a plugin runs in; see [`crate::runner`].

use crate::{plugins::load, runner::run_worker};

pub(super) fn execute() -> ! {
    run_worker(|path| load(path).map_err(|refusal| (refusal.reason, refusal.detail)))
}
