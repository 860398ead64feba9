//! The source `users`: lines of JSON behind a URL.

use usher_sdk::{
    Host, Source,
    abi::{Attribute, Catalog, Component, Error, PlanRequest, Problem, Split, ValueKind},
    describe,
    source::{JsonStream, MAX_RECORD_BYTES, Projection, Wanted},
};

use crate::{Options, limited};

#[derive(Debug)]
pub(crate) struct Users {
    options: Options,
    host: Host,
    wanted: Vec<Wanted>,
    /// The download, once it is an input.
    input: Option<u32>,
}

impl Source for Users {
    type Options = Options;
    type Stream = JsonStream;

    fn component() -> Component {
        limited(Component { open: true, ..describe::source::<Options>("users", "Users behind a URL") })
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { options, host, wanted: Vec::new(), input: None })
    }

    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        Ok(Vec::new())
    }

    fn catalog(&mut self) -> Result<Catalog, Error> {
        let email =
            Attribute { path: "email".to_owned(), claim: Some("email".to_owned()), ..Attribute::default() };
        Ok(Catalog { attributes: vec![email], open: true, notes: Vec::new() })
    }

    fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
        self.wanted = request.columns.iter().map(|path| Wanted::new(path, ValueKind::Text)).collect();
        match self.download() {
            Ok(input) => Ok(vec![Split { input, start: 0, end: u64::MAX, details: Default::default() }]),
            // `check` asks without a network.
            Err(error) if error.code == "http.dry-run" => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<JsonStream, Error> {
        let projection = Projection::new(&self.wanted, &[]);
        JsonStream::lines(&self.host, projection, split, checkpoint, MAX_RECORD_BYTES)
    }
}

impl Users {
    /// The same input each time it is planned.
    fn download(&mut self) -> Result<u32, Error> {
        if let Some(input) = self.input {
            return Ok(input);
        }
        let request = self.host.http()?.get(&self.options.url).bearer(&self.options.token).limit("api");
        let input = request.send()?.error_for_status()?.keep("users.ndjson")?.id;
        self.input = Some(input);
        Ok(input)
    }
}
