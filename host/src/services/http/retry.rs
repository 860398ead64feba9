//! Whether to send a request again, and when.

use std::time::Duration;

use super::wire::Missed;

/// The first wait without a hint, in milliseconds, and the longest. Each is twice the one before, and between half of
/// it and all of it is waited: so many connectors do not come back at once.
const FIRST_MS: u64 = 500;
const LONGEST_MS: u64 = 30_000;
/// Attempts at a request that may have arrived, or was answered with a trouble of the other side.
const TRIES: u64 = 5;

/// What an attempt ended with.
#[derive(Debug)]
pub(super) enum Ending<'a> {
    /// A reply with this status, and how long it asks to wait, in milliseconds.
    Reply(u16, Option<u64>),
    /// None.
    Missed(&'a Missed),
}

/// What a request allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) idempotent: bool,
    /// 429 is answered at once.
    pub(super) refused_once: bool,
    /// The most attempts; 0: as many as are good.
    pub(super) most: u64,
    /// How long attempts and waits may take in all, in milliseconds.
    pub(super) patience_ms: u64,
}

/// What was tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried {
    pub(super) attempts: u64,
    /// Of them, those that may have had their effect, as [`Ending::may_have_worked`] says.
    pub(super) troubles: u64,
    /// In so many milliseconds.
    pub(super) elapsed_ms: u64,
}

impl Ending<'_> {
    /// Whether the request may have had its effect though there is no good reply.
    pub(super) fn may_have_worked(&self) -> bool {
        match self {
            Self::Reply(status, _) => *status == 408 || *status >= 500,
            Self::Missed(missed) => matches!(missed, Missed::TimedOut(_) | Missed::Lost(_)),
        }
    }
}

/// The milliseconds to wait before another attempt; none: this was the last.
pub(super) fn again(
    ending: &Ending<'_>,
    terms: Terms,
    tried: Tried,
    random: &mut fastrand::Rng,
) -> Option<u64> {
    let most = match ending {
        Ending::Reply(429, _) if terms.refused_once => return None,
        // It was refused before it was looked at, or never left: sending it again repeats nothing.
        Ending::Reply(429, _) | Ending::Missed(Missed::Unsent(_)) => u64::MAX,
        Ending::Reply(408 | 500 | 502 | 503 | 504, _) if terms.idempotent => TRIES,
        Ending::Missed(Missed::TimedOut(_) | Missed::Lost(_)) if terms.idempotent => TRIES,
        _ => return None,
    };
    // An outage of ten minutes before leaves as many tries.
    if tried.troubles >= most || (terms.most > 0 && tried.attempts >= terms.most) {
        return None;
    }
    let wait = match ending {
        // No time at all would be asked for again and again.
        Ending::Reply(_, Some(hint)) if *hint >= FIRST_MS => *hint,
        _ => backoff(tried.attempts, random),
    };
    (tried.elapsed_ms.saturating_add(wait) <= terms.patience_ms).then_some(wait)
}

fn backoff(attempts: u64, random: &mut fastrand::Rng) -> u64 {
    let doubled = FIRST_MS.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_MS);
    random.u64(doubled / 2..=doubled)
}

/// The time in words.
pub(super) fn words(ms: u64) -> String {
    match Duration::from_millis(ms).as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONCE: Terms = Terms { idempotent: false, refused_once: false, most: 0, patience_ms: 900_000 };
    const OFTEN: Terms = Terms { idempotent: true, ..ONCE };

    fn first(troubles: u64) -> Tried {
        Tried { attempts: 1, troubles, elapsed_ms: 0 }
    }

    fn tries(ending: &Ending<'_>, terms: Terms) -> (u64, u64) {
        let trouble = u64::from(ending.may_have_worked());
        let (mut random, mut tried) = (fastrand::Rng::with_seed(7), first(trouble));
        while let Some(wait) = again(ending, terms, tried, &mut random) {
            tried.attempts += 1;
            tried.troubles += trouble;
            tried.elapsed_ms += wait;
        }
        (tried.attempts, tried.elapsed_ms)
    }

    #[test]
    fn only_what_is_safe_is_sent_again() {
        let lost = Missed::Lost(String::new());
        for (ending, once, often) in [
            (Ending::Reply(200, None), 1, 1),
            (Ending::Reply(400, None), 1, 1),
            (Ending::Reply(404, Some(1)), 1, 1),
            (Ending::Reply(408, None), 1, TRIES),
            (Ending::Reply(500, None), 1, TRIES),
            (Ending::Reply(501, None), 1, 1),
            (Ending::Reply(503, Some(1_000)), 1, TRIES),
            (Ending::Missed(&lost), 1, TRIES),
            (Ending::Missed(&Missed::TimedOut(String::new())), 1, TRIES),
            (Ending::Missed(&Missed::Untrusted(String::new())), 1, 1),
            (Ending::Missed(&Missed::Unreadable(String::new())), 1, 1),
        ] {
            assert_eq!((tries(&ending, ONCE).0, tries(&ending, OFTEN).0), (once, often), "{ending:?}");
        }
    }

    #[test]
    fn what_never_left_is_tried_for_a_quarter_of_an_hour() {
        let (attempts, elapsed) = tries(&Ending::Missed(&Missed::Unsent(String::new())), ONCE);
        assert!((600_000..=900_000).contains(&elapsed), "a network that is down for ten minutes: {elapsed}");
        assert!((30..=70).contains(&attempts), "{attempts}");
    }

    #[test]
    fn a_hint_is_kept_to_and_has_its_bound() {
        let mut random = fastrand::Rng::with_seed(7);
        assert_eq!(again(&Ending::Reply(429, Some(7_000)), ONCE, first(0), &mut random), Some(7_000));
        assert_eq!(again(&Ending::Reply(429, Some(901_000)), ONCE, first(0), &mut random), None);
        let late = Tried { elapsed_ms: 895_000, ..first(0) };
        assert_eq!(again(&Ending::Reply(429, Some(7_000)), ONCE, late, &mut random), None);
    }

    #[test]
    fn a_vendor_that_asks_for_no_time_gets_some_all_the_same() {
        let (attempts, elapsed) = tries(&Ending::Reply(429, Some(0)), ONCE);
        assert!((30..=70).contains(&attempts) && elapsed >= 600_000, "{attempts} in {elapsed}");
    }

    #[test]
    fn an_outage_before_leaves_as_many_tries() {
        let after_an_outage = Tried { attempts: 35, troubles: 1, elapsed_ms: 600_000 };
        let mut random = fastrand::Rng::with_seed(7);
        assert!(again(&Ending::Reply(502, None), OFTEN, after_an_outage, &mut random).is_some());
    }

    #[test]
    fn a_request_may_ask_for_fewer_tries() {
        let terms = Terms { most: 2, ..OFTEN };
        assert_eq!(tries(&Ending::Reply(500, None), terms).0, 2);
        assert_eq!(tries(&Ending::Reply(429, Some(1)), terms).0, 2);
    }

    #[test]
    fn a_refusal_that_may_mean_several_things_is_handed_on() {
        let terms = Terms { refused_once: true, ..OFTEN };
        assert_eq!(tries(&Ending::Reply(429, Some(1)), terms).0, 1);
        assert_eq!(tries(&Ending::Reply(503, None), terms).0, TRIES);
        assert!(tries(&Ending::Missed(&Missed::Unsent(String::new())), terms).0 > TRIES);
    }

    #[test]
    fn waits_grow_and_differ() {
        let mut random = fastrand::Rng::with_seed(7);
        let waits: Vec<u64> = (1..12).map(|attempts| backoff(attempts, &mut random)).collect();
        for (attempts, wait) in (1..).zip(&waits) {
            let most = (FIRST_MS << (attempts - 1)).min(LONGEST_MS);
            assert!((most / 2..=most).contains(wait), "{waits:?}");
        }
        let mut other = fastrand::Rng::with_seed(8);
        assert_ne!(waits, (1..12).map(|attempts| backoff(attempts, &mut other)).collect::<Vec<_>>());
    }
}
