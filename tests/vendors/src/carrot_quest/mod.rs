mod account;
mod calls;
mod envelope;
mod import;
mod properties;
mod settings;
mod user;

pub use account::{Account, Import};
pub use settings::{EmptyCells, RowErrors, Settings};
pub use user::User;

use crate::simulator::Simulator;

/// Carrot quest on a port of this machine.
pub type CarrotQuest = Simulator<Account>;

impl CarrotQuest {
    /// Serves an account made from settings.
    ///
    /// # Panics
    /// When the port of the settings is taken.
    pub fn start(settings: Settings) -> Self {
        let (port, plan) = (settings.port, settings.faults.clone());
        Self::serve(port, plan, || Account::new(settings))
    }
}
