//! The client of all runtimes: settings and the connection pool, behind one pointer. Requests are
//! in [`request`], responses in [`response`].

mod builder;
pub mod request;
pub mod response;
mod send;
mod unwind;
mod upgraded;

use std::fmt;
use std::sync::Arc;

use http::Method;

use crate::client::request::{IntoUrl, RequestBuilder};
use crate::config::Config;
use crate::driver::Shared;
use crate::driver::runtime::Runtime;

pub use upgraded::Upgraded;

pub use crate::driver::ResponseBody;

pub use builder::ClientBuilder;

/// Sends requests, and keeps connections and settings for the next ones.
///
/// A clone is the same client: it shares the pool, the cookies and the settings. Create one and
/// keep it; a client that is created for one request cannot reuse anything. It may be used from
/// many threads at the same time.
///
/// ```
/// let client = leanhttp::Client::new();
/// let request = client.get("http://example.org/").query(&[("q", "lean")]).build()?;
/// assert_eq!(request.url().as_str(), "http://example.org/?q=lean");
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub struct Client<F: Runtime> {
    shared: Arc<Shared<F>>,
}

impl<F: Runtime> Client<F> {
    /// Creates a client with the default settings.
    pub fn new() -> Self {
        Self::in_world(Box::default(), F::default())
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> ClientBuilder<F> {
        ClientBuilder::new()
    }

    /// Creates a client on the given runtime.
    pub(crate) fn in_world(mut config: Box<Config>, runtime: F) -> Self {
        config.complete();
        Arc::make_mut(&mut config.timeouts).default_silence(F::FIRST_BYTE);
        Self { shared: Arc::new(Shared::new(config, runtime)) }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<F>> {
        &self.shared
    }

    /// Returns the current numbers of connections and waiting requests.
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

    /// Closes all idle connections; those in use stay open.
    pub fn close_idle_connections(&self) {
        let idle = self.shared.idle().pool.clear();
        drop(idle); // closes them outside the lock of the pool
    }

    /// Begins a GET request.
    pub fn get<U: IntoUrl>(&self, url: U) -> RequestBuilder<F> {
        self.request(Method::GET, url)
    }

    /// Begins a POST request.
    pub fn post<U: IntoUrl>(&self, url: U) -> RequestBuilder<F> {
        self.request(Method::POST, url)
    }

    /// Begins a PUT request.
    pub fn put<U: IntoUrl>(&self, url: U) -> RequestBuilder<F> {
        self.request(Method::PUT, url)
    }

    /// Begins a PATCH request.
    pub fn patch<U: IntoUrl>(&self, url: U) -> RequestBuilder<F> {
        self.request(Method::PATCH, url)
    }

    /// Begins a DELETE request.
    pub fn delete<U: IntoUrl>(&self, url: U) -> RequestBuilder<F> {
        self.request(Method::DELETE, url)
    }

    /// Begins a HEAD request.
    pub fn head<U: IntoUrl>(&self, url: U) -> RequestBuilder<F> {
        self.request(Method::HEAD, url)
    }

    /// Begins a request with any method except CONNECT.
    ///
    /// An invalid URL is reported when the request is built or sent.
    ///
    /// ```
    /// use leanhttp::Method;
    ///
    /// let client = leanhttp::Client::new();
    /// let request = client.request(Method::OPTIONS, "http://example.org/").build()?;
    /// assert_eq!(request.method(), Method::OPTIONS);
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn request<U: IntoUrl>(&self, method: Method, url: U) -> RequestBuilder<F> {
        RequestBuilder::new(self.clone(), method, url)
    }
}

/// The numbers of connections and waiting requests of a client's pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// The number of idle connections.
    pub idle: usize,
    /// The number of all connections: idle, in use and being opened.
    pub open: usize,
    /// The number of requests that wait for a connection under the limit of
    /// [`pool_max_open_per_host`](ClientBuilder::pool_max_open_per_host).
    pub waiting: usize,
}

impl<F: Runtime> Clone for Client<F> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<F: Runtime> Default for Client<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Runtime> fmt::Debug for Client<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}
