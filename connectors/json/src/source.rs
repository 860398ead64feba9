//! The source `records`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::{
    Host, Source,
    abi::{Catalog, Component, Error, PlanRequest, Problem, Split, ValueKind},
    describe,
    source::{
        Declared, Inputs, JsonStream, MAX_COLUMNS, MAX_RECORD_BYTES, Projection, STANDARD_CLAIMS, Shape,
        Wanted,
    },
};

use crate::keys::{self, Keys};

/// Options of `records`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// The file: a path, a glob, or `-` for standard input; NDJSON, or one JSON array; gzip and zstd are undone
    input: String,
    /// Claim to the attribute path that provides it; top-level keys that are a claim's name provide it by themselves
    #[serde(default)]
    claims: BTreeMap<String, String>,
    /// Attribute path to the kind of its values, where they are not just anything
    #[serde(default)]
    kinds: BTreeMap<String, ValueKind>,
    /// Longer records are rejected
    #[serde(default = "max_record_bytes")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    max_record_bytes: u32,
}

fn max_record_bytes() -> u32 {
    MAX_RECORD_BYTES as u32
}

/// JSON records.
#[derive(Debug)]
pub(crate) struct JsonRecords {
    host: Host,
    input: String,
    declared: Declared,
    limit: usize,
    files: Option<(Inputs, Vec<Shape>)>,
    wanted: Vec<Wanted>,
}

impl Source for JsonRecords {
    type Options = Options;
    type Stream = JsonStream;

    fn component() -> Component {
        let summary = "Objects of NDJSON files and JSON arrays, under their own keys";
        Component { open: true, ..describe::source::<Options>("records", summary) }
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self {
            host,
            input: options.input,
            declared: Declared { claims: options.claims, kinds: options.kinds },
            limit: options.max_record_bytes as usize,
            files: None,
            wanted: Vec::new(),
        })
    }

    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        Ok(self.declared.check())
    }

    fn catalog(&mut self) -> Result<Catalog, Error> {
        let limit = self.limit;
        let (inputs, shapes) = self.files()?;
        let (mut keys, mut notes) = (Keys::default(), Vec::new());
        for (file, shape) in inputs.files().iter().zip(shapes) {
            keys::sample(inputs, file, *shape, limit, &mut keys)?;
            if *shape == Shape::Empty {
                notes.push(format!("`{}` is empty", file.name));
            }
        }
        if keys.more {
            notes.push(format!(
                "more than {MAX_COLUMNS} keys, or very long ones; those that are not listed can be named all the same"
            ));
        }
        let mut paths = keys.listed;
        let declared = self.declared.claims.values().chain(self.declared.kinds.keys());
        for path in declared {
            if !paths.contains(path) {
                paths.push(path.clone());
            }
        }
        let usual = |path: &str| STANDARD_CLAIMS.iter().copied().find(|claim| *claim == path);
        let attributes = self.declared.attributes(paths.iter().map(String::as_str), usual);
        Ok(Catalog { attributes, open: true, notes })
    }

    fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
        self.wanted =
            request.columns.iter().map(|path| Wanted::new(path, self.declared.kind(path))).collect();
        let (inputs, shapes) = self.files()?;
        let array =
            |id: u32| inputs.files().iter().zip(shapes).any(|(f, s)| f.id == id && *s == Shape::Array);
        Ok(inputs.splits(request.max_splits as usize, |f| !array(f.id)))
    }

    fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<JsonStream, Error> {
        let (host, limit) = (self.host.clone(), self.limit);
        let projection = Projection::new(&self.wanted, &[]);
        let (inputs, shapes) = self.files()?;
        let file = inputs.file(split)?.id;
        let array = inputs.files().iter().zip(shapes).any(|(f, s)| f.id == file && *s == Shape::Array);
        if array {
            JsonStream::array(&host, projection, split, checkpoint, limit)
        } else {
            JsonStream::lines(&host, projection, split, checkpoint, limit)
        }
    }
}

impl JsonRecords {
    /// The files and what they look like, found once.
    fn files(&mut self) -> Result<(&Inputs, &[Shape]), Error> {
        if self.files.is_none() {
            let inputs = Inputs::open(&self.host, &self.input)?;
            let shapes = inputs.files().iter().map(|f| inputs.shape(f)).collect::<Result<_, _>>()?;
            self.files = Some((inputs, shapes));
        }
        let files = self.files.as_ref().map(|(inputs, shapes)| (inputs, shapes.as_slice()));
        files.ok_or_else(|| Error::bug("source.files", "the files were not opened"))
    }
}
