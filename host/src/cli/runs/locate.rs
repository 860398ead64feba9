//! `usher runs locate`

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};
use usher_abi::Error;

use crate::{
    chain::{self, Located},
    cli::{
        Global,
        session::{RunFlags, Session, code, print_json, say_error},
    },
    report::{located, masked, on_terminal, print},
    runs::{self, At, PartFile, Run},
};

/// Where rows come from that runs wrote.
#[derive(Debug, Args)]
pub(super) struct Locate {
    /// A part, by path or name, and a line of it (PART:LINE) or a row, headings not counted (PART#ROW)
    #[arg(value_name = "PART:LINE", required = true)]
    rows: Vec<String>,
    /// Show the keys also where no terminal shows them
    #[arg(long)]
    show_values: bool,
}

impl Locate {
    pub(super) fn execute(self, global: &Global, out: &Path) -> u8 {
        let mut wanted = Vec::new();
        for row in &self.rows {
            match find(out, row) {
                Ok(found) => wanted.push(found),
                Err(error) => {
                    say_error(global, &error);
                    return code::FAILED;
                }
            }
        }
        let flags = RunFlags { out: Some(out.to_owned()), locates: true, ..RunFlags::default() };
        let mut session = match Session::open(global, flags) {
            Ok(session) => session,
            Err(code) => return code,
        };
        let mut told = Vec::new();
        // The work of a run and connector is done again for all its rows at once.
        for of_one in wanted.chunk_by(|a, b| (&a.0.id, &a.1.connector) == (&b.0.id, &b.1.connector)) {
            let rows: Vec<(String, u64)> =
                of_one.iter().map(|(_, part, row)| (part.path.clone(), *row)).collect();
            let (run, part, _) = &of_one[0];
            match chain::locate(&mut session.engine, run, &part.connector, &rows) {
                Ok(found) => told.extend(of_one.iter().zip(found)),
                Err(failure) => return session.fail_looking(failure),
            }
        }
        for (_, found) in &mut told {
            if !self.show_values && !on_terminal() {
                found.key = masked(&found.key);
            }
        }
        if global.json {
            print_json(
                &told
                    .iter()
                    .map(|((run, part, row), found)| shown(run, part, *row, found))
                    .collect::<Vec<_>>(),
            );
        } else {
            told.iter().for_each(|((run, part, row), found)| print(&located(run, part, *row, found)));
        }
        code::DONE
    }
}

fn find(out: &Path, row: &str) -> Result<(Run, PartFile, u64), Error> {
    let (name, at) = parse(row)?;
    let (run, part) = runs::find_part(out, name)?;
    part.check(&run)?;
    let row = part.row_at(&run, at)?;
    Ok((run, part, row))
}

fn shown(run: &Run, part: &PartFile, row: u64, found: &Located) -> Value {
    let Located { input, path, line, offset, length, key, .. } = found;
    json!({
        "chain": run.chain, "run": run.id, "connector": part.connector, "part": part.path, "row": row,
        "origin": { "input": input, "path": path, "line": line, "offset": offset, "length": length },
        "key": key,
    })
}

/// A part's name and a place in it.
fn parse(text: &str) -> Result<(&str, At), Error> {
    let place = text.rfind([':', '#']).map(|at| text.split_at(at));
    let parsed = place.and_then(|(name, place)| {
        let number = place[1..].parse().ok().filter(|number| *number > 0)?;
        Some((name, if place.starts_with(':') { At::Line(number) } else { At::Row(number) }))
    });
    parsed.ok_or_else(|| {
        let message = format!("`{text}` names no row: say PART:LINE, or PART#ROW, both counted from 1");
        Error::config("part.place", message)
    })
}
