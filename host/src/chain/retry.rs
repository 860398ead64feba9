//! A run over what an earlier one did not take: its source reads those records in the place of its inputs, and each sink
//! gets those that it has missed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    sync::Arc,
};

use usher_abi::Error;

use super::{prepare::PreparedSink, table::Table};
use crate::{
    manifest::MaxRejects,
    runs::Retry,
    services::{Inputs, Staging, disk_error},
};

/// The new inputs: their ids, in the order of the retry's.
pub(super) struct Retried {
    retry: Arc<Retry>,
    ids: Vec<u32>,
}

impl Retried {
    /// Puts the records in the place of the inputs that the source would open, below `inputs/` of the run; writes
    /// `retried.csv`, which says where each comes from.
    pub(super) fn lay_out(retry: &Arc<Retry>, view: &Inputs, staging: &Staging) -> Result<Self, Error> {
        let mut table = Table::create(
            staging,
            "retried.csv",
            ["input", "line", "offset", "of_input", "of_line", "of_offset", "connectors"],
        )?;
        let mut files = Vec::new();
        for (number, again) in (1..).zip(&retry.inputs) {
            let mut text =
                again.text.try_clone().map_err(|e| disk_error("input", &std::env::temp_dir(), &e))?;
            let file = view.keep(&name_of(number, &again.name), || {
                let mut chunk = vec![0; 256 * 1024];
                let read =
                    text.read(&mut chunk).map_err(|e| disk_error("input", &std::env::temp_dir(), &e))?;
                chunk.truncate(read);
                Ok((read > 0).then_some(chunk))
            })?;
            let name = view.name(file.id);
            let connectors = again.connectors.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            for place in &again.records {
                let numbers =
                    [place.line, place.offset, place.of_line, place.of_offset].map(|n| n.to_string());
                let [line, offset, of_line, of_offset] = &numbers;
                table.write([&name, line, offset, &again.name, of_line, of_offset, &connectors])?;
            }
            files.push(file);
        }
        table.finish()?;
        let ids = files.iter().map(|file| file.id).collect();
        view.read_instead(files);
        Ok(Self { retry: Arc::clone(retry), ids })
    }

    /// An error for a sink that is none of the chain: nobody would get its records.
    pub(super) fn check(&self, sinks: &[String]) -> Result<(), Error> {
        let unknown =
            self.retry.inputs.iter().flat_map(|again| &again.connectors).find(|name| !sinks.contains(name));
        unknown.map_or(Ok(()), |name| {
            let message = format!(
                "records were rejected by `{name}`, which is no connector that chain `{}` writes to; take their lines out, or \
                 undo the change",
                self.retry.chain
            );
            Err(Error::config("retry.connector", message))
        })
    }

    /// An error unless exactly the records were read that were to be; `read` has how many, by input.
    pub(super) fn read(&self, read: &BTreeMap<u32, u64>) -> Result<(), Error> {
        let expected: BTreeMap<u32, u64> = self
            .ids
            .iter()
            .copied()
            .zip(self.retry.inputs.iter().map(|again| again.records.len() as u64))
            .collect();
        if *read == expected {
            return Ok(());
        }
        let [expected, read] = [&expected, read].map(|counts| counts.values().sum::<u64>());
        let message = format!(
            "the source read {read} records and not the {expected} that are to be tried again: a line break in a corrected record \
             makes two of it, and a source that asks its vendor reads no records of a run (give it an `input`, with `--set`)"
        );
        Err(Error::config("retry.not-read", message))
    }

    /// Each sink gets what it has missed; however few of these it takes, the run is not kept back.
    pub(super) fn direct(&self, sinks: &mut [PreparedSink]) {
        for sink in sinks {
            let inputs = self.retry.inputs.iter().zip(&self.ids);
            let its = inputs
                .filter(|(again, _)| again.connectors.is_empty() || again.connectors.contains(&sink.name));
            sink.stage.only = Some(its.map(|(_, id)| *id).collect::<BTreeSet<u32>>());
            sink.max_rejects = MaxRejects::Percent(100.0);
            sink.allow_empty = true;
        }
    }
}

/// How the records of an input are called that are tried again: their lines must not be taken for lines of that input. It may
/// be one of a retry itself.
fn name_of(number: usize, input: &str) -> String {
    let name = input.rsplit('/').next().unwrap_or_default();
    let name = [".gz", ".zst"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(name);
    let numbered = name.strip_prefix("retry-").and_then(|rest| rest.split_once('-'));
    let own = numbered.filter(|(number, _)| number.parse::<usize>().is_ok()).map_or(name, |(_, own)| own);
    format!("retry-{number}-{own}")
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn names_do_not_grow_from_retry_to_retry() {
        assert_eq!(name_of(1, "exports/users.ndjson.gz"), "retry-1-users.ndjson");
        assert_eq!(name_of(2, &name_of(1, "users.csv")), "retry-2-users.csv");
        assert_eq!(name_of(1, "retry-me-users.csv"), "retry-1-retry-me-users.csv");
    }
}
