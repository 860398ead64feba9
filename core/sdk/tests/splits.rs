//! Lines of splits, through the services: whatever the splits and however long the lines, each line comes once.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use proptest::prelude::*;
use usher_sdk::{
    Host,
    abi::{Report, Split},
    source::Lines,
};
use usher_testkit::MemoryHost;

/// The lines that begin in `start..end`.
fn lines(host: &Host, start: u64, end: u64) -> Vec<String> {
    let input = host.input().unwrap();
    let file = input.open("users.ndjson").unwrap().remove(0).id;
    let split = Split { input: file, start, end, ..Split::default() };
    let mut lines = Lines::open(&input, &split, None, 1 << 20).unwrap();
    let (mut found, mut report) = (Vec::new(), Report::default());
    while lines.fill(&mut report).unwrap() {
        let (_, block) = lines.block();
        found.extend(String::from_utf8(block.to_vec()).unwrap().lines().map(str::to_owned));
        let taken = block.len();
        lines.consume(taken);
    }
    assert!(report.rejects.is_empty());
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_line_comes_once(
        lengths in prop::collection::vec(prop_oneof![4 => 0usize..50, 1 => 10_000usize..60_000], 1..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        at_line_ends: bool, mark: bool, ended: bool,
    ) {
        let all: Vec<String> = lengths.iter().enumerate().map(|(i, length)| format!("{i}{}", "x".repeat(*length))).collect();
        let text = format!("{}{}{}", if mark { "\u{feff}" } else { "" }, all.join("\n"), if ended { "\n" } else { "" });
        let memory = MemoryHost::new().with_input("users.ndjson", text.clone());
        let services = memory.services();
        let host = Host::new(services.table(), Default::default());
        let place = |cut: prop::sample::Index| {
            // No split ends within the mark.
            let at = cut.index(text.len() + 1).max(3);
            let line = text.as_bytes()[..at.min(text.len())].iter().rposition(|byte| *byte == b'\n');
            line.filter(|_| at_line_ends).map_or(at, |line| line + 1) as u64
        };
        let mut bounds: Vec<u64> = cuts.into_iter().map(place).chain([0, u64::MAX]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        let found: Vec<String> = bounds.windows(2).flat_map(|pair| lines(&host, pair[0], pair[1])).collect();
        prop_assert_eq!(found, all);
    }
}
