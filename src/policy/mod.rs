//! Decisions: pure functions and values that the [`Call`](crate::call::Call) asks.

pub(crate) mod budget;
pub(crate) mod credentials;
pub(crate) mod redirect;
pub(crate) mod retry;
pub(crate) mod route;
