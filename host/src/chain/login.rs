//! Logging a connector in: its plugin's login, opened with the connector's options and services.

use usher_abi::Role;

use super::{
    engine::{Engine, allowed_hosts, component_of, options_text},
    outcome::Failure,
    prepare::Opened,
};
use crate::{
    manifest::{KeyPath, Severity, check_options, written_secrets},
    plugins::Login,
    services::{Attempt, InputOptions, InputRegistry, Sending},
};

/// Opens the login of a connector. Its requests are sent, as those of a plan are.
pub fn login(engine: &mut Engine, name: &str) -> Result<Login, Failure> {
    let key = KeyPath::from(["connectors", name]);
    let Some(connector) = engine.manifest.connector(name).cloned() else {
        let names: Vec<&str> = engine.manifest.connectors.iter().map(|c| c.name.as_str()).collect();
        let near = usher_abi::nearest(name, names.iter().copied());
        let message = match near.name() {
            Some(_) => format!("there is no connector `{name}`{near}"),
            None => format!("there is no connector `{name}`, only {}", names.join(", ")),
        };
        return Err(engine.manifest.error(&KeyPath::from(["connectors"]), &message).into());
    };
    let plugin = engine.plugin(&connector).map_err(|message| {
        let line = message.lines().next().unwrap_or_default();
        engine.manifest.error(&key.child("plugin"), line)
    })?;
    let none = format!(
        "the plugin `{}` has no login: its connectors need none, or have their credentials among their options",
        plugin.preamble.name
    );
    if !plugin.has_login() {
        return Err(engine.manifest.error(&key.child("plugin"), &none).into());
    }
    // Which role the connector has is said by chains; there may be none yet.
    let component = [Role::Sink, Role::Source, Role::Transform]
        .into_iter()
        .find_map(|role| component_of(&plugin, &connector, role).ok())
        .ok_or_else(|| engine.manifest.error(&key.child("plugin"), &none))?;
    engine.manifest.secrets.extend(written_secrets(&connector, &component));
    let mut problems = check_options(&engine.manifest, &connector, &component);
    for (i, message) in allowed_hosts(&plugin, &connector).err().unwrap_or_default() {
        problems.push(engine.manifest.error(&key.child("hosts").child(i), &message));
    }
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(Failure::Manifest(problems));
    }
    let text = options_text(&connector.options);
    let opened = Opened { connector, plugin, component, sound: true };
    let nothing = InputOptions::new(&engine.manifest.folder, std::env::temp_dir(), engine.cancel.clone());
    engine.asking.set(Sending::Reads);
    let attempt = Attempt { chain: String::new(), run: "login".to_owned(), manifest: String::new() };
    let (services, _) = engine.services(&attempt, &opened, &InputRegistry::new(nothing), None);
    let login = Login::open(&opened.plugin, &text, services)?;
    login.ok_or_else(|| engine.manifest.error(&key.child("plugin"), &none).into())
}
