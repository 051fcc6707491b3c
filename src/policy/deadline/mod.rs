//! Time limits. Read [`budget`] first: it decides how long a wait may last, and which limit ends
//! it. [`throughput`] measures whether a body reaches the minimum throughput that the caller set.
//!
//! Neither reads a clock: `now` is an argument.

pub(crate) mod budget;
pub(crate) mod throughput;
