//! The clock and random numbers that decisions need, as a trait: runtimes implement it, and tests
//! simulate it.

use std::time::{Instant, SystemTime};

/// Time and random numbers, requested only where a decision needs them.
pub(crate) trait Clock {
    /// Returns the monotonic time, for delays.
    fn now(&self) -> Instant;

    /// Returns the wall-clock time, for comparison with dates from servers.
    fn date(&self) -> SystemTime;

    /// Returns a uniformly distributed number. It spreads the retries of many clients, and need not
    /// be cryptographically secure.
    fn random(&self) -> u64;
}
