//! Restrictions on where connections may lead: the [`policy`] of the caller, asked about schemes, hosts
//! and every address before it is dialed, and the [`network`]s (CIDR) that its rules name.

pub(crate) mod network;
pub(crate) mod policy;
