//! Decisions: pure functions and values that the [`Call`](crate::call::Call) asks.

pub(crate) mod auth;
pub(crate) mod deadline;
pub(crate) mod egress;
pub(crate) mod proxy;

pub(crate) mod clock;
pub(crate) mod early_closers;
pub(crate) mod happy_eyeballs;
pub(crate) mod redirect;
pub(crate) mod retry;
pub(crate) mod route;
