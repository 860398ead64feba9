//! Where one unit ends and the next begins. The same records are always cut alike, so that a run that goes on finds its
//! units in the ledger again.

use std::{hash::Hasher, mem};

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::checks::Fault;

/// The largest that a unit may be.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnitLimits {
    /// Records.
    pub rows: u64,
    /// Bytes of all its records. What stands around them in a request is for the sink to take off.
    pub bytes: u64,
}

/// Records that go out in one request.
#[derive(Clone, Debug)]
pub struct Unit {
    /// From 0, in the order of the rows.
    pub number: u64,
    /// How many records.
    pub rows: u64,
    /// The records one after the other, as they were pushed.
    pub records: Vec<u8>,
    /// 32 hexadecimal digits, from content and place: the same in every attempt of a run. Good for names of files.
    pub id: String,
}

/// A unit's place in the file.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// Number of its first row.
    pub(super) first: u64,
    pub(super) rows: u64,
    /// Its first byte, the header not counted.
    pub(super) start: u64,
    pub(super) bytes: u64,
    /// Of content and place.
    pub(super) key: [u8; 16],
}

impl Cut {
    pub(super) fn id(&self) -> String {
        self.key.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Cuts records into units.
#[derive(Debug)]
pub(super) struct Cutter {
    limits: UnitLimits,
    canary: u64,
    cuts: Vec<Cut>,
    rows: u64,
    bytes: u64,
    /// Of the unit that is open.
    open_rows: u64,
    open_bytes: u64,
    hasher: SipHasher13,
}

impl Cutter {
    pub(super) fn new(limits: UnitLimits, canary: u64) -> Self {
        let hasher = SipHasher13::new();
        Self { limits, canary, cuts: Vec::new(), rows: 0, bytes: 0, open_rows: 0, open_bytes: 0, hasher }
    }

    /// Takes a record, unless it is too large by itself.
    pub(super) fn push(&mut self, record: &[u8]) -> Result<(), Fault> {
        let (size, most) = (record.len() as u64, self.limits.bytes);
        if size > most {
            return Err(Fault::new(
                "row.too-long",
                format!("the row has {size} bytes, {most} are allowed in a request"),
            ));
        }
        if self.open_rows >= self.limits.rows || self.open_bytes + size > most || self.rows == self.canary {
            self.end();
        }
        self.hasher.write_u64(size);
        self.hasher.write(record);
        self.open_rows += 1;
        self.open_bytes += size;
        self.rows += 1;
        self.bytes += size;
        Ok(())
    }

    pub(super) fn open_rows(&self) -> u64 {
        self.open_rows
    }

    pub(super) fn end(&mut self) {
        if self.open_rows == 0 {
            return;
        }
        let (first, start) = (self.rows - self.open_rows, self.bytes - self.open_bytes);
        let mut hasher = mem::replace(&mut self.hasher, SipHasher13::new());
        hasher.write_u64(first);
        let key = hasher.finish128().as_bytes();
        self.cuts.push(Cut { first, rows: self.open_rows, start, bytes: self.open_bytes, key });
        (self.open_rows, self.open_bytes) = (0, 0);
    }

    /// All units, and how many of them are canaries; no record may follow.
    pub(super) fn finish(&mut self) -> (Vec<Cut>, usize) {
        self.end();
        let canaries = self.cuts.iter().take_while(|cut| cut.first < self.canary).count();
        (mem::take(&mut self.cuts), canaries)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(records: &[Vec<u8>], limits: UnitLimits, canary: u64) -> (Vec<Cut>, usize) {
        let mut cutter = Cutter::new(limits, canary);
        records.iter().for_each(|record| {
            let _ = cutter.push(record);
        });
        cutter.finish()
    }

    proptest! {
        #[test]
        fn units_hold_every_record_once_and_keep_to_the_limits(
            sizes in prop::collection::vec(1..40usize, 0..60),
            rows in 1..9u64,
            bytes in 30..90u64,
            canary in 0..12u64,
        ) {
            let records: Vec<Vec<u8>> = sizes.iter().map(|size| vec![b'x'; *size]).collect();
            let limits = UnitLimits { rows, bytes };
            let (cuts, canaries) = cut(&records, limits, canary);
            let taken: Vec<u64> = sizes.iter().map(|s| *s as u64).filter(|s| *s <= bytes).collect();
            let (mut row, mut start) = (0, 0);
            for (number, cut) in cuts.iter().enumerate() {
                prop_assert_eq!((cut.first, cut.start), (row, start));
                prop_assert!(cut.rows >= 1 && cut.rows <= rows && cut.bytes <= bytes);
                row += cut.rows;
                start += cut.bytes;
                prop_assert_eq!(number < canaries, cut.first < canary);
                if number < canaries {
                    prop_assert!(row <= canary, "a canary unit has none but the first rows");
                }
            }
            prop_assert_eq!((row, start), (taken.len() as u64, taken.iter().sum::<u64>()));
        }
    }

    #[test]
    fn a_unit_may_be_ended_early_and_none_is_empty() {
        let mut cutter = Cutter::new(UnitLimits { rows: 9, bytes: 9 }, 0);
        cutter.end();
        for (record, open) in [(b"a", 1), (b"b", 2), (b"c", 1)] {
            if record == b"c" {
                cutter.end();
                cutter.end();
            }
            cutter.push(record).unwrap();
            assert_eq!(cutter.open_rows(), open);
        }
        let rows: Vec<u64> = cutter.finish().0.iter().map(|cut| cut.rows).collect();
        assert_eq!(rows, [2, 1]);
    }

    #[test]
    fn the_id_is_of_content_and_place() {
        let limits = UnitLimits { rows: 1, bytes: 10 };
        let ids = |texts: &[&str]| -> Vec<String> {
            let records: Vec<Vec<u8>> = texts.iter().map(|t| t.as_bytes().to_vec()).collect();
            cut(&records, limits, 0).0.iter().map(Cut::id).collect()
        };
        assert_eq!(ids(&["a", "b"]), ids(&["a", "b"]));
        assert_ne!(ids(&["a", "b"])[0], ids(&["c", "b"])[0]);
        assert_eq!(ids(&["a", "b"])[1], ids(&["c", "b"])[1]);
        assert_ne!(ids(&["a", "a"])[0], ids(&["a", "a"])[1]);
    }
}
