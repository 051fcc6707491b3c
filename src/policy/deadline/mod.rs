//! TODO policy/deadline

pub(crate) mod budget;
pub(crate) mod throughput;
