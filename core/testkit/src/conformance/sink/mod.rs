//! Checks of sinks.

mod faults;
mod hostile;
mod measured;
mod writing;

use super::Steps;

pub(super) const STEPS: Steps = &[writing::STEPS, hostile::STEPS, faults::STEPS, measured::STEPS];
