//! The connection pool of a client.

use std::time::Duration;

use super::ClientBuilder;
use crate::driver::runtime::Runtime;

impl<F: Runtime> ClientBuilder<F> {
    /// Sets the time for which a connection may be idle and still be reused; 90 seconds by default.
    ///
    /// No thread closes it when that time is over: the client's next call does, to any host, or
    /// [`close_idle_connections`](crate::client::Client::close_idle_connections).
    pub fn pool_idle_timeout<D: Into<Option<Duration>>>(mut self, timeout: D) -> Self {
        self.config.pool.idle_timeout = timeout.into();
        self
    }

    /// Sets the maximum number of idle connections to one host; 32 by default, 0 keeps none.
    pub fn pool_max_idle_per_host(mut self, max: usize) -> Self {
        self.config.pool.max_idle_per_host = max;
        self
    }

    /// Sets the maximum number of idle connections in total; 128 by default, 0 keeps none.
    pub fn pool_max_idle(mut self, max: usize) -> Self {
        self.config.pool.max_idle = max;
        self
    }

    /// Sets the maximum number of connections to one host, idle and in use; no limit by default.
    /// Further requests wait in order of arrival, for up to the
    /// [`pool_wait_timeout`](Self::pool_wait_timeout). At least one is always allowed.
    pub fn pool_max_open_per_host(mut self, max: usize) -> Self {
        self.config.pool.max_open_per_host = Some(max);
        self
    }

    /// Sets the time to wait for a free connection, where
    /// [`pool_max_open_per_host`](Self::pool_max_open_per_host) allows no further one. By default as
    /// long as the [`connect_timeout`](Self::connect_timeout), which starts only afterwards. `None`
    /// waits without limit.
    ///
    /// When it passes, the error is a timeout of the phase [`Queue`](crate::error::Phase::Queue).
    /// reqwest has no such limit.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let client = leanhttp::Client::builder()
    ///     .pool_max_open_per_host(4)
    ///     .pool_wait_timeout(Duration::from_secs(60))
    ///     .build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn pool_wait_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().pool_wait = Some(timeout.into());
        self
    }

    /// Sets the maximum age of a connection; no limit by default. It is closed after the request
    /// that it serves at that time, so that clients reach new servers behind a name.
    pub fn pool_max_age<D: Into<Option<Duration>>>(mut self, age: D) -> Self {
        self.config.pool.max_age = age.into();
        self
    }
}
