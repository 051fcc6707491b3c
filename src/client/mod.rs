//! The client that both fronts share: settings and the pool, behind one pointer.

mod builder;
pub mod request;
pub mod response;
mod send;
mod upgraded;

use std::fmt;
use std::sync::Arc;

use http::Method;

use crate::base::erased_box::Apart;
use crate::client::request::{IntoUrl, RequestBuilder};
use crate::config::Config;
use crate::driver::Shared;
use crate::driver::runtime::Front;

pub use upgraded::Upgraded;

pub use builder::ClientBuilder;

/// Sends requests, and keeps connections and settings for the next ones.
///
/// A clone is the same client: it shares the pool, the cookies and the settings. Make one and keep
/// it; a client that is made for one request can reuse nothing. It may be used from many threads
/// at once.
///
/// ```
/// let client = leanhttp::Client::new();
/// let request = client.get("http://example.org/").query(&[("q", "lean")]).build()?;
/// assert_eq!(request.url().as_str(), "http://example.org/?q=lean");
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub struct Client<F: Front> {
    shared: Arc<Shared<F>>,
}

impl<F: Front> Client<F> {
    /// A client with the default settings.
    pub fn new() -> Self {
        Self::in_world(Config::apart(), F::System::default())
    }

    /// Begins the settings of a client.
    pub fn builder() -> ClientBuilder<F> {
        ClientBuilder::new()
    }

    /// A client whose driver acts in that world.
    pub(crate) fn in_world(mut config: Apart<Config>, system: F::System) -> Self {
        config.complete();
        Arc::make_mut(&mut config.timeouts).default_silence(F::FIRST_BYTE);
        Self { shared: Arc::new(Shared::new(config, system)) }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<F>> {
        &self.shared
    }

    /// What the pool holds at this moment.
    ///
    /// ```
    /// assert_eq!(leanhttp::Client::new().pool_stats().idle, 0);
    /// ```
    pub fn pool_stats(&self) -> PoolStats {
        let idle = self.shared.idle();
        PoolStats {
            idle: idle.pool.len(),
            open: idle.permits.open(),
            waiting: idle.permits.waiting(),
        }
    }

    /// Closes all connections that idle; those in use go on.
    pub fn close_idle_connections(&self) {
        let idle = self.shared.idle().pool.clear();
        drop(idle); // closed only here, where the pool is no longer locked
    }

    /// A GET request.
    pub fn get<U: IntoUrl>(&self, url: U) -> RequestBuilder<F> {
        self.request(Method::GET, url)
    }

    /// A POST request.
    pub fn post<U: IntoUrl>(&self, url: U) -> RequestBuilder<F> {
        self.request(Method::POST, url)
    }

    /// A PUT request.
    pub fn put<U: IntoUrl>(&self, url: U) -> RequestBuilder<F> {
        self.request(Method::PUT, url)
    }

    /// A PATCH request.
    pub fn patch<U: IntoUrl>(&self, url: U) -> RequestBuilder<F> {
        self.request(Method::PATCH, url)
    }

    /// A DELETE request.
    pub fn delete<U: IntoUrl>(&self, url: U) -> RequestBuilder<F> {
        self.request(Method::DELETE, url)
    }

    /// A HEAD request.
    pub fn head<U: IntoUrl>(&self, url: U) -> RequestBuilder<F> {
        self.request(Method::HEAD, url)
    }

    /// A request of any method but CONNECT.
    ///
    /// A URL that cannot be used is told when the request is built or sent.
    pub fn request<U: IntoUrl>(&self, method: Method, url: U) -> RequestBuilder<F> {
        RequestBuilder::new(self.clone(), method, url)
    }
}

/// What the pool of a client holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Connections that wait for their next request.
    pub idle: usize,
    /// All connections, idle, in use and about to be made.
    pub open: usize,
    /// Requests that wait for a connection, where there may be only so many: see
    /// [`pool_max_open_per_host`](ClientBuilder::pool_max_open_per_host).
    pub waiting: usize,
}

impl<F: Front> Clone for Client<F> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<F: Front> Default for Client<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Front> fmt::Debug for Client<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}
