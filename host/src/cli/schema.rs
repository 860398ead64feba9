//! `usher schema`

use super::{
    Global,
    plugins::search_path,
    session::{code, print_json},
};
use crate::report::tell;
use crate::{manifest::json_schema, plugins::Registry};

pub(super) fn execute(global: &Global) -> u8 {
    let (search, folder) = search_path(global);
    let (found, refused) = search.all();
    refused.iter().for_each(|refusal| tell!("refused: {refusal}"));
    let mut registry = Registry::new(search, &folder);
    let mut described = Vec::new();
    for candidate in found {
        match registry.get(&candidate.preamble.name) {
            Ok(plugin) => described.push((candidate.preamble.name, plugin.description.clone())),
            Err(message) => tell!("refused: {}", message.lines().next().unwrap_or_default()),
        }
    }
    print_json(&json_schema(&described));
    code::DONE
}
