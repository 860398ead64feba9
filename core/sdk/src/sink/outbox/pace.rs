//! When to ask for jobs: when they should be done, by how long the ones before took.

/// The soonest that is asked again, in milliseconds.
const LEAST_MS: u64 = 50;
/// The longest wait between two questions.
const MOST_MS: u64 = 10_000;

/// After so many looks in a row that came too late to see a job at work, jobs are known to take less than thought.
const LATE: u32 = 3;

/// What is known of how long jobs take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Milliseconds from a job's acceptance to its end, as far as it is known.
    span_ms: Option<u64>,
    /// When jobs were asked for last.
    asked_at: Option<u64>,
    /// Looks in a row that found only jobs that had ended since they were begun: how long before is not known.
    late: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { span_ms: None, asked_at: None, late: LATE }
    }
}

impl Pace {
    /// How long to wait until jobs are asked for that the vendor took up at these times; `None` while it is not known how
    /// long they take. `idle` says how often they were asked for since one was done; `more` that others wait for their
    /// room; `per_minute` is how many requests the vendor allows.
    pub(super) fn wait_ms(
        &self,
        now: u64,
        begun: &[u64],
        idle: u32,
        more: bool,
        per_minute: u32,
    ) -> Option<u64> {
        let span = self.span_ms?;
        // They take longer than thought: often enough to lose little time, less and less often.
        let again = ((span / 40).max(LEAST_MS) << idle.min(8)).min(MOST_MS);
        let last = self.asked_at.unwrap_or_default();
        let look = |at: &u64| if at + span > last { at + span } else { last + again };
        let mut looks: Vec<u64> = begun.iter().map(look).collect();
        looks.sort_unstable();
        let worth = if more { worth(begun.len(), span, per_minute) } else { begun.len() };
        let due = looks.get(worth.clamp(1, looks.len().max(1)) - 1)?;
        Some(due.saturating_sub(now).clamp(LEAST_MS, MOST_MS))
    }

    /// Jobs were asked for at `now`, and some of them, accepted at these times, are done.
    pub(super) fn learn(&mut self, now: u64, done: &[u64]) {
        let before = self.asked_at.replace(now);
        if done.is_empty() {
            return;
        }
        let seen_at_work = |at: &u64| before.filter(|before| before > at);
        self.late = if done.iter().any(|at| seen_at_work(at).is_some()) { 0 } else { self.late + 1 };
        let far_too_late = self.late > LATE;
        let span = self.span_ms;
        let took = |at: &u64| {
            let age = now.saturating_sub(*at);
            match seen_at_work(at) {
                // Not done then, done now: between, where it is thought to be or in the middle.
                Some(before) => {
                    let least = before - at;
                    span.filter(|span| (least..=age).contains(span)).unwrap_or((least + age) / 2)
                }
                // Done at the first look: perhaps long since, the look may have waited for the rate limit. The next
                // looks are earlier.
                None => {
                    let most = span.map_or(age, |span| span.min(age));
                    if far_too_late { most / 4 * 3 } else { most - most / 50 }
                }
            }
        };
        let mean = done.iter().map(took).sum::<u64>() / done.len() as u64;
        let known = self.span_ms.filter(|_| !far_too_late);
        self.span_ms = Some(known.map_or(mean, |span| (span + mean) / 2));
    }
}

/// So many jobs should be done before it is worth a request to ask, where `jobs` of `span` milliseconds go on at a time:
/// few, where their number is what bounds, and many, where each request counts.
fn worth(jobs: usize, span: u64, per_minute: u32) -> usize {
    // In a minute: what goes through when room is taken again after `count` are done, and when every `count` units cost
    // one request more.
    let through = |count: usize| {
        let idle = (count - 1) as f64 / 2.0 / jobs.max(1) as f64;
        let by_room = 60_000.0 * jobs as f64 / (span.max(1) as f64 * (1.0 + idle));
        let by_requests = f64::from(per_minute) * count as f64 / (count + 1) as f64;
        by_room.min(by_requests)
    };
    // Of equals the fewest: no more waiting than is of use.
    (1..=jobs.max(1)).fold(1, |best, count| if through(count) > through(best) + 1e-9 { count } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_where_room_bounds_and_many_where_requests_do() {
        assert_eq!(worth(30, 2_000, 2_500), 1);
        assert_eq!(worth(30, 10_000, 700), 1);
        assert_eq!(worth(30, 200, 2_500), 30);
        // 180 jobs a minute at the most, 200 requests: both bound.
        assert!((5..12).contains(&worth(30, 10_000, 200)), "{}", worth(30, 10_000, 200));
    }

    #[test]
    fn jobs_are_asked_for_when_they_should_be_done() {
        let mut pace = Pace::default();
        assert_eq!(pace.wait_ms(0, &[0, 1], 0, true, 2_500), None);
        pace.learn(500, &[]);
        pace.learn(1_500, &[0]);
        // Between 500 and 1,500.
        assert_eq!(pace.wait_ms(1_500, &[1_500, 1_600], 0, true, 2_500), Some(1_000));
        // At the end all of them are waited for.
        assert_eq!(pace.wait_ms(1_500, &[1_500, 1_600], 0, false, 2_500), Some(1_100));
        // Late ones soon, and then less and less often, whatever others were begun since.
        pace.learn(2_500, &[]);
        assert_eq!(pace.wait_ms(2_500, &[1_500, 2_400], 0, true, 2_500), Some(50));
        assert_eq!(pace.wait_ms(2_500, &[1_500, 2_400], 1, true, 2_500), Some(100));
        assert_eq!(pace.wait_ms(2_500, &[1_500], 9, true, 2_500), Some(10_000));
    }

    #[test]
    fn a_look_that_waited_for_the_rate_limit_says_nothing_of_the_time() {
        let mut pace = Pace::default();
        pace.learn(1_000, &[]);
        pace.learn(1_400, &[0]);
        let known = pace.span_ms.unwrap();
        pace.learn(31_400, &[1_400, 1_500]);
        assert!(pace.span_ms.unwrap() <= known, "{pace:?}");
    }

    #[test]
    fn what_is_done_at_the_first_look_is_looked_at_earlier() {
        let mut pace = Pace::default();
        let (mut now, mut looks) = (0, Vec::new());
        // Jobs that take two seconds, thought to take four.
        pace.learn(4_000, &[0]);
        for _ in 0..60 {
            let (begun, mut idle) = (now, 0);
            loop {
                now += pace.wait_ms(now, &[begun], idle, true, 2_500).unwrap();
                let done = now - begun >= 2_000;
                pace.learn(now, if done { std::slice::from_ref(&begun) } else { &[] });
                if done {
                    break;
                }
                idle += 1;
            }
            looks.push(now - begun);
        }
        assert!(looks[6..].iter().all(|took| *took < 2_150), "{looks:?}");
    }
}
