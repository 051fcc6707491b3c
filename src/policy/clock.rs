//! What a decision may have to know of the world outside; the fronts look there, and tests make it up.

use std::time::{Instant, SystemTime};

/// Time and chance, asked for only where a decision needs them.
pub(crate) trait World {
    /// For waiting.
    fn now(&self) -> Instant;

    /// For comparing with the dates that servers write.
    fn date(&self) -> SystemTime;

    /// Any number, each as likely as the others. It keeps clients from coming back all at once, and no
    /// secret hangs on it.
    fn random(&self) -> u64;
}
