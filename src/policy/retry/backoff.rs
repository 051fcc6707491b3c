//! How long to wait before a retry: exponential backoff with full jitter, or what the server asks for.

use std::time::Duration;

/// The bounds of the waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delays {
    /// The most that the first retry waits; each further one may wait twice as long.
    pub(crate) first: Duration,
    /// The most that any retry waits of its own accord.
    pub(crate) longest: Duration,
    /// The most that a server may ask for.
    pub(crate) longest_asked: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            // More than a round trip around the world, less than what a person takes for a hang.
            first: Duration::from_millis(200),
            // It is waited in the middle of a call; whoever waits longer has a queue of its own.
            longest: Duration::from_secs(10),
            // Limits on the rate of requests are counted by the minute or by less, as a rule.
            longest_asked: Duration::from_secs(60),
        }
    }
}

impl Delays {
    /// The wait before a retry, the first of which has the number 1; none, if the server `asked` for
    /// more than may be waited.
    ///
    /// Anything between nothing and the bound is as likely ("full jitter"): clients that failed
    /// together come back spread out. A server that names a time knows better, so nobody is earlier.
    pub(crate) fn before(
        self,
        retry: u32,
        asked: Option<Duration>,
        random: u64,
    ) -> Option<Duration> {
        let backoff = share(self.bound(retry), random);
        match asked {
            Some(asked) if asked > self.longest_asked => None,
            Some(asked) => Some(backoff.max(asked)),
            None => Some(backoff),
        }
    }

    fn bound(self, retry: u32) -> Duration {
        let doublings = retry.saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

/// The part of `bound` that `random` is of all numbers.
fn share(bound: Duration, random: u64) -> Duration {
    let nanoseconds = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
    let share = u128::from(nanoseconds) * u128::from(random) / u128::from(u64::MAX);
    u64::try_from(share).map_or(bound, Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn backoff_doubles_up_to_its_bound_and_is_spread_from_nothing_on() {
        let delays = Delays::default();
        let bounds = [(0, 200), (1, 200), (2, 400), (3, 800), (6, 6400), (7, 10_000)];
        for (retry, bound) in bounds.into_iter().chain([(33, 10_000), (u32::MAX, 10_000)]) {
            assert_eq!(delays.before(retry, None, 0), Some(MS(0)), "{retry}");
            assert_eq!(delays.before(retry, None, u64::MAX), Some(MS(bound)), "{retry}");
            let half = delays.before(retry, None, u64::MAX / 2).unwrap();
            assert!(half.abs_diff(MS(bound) / 2) < MS(1), "{retry}: {half:?}");
        }
    }

    #[test]
    fn what_the_server_asks_for_is_waited_or_not_at_all() {
        let delays = Delays::default();
        let cases = [
            (MS(0), u64::MAX, Some(MS(200))),
            (MS(0), 0, Some(MS(0))),
            (MS(100), u64::MAX, Some(MS(200))),
            (MS(3_000), u64::MAX, Some(MS(3_000))),
            (MS(60_000), 0, Some(MS(60_000))),
            (MS(60_001), 0, None),
            (Duration::MAX, u64::MAX, None),
        ];
        for (asked, random, expected) in cases {
            assert_eq!(delays.before(1, Some(asked), random), expected, "{asked:?}");
        }
    }

    #[test]
    fn bounds_beyond_any_clock_do_not_overflow() {
        let endless = Duration::MAX;
        let delays = Delays { first: endless, longest: endless, longest_asked: endless };
        assert_eq!(delays.before(9, None, 0), Some(MS(0)));
        assert!(delays.before(9, None, u64::MAX).unwrap() > MS(1));
        assert_eq!(delays.before(9, Some(endless), 7), Some(endless));
    }

    proptest! {
        #[test]
        fn never_longer_than_its_bounds(
            first in any::<u64>(), longest in any::<u64>(), longest_asked in any::<u64>(),
            retry in any::<u32>(), asked in any::<Option<u64>>(), random in any::<u64>(),
        ) {
            let delays =
                Delays { first: MS(first), longest: MS(longest), longest_asked: MS(longest_asked) };
            let asked = asked.map(MS);
            if let Some(delay) = delays.before(retry, asked, random) {
                prop_assert!(delay <= MS(longest).max(asked.unwrap_or_default()));
                prop_assert!(asked.is_none_or(|asked| asked <= delay && asked <= MS(longest_asked)));
            } else {
                prop_assert!(asked > Some(MS(longest_asked)));
            }
        }
    }
}
