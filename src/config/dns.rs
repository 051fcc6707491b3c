//! Looking up host names, by the system or by a resolver of your own.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

/// Looks up host names, for [`ClientBuilder::dns_resolver`](crate::client::ClientBuilder::dns_resolver).
///
/// It is called on threads of the client's own; on the async front on those of tokio for what blocks
/// (`spawn_blocking`). The client waits no longer than the connect timeout lasts; an answer that comes
/// later is dropped. Nothing is cached: a resolver that wants to may do so. Calls that wait for the same
/// name at the same time share one lookup.
///
/// A client has up to 64 lookups at a time, also counting those that nobody waits for any more, which
/// cannot be interrupted. The names of one site get a part of them: as long as less than a quarter of what
/// is free, 13 if no other site has any. So names whose servers are silent do not keep others from being
/// looked up. A site is the registrable domain with the feature `public-suffix`, and the last two labels
/// without. What has to wait for its turn needs no thread, and its timeout says what was in its way.
///
/// It answers at once, unlike that of reqwest. On the async front a resolver that has to be awaited is
/// run to its end where it is called, `tokio::runtime::Handle::current().block_on(lookup)`, which holds
/// up none of the runtime's tasks.
///
/// Closures are resolvers.
///
/// ```
/// use std::sync::Arc;
///
/// let office = |name: &str| match name {
///     "printer.test" => Ok(vec!["192.0.2.7:0".parse().unwrap()]),
///     _ => leanhttp::dns::System.resolve(name),
/// };
/// # use leanhttp::dns::Resolve;
/// let client = leanhttp::Client::builder().dns_resolver(Arc::new(office)).build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub trait Resolve: Send + Sync {
    /// The addresses of a name, the best first. Port 0 stands for the port of the URL.
    ///
    /// The name is in lower case and in its ASCII form, and never an IP address.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; no address at all is an error too, made by the client.
    fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

impl<F> Resolve for F
where
    F: Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync,
{
    fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        self(name)
    }
}

/// The resolver of the operating system (`getaddrinfo`), which is the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Resolve for System {
    fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok((name, 0).to_socket_addrs()?.collect())
    }
}

/// A resolver behind a pointer.
#[derive(Clone)]
pub struct Resolver(pub(crate) Arc<dyn Resolve>);

impl Default for Resolver {
    fn default() -> Self {
        Self(Arc::new(System))
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}
