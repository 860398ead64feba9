//! A manifest: read, or refused with problems whose places are within it.

use std::path::Path;

use usher::manifest::{Draft, Overrides, render_file};

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    // Nothing of this machine is read.
    if text.contains("file:") {
        return;
    }
    let lookup = |name: &str| match name {
        "NONE" => Err(std::env::VarError::NotPresent),
        _ => Ok("hunter2-secret".to_owned()),
    };
    let path = Path::new("connectors.toml");
    let (problems, shown) = match Draft::parse(path, text.to_owned(), &Overrides::default(), &lookup) {
        Err(problems) => {
            let shown = render_file(&problems, path, false);
            (problems, shown)
        }
        Ok(Draft { manifest, problems }) => {
            let shown = manifest.render(&problems, false);
            (problems, shown)
        }
    };
    for problem in &problems {
        if let Some(location) = &problem.location {
            let span = &location.span;
            assert!(text.get(span.start..span.end).is_some(), "{problem:?} is not within the text");
        }
    }
    assert!(!shown.contains("hunter2-secret"), "a secret is shown: {shown}");
}
