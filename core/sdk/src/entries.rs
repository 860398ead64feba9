//! What `export!` expands to calls of; not for authors.

use std::sync::{Arc, atomic::AtomicBool};

use usher_abi::{Description, Error, Extension, HostTable, Instance, Kind, LOGIN, ROption, RResult, RString};

use crate::{Host, Login, guard, login, options};

pub use crate::{
    sink::shim::open as open_sink, source::shim::open as open_source, transform::open as open_transform,
};

/// Role, name and constructor of a component.
pub type Opener = (Kind, &'static str, fn(&str, Host) -> Result<Instance, Error>);

/// The root module's `describe`.
pub fn describe(description: impl FnOnce() -> Description) -> RResult<RString, Error> {
    guard::catch("describe", || options::to_json(&description())).into()
}

/// The root module's `open`.
pub fn open(
    openers: &[Opener],
    kind: Kind,
    name: &str,
    options: &str,
    host: HostTable,
) -> RResult<Instance, Error> {
    guard::catch("open", || {
        let found = openers.iter().find(|(k, n, _)| *k == kind && (name.is_empty() || *n == name));
        let (_, _, open) = found.ok_or_else(|| {
            Error::unsupported("plugin.component", format!("this plugin has no such component as `{name}`"))
        })?;
        open(options, Host::new(host, Arc::new(AtomicBool::new(false))))
    })
    .into()
}

/// The root module's `get_extension` of a plugin with a login.
pub fn extension<L: Login>(id: &str) -> ROption<Extension> {
    (id == LOGIN).then(|| Extension::new(login::table::<L>())).into()
}
