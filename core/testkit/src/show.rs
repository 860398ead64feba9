//! What came of a sink's run, as text for snapshots.

use std::fmt::Write as _;

use crate::{MemoryHost, Written};

/// Problems, parts, counts, rejects, values left out and changes. Rows are named by their number, as
/// [`write`](crate::write) numbers them.
pub fn show(written: &Written, host: &MemoryHost) -> String {
    let mut text = String::new();
    let report = &written.report;
    for p in &written.problems {
        let _ = writeln!(
            text,
            "problem {} {} {}{}",
            p.pointer,
            p.code,
            p.message,
            if p.warning { " (warning)" } else { "" }
        );
    }
    for part in host.parts() {
        let _ = writeln!(
            text,
            "== {} ({} rows, {} bytes)\n{}",
            part.name,
            part.records,
            part.bytes.len(),
            part.text()
        );
    }
    let _ = writeln!(text, "written {}", report.written.count);
    for r in &report.rejects {
        let _ = writeln!(text, "reject row {} {} {}: {}", r.origin.offset / 100, r.column, r.code, r.message);
    }
    for l in &report.left_out {
        let row = l.origin.offset / 100;
        let _ = writeln!(
            text,
            "left out row {row} {} {:?} {}: {}",
            l.column,
            l.value.as_str(),
            l.code,
            l.message
        );
    }
    for c in &report.changed {
        let _ = writeln!(text, "changed {} {} {}", c.column, c.rule, c.count);
    }
    text
}
