//! Where a person was found, for people.

use std::fmt::Write as _;

use super::tables::count;
use crate::runs::forget::{Found, Kind, Whereabouts};

/// What was found and removed, and what is still there.
pub fn whereabouts(told: &Whereabouts, dry: bool) -> String {
    let mut text = match (told.found.is_empty(), dry) {
        (true, _) => "not found anywhere that usher keeps\n".to_owned(),
        (false, true) => "found, and would be removed:\n".to_owned(),
        (false, false) => "found and removed:\n".to_owned(),
    };
    for Found { kind, place, count: times } in &told.found {
        let times = count(*times);
        let _ = match kind {
            Kind::Run | Kind::Recording | Kind::Input => writeln!(text, "  {place}: {times}"),
            Kind::State => writeln!(text, "  state of {place}: {times}; it begins anew there"),
            Kind::Ledger => writeln!(
                text,
                "  notes of what {place} has sent: {times}; an unfinished run sends the rows of these requests again"
            ),
            Kind::Synced => writeln!(text, "  rows known to be with {place}: {times}"),
        };
    }
    for Found { place, count: times, .. } in &told.inputs {
        let times = count(*times);
        let _ =
            writeln!(text, "yours, and not changed: {place}: {times}; the next run brings the person back");
    }
    for book in &told.unknown {
        let _ = writeln!(text, "cannot say: {book}, and that file is not what the run read any more");
    }
    for key in &told.vague {
        let _ = writeln!(text, "`{key}` may stand in any text: only values were removed that are just that");
    }
    for path in &told.left {
        let _ = writeln!(text, "still there, look yourself: {path}");
    }
    text
}
