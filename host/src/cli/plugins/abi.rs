//! `usher plugins abi`

use std::path::Path;

use serde_json::json;

use super::{Global, code, refuse, remark};
use crate::cli::session::print_json;
use crate::manifest::Isolation;
use crate::plugins::{Change, Plugin, PluginFile, compare_descriptions, compare_preambles};
use crate::report::{print, table};
use crate::runner::Rights;

pub(super) fn execute(global: &Global, old: &Path, new: &Path) -> u8 {
    let (old, new) = match (PluginFile::read(old), PluginFile::read(new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(refusal), _) | (_, Err(refusal)) => return refuse(global, refusal),
    };
    let mut changes = compare_preambles(&old.preamble, &new.preamble);
    // What cannot be loaded is compared as far as its file goes.
    let exit = match (load(global, &old), load(global, &new)) {
        (Ok(old), Ok(new)) => {
            changes.extend(compare_descriptions(&old.description, &new.description));
            if changes.iter().any(|change| change.breaking) { code::FAILED } else { code::DONE }
        }
        (Err(message), Ok(_)) | (Ok(_), Err(message)) => remark(message),
        (Err(first), Err(second)) => {
            remark(first);
            remark(second)
        }
    };
    if global.json {
        print_json(&json!({ "old": old.path, "new": new.path, "changes": changes }));
    } else {
        print(&text(&old, &new, &changes));
    }
    exit
}

/// Whatever the files are, their code runs apart, unless the command line says otherwise.
fn load(global: &Global, file: &PluginFile) -> Result<Plugin, String> {
    file.check().map_err(|refusal| refusal.to_string())?;
    let apart = global.isolation != Some(Isolation::None);
    let plugin = Plugin::load(file.clone(), apart.then(Rights::default));
    plugin.map_err(|message| message.lines().next().unwrap_or_default().to_owned())
}

fn text(old: &PluginFile, new: &PluginFile, changes: &[Change]) -> String {
    let said = |file: &PluginFile| {
        format!("{} {} ({})", file.preamble.name, file.preamble.version, file.path.display())
    };
    let head = format!("from {}\nto   {}\n", said(old), said(new));
    let breaking = changes.iter().filter(|change| change.breaking).count();
    let rows = changes.iter().map(|change| {
        let effect = if change.breaking { "breaking" } else { "compatible" };
        vec![effect.to_owned(), change.what.clone()]
    });
    let rows =
        if changes.is_empty() { String::new() } else { table(&["for manifests", "change"], rows, &[]) };
    format!("{head}{rows}changes: {}, breaking: {breaking}\n", changes.len())
}
