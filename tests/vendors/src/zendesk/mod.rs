mod account;
mod calls;
mod checks;
mod contract;
mod fields;
mod gate;
mod jobs;
mod matching;
mod organizations;
mod settings;
mod user;

pub use account::{Account, Organization};
pub use jobs::{Job, JobKind};
pub use settings::{Agent, CreateFailures, Settings, UserField};
pub use user::User;

use crate::simulator::Simulator;

/// Zendesk on a port of this machine.
pub type Zendesk = Simulator<Account>;

impl Zendesk {
    /// Serves an account made from settings.
    ///
    /// # Panics
    /// When the port of the settings is taken.
    pub fn start(settings: Settings) -> Self {
        let (port, plan) = (settings.port, settings.faults.clone());
        Self::serve(port, plan, || Account::new(settings))
    }
}
