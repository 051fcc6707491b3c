//! DNS lookup by the operating system or by a resolver of your own.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// A resolver of host names, for
/// [`ClientBuilder::dns_resolver`](crate::client::ClientBuilder::dns_resolver).
///
/// It is called on the client's own threads; in the async client on tokio's blocking threads
/// (`spawn_blocking`). The client waits no longer than the connect timeout; a later result is
/// dropped. Nothing is cached: a resolver may do so itself. Calls that wait for the same name at
/// the same time share one lookup.
///
/// A client runs up to 64 lookups at a time, including abandoned ones, which cannot be interrupted.
/// A site may start another lookup while it has less than a quarter as many running as slots are
/// free: up to 13 if no other site has any. So names with unresponsive servers do not block other
/// lookups. A site is the registrable
/// domain with the feature `public-suffix`, and the last two labels without it. A queued lookup
/// needs no thread, and its timeout error says what it waited for.
///
/// The method is blocking, unlike that of reqwest. In the async client, an async resolver can be
/// run with `tokio::runtime::Handle::current().block_on(lookup)`, which blocks none of the
/// runtime's tasks.
///
/// Closures implement this trait.
///
/// ```
/// use std::sync::Arc;
///
/// let office = |name: &str| match name {
///     "printer.test" => Ok(vec!["192.0.2.7:0".parse().unwrap()]),
///     _ => leanhttp::dns::SystemResolver.resolve(name),
/// };
/// # use leanhttp::dns::Resolve;
/// let client = leanhttp::Client::builder().dns_resolver(Arc::new(office)).build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub trait Resolve: Send + Sync {
    /// Returns the addresses of a name in order of preference. Port 0 stands for the port of the
    /// URL.
    ///
    /// The name is lower-case ASCII, and never an IP address.
    ///
    /// # Errors
    ///
    /// Any failure of the lookup. If the list is empty, the client returns an error of its own.
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
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok((name, 0).to_socket_addrs()?.collect())
    }
}

pub(crate) use self::shared::Resolver;

/// Public for the compiler alone: the traits between the driver and the runtimes mention the type.
mod shared {
    use std::fmt;
    use std::sync::Arc;

    use super::{Resolve, SystemResolver};

    /// A resolver with a `Debug` implementation.
    #[derive(Clone)]
    pub struct Resolver(pub(crate) Arc<dyn Resolve>);

    impl Default for Resolver {
        fn default() -> Self {
            Self(Arc::new(SystemResolver))
        }
    }

    impl fmt::Debug for Resolver {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Resolver")
        }
    }
}
