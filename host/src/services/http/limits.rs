//! Rate limits: so many requests in any stretch of so much time.
//!
//! What is kept is when the last requests left, and not a bucket of tokens: a full bucket lets nearly twice as many
//! through in its first stretch of time as the vendor allows.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use usher_abi::{Error, ErrorClass, RateLimit, service::ClockService};

use crate::services::private::lock;

/// Requests do not all take equally long to arrive, so that more may come within a stretch of the vendor's time than left
/// within one of ours. What is refused costs a second and more; this much of each stretch costs little.
const MARGIN_MS: u64 = 40;

/// Whose requests are counted: plugin, limit (or host), account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) plugin: String,
    pub(super) name: String,
    pub(super) account: String,
}

/// The limits of all connectors of a process.
#[derive(Debug, Default)]
pub(super) struct Limits {
    windows: Mutex<HashMap<Key, Window>>,
}

#[derive(Debug, Default)]
struct Window {
    /// When the last requests left, in milliseconds, oldest first.
    departures: VecDeque<u64>,
    /// The vendor asked for no request before.
    held_until: u64,
}

impl Limits {
    /// Waits until a request may leave by all of its limits, and counts it. A key without a limit only keeps to what
    /// the vendor asked for. Longer than `most_ms` nobody waits: class `rate-limited`, with the time to wait.
    pub(super) fn pass(
        &self,
        keys: &[(Key, Option<RateLimit>)],
        clock: &dyn ClockService,
        most_ms: u64,
    ) -> Result<(), Error> {
        let begun = clock.now_ms();
        loop {
            let now = clock.now_ms();
            let Some((wait, name)) = self.leave(keys, now) else { return Ok(()) };
            if now.saturating_sub(begun).saturating_add(wait) > most_ms {
                let mut error = Error::new(
                    ErrorClass::RATE_LIMITED,
                    "http.rate-limit",
                    format!(
                        "the rate limit `{name}` is used up for {} s; run again then",
                        wait.div_ceil(1_000)
                    ),
                );
                error.retry_after_ms = wait;
                return Err(error);
            }
            clock.sleep_ms(wait)?;
        }
    }

    /// The vendor asks for no request before this time.
    pub(super) fn hold(&self, keys: &[(Key, Option<RateLimit>)], until_ms: u64) {
        let mut windows = lock(&self.windows);
        for (key, _) in keys {
            let window = windows.entry(key.clone()).or_default();
            window.held_until = window.held_until.max(until_ms);
        }
    }

    /// Counts a request that may leave now; else the longest wait, at least a millisecond, and for which limit.
    fn leave(&self, keys: &[(Key, Option<RateLimit>)], now: u64) -> Option<(u64, String)> {
        let mut windows = lock(&self.windows);
        let waits = keys.iter().filter_map(|(key, limit)| {
            let wait = windows.entry(key.clone()).or_default().wait(limit.as_ref(), now);
            (wait > 0).then(|| (wait, key.name.clone()))
        });
        if let Some(longest) = waits.max() {
            return Some(longest);
        }
        for (key, limit) in keys {
            if limit.is_some() {
                windows.entry(key.clone()).or_default().departures.push_back(now);
            }
        }
        None
    }
}

impl Window {
    fn wait(&mut self, limit: Option<&RateLimit>, now: u64) -> u64 {
        let mut wait = self.held_until.saturating_sub(now);
        if let Some(limit) = limit {
            let span = u64::from(limit.per_seconds.max(1)) * 1_000 + MARGIN_MS;
            while self.departures.front().is_some_and(|left| left.saturating_add(span) <= now) {
                self.departures.pop_front();
            }
            // The last but so many must be out of the stretch, whoever else declared more or fewer.
            let requests = limit.requests.max(1) as usize;
            if let Some(place) = self.departures.len().checked_sub(requests) {
                wait = wait.max((self.departures[place] + span).saturating_sub(now));
            }
        }
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::{Cancel, VirtualClock};

    fn key(account: &str) -> Key {
        Key { plugin: "acme".to_owned(), name: "api".to_owned(), account: account.to_owned() }
    }

    fn limit(requests: u32, per_seconds: u32) -> Option<RateLimit> {
        Some(RateLimit { name: "api".to_owned(), requests, per_seconds, source: String::new() })
    }

    #[test]
    fn no_stretch_of_time_has_more_than_allowed() {
        let (limits, clock) = (Limits::default(), VirtualClock::new(0, Cancel::new()));
        let mut departures = Vec::new();
        for _ in 0..50 {
            limits.pass(&[(key("a"), limit(4, 1)), (key("day"), limit(30, 60))], &clock, u64::MAX).unwrap();
            departures.push(clock.now_ms());
            clock.sleep_ms(departures.len() as u64 % 3 * 90).unwrap();
        }
        for (i, first) in departures.iter().enumerate() {
            let within = |ms: u64| departures[i..].iter().filter(|d| **d < first + ms).count();
            assert!(within(1_000) <= 4, "{departures:?}");
            assert!(within(60_000) <= 30, "{departures:?}");
        }
        assert!(clock.now_ms() < 65_000, "nobody waits longer than needed: {departures:?}");
    }

    #[test]
    fn accounts_do_not_wait_for_each_other() {
        let (limits, clock) = (Limits::default(), VirtualClock::new(0, Cancel::new()));
        for account in ["a", "b", "c"] {
            limits.pass(&[(key(account), limit(1, 60))], &clock, u64::MAX).unwrap();
        }
        assert_eq!(clock.now_ms(), 0);
    }

    #[test]
    fn what_the_vendor_asks_for_holds_everybody() {
        let (limits, clock) = (Limits::default(), VirtualClock::new(0, Cancel::new()));
        limits.hold(&[(key("a"), None)], 5_000);
        limits.hold(&[(key("a"), None)], 3_000);
        limits.pass(&[(key("a"), None)], &clock, u64::MAX).unwrap();
        assert_eq!(clock.now_ms(), 5_000);
    }

    #[test]
    fn nobody_waits_for_tomorrow() {
        let (limits, clock) = (Limits::default(), VirtualClock::new(0, Cancel::new()));
        let keys = [(key("a"), limit(1, 86_400))];
        limits.pass(&keys, &clock, 900_000).unwrap();
        let error = limits.pass(&keys, &clock, 900_000).unwrap_err();
        assert_eq!((error.class, error.retry_after_ms), (ErrorClass::RATE_LIMITED, 86_400_040));
        assert_eq!(error.to_string(), "the rate limit `api` is used up for 86401 s; run again then");
        assert_eq!(clock.now_ms(), 0);
    }
}
