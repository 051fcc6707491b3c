//! The minimum throughput of bodies.
//!
//! Only the time spent waiting for the peer counts: a caller that reads slowly, or a slow source of
//! a request body, is not the peer's fault.

use std::time::Duration;

/// A minimum of bytes per second, on average over an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) bytes_per_second: u64,
    pub(crate) over: Duration,
}

/// The bytes moved and the time waited in the current interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meter {
    pace: Pace,
    waited: Duration,
    bytes: u64,
}

impl Meter {
    pub(crate) fn start(pace: Pace) -> Self {
        let pace = Pace { over: pace.over.max(SHORTEST), ..pace };
        Self { pace, waited: Duration::ZERO, bytes: 0 }
    }

    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    /// Returns the remaining time of the current interval; zero once it was too slow.
    pub(crate) fn left(&self) -> Duration {
        self.pace.over.saturating_sub(self.waited)
    }

    /// Records that `bytes` were moved after waiting for `waited`. Returns an error if the interval
    /// is over and was too slow.
    pub(crate) fn moved(&mut self, bytes: usize, waited: Duration) -> Result<(), Pace> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.waited = self.waited.saturating_add(waited);
        if self.waited < self.pace.over {
            return Ok(());
        }
        // Compares the two rates by multiplication, without a division.
        let moved = u128::from(self.bytes) * NANOS;
        let asked = u128::from(self.pace.bytes_per_second).saturating_mul(self.waited.as_nanos());
        if moved < asked {
            return Err(self.pace);
        }
        *self = Self::start(self.pace);
        Ok(())
    }
}

/// The shortest interval; not zero.
const SHORTEST: Duration = Duration::from_nanos(1);

const NANOS: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Moves the given bytes after the given seconds in each step, and returns the step that was
    /// too slow.
    fn fails_at(pace: Pace, steps: &[(usize, u32)]) -> Option<usize> {
        let mut meter = Meter::start(pace);
        steps.iter().position(|(bytes, seconds)| {
            let before = meter.left();
            assert!(!before.is_zero() && before <= pace.over);
            meter.moved(*bytes, SECOND * *seconds).is_err()
        })
    }

    #[test]
    fn an_interval_is_evaluated_as_a_whole_when_it_is_over() {
        let pace = Pace { bytes_per_second: 100, over: 3 * SECOND };
        type Steps = &'static [(usize, u32)];
        let cases: [(Steps, Option<usize>); 7] = [
            (&[(0, 2), (300, 1), (0, 2), (300, 1)], None),
            (&[(299, 0), (0, 3)], Some(1)),
            (&[(100, 1), (100, 1), (99, 1)], Some(2)),
            (&[(100, 1), (100, 1), (100, 1), (100, 1), (100, 1), (99, 1)], Some(5)),
            // A surplus in one interval is no credit for the next.
            (&[(9000, 3), (0, 3)], Some(1)),
            // A wait beyond the end of the interval counts in full.
            (&[(399, 4)], Some(0)),
            (&[(400, 4)], None),
        ];
        for (steps, expected) in cases {
            assert_eq!(fails_at(pace, steps), expected, "{steps:?}");
        }
    }

    #[test]
    fn extremes_neither_overflow_nor_divide_by_zero() {
        let fast = Pace { bytes_per_second: u64::MAX, over: Duration::MAX };
        assert_eq!(fails_at(fast, &[(usize::MAX, 1), (usize::MAX, u32::MAX)]), None);
        let none = Pace { bytes_per_second: 0, over: Duration::ZERO };
        let mut meter = Meter::start(none);
        assert_eq!(meter.moved(0, Duration::ZERO), Ok(()));
        assert_eq!(Meter::start(fast).moved(0, Duration::MAX), Err(fast));
    }
}
