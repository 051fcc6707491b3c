//! Decisions: pure functions and values. Each takes what is known (a URL, a status, an address, the time)
//! and returns what to do. None waits, looks anything up, or holds a lock.
//!
//! | file | the question |
//! | --- | --- |
//! | [`route`] | how is this origin reached? A route is also the key of the pool |
//! | [`proxy`] | through which proxy? |
//! | [`redirect`] | is this response a redirect, where to, and is it followed? |
//! | [`retry`] | is this request sent again, and when? |
//! | [`deadline`] | how long may this wait last? |
//! | [`auth`] | which credentials go with it? |
//! | [`egress`] | may a connection lead there? |
//! | [`happy_eyeballs`] | which address is tried next, and when? |
//! | [`early_closers`] | does this peer close connections without saying so? |
//!
//! [`clock`] is the time as these see it: a trait, so that tests choose it.

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
