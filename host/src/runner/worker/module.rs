//! A jailed plugin as a whole module, for the conformance suite, which works on modules. A module's functions have no handle
//! to tell them apart, so there is one in a process.

use std::sync::OnceLock;

use usher_abi::{
    Error, Extension, HostTable, Instance, Kind, LOGIN, LoginHandle, LoginTable, Module, ModuleRef, ROption,
    RResult, RStr, RString, export::PrefixTypeTrait,
};

use super::{Jailed, relay};
use crate::services::private::lock;

/// The plugin.
static PLUGIN: OnceLock<Jailed> = OnceLock::new();

impl Jailed {
    /// The module of this plugin; none if there is one already.
    pub fn into_module(self) -> Option<ModuleRef> {
        // What nobody works with is not kept waiting: the suite counts threads.
        drop(lock(&self.spare).take());
        PLUGIN.set(self).ok()?;
        Some(Module { describe, open, get_extension }.leak_into_prefix())
    }
}

fn plugin() -> Result<&'static Jailed, Error> {
    PLUGIN.get().ok_or_else(|| Error::bug("worker.module", "there is no plugin"))
}

extern "C" fn describe() -> RResult<RString, Error> {
    plugin().map(|jailed| RString::from(jailed.description())).into()
}

extern "C" fn open(
    kind: Kind,
    component: RStr<'_>,
    options: RStr<'_>,
    host: HostTable,
) -> RResult<Instance, Error> {
    plugin().and_then(|jailed| jailed.open(kind, component.as_str(), options.as_str(), host)).into()
}

extern "C" fn get_extension(id: RStr<'_>) -> ROption<Extension> {
    let has_login = plugin().is_ok_and(|jailed| jailed.has_login());
    (id.as_str() == LOGIN && has_login).then(|| Extension::new(&OPENING)).into()
}

extern "C" fn open_login(options: RStr<'_>, host: HostTable) -> RResult<LoginHandle, Error> {
    let opened = plugin().and_then(|jailed| jailed.open_login(options.as_str(), host));
    let handle = opened.and_then(|opened| {
        opened.map(|(handle, _)| handle).ok_or_else(|| Error::bug("worker.login", "it has no login"))
    });
    handle.into()
}

/// The functions of every relayed login, and how the one of this module is opened.
static OPENING: LoginTable = LoginTable { open: open_login, ..relay::LOGIN };
