//! TODO policy/egress

pub(crate) mod network;
pub(crate) mod policy;
