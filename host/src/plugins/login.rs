//! `usher.login/1` of a loaded plugin.

use std::{ffi::c_void, sync::Arc};

use serde::de::DeserializeOwned;
use usher_abi::{Error, LoginProgress, LoginPrompt, LoginTable, RString, Services};

use super::Plugin;

/// A login that was opened; closes itself. Calls come from one thread.
pub struct Login {
    this: *mut c_void,
    table: &'static LoginTable,
    label: String,
    /// They live as long as the login.
    _services: Arc<Services>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("plugin", &self.label).finish_non_exhaustive()
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        (self.table.close)(self.this);
    }
}

impl Login {
    /// Opens the login of a plugin; `None`: it has none.
    pub fn open(plugin: &Plugin, options: &str, services: Arc<Services>) -> Result<Option<Self>, Error> {
        let label = plugin.label();
        let opened = plugin.open_login(options, services.table());
        let opened = opened.map_err(|error| error.context(label.clone()))?;
        Ok(opened.map(|(handle, table)| Self { this: handle.this, table, label, _services: services }))
    }

    /// Begins it.
    pub fn begin(&mut self) -> Result<LoginPrompt, Error> {
        self.json((self.table.begin)(self.this).into_result())
    }

    /// Asks once whether it is done.
    pub fn poll(&mut self) -> Result<LoginProgress, Error> {
        self.json((self.table.poll)(self.this).into_result())
    }

    /// The secret for another machine.
    pub fn export(&mut self) -> Result<String, Error> {
        let secret = (self.table.export)(self.this).into_result();
        Ok(secret.map_err(|error| error.context(self.label.clone()))?.into())
    }

    fn json<R: DeserializeOwned>(&self, text: Result<RString, Error>) -> Result<R, Error> {
        let parsed = text.and_then(|text| {
            serde_json::from_str(text.as_str()).map_err(|e| {
                Error::bug("plugin.json", format!("it answered unreadable JSON ({e}); rebuild the plugin"))
            })
        });
        parsed.map_err(|error| error.context(self.label.clone()))
    }
}
