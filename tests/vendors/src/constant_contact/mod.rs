mod account;
mod activities;
mod calls;
mod columns;
mod contact;
mod contract;
mod errors;
mod import;
mod library;
mod oauth;
mod people;
mod settings;
mod sign_up;

pub use account::Account;
pub use activities::{Activity, Work};
pub use contact::Contact;
pub use library::{CustomField, Named};
pub use oauth::{Device, OAuth};
pub use settings::{Blanks, Settings};

use crate::simulator::Simulator;

/// Constant Contact on a port of this machine: the API below `/v3`, and the token endpoints below `/oauth2/default/v1`.
pub type ConstantContact = Simulator<Account>;

impl ConstantContact {
    /// Serves an account made from settings.
    ///
    /// # Panics
    /// When the port of the settings is taken.
    pub fn start(settings: Settings) -> Self {
        let (port, plan) = (settings.port, settings.faults.clone());
        Self::serve(port, plan, || Account::new(settings))
    }
}
