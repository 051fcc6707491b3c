//! The choice of the proxy for a URL: the [`rules`] of the caller and of the [`environment`], the
//! hosts that use [no proxy](no_proxy), and the resulting proxy [`server`]. Read
//! `server` first, then `rules`.

pub(crate) mod environment;
pub(crate) mod no_proxy;
pub(crate) mod rules;
pub(crate) mod server;
