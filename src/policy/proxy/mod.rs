//! TODO policy/proxy

pub(crate) mod environment;
pub(crate) mod no_proxy;
pub(crate) mod rules;
pub(crate) mod server;
