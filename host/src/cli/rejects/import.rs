//! `usher rejects --import`

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};
use usher_abi::Error;

use crate::{
    chain::{self, Located},
    cli::{
        Global,
        session::{RunFlags, Session, code, print_json, say_error},
    },
    manifest::RejectRecord,
    report::{list, meaning, print, tell},
    runs::{self, Columns, Match, PartFile, Reported, Run},
    services::{create_private_file, create_private_folder, disk_error},
};

/// So many lines that no row is found for are told one by one.
const TOLD: usize = 10;

/// The code of what a report brings back.
const CODE: &str = "vendor.reported";

/// What a vendor's error report brings back.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Bring rows back that a vendor did not take: the error report that it offers for an import, as CSV
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
    /// The connector that wrote the rows; needed when the run has several
    #[arg(long, value_name = "NAME", requires = "import")]
    connector: Option<String>,
    /// The part that was imported, by path or name; its run and connector are known by it
    #[arg(long, value_name = "PART", requires = "import", conflicts_with_all = ["run", "connector"])]
    part: Option<String>,
    /// Which columns of the report hold what: error=HEADING, and key=HEADING (key=HEADING:HEADING where the part has
    /// another), line=HEADING (of the file) or row=HEADING (headings not counted)
    #[arg(long, value_name = "KEY=HEADING,…", requires = "import")]
    columns: Option<Columns>,
}

/// A report, held against the files of the connector that wrote its rows.
struct Held {
    run: Run,
    connector: String,
    reported: Vec<Reported>,
    /// Lines that say of no error.
    silent: u64,
    /// Of each line.
    matched: Vec<Match>,
}

impl Import {
    pub(super) fn is_wanted(&self) -> bool {
        self.import.is_some()
    }

    pub(super) fn execute(self, global: &Global, out: &Path, run: Option<&str>) -> u8 {
        let held = match self.hold(out, run) {
            Ok(held) => held,
            Err(error) => {
                say_error(global, &error);
                return code::FAILED;
            }
        };
        if !global.json {
            held.warn(self.path());
        }
        let file = match self.bring_back(global, out, &held) {
            Ok(file) => file,
            Err(code) => return code,
        };
        match global.json {
            true => print_json(&held.shown(file.as_deref())),
            false => print(&held.text(file.as_deref())),
        }
        if file.is_some() { code::DONE } else { code::FAILED }
    }

    fn path(&self) -> &Path {
        self.import.as_deref().unwrap_or(Path::new(""))
    }

    fn hold(&self, out: &Path, run: Option<&str>) -> Result<Held, Error> {
        let (run, connector, parts) = self.target(out, run)?;
        let mut headings = Vec::new();
        for part in &parts {
            part.check(&run)?;
            headings.extend(part.headings(&run.folder)?);
        }
        let columns = self.columns.clone().unwrap_or_default();
        let (reported, silent) = runs::read_report(self.path(), &columns, &headings)?;
        let matched = runs::rows_of(&run, &parts, &reported)?;
        Ok(Held { run, connector, reported, silent, matched })
    }

    /// The run, the connector and its files of rows.
    fn target(&self, out: &Path, run: Option<&str>) -> Result<(Run, String, Vec<PartFile>), Error> {
        if let Some(name) = &self.part {
            let (run, part) = runs::find_part(out, name)?;
            return Ok((run, part.connector.clone(), vec![part]));
        }
        let run = runs::named(out, run)?;
        let mut parts = runs::parts(&run.folder)?;
        parts.retain(|part| !part.extra);
        let mut connectors: Vec<&str> = parts.iter().map(|part| part.connector.as_str()).collect();
        connectors.dedup();
        let wrong = |what: &str| {
            Error::config(
                "reported.connector",
                format!("run {} has files of {}: {what}", run.id, list(&connectors)),
            )
        };
        let connector = match (&self.connector, &connectors[..]) {
            (Some(name), _) if connectors.contains(&name.as_str()) => name.clone(),
            (Some(name), _) => return Err(wrong(&format!("none is of `{name}`"))),
            (None, [only]) => (*only).to_owned(),
            (None, _) => return Err(wrong("say with `--connector` whose report this is")),
        };
        parts.retain(|part| part.connector == connector);
        Ok((run, connector, parts))
    }

    /// Writes the records of the rows as rejects; answers the file, or the exit code when that failed.
    fn bring_back(&self, global: &Global, out: &Path, held: &Held) -> Result<Option<PathBuf>, u8> {
        let (reported, rows) = held.found();
        if rows.is_empty() {
            return Ok(None);
        }
        let flags = RunFlags { out: Some(out.to_owned()), locates: true, ..RunFlags::default() };
        let mut session = Session::open(global, flags)?;
        let records = chain::locate(&mut session.engine, &held.run, &held.connector, &rows)
            .map_err(|failure| session.fail_looking(failure))?;
        // Of one record there is one reject, whatever is wrong with it; and those of an input are in its order.
        let mut rejects: BTreeMap<(String, u64), (Located, Vec<&str>)> = BTreeMap::new();
        for (one, record) in reported.into_iter().zip(records) {
            let place = (record.input.clone(), record.offset);
            rejects.entry(place).or_insert_with(|| (record, Vec::new())).1.push(&one.message);
        }
        let path = self.place(held);
        let record = session.engine.manifest.reject_record;
        write(&path, &held.connector, record, rejects.into_values()).map_err(|error| {
            say_error(global, disk_error("output", &path, &error));
            code::FAILED
        })?;
        Ok(Some(path))
    }

    /// Beside the run, whose own files stay what its receipt says. A report that is imported again takes the place of
    /// itself.
    fn place(&self, held: &Held) -> PathBuf {
        let stem = self.path().file_stem().unwrap_or_default().to_string_lossy();
        let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let stem: String = stem.chars().map(plain).collect();
        held.run.imported_folder().join(format!("{}-{stem}.ndjson", held.connector))
    }
}

impl Held {
    /// The lines that are of one row each, and these rows.
    fn found(&self) -> (Vec<&Reported>, Vec<(String, u64)>) {
        let of_one = self.reported.iter().zip(&self.matched).filter_map(|(one, matched)| match matched {
            Match::One(part, row) => Some((one, (part.clone(), *row))),
            _ => None,
        });
        of_one.unzip()
    }

    /// The lines of the report that are of no row, or of several.
    fn lines(&self, of: &Match) -> Vec<u64> {
        let those = self.reported.iter().zip(&self.matched).filter(|(_, matched)| *matched == of);
        those.map(|(one, _)| one.line).collect()
    }

    fn warn(&self, path: &Path) {
        let path = path.display();
        for (of, what) in [(Match::Nothing, "no row"), (Match::Several, "several rows")] {
            let lines = self.lines(&of);
            for line in lines.iter().take(TOLD) {
                tell!(
                    warning,
                    "`{path}`, line {line}, is of {what} of `{}`: not brought back",
                    self.connector
                );
            }
            if lines.len() > TOLD {
                tell!(warning, "… and {} more lines of `{path}` are of {what}", lines.len() - TOLD);
            }
        }
    }

    fn shown(&self, file: Option<&Path>) -> Value {
        json!({
            "chain": self.run.chain, "run": self.run.id, "connector": self.connector, "file": file,
            "errors": self.reported.len(), "brought_back": self.found().0.len(), "without_error": self.silent,
            "of_no_row": self.lines(&Match::Nothing), "of_several_rows": self.lines(&Match::Several),
        })
    }

    fn text(&self, file: Option<&Path>) -> String {
        let Run { chain, id, .. } = &self.run;
        let (found, all) = (self.found().0.len(), self.reported.len());
        let mut text = format!("{chain}, run {id}, {}: {found} of {all} errors brought back", self.connector);
        if self.silent > 0 {
            text += &format!("; lines without one: {}", self.silent);
        }
        text.push('\n');
        if let Some(file) = file {
            let file = file.display();
            text += &format!("  {file}\n  once more, corrected or not: usher retry {id} --rejects {file}\n");
        }
        text
    }
}

/// Writes rejects in the form of a run's own.
fn write<'a>(
    path: &Path,
    connector: &str,
    record: RejectRecord,
    rejects: impl Iterator<Item = (Located, Vec<&'a str>)>,
) -> io::Result<()> {
    create_private_folder(path.parent().unwrap_or(Path::new("")))?;
    let beside = path.with_extension("tmp");
    // What a killed process has left.
    let _ = fs::remove_file(&beside);
    let mut file = io::BufWriter::new(create_private_file(&beside)?);
    for (Located { input, line, offset, length, key, raw, .. }, messages) in rejects {
        let (message, raw, key) = match record {
            RejectRecord::Full => (messages.join("; "), Some(String::from_utf8_lossy(&raw)), Some(key)),
            RejectRecord::Masked => (meaning(CODE).to_owned(), None, None),
        };
        let reject = json!({
            "connector": connector,
            "origin": { "input": input, "line": line, "offset": offset, "length": length },
            "field": "",
            "code": CODE,
            "message": message,
            "raw": raw,
            // Whose row it is: a confirmation leaves it out.
            "key": key,
        });
        writeln!(file, "{reject}")?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&beside, path)
}
