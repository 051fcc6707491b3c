//! Name resolvers: the trait [`Resolve`], the one of the operating system, and those that are made of a
//! function. `os/lookups.rs` runs them: it decides how many names are looked up at the same time.

use std::fmt;
use std::future::ready;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use super::host;
use crate::base::text::Excerpt;
use crate::error::{Cause, Error};

/// A resolver of host names, for
/// [`ClientBuilder::dns_resolver`](crate::client::ClientBuilder::dns_resolver).
///
/// The client calls [`resolve`](Self::resolve) on a thread that may block: the blocking client on one of
/// its own, the async client on one of tokio's blocking threads (`spawn_blocking`). So a resolver that
/// blocks does its work there, and returns a future that is ready; [`from_fn`] makes one of a function.
/// One that is asynchronous returns at once, and its future is awaited: in the async client by a task of
/// the runtime, in the blocking client on the same thread, where no runtime is. A future that needs one,
/// as those of tokio do, is an error there unless it enters a runtime of its own.
///
/// The client waits no longer than the connect timeout; a later result is dropped. Nothing is cached: a
/// resolver may do so itself. Calls that wait for the same name at the same time share one lookup. A panic
/// is an error of the lookup.
///
/// A client runs up to 64 lookups at a time. Abandoned ones count until they end, because a function that
/// blocks cannot be interrupted; an asynchronous one is dropped when it is next polled. A site may start
/// another lookup while it has less than a quarter as many running as slots are free: up to 13 if no
/// other site has any. So names with unresponsive servers do not block other lookups. A site is the
/// registrable domain with the feature `public-suffix`, and the last two labels without it. A queued
/// lookup needs no thread, and its timeout error says what it waited for.
///
/// ```
/// use std::net::SocketAddr;
///
/// use leanhttp::dns::{Addrs, Name, Resolve, Resolving};
///
/// /// Knows one name.
/// struct Office;
///
/// impl Resolve for Office {
///     fn resolve(&self, name: Name) -> Resolving {
///         Box::pin(async move {
///             // An asynchronous resolver awaits its answer here.
///             match name.as_str() {
///                 "printer.test" => {
///                     let found: [SocketAddr; 1] = [([192, 0, 2, 7], 0).into()];
///                     Ok(Box::new(found.into_iter()) as Addrs)
///                 }
///                 other => Err(format!("{other} is not in this office").into()),
///             }
///         })
///     }
/// }
///
/// let client = leanhttp::Client::builder().dns_resolver(Office).build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub trait Resolve: Send + Sync {
    /// Returns the addresses of a name in order of preference. Port 0 stands for the port of the
    /// URL. The client takes the first 1024 addresses.
    ///
    /// If there is no address, the client returns an error of its own.
    fn resolve(&self, name: Name) -> Resolving;
}

/// The most addresses that are taken of a lookup: more are not tried within any timeout.
pub(crate) const MAX_ADDRESSES: usize = 1024;

/// The addresses of a name, as a [`Resolve`] returns them.
pub type Addrs = Box<dyn Iterator<Item = SocketAddr> + Send>;

/// The future of a lookup, as a [`Resolve`] returns it.
pub type Resolving = Pin<Box<dyn Future<Output = Result<Addrs, Cause>> + Send>>;

/// A host name to look up: lower-case ASCII, and never an IP address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name(Box<str>);

impl Name {
    pub(crate) fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Takes a host as in a URL, for tests of a [`Resolve`]. Any other text is an error.
impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let name = host(text).ok_or_else(|| {
            Error::builder(format!("{} is not a host name", Excerpt::new(text.as_bytes())))
        })?;
        Ok(Self(name.into()))
    }
}

/// A value that can be a resolver: a [`Resolve`], or one in an [`Arc`], which clients may share.
///
/// Implemented for these only.
pub trait IntoResolve {
    /// Returns the resolver.
    fn into_resolve(self) -> Arc<dyn Resolve>;
}

impl<R: Resolve + 'static> IntoResolve for R {
    fn into_resolve(self) -> Arc<dyn Resolve> {
        Arc::new(self)
    }
}

impl<R: Resolve + 'static> IntoResolve for Arc<R> {
    fn into_resolve(self) -> Arc<dyn Resolve> {
        self
    }
}

impl IntoResolve for Arc<dyn Resolve> {
    fn into_resolve(self) -> Arc<dyn Resolve> {
        self
    }
}

/// The resolver of the operating system (`getaddrinfo`), which is the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl SystemResolver {
    /// Returns the addresses of a name, with port 0. Blocks until the system answers.
    ///
    /// # Errors
    ///
    /// If the system finds no address.
    pub fn look_up(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok((name, 0).to_socket_addrs()?.collect())
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        answered(self.look_up(name.as_str()))
    }
}

/// Returns a resolver that calls this function, which may block. In the async client it runs on one of
/// tokio's blocking threads.
///
/// ```
/// use leanhttp::dns::{SystemResolver, from_fn};
///
/// let office = from_fn(|name| match name {
///     "printer.test" => Ok(vec!["192.0.2.7:0".parse().unwrap()]),
///     _ => SystemResolver.look_up(name),
/// });
/// let client = leanhttp::Client::builder().dns_resolver(office).build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub fn from_fn<F>(look_up: F) -> FromFn<F>
where
    F: Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync,
{
    FromFn(look_up)
}

/// A resolver made of a function, by [`from_fn`].
#[derive(Clone)]
pub struct FromFn<F>(F);

impl<F> Resolve for FromFn<F>
where
    F: Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync,
{
    fn resolve(&self, name: Name) -> Resolving {
        answered((self.0)(name.as_str()))
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromFn")
    }
}

/// Returns the future of a lookup that has ended.
fn answered(found: io::Result<Vec<SocketAddr>>) -> Resolving {
    let found = found.map(|addresses| Box::new(addresses.into_iter()) as Addrs);
    Box::pin(ready(found.map_err(Into::into)))
}

/// A resolver with a `Debug` implementation.
#[derive(Clone)]
pub struct Resolver(pub(crate) Arc<dyn Resolve>);

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

#[cfg(test)]
mod tests;
