//! The pace that a body has to keep, however its bytes come.
//!
//! Only the time that is spent waiting for the peer counts: a caller who reads slowly, or whose
//! reader gives slowly, is not the peer's fault.

use std::time::Duration;

/// At least so many bytes a second, on average over a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) bytes_per_second: u64,
    pub(crate) over: Duration,
}

/// What was moved, and waited, in the current stretch.
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

    /// How much longer the current stretch lasts; nothing is left once it was too slow.
    pub(crate) fn left(&self) -> Duration {
        self.pace.over.saturating_sub(self.waited)
    }

    /// So many bytes came or went, after waiting as long as that: an error if the stretch is over
    /// and was too slow.
    pub(crate) fn moved(&mut self, bytes: usize, waited: Duration) -> Result<(), Pace> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.waited = self.waited.saturating_add(waited);
        if self.waited < self.pace.over {
            return Ok(());
        }
        // Bytes over time against bytes over time, without a division.
        let moved = u128::from(self.bytes) * NANOS;
        let asked = u128::from(self.pace.bytes_per_second).saturating_mul(self.waited.as_nanos());
        if moved < asked {
            return Err(self.pace);
        }
        *self = Self::start(self.pace);
        Ok(())
    }
}

/// A stretch takes some time.
const SHORTEST: Duration = Duration::from_nanos(1);

const NANOS: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Moves these bytes after these seconds each; says at which step it was too slow.
    fn fails_at(pace: Pace, steps: &[(usize, u32)]) -> Option<usize> {
        let mut meter = Meter::start(pace);
        steps.iter().position(|(bytes, seconds)| {
            let before = meter.left();
            assert!(!before.is_zero() && before <= pace.over);
            meter.moved(*bytes, SECOND * *seconds).is_err()
        })
    }

    #[test]
    fn a_stretch_is_judged_as_a_whole_and_only_when_it_is_over() {
        let pace = Pace { bytes_per_second: 100, over: 3 * SECOND };
        type Steps = &'static [(usize, u32)];
        let cases: [(Steps, Option<usize>); 7] = [
            (&[(0, 2), (300, 1), (0, 2), (300, 1)], None),
            (&[(299, 0), (0, 3)], Some(1)),
            (&[(100, 1), (100, 1), (99, 1)], Some(2)),
            (&[(100, 1), (100, 1), (100, 1), (100, 1), (100, 1), (99, 1)], Some(5)),
            // What was too much in one stretch is no credit for the next.
            (&[(9000, 3), (0, 3)], Some(1)),
            // A wait that went beyond the stretch counts whole.
            (&[(399, 4)], Some(0)),
            (&[(400, 4)], None),
        ];
        for (steps, expected) in cases {
            assert_eq!(fails_at(pace, steps), expected, "{steps:?}");
        }
    }

    #[test]
    fn extremes_neither_overflow_nor_divide_by_nothing() {
        let fast = Pace { bytes_per_second: u64::MAX, over: Duration::MAX };
        assert_eq!(fails_at(fast, &[(usize::MAX, 1), (usize::MAX, u32::MAX)]), None);
        let none = Pace { bytes_per_second: 0, over: Duration::ZERO };
        let mut meter = Meter::start(none);
        assert_eq!(meter.moved(0, Duration::ZERO), Ok(()));
        assert_eq!(Meter::start(fast).moved(0, Duration::MAX), Err(fast));
    }
}
