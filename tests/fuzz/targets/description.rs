//! What a plugin says of itself, perhaps out of a jail: the first piece are options that a person wrote for it, as TOML, the
//! second is the description.

use std::{collections::BTreeSet, path::Path};

use usher::{
    manifest::{Draft, Overrides, check_options, json_schema, render_file, unknown_options, written_secrets},
    plugins::{compare_columns, compare_descriptions, compare_sinks},
};
use usher_abi::{Description, Role};

pub(crate) fn run(input: &[u8]) {
    let Some((options, said)) = super::halves(input) else { return };
    let (Ok(options), Ok(said)) = (std::str::from_utf8(options), std::str::from_utf8(said)) else { return };
    // Nothing of this machine is read.
    if options.contains("file:") {
        return;
    }
    let Ok(description) = serde_json::from_str::<Description>(said) else { return };
    let written = serde_json::to_string(&description).expect("JSON");
    assert_eq!(serde_json::from_str::<Description>(&written).ok().as_ref(), Some(&description));
    // Of two that have one name the first is meant, and the second is another.
    let changes = compare_descriptions(&description, &description);
    assert!(changes.is_empty() || !has_names(&description), "{changes:?}");
    let _ = json_schema(&[("plugin".to_owned(), description.clone())]);

    let text = format!("version = 1\n[connectors.it]\nplugin = \"it\"\n[connectors.it.options]\n{options}\n");
    let path = Path::new("connectors.toml");
    let draft = Draft::parse(path, text, &Overrides::default(), &|_| Ok("hunter2".to_owned()));
    let Ok(Draft { manifest, .. }) = draft else { return };
    let Some(connector) = manifest.connectors.iter().find(|connector| connector.name == "it") else { return };
    for component in &description.components {
        let problems = check_options(&manifest, connector, component);
        let _ = render_file(&problems, path, false);
        let _ = (unknown_options(connector, component), written_secrets(connector, component));
        let _ = compare_sinks((component, "file"), (component, "api"));
        for column in &component.columns {
            assert_eq!(compare_columns(column, column), []);
        }
    }
}

/// Whether components, columns, limits and the like are told apart by their names.
fn has_names(description: &Description) -> bool {
    fn unique<T: Ord>(mut names: impl Iterator<Item = T>) -> bool {
        let mut seen = BTreeSet::new();
        names.all(|name| seen.insert(name))
    }
    let roles = [Role::Source, Role::Transform, Role::Sink];
    let of = |role| description.components.iter().filter(move |component| component.role == role);
    roles.into_iter().all(|role| unique(of(role).map(|component| &*component.name)))
        && description.components.iter().all(|component| {
            unique(component.attributes.iter().map(|attribute| &*attribute.path))
                && unique(component.columns.iter().map(|column| &*column.name))
                && unique(component.limits.iter().map(|limit| (&*limit.of, &*limit.deliver)))
                && unique(component.rate_limits.iter().map(|limit| &*limit.name))
        })
}

/// Those of the connectors here.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let options = "[consent]\nnot_needed = 'ours'\n";
    let say = |connector| crate::module(connector).describe()().into_result().expect("a description");
    ["auth0", "csv", "zendesk"]
        .map(|connector| super::joined(options.as_bytes(), say(connector).as_bytes()))
        .into()
}
