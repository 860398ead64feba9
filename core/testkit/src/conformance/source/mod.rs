//! Checks of sources.

mod faults;
mod hostile;
mod measured;
mod reading;

use super::Steps;

pub(super) const STEPS: Steps = &[reading::STEPS, hostile::STEPS, faults::STEPS, measured::STEPS];
