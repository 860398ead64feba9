//! What a plugin says of itself, and of options and columns.

use serde_json::Value;
use usher_abi::{Description, Error, ModuleRef, Problem, Role};

use crate::{MemoryHost, drive};

/// The plugin's description.
///
/// # Panics
///
/// When the plugin answers an error or something that is no description.
pub fn description(module: ModuleRef) -> Description {
    match try_description(module) {
        Ok(description) => description,
        Err(error) => panic!("the plugin cannot describe itself: {error}"),
    }
}

pub(crate) fn try_description(module: ModuleRef) -> Result<Description, Error> {
    let json = module.describe()().into_result()?;
    serde_json::from_str(&json)
        .map_err(|e| Error::bug("plugin.json", format!("`describe` answered unreadable JSON: {e}")))
}

/// Opens a component over a [`MemoryHost`] without inputs and asks what is wrong with its options and, for a sink,
/// with the columns. Problems that `open` finds come back as problems, too.
pub fn check(
    module: ModuleRef,
    role: Role,
    component: &str,
    options: Value,
    columns: &[&str],
) -> Result<Vec<Problem>, Error> {
    check_on(&MemoryHost::new(), module, role, component, &options.to_string(), columns)
}

pub(crate) fn check_on(
    host: &MemoryHost,
    module: ModuleRef,
    role: Role,
    component: &str,
    options: &str,
    columns: &[&str],
) -> Result<Vec<Problem>, Error> {
    let services = host.services();
    let found = match role {
        Role::Source => {
            drive::Source::open(module, component, options, &services).and_then(|mut s| s.check())
        }
        Role::Transform => {
            drive::Transform::open(module, component, options, &services).and_then(|mut t| t.check())
        }
        Role::Sink => {
            drive::Sink::open(module, component, options, &services).and_then(|mut s| s.check(columns))
        }
    };
    found.or_else(|error| match serde_json::from_str::<Vec<Problem>>(&error.details) {
        Ok(problems) if error.class == usher_abi::ErrorClass::CONFIG && !problems.is_empty() => Ok(problems),
        _ => Err(error),
    })
}

/// An error when any of the problems is more than a warning.
pub(crate) fn refuse(problems: &[Problem]) -> Result<(), Error> {
    let mut grave = problems.iter().filter(|p| !p.warning);
    let Some(first) = grave.next() else { return Ok(()) };
    let more = grave.count();
    let mut message = format!("{}: {}", first.pointer, first.message);
    if more > 0 {
        message = format!("{message} (and {more} more)");
    }
    let details = serde_json::to_string(problems).unwrap_or_default();
    Err(Error::config("test.problems", message).details(details))
}
