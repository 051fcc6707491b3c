//! Whether a request is sent again, and when (RFC 9110 §9.2.2).
//!
//! There are two reasons to do so. A connection from the pool may have been closed while it idled:
//! then it happens at once, once, unasked and unnoticed ([`stale`]). Everything else takes a
//! [`Policy`] of the caller, a [delay](backoff) and a place in the [`Ledger`].

mod attempt;
mod backoff;
mod event;
mod ledger;
mod policy;
pub(crate) mod stale;

pub(crate) use attempt::{Answered, Attempt, Loss, Origin, Replay, Sent};
pub use event::{Reason, Retry};
pub(crate) use ledger::{Ledger, Payment};
pub use policy::Policy;
