//! Decisions: pure functions and values that the [`Call`](crate::call::Call) asks.

pub(crate) mod budget;
pub(crate) mod credentials;
#[cfg(feature = "digest")]
pub(crate) mod digest;
pub(crate) mod early_closers;
pub(crate) mod egress;
pub(crate) mod eyeballs;
pub(crate) mod hop;
pub(crate) mod netrc;
pub(crate) mod network;
pub(crate) mod no_proxy;
pub(crate) mod pace;
pub(crate) mod proxies;
pub(crate) mod proxy_env;
pub(crate) mod redirect;
pub(crate) mod retry;
pub(crate) mod route;
pub(crate) mod world;
