//! Checks of transforms.

mod account;
mod faults;
mod measured;
mod rows;

use super::Steps;

pub(super) const STEPS: Steps = &[rows::STEPS, faults::STEPS, measured::STEPS];
