//! Decides whether a request is sent again, and when (RFC 9110 §9.2.2).
//!
//! There are two reasons to do so. A pooled connection may have been closed while it idled: then
//! the request is sent again immediately, once, without a policy ([`stale`]). Everything else needs
//! the caller's [`Policy`], a [delay](backoff) and a budget in the [`Ledger`]. Read
//! `attempt` first, then `stale` and `policy`.

mod attempt;
mod backoff;
mod event;
mod ledger;
mod policy;
pub(crate) mod stale;

pub(crate) use attempt::{Answered, ConnectionOrigin, FailedAttempt, Loss, Replay, Sent};
pub use event::{Reason, Retry};
pub(crate) use ledger::{Ledger, Payment};
pub use policy::Policy;
