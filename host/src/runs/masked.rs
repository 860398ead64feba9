//! Records of rejects that a run did not keep (`rejects.record = "masked"`), read again from its inputs.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;
use usher_abi::{Error, Origin, service::InputService as _};

use super::{FileDigest, Kept, Receipt, Run, summary};
use crate::services::{Cancel, InputOptions, InputRegistry};

/// The inputs of a run, each opened once and only when it is needed.
pub(super) struct Masked<'a> {
    run: &'a Run,
    /// Where relative paths of inputs start.
    base: &'a Path,
    registry: Arc<InputRegistry>,
    /// Their ids in the registry, by the names that rejects call them.
    opened: HashMap<String, u32>,
}

impl<'a> Masked<'a> {
    pub(super) fn new(run: &'a Run, base: &'a Path) -> Self {
        let options = InputOptions::new(base, std::env::temp_dir(), Cancel::new());
        let registry = InputRegistry::new(InputOptions { stdin: None, ..options });
        Self { run, base, registry, opened: HashMap::new() }
    }

    /// The record at a place. Of a compressed input everything before it is unpacked again.
    pub(super) fn record(&mut self, input: &str, offset: u64, length: u32) -> Result<String, Error> {
        let id = match self.opened.get(input) {
            Some(id) => *id,
            None => {
                let id = self.open(input)?;
                self.opened.insert(input.to_owned(), id);
                id
            }
        };
        let bytes = self.registry.read_record(Origin { input: id, offset, length })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Opens an input that is what the run read.
    fn open(&self, name: &str) -> Result<u32, Error> {
        let place = self.place(name)?;
        let spec = std::path::absolute(&place).unwrap_or(place).to_string_lossy().into_owned();
        let view = self.registry.view(&Value::String(spec.clone()));
        let [file] = &view.open(&spec)?[..] else {
            return Err(self.wrong(name, "cannot be told from others by its name"));
        };
        Ok(file.id)
    }

    fn place(&self, name: &str) -> Result<PathBuf, Error> {
        let inputs = summary(&self.run.folder)?.inputs;
        let receipt = Receipt::read(&self.run.folder)?;
        let path = inputs.iter().find(|input| input.name == name).map(|input| &input.path);
        let noted = receipt.made_of.inputs.iter().find(|noted| Some(&noted.file.path) == path);
        let Some(noted) = noted else { return Err(self.wrong(name, "was not read by it")) };
        let place = match noted.kept {
            Kept::InPlace => self.base.join(&noted.file.path),
            Kept::InRun => self.run.folder.join(&noted.file.path),
            Kept::Nowhere => return Err(self.wrong(name, "was not kept")),
        };
        match FileDigest::of_file(&noted.file.path, &place) {
            Ok(found) if found == noted.file => Ok(place),
            Ok(_) => Err(self.wrong(name, "has changed since")),
            Err(error) => Err(self.wrong(name, &format!("cannot be read ({error})"))),
        }
    }

    fn wrong(&self, name: &str, how: &str) -> Error {
        let message = format!(
            "the rejects of run {} do not hold their records, and its input `{name}` {how}: put it back as the run read it, or run \
             the chain again",
            self.run.id
        );
        Error::config("retry.masked", message)
    }
}
