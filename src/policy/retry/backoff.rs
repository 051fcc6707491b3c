//! The delay before a retry: exponential backoff with full jitter, or the server's `Retry-After`.

use std::time::Duration;

/// The limits on delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delays {
    /// The longest delay before the first retry; the limit doubles with each further one.
    pub(crate) first: Duration,
    /// The longest delay that the backoff chooses.
    pub(crate) longest: Duration,
    /// The longest delay that a server may ask for.
    pub(crate) longest_asked: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            // Longer than a round trip around the world, shorter than what a user takes for a hang.
            first: Duration::from_millis(200),
            // The caller is blocked during the delay; programs that can wait longer have a queue of
            // their own.
            longest: Duration::from_secs(10),
            // Rate limits usually count by the minute or less.
            longest_asked: Duration::from_secs(60),
        }
    }
}

impl Delays {
    /// Returns the delay before a retry, the first of which has the number 1; `None` if the server
    /// `asked` for more than the limit.
    ///
    /// The delay is uniformly distributed between zero and the limit ("full jitter"), so that
    /// clients that failed together do not retry together. It is never shorter than what the server
    /// asked for.
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

/// Scales `bound` by `random` as a fraction of the range of `u64`.
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
    fn backoff_doubles_up_to_its_limit_with_full_jitter() {
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
    fn retry_after_is_obeyed_or_the_retry_is_given_up() {
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
    fn huge_limits_do_not_overflow() {
        let endless = Duration::MAX;
        let delays = Delays { first: endless, longest: endless, longest_asked: endless };
        assert_eq!(delays.before(9, None, 0), Some(MS(0)));
        assert!(delays.before(9, None, u64::MAX).unwrap() > MS(1));
        assert_eq!(delays.before(9, Some(endless), 7), Some(endless));
    }

    proptest! {
        #[test]
        fn a_delay_never_exceeds_its_limits(
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
