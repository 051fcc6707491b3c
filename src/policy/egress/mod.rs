//! Restrictions on the addresses that the client connects to. [`policy`] is the caller's policy,
//! which checks schemes, hosts and every address before it is dialed; [`network`] has the networks
//! (CIDR) in its rules.

pub(crate) mod network;
pub(crate) mod policy;
