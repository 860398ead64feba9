//! Whole lines out of slabs, without copying but for the lines that two slabs share.

use std::ops::Range;

use memchr::{memchr, memrchr};
use usher_abi::{Error, Report, Split, service::Slab};

use super::{
    rejects::too_long,
    slabs::{BOM, Slabs, SplitReader},
};
use crate::Input;

/// Most bytes of a block, but for a longer line: small enough that what one pass brings into the cache is still there
/// for the next.
const BLOCK: usize = 256 * 1024;

/// Blocks of whole lines of one split.
///
/// Lines end with LF or CR LF (the CR stays with the line); the last one may end with the input. A line that begins
/// before the split's end belongs to it, wherever it ends. A line over the limit that does not lie in one slab is
/// rejected (`record.too-long`) and skipped without being held; one that does lie in a slab is for the caller to reject,
/// who sees its length.
#[derive(Debug)]
pub struct Lines<R = SplitReader> {
    slabs: R,
    input: u32,
    end: u64,
    limit: usize,
    slab: Option<Slab>,
    /// First unread byte of `slab`.
    at: usize,
    /// The beginning of a line whose end is in a later slab.
    carry: Vec<u8>,
    carry_offset: u64,
    block: Block,
    skip: Skip,
    /// Where the first line that was not consumed begins.
    next: u64,
    /// First byte that was not looked at.
    reached: u64,
    done: bool,
}

#[derive(Debug)]
enum Block {
    None,
    /// A part of the slab.
    Slab(Range<usize>),
    /// A part of the carry.
    Carry(Range<usize>),
}

#[derive(Debug)]
enum Skip {
    None,
    /// To the first line that begins in the split.
    Partial,
    /// To the end of a line that is too long: its offset.
    TooLong(u64),
}

impl Lines<SplitReader> {
    /// Opens a split, or what is left of it from the line that begins at `from`.
    pub fn open(input: &Input, split: &Split, from: Option<u64>, limit: usize) -> Result<Self, Error> {
        let start = from.unwrap_or(split.start);
        // From one byte before, to see whether a line begins at `start`.
        let slabs = SplitReader::open(input, split.input, start.saturating_sub(1), split.end)?;
        Ok(Self::new(slabs, split.input, start, split.end, limit))
    }
}

impl<R: Slabs> Lines<R> {
    /// Lines that begin in `start..end`; `slabs` begin one byte before `start`, unless that is 0.
    pub(crate) fn new(slabs: R, input: u32, start: u64, end: u64, limit: usize) -> Self {
        Self {
            slabs,
            input,
            end,
            limit,
            slab: None,
            at: 0,
            carry: Vec::new(),
            carry_offset: 0,
            block: Block::None,
            skip: if start == 0 { Skip::None } else { Skip::Partial },
            next: start,
            reached: start,
            done: false,
        }
    }

    /// Makes sure that there is a block; answers false at the end of the split.
    pub fn fill(&mut self, report: &mut Report) -> Result<bool, Error> {
        while self.block().1.is_empty() {
            if matches!(self.block, Block::Carry(_)) {
                self.carry.clear();
            }
            self.block = Block::None;
            if self.done {
                return Ok(false);
            }
            if self.slab.as_ref().is_none_or(|s| self.at >= s.len) {
                // The next line is another split's.
                if self.reached >= self.end && self.carry.is_empty() && !matches!(self.skip, Skip::TooLong(_))
                {
                    self.done = true;
                    return Ok(false);
                }
                self.slab = self.slabs.next_slab()?;
                self.at = 0;
                if self.slab.is_none() {
                    self.finish(report);
                }
            } else {
                self.advance(report);
            }
        }
        Ok(true)
    }

    /// The block's unread lines, and the place of their first byte.
    pub fn block(&self) -> (u64, &[u8]) {
        match (&self.block, &self.slab) {
            (Block::Slab(range), Some(slab)) => {
                (slab.offset + range.start as u64, &slab.bytes()[range.clone()])
            }
            (Block::Carry(range), _) => (self.carry_offset + range.start as u64, &self.carry[range.clone()]),
            _ => (self.next, &[]),
        }
    }

    /// Takes whole lines off the block, `bytes` long.
    pub fn consume(&mut self, bytes: usize) {
        self.next = self.block().0 + bytes as u64;
        if let Block::Slab(range) | Block::Carry(range) = &mut self.block {
            range.start = (range.start + bytes).min(range.end);
        }
    }

    /// Where the first line that was not consumed begins.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Takes the next bytes of the slab into the block, the carry, or nowhere.
    fn advance(&mut self, report: &mut Report) {
        let Some(slab) = &self.slab else { return };
        let (offset, rest) = (slab.offset + self.at as u64, &slab.bytes()[self.at..]);
        let newline = match (&self.skip, self.carry.is_empty()) {
            (Skip::None, true) => {
                if offset >= self.end {
                    self.done = true;
                    return;
                }
                let window = rest.len().min(BLOCK);
                let last = memrchr(b'\n', &rest[..window]);
                last.or_else(|| memchr(b'\n', &rest[window..]).map(|i| i + window))
            }
            (Skip::Partial, _) if offset >= self.end => {
                self.done = true;
                return;
            }
            _ => memchr(b'\n', rest),
        };
        let taken = newline.map_or(rest.len(), |i| i + 1);
        match self.skip {
            Skip::None if newline.is_some() && self.carry.is_empty() => {
                let mut range = self.at..self.at + taken;
                if offset == 0 && rest.starts_with(BOM) {
                    range.start += BOM.len();
                }
                range.end = self.at + self.within(offset, &rest[..taken]);
                self.block = Block::Slab(range);
            }
            Skip::None => {
                if self.carry.is_empty() {
                    self.carry_offset = offset;
                }
                if self.carry.len() + taken > self.limit.saturating_add(2) {
                    self.carry.clear();
                    self.skip = Skip::TooLong(self.carry_offset);
                } else {
                    self.carry.extend_from_slice(&rest[..taken]);
                }
                if newline.is_some() {
                    self.line_ends(offset + taken as u64, report);
                }
            }
            Skip::Partial | Skip::TooLong(_) => {
                if newline.is_some() {
                    self.line_ends(offset + taken as u64, report);
                }
            }
        }
        self.at += taken;
        self.reached = offset + taken as u64;
    }

    /// The line that was carried or skipped ends before `next`.
    fn line_ends(&mut self, next: u64, report: &mut Report) {
        match self.skip {
            Skip::None => self.carried(),
            Skip::Partial => self.next = next,
            Skip::TooLong(offset) => {
                report.rejects.push(too_long(self.input, offset, next - offset - 1, self.limit));
                self.next = next;
            }
        }
        self.skip = Skip::None;
    }

    /// The carry is a whole line.
    fn carried(&mut self) {
        let bom = self.carry_offset == 0 && self.carry.starts_with(BOM);
        self.block = Block::Carry(if bom { BOM.len() } else { 0 }..self.carry.len());
    }

    /// The input is at its end.
    fn finish(&mut self, report: &mut Report) {
        self.done = true;
        match self.skip {
            Skip::None if !self.carry.is_empty() => self.carried(),
            Skip::TooLong(offset) => {
                report.rejects.push(too_long(self.input, offset, self.reached - offset, self.limit));
                self.next = self.reached;
            }
            _ => {}
        }
        self.skip = Skip::None;
    }

    /// How many of the bytes are lines that begin before the split's end.
    fn within(&self, offset: u64, lines: &[u8]) -> usize {
        let Ok(cut) = usize::try_from(self.end.saturating_sub(offset)) else { return lines.len() };
        if cut >= lines.len() {
            return lines.len();
        }
        // The line that holds the byte before the end belongs to the split.
        memchr(b'\n', &lines[cut - 1..]).map_or(lines.len(), |i| cut + i)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::slabs::tests::Cut, Lines, Report};

    const LIMIT: usize = 12;

    type Found = (Vec<(u64, String)>, Vec<(u64, u32)>);

    /// Lines with their offsets, and the places of rejects, of `start..end` read in slabs of one size.
    fn lines(text: &str, start: u64, end: u64, slab: usize) -> Found {
        let mut lines = Lines::new(Cut::new(text, start.saturating_sub(1), slab), 0, start, end, LIMIT);
        let (mut found, mut report) = (Vec::new(), Report::default());
        while lines.fill(&mut report).unwrap() {
            let (offset, block) = lines.block();
            let end = memchr::memchr(b'\n', block).map_or(block.len(), |i| i + 1);
            let line = String::from_utf8(block[..end].to_vec()).unwrap();
            if line.trim_end_matches(['\r', '\n']).len() <= LIMIT {
                found.push((offset, line));
            } else {
                let length = line.trim_end_matches('\n').len();
                report.rejects.push(super::too_long(0, offset, length as u64, LIMIT));
            }
            lines.consume(end);
            assert_eq!(lines.position(), offset + end as u64);
        }
        (found, report.rejects.iter().map(|r| (r.origin.offset, r.origin.length)).collect())
    }

    #[test]
    fn lines_come_whole_whatever_the_slabs() {
        let text = "\u{feff}a\r\n\nbc\nlast";
        for slab in 1..20 {
            let (found, rejects) = lines(text, 0, u64::MAX, slab);
            let expected = [(3, "a\r\n"), (6, "\n"), (7, "bc\n"), (10, "last")];
            assert_eq!(found, expected.map(|(o, l)| (o, l.to_owned())), "slabs of {slab}");
            assert!(rejects.is_empty());
        }
    }

    #[test]
    fn a_line_over_the_limit_is_rejected_and_passed_over() {
        let long = "x".repeat(40);
        for text in [format!("a\n{long}\nb\n"), format!("a\n{long}")] {
            for slab in 1..60 {
                let (found, rejects) = lines(&text, 0, u64::MAX, slab);
                assert_eq!(found.len(), if text.ends_with('\n') { 2 } else { 1 }, "slabs of {slab}");
                assert_eq!(rejects, [(2, 40)], "slabs of {slab}");
            }
        }
    }

    proptest! {
        #[test]
        fn splits_hold_every_line_once(
            text in "([a-c]{0,20}\n){0,12}[a-c]{0,3}", cuts in prop::collection::vec(0u64..160, 0..4), slab in 1usize..40,
        ) {
            let whole = lines(&text, 0, u64::MAX, 1000);
            let mut bounds: Vec<u64> = cuts.into_iter().filter(|c| *c > 0 && *c < text.len() as u64).collect();
            bounds.sort_unstable();
            bounds.dedup();
            bounds.insert(0, 0);
            bounds.push(u64::MAX);
            let mut split = (Vec::new(), Vec::new());
            for pair in bounds.windows(2) {
                let (found, rejects) = lines(&text, pair[0], pair[1], slab);
                split.0.extend(found);
                split.1.extend(rejects);
            }
            prop_assert_eq!(split, whole);
        }
    }
}
