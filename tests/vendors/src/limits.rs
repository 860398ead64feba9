//! Rate limits that really count, on wall time.

use std::time::{Duration, Instant};

/// So many requests in a window, which begins with its first request.
#[derive(Debug)]
pub(crate) struct Window {
    most: u32,
    length: Duration,
    began: Instant,
    used: u32,
}

impl Window {
    /// `length` is wall time: a vendor's span, scaled.
    pub(crate) fn new(most: u32, length: Duration) -> Self {
        Self { most, length, began: Instant::now(), used: 0 }
    }

    /// Takes one, or says how long until the next window.
    pub(crate) fn take(&mut self) -> Result<(), Duration> {
        if self.began.elapsed() >= self.length {
            (self.began, self.used) = (Instant::now(), 0);
        }
        if self.used >= self.most {
            return Err(self.resets_in());
        }
        if self.used == 0 {
            self.began = Instant::now();
        }
        self.used += 1;
        Ok(())
    }

    pub(crate) fn most(&self) -> u32 {
        self.most
    }

    pub(crate) fn remaining(&self) -> u32 {
        if self.began.elapsed() >= self.length { self.most } else { self.most - self.used }
    }

    pub(crate) fn resets_in(&self) -> Duration {
        self.length.saturating_sub(self.began.elapsed())
    }
}

/// So many requests at once, and one more after every interval.
#[derive(Debug)]
pub(crate) struct Bucket {
    most: u32,
    interval: Duration,
    /// When all of them will be there again.
    full: Instant,
}

impl Bucket {
    /// `interval` is wall time: a vendor's span, scaled.
    pub(crate) fn new(most: u32, interval: Duration) -> Self {
        Self { most, interval, full: Instant::now() }
    }

    /// Takes one, or says how long until the next one.
    pub(crate) fn take(&mut self) -> Result<(), Duration> {
        let taken = self.full_in() + self.interval;
        let all = self.interval * self.most;
        if taken > all {
            return Err(taken - all);
        }
        self.full = Instant::now() + taken;
        Ok(())
    }

    pub(crate) fn most(&self) -> u32 {
        self.most
    }

    pub(crate) fn remaining(&self) -> u32 {
        let missing = self.full_in().as_nanos().div_ceil(self.interval.as_nanos().max(1));
        self.most.saturating_sub(missing as u32)
    }

    pub(crate) fn full_in(&self) -> Duration {
        self.full.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lets_so_many_through_and_opens_again() {
        let mut window = Window::new(2, Duration::from_millis(40));
        assert!(window.take().is_ok() && window.take().is_ok());
        let wait = window.take().expect_err("the third is too many");
        assert_eq!(window.remaining(), 0);
        std::thread::sleep(wait);
        assert!(window.take().is_ok());
    }

    #[test]
    fn a_bucket_lets_a_burst_through_and_fills_again() {
        let mut bucket = Bucket::new(3, Duration::from_millis(30));
        assert!((0..3).all(|_| bucket.take().is_ok()));
        let wait = bucket.take().expect_err("the fourth is too many");
        assert!(wait <= Duration::from_millis(30) && bucket.remaining() == 0);
        std::thread::sleep(wait);
        assert!(bucket.take().is_ok());
    }
}
