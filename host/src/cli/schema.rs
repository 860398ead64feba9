//! `usher schema`

use super::{
    Global,
    plugins::registry,
    session::{code, print_json},
};
use crate::manifest::json_schema;
use crate::report::tell;

pub(super) fn execute(global: &Global) -> u8 {
    let registry = match registry(global, None) {
        Ok(registry) => registry,
        Err(exit) => return exit,
    };
    let (found, refused, _) = registry.search().all();
    refused.iter().for_each(|refusal| tell!("refused: {refusal}"));
    let mut described = Vec::new();
    for candidate in found {
        match registry.look_at(&candidate.preamble.name, &[]) {
            Ok(plugin) => described.push((candidate.preamble.name, plugin.description.clone())),
            Err(message) => tell!("refused: {}", message.lines().next().unwrap_or_default()),
        }
    }
    print_json(&json_schema(&described));
    code::DONE
}
