//! Decisions: pure functions and values. Each takes known facts (a URL, a status, an address, the
//! time) and returns what to do. None waits, does I/O, or holds a lock.
//!
//! | file | the question |
//! | --- | --- |
//! | [`route`] | which connection can serve this request? The route is also the pool's key |
//! | [`proxy`] | through which proxy? |
//! | [`redirect`] | is this response a redirect, where to, and is it followed? |
//! | [`retry`] | is this request sent again, and when? |
//! | [`deadline`] | how long may this wait last? |
//! | [`auth`] | which credentials go with it? |
//! | [`egress`] | may the client connect to this address? |
//! | [`happy_eyeballs`] | which address is tried next, and when? |
//! | [`early_closers`] | does this peer close connections without announcing it? |

pub(crate) mod auth;
pub(crate) mod deadline;
pub(crate) mod egress;
pub(crate) mod happy_eyeballs;
pub(crate) mod proxy;
pub(crate) mod redirect;
pub mod retry;
pub(crate) mod route;

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
