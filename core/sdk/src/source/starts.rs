//! Where the splits of a delimited file really begin, which no byte of it tells: a line end may lie in quotes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The first record at or behind each place where a split was cut, as far as somebody has read up to there. Shared by all
/// streams of a file, whichever plan they are of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Starts(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    known: Mutex<Known>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    starts: BTreeMap<u64, u64>,
    /// How many streams are open that end there, and will know it.
    open: BTreeMap<u64, usize>,
}

/// An open stream that will [learn](Self::learn) where the split behind its own begins.
#[derive(Debug)]
pub(crate) struct Learner {
    starts: Starts,
    cut: u64,
}

impl Starts {
    /// For a stream that reads up to this place.
    pub(crate) fn learner(&self, cut: u64) -> Learner {
        *self.known().open.entry(cut).or_default() += 1;
        Learner { starts: self.clone(), cut }
    }

    /// The first record at or behind this place.
    pub(crate) fn of(&self, cut: u64) -> Option<u64> {
        self.known().starts.get(&cut).copied()
    }

    /// The same, when somebody is about to learn it.
    pub(crate) fn wait_for(&self, cut: u64, patience: Duration) -> Option<u64> {
        let to_come = |known: &mut Known| !known.starts.contains_key(&cut) && known.open.contains_key(&cut);
        let waited = self.0.changed.wait_timeout_while(self.known(), patience, to_come);
        waited.unwrap_or_else(PoisonError::into_inner).0.starts.get(&cut).copied()
    }

    /// The last known beginning of a record for a place in front of this one.
    pub(crate) fn before(&self, cut: u64) -> Option<u64> {
        self.known().starts.range(..cut).next_back().map(|(_, start)| *start)
    }

    /// Whoever has read the records in front of `cut` knows where the next one begins.
    pub(crate) fn learn(&self, cut: u64, start: u64) {
        self.known().starts.insert(cut, start);
        self.0.changed.notify_all();
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // The maps are whole whatever panicked beside them.
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Learner {
    /// Where the next record begins.
    pub(crate) fn learn(&self, start: u64) {
        self.starts.learn(self.cut, start);
    }
}

impl Drop for Learner {
    fn drop(&mut self) {
        let mut known = self.starts.known();
        if let Some(open) = known.open.get_mut(&self.cut) {
            *open -= 1;
            if *open == 0 {
                known.open.remove(&self.cut);
            }
        }
        drop(known);
        self.starts.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Instant};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn only_what_somebody_is_about_to_learn_is_waited_for() {
        let starts = Starts::default();
        let begun = Instant::now();
        assert_eq!(starts.wait_for(10, LONG), None);
        let (learner, other) = (starts.learner(10), starts.learner(10));
        drop(other);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| starts.wait_for(10, LONG));
            learner.learn(12);
            assert_eq!(waiting.join().unwrap(), Some(12));
        });
        let abandoned = starts.learner(20);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| starts.wait_for(20, LONG));
            drop(abandoned);
            assert_eq!(waiting.join().unwrap(), None);
        });
        assert_eq!((starts.before(10), starts.before(11), starts.of(10)), (None, Some(12), Some(12)));
        assert!(begun.elapsed() < LONG);
    }
}
