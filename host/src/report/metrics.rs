//! The outcome of chains as metrics: the text form of Prometheus, for its node exporter's folder of text files.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::Permissions,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use crate::chain::Outcome;

/// A chain, and how it ended: `None` if it failed.
pub(super) type Ending<'a> = (&'a str, Option<&'a Outcome>);

/// Writes the metrics of chains that ended at `now` (seconds since 1970), whole or not at all.
pub fn write_metrics(path: &Path, chains: &[Ending<'_>], now: i64) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o644)).tempfile_in(folder)?;
    file.write_all(metrics(chains, now).as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// All metrics, in the text form.
fn metrics(chains: &[Ending<'_>], now: i64) -> String {
    let mut families = Families::default();
    for (chain, outcome) in chains {
        let labels = [("chain", *chain)];
        let success = outcome.is_some_and(|o| o.refused.is_empty() && o.partly.is_empty());
        families.add(
            "success",
            "1 if the chain ended as it should, 0 otherwise",
            &labels,
            u64::from(success),
        );
        families.add("end_timestamp_seconds", "When the chain ended", &labels, now);
        let Some(outcome) = outcome else { continue };
        families.add(
            "duration_seconds",
            "How long the chain took",
            &labels,
            format!("{:.3}", outcome.seconds),
        );
        families.add("read_records", "Records read", &labels, outcome.read);
        families.add("read_bytes", "Bytes read, as stored", &labels, outcome.bytes);
        families.add("warnings", "Remarks of the run", &labels, outcome.warnings.len());
        for connector in &outcome.connectors {
            let of = [("chain", *chain), ("connector", connector.name.as_str())];
            let mut rows = |fate: &str, count: u64| {
                let labels = [of[0], of[1], ("fate", fate)];
                families.add("rows", "Records by what became of them", &labels, count);
            };
            rows("written", connector.written);
            rows("filtered", connector.filtered_rows());
            rows("merged", connector.merged);
            rows("rejected", connector.rejected_rows());
            if let Some(delivery) = &connector.delivery {
                rows("confirmed", delivery.confirmed);
                rows("accepted", delivery.accepted);
                rows("unknown", delivery.unknown);
                rows("not_sent", delivery.not_sent);
            }
            if let Some(sync) = &connector.sync {
                families.add("waiting_rows", "Rows that wait to be confirmed", &of, sync.waiting);
                let mut people = |gone: &str, count: u64| {
                    let help = "People delivered before who are gone, by how";
                    families.add("gone_people", help, &[of[0], of[1], ("how", gone)], count);
                };
                people("withdrawn", sync.withdrawn);
                sync.missing.into_iter().for_each(|missing| people("missing", missing));
                if let Some(suspension) = &sync.suspension {
                    people("suspended", suspension.suspended);
                    people(
                        "not_suspended",
                        suspension.refused + suspension.unknown + suspension.not_sent + suspension.nameless,
                    );
                }
            }
            for reject in &connector.rejected {
                let labels = [of[0], of[1], ("code", reject.code.as_str())];
                families.add("rejected_rows", "Rejects by code", &labels, reject.count);
            }
            families.add("parts", "Files written", &of, connector.parts.len());
            let bytes: u64 = connector.parts.iter().map(|part| part.bytes).sum();
            families.add("part_bytes", "Bytes of the files written", &of, bytes);
            families.add("changed_values", "Values changed", &of, connector.changed_values());
            families.add("left_out_values", "Optional values left out", &of, connector.left_out);
        }
    }
    families.text()
}

/// Metrics by name: those of one name stand together.
#[derive(Default)]
struct Families(BTreeMap<&'static str, (&'static str, String)>);

impl Families {
    fn add(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: &[(&str, &str)],
        value: impl std::fmt::Display,
    ) {
        let (_, lines) = self.0.entry(name).or_insert_with(|| (help, String::new()));
        let labels: Vec<String> =
            labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escape(value))).collect();
        let _ = writeln!(lines, "usher_{name}{{{}}} {value}", labels.join(","));
    }

    fn text(&self) -> String {
        let family = |(name, (help, lines)): (&&str, &(&str, String))| {
            format!("# HELP usher_{name} {help}\n# TYPE usher_{name} gauge\n{lines}")
        };
        self.0.iter().map(family).collect()
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
