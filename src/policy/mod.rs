//! Decisions: pure functions and values. Each takes known facts (a URL, a status, an address, the
//! time) and returns what to do. None waits, does I/O, or holds a lock, so each rule is a table in a
//! test, and the two APIs decide alike.
//!
//! | file | the question | the rules |
//! | --- | --- | --- |
//! | [`route`] | which connection can serve this request? which routes are not pooled for a while? | RFC 9112 §3.2, §9.3 |
//! | [`proxy`] | through which proxy, or none? | curl's environment variables, `NO_PROXY` |
//! | [`auth`] | which credentials go with it, and which fields are credentials? | RFC 7617, 6750, 7616; netrc |
//! | [`redirect`] | is this response a redirect, where to, and is it followed? | RFC 9110 §15.4 |
//! | [`retry`] | is this request sent again, and when? | RFC 9110 §9.2.2, §10.2.3, §15.5.9 |
//! | [`deadline`] | how long may this wait last, and which limit ends it? | |
//! | [`egress`] | may the client connect to this address? | RFC 6890 and its registries |
//! | [`happy_eyeballs`] | which address is tried next, and when? | RFC 8305 |
//! | `lookups` | which name is looked up next? | |
//!
//! Read `route` first: the pool, the driver and most other files here speak of routes. The other files
//! do not depend on each other, except that routes name a proxy, and that redirects and proxies use
//! the rules for credentials in `auth`.
//!
//! # How a request meets them
//!
//! ```text
//! call::begin ──▶ proxy ─▶ auth ─▶ deadline starts
//! driver      ──▶ egress (scheme, port, name) ─▶ route ─▶ pool
//!                   └▶ lookups ─▶ egress (each address) ─▶ happy_eyeballs
//! call::answered ▶ auth (a challenge) ─▶ retry ─▶ redirect ─▶ auth (fields that stay behind)
//! call::failed ──▶ retry
//! ```
//!
//! Facts about the world are passed to a decision as arguments: `now` as a value, or as a function
//! where the clock is read only if there is a deadline; [`Clock`] where a decision also needs the date
//! or random numbers. Tests and the simulation implement it.
//!
//! # State
//!
//! Some decisions remember: the retry budgets ([`retry::Ledger`]), the nonces of Digest
//! authentication, the routes whose peers close early ([`route::EarlyClosers`]), the queue of lookups.
//! Each is a value with a bound on its size that a test checks. Their locks are where they are shared:
//! in `call::SharedState`, in the pool, in `os/lookups.rs`.
//!
//! # What must always hold
//!
//! | rule | guarded by |
//! | --- | --- |
//! | a connection of one route never serves another | tests of `route`; `tests/hostile_credentials.rs` |
//! | a request that is not idempotent is not repeated once it may have arrived | `t09_methods_by_bytes_sent_and_received`; simulation |
//! | credentials stay with their origin | `tests/credentials.rs`, `tests/hostile_redirects.rs` |
//! | no wait outlasts the deadline; without a deadline the clock is not read | tests of `deadline`; simulation |
//! | the address that is dialed is the one that was checked | `tests/dialling.rs` |
//! | the cost of a decision does not grow with the settings | `the_cost_does_not_grow_with_the_list` (`NO_PROXY`) |
//!
//! # How to change a rule here
//!
//! 1. Find the file by the question in the table above.
//! 2. Change its table or function, and the table in its test. A rule without a test that names it
//!    is not guarded.
//! 3. If a new fact is needed, pass it in. If it is known only to the driver, it becomes a field of
//!    the argument (`FailedAttempt`, `Asked`, `Attempt`), not a call back.
//! 4. If the decision differs by a setting of one request, ask whether a pooled connection made
//!    under another setting may still serve it. If not, the setting belongs into [`route::Route`].
//!
//! The functions take `&self` or `&mut self` of small values and return enums with a variant per
//! outcome, so that a caller cannot forget one: `Next`, `When`, `Move`, `Availability`, `Obstacle`.

pub(crate) mod auth;
pub(crate) mod deadline;
pub(crate) mod egress;
pub(crate) mod happy_eyeballs;
#[cfg(any(feature = "blocking", feature = "tokio", feature = "runtime"))]
pub(crate) mod lookups;
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
