//! Time limits. [`budget`] answers one question: how long may this wait last, and which limit ends it?
//! [`throughput`] measures whether a body keeps up with the least throughput that the caller asks for.
//!
//! Neither reads a clock: `now` is an argument.

pub(crate) mod budget;
pub(crate) mod throughput;
