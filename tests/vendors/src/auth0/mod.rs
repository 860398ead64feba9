mod account;
mod calls;
mod contract;
mod download;
mod jobs;
mod people;
mod settings;
mod token;
mod write;

pub use account::Account;
pub use jobs::{Field, Job};
pub use people::made_up;
pub use settings::Settings;

use crate::simulator::Simulator;

/// An Auth0 tenant on a port of this machine. Its links lead to the same address, on another path.
pub type Auth0 = Simulator<Account>;

impl Auth0 {
    /// Serves a tenant made from settings.
    ///
    /// # Panics
    /// When the port of the settings is taken.
    pub fn start(settings: Settings) -> Self {
        let (port, plan) = (settings.port, settings.faults.clone());
        Self::serve(port, plan, || Account::new(settings))
    }
}
