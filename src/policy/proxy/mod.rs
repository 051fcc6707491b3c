//! Which proxy a URL is requested through: the [`rules`] of the caller and of the [`environment`], the hosts
//! that need [no proxy](no_proxy), and the proxy [`server`] that comes out.

pub(crate) mod environment;
pub(crate) mod no_proxy;
pub(crate) mod rules;
pub(crate) mod server;
