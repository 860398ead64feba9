//! Whether what is done again is what a run did.

use usher_abi::Error;

use super::{books::UNCHANGED, engine::Engine, replay::Replay, sync::HeldBack};
use crate::{
    plugins::Plugin,
    runs::{FileDigest, Kept, Receipt, Run},
};

/// What must be so before anything is done again: the rows are in files, and the inputs are those that the run read.
pub(super) fn check(engine: &Engine, run: &Run, receipt: &Receipt, connector: &str) -> Result<(), Error> {
    if receipt.connectors.get(connector).is_some_and(|said| said.get("delivery").is_some()) {
        let message = format!(
            "`{connector}` sent its rows over the API; what the vendor did not take of them stands in the rejects already"
        );
        return Err(Error::unsupported("locate.sent", message));
    }
    let bits = HeldBack::file(connector);
    let noted = receipt.files.iter().find(|file| file.path == bits);
    // One that is not there at all is told where it is needed.
    if let Some((noted, found)) = noted.zip(FileDigest::of_file(&bits, &run.folder.join(&bits)).ok())
        && *noted != found
    {
        let message =
            format!("`{bits}` of run {} has changed since the run wrote it; put it back as it was", run.id);
        return Err(Error::config("locate.changed-only", message));
    }
    for input in &receipt.made_of.inputs {
        let path = &input.file.path;
        let place = match input.kept {
            Kept::InPlace => engine.manifest.folder.join(path),
            Kept::InRun => run.folder.join(path),
            Kept::Nowhere => {
                let message =
                    format!("run {} read `{path}`, which was not kept: nobody can read it again", run.id);
                return Err(Error::config("locate.input", message));
            }
        };
        let how = match FileDigest::of_file(path, &place) {
            Ok(found) if found == input.file => continue,
            Ok(_) => "has changed since".to_owned(),
            Err(error) => format!("cannot be read ({error})"),
        };
        let message = format!("run {} read `{path}`, which {how}; put it back as it was", run.id);
        return Err(Error::config("locate.input", message));
    }
    Ok(())
}

/// Whether rows were held back from a sink that got only what had changed.
pub(super) fn has_held_back(receipt: &Receipt, connector: &str) -> bool {
    let unchanged = receipt.connectors.get(connector).map(|said| &said["books"]["filtered"][UNCHANGED]);
    unchanged.and_then(serde_json::Value::as_u64).is_some_and(|rows| rows > 0)
}

/// An error unless the same was done: of the same inputs the same rows, into the same parts. Their bytes may differ where
/// everything else is as it was, since a sink may write down the day.
pub(super) fn prove(
    engine: &Engine,
    run: &Run,
    receipt: &Receipt,
    connector: &str,
    replay: &Replay,
) -> Result<(), Error> {
    let digest = |digest: &str| format!("blake3:{digest}");
    let read: Vec<String> = replay.digests.iter().map(|input| digest(&input.blake3)).collect();
    let same_inputs = receipt.made_of.inputs.iter().map(|input| &input.file.digest).eq(&read);
    let said = receipt.connectors.get(connector);
    let written = said.and_then(|said| said["books"]["identity"]["written"].as_str());
    let same_rows = written.is_some_and(|sum| sum == format!("{:016x}", replay.written.sum));
    let parts = said.and_then(|said| said["parts"].as_array());
    let same_parts = parts.is_some_and(|parts| {
        let noted = parts.iter().map(|part| (part["name"].as_str(), part["rows"].as_u64()));
        let mut noted: Vec<_> = noted.collect();
        let mut found: Vec<_> =
            replay.parts.iter().map(|part| (Some(part.name.as_str()), Some(part.rows))).collect();
        noted.sort_unstable();
        found.sort_unstable();
        noted == found
    });
    let same_bytes = replay.parts.iter().all(|part| {
        let path = format!("{}/{}", part.connector, part.name);
        receipt.files.iter().any(|file| file.path == path && file.digest == digest(&part.digest))
    });
    let other = other(engine, run, receipt, replay)?;
    if same_inputs && same_rows && same_parts && (same_bytes || other.is_none()) {
        return Ok(());
    }
    let other = other.unwrap_or_else(|| "something that no receipt names has changed".to_owned());
    let message = format!(
        "done again, the chain does not write what run {} wrote ({other}), so that nobody can say which record a row was \
         made from; take manifest and plugins as they were",
        run.id
    );
    Err(Error::config("locate.differs", message))
}

/// What is not as it was.
fn other(engine: &Engine, run: &Run, receipt: &Receipt, replay: &Replay) -> Result<Option<String>, Error> {
    if receipt.made_of.says != engine.manifest.digest(engine.manifest.chain(&run.chain).map_err(gone)?) {
        return Ok(Some("its manifest says something else now, or `--set` does".to_owned()));
    }
    let same = |plugin: &Plugin| {
        let found = FileDigest::of_file("", &plugin.path).ok();
        let noted = receipt.made_of.plugins.iter().find(|noted| noted.name == plugin.preamble.name);
        noted.zip(found).is_some_and(|(noted, found)| noted.file.digest == found.digest)
    };
    let other = replay.plugins.iter().find(|plugin| !same(plugin));
    Ok(other.map(|plugin| format!("its plugin `{}` is another now", plugin.preamble.name)))
}

fn gone(problem: crate::manifest::Diagnostic) -> Error {
    Error::config("locate.differs", problem.message)
}
