//! How much memory the process holds, and whether it stays flat.

use std::fs;

use super::outcome::{Stop, skip};

const MIB: u64 = 1 << 20;

/// Rows of the run whose memory is watched.
pub(super) const ROWS: usize = 1_000_000;

/// From this row on the memory is to stay flat.
const SETTLED: usize = 10_000;

/// Keys seen before may cost some bytes a row: the SDK's fingerprints take up to 40.
const MOST_A_RUN: u64 = 64 * MIB;

/// Instances that are opened and closed again, and how many of them before the memory is looked at.
const INSTANCES: usize = 400;
const FIRST_INSTANCES: usize = 100;

/// Allocators keep some pages for later; a leak of 20 KiB an instance is more than that.
const MOST_OF_INSTANCES: u64 = 6 * MIB;

/// Bytes of this process, and of those that it has started for instances, that are in memory.
fn resident() -> Result<u64, Stop> {
    let Some(own) = resident_of("self") else {
        return skip("only Linux says how much memory a process holds");
    };
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let started = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    // One that ends meanwhile holds nothing.
    let held = |of: &str| of.split_whitespace().filter_map(resident_of).sum::<u64>();
    Ok(own + started.map(|started| held(&started)).sum::<u64>())
}

fn resident_of(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok().map(|kib: u64| kib * 1024)
}

/// Memory over the rows of a run.
#[derive(Default)]
pub(super) struct Watch {
    settled: Option<u64>,
}

impl Watch {
    /// Looks at the memory after so many rows.
    pub(super) fn after(&mut self, rows: usize) -> Result<(), Stop> {
        if rows < SETTLED {
            return Ok(());
        }
        let now = resident()?;
        let before = *self.settled.get_or_insert(now);
        if now > before + MOST_A_RUN {
            let grown = (now - before).div_ceil(MIB);
            Err(format!(
                "row {rows}: {grown} MiB more than after row {SETTLED}; at most {} MiB are allowed up to row {ROWS}",
                MOST_A_RUN / MIB
            ))?;
        }
        Ok(())
    }
}

/// Opens, works and closes many times over.
pub(super) fn instances(mut work: impl FnMut() -> Result<(), String>) -> Result<(), Stop> {
    (0..FIRST_INSTANCES).try_for_each(|_| work())?;
    let before = resident()?;
    (0..INSTANCES).try_for_each(|_| work())?;
    let grown = resident()?.saturating_sub(before);
    if grown > MOST_OF_INSTANCES {
        Err(format!(
            "{INSTANCES} instances that are closed again leave {} KiB each; at most {} KiB are allowed",
            grown / 1024 / INSTANCES as u64,
            MOST_OF_INSTANCES / 1024 / INSTANCES as u64
        ))?;
    }
    Ok(())
}
