//! The limits of the connection pool.

use std::time::Duration;

/// The limits on open and idle connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PoolLimits {
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) max_idle_per_host: usize,
    pub(crate) max_idle: usize,
    pub(crate) max_open_per_host: Option<usize>,
    pub(crate) max_age: Option<Duration>,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            // As in Go and reqwest; most servers close earlier, and the liveness check notices.
            idle_timeout: Some(Duration::from_secs(90)),
            // One for each thread that a busy program is likely to have.
            max_idle_per_host: 32,
            // Go's default is 100; each connection uses a file descriptor and some kilobytes.
            max_idle: 128,
            // A limit makes requests wait, so the caller has to set it.
            max_open_per_host: None,
            max_age: None,
        }
    }
}
