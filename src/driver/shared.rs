//! The state that all calls of a client share: its settings, its runtime, its connections.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::connection::Connection;
use super::permit::Waiter;
use super::runtime::Runtime;
use super::system::System as _;
use crate::base::buffer::BufferPool;
use crate::call::SharedState;
use crate::config::Config;
use crate::pool::Pool;
use crate::pool::permits::Permits;

/// The state behind all clones of a client.
pub(crate) struct Shared<F: Runtime> {
    pub(crate) config: Box<Config>,
    pub(crate) system: F::System,
    pub(crate) calls: SharedState,
    idle: Mutex<Connections<F>>,
}

/// All that the lock of the pool protects: idle connections, free buffers, permits and their queues.
pub(crate) struct Connections<F: Runtime> {
    pub(crate) pool: Pool<Box<Connection<F>>>,
    pub(crate) shelf: BufferPool,
    pub(crate) permits: Permits<Waiter<F>>,
    /// The process that owns all of these.
    pub(crate) process: u32,
}

impl<F: Runtime> Shared<F> {
    pub(crate) fn new(config: Box<Config>, system: F::System) -> Self {
        let permits = Permits::new(config.pool.max_open_per_host);
        let process = system.process();
        let idle = Connections {
            pool: Pool::new(config.pool),
            shelf: BufferPool::default(),
            permits,
            process,
        };
        Self { config, system, calls: SharedState::default(), idle: Mutex::new(idle) }
    }

    /// Locks the pool for a decision. The lock is never held over foreign code, so a panic
    /// elsewhere cannot leave the pool inconsistent.
    pub(crate) fn idle(&self) -> MutexGuard<'_, Connections<F>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Runtime> fmt::Debug for Shared<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Outside the lock of the pool, because the formatter may use the client.
        let idle_connections = self.idle().pool.len();
        f.debug_struct("Client")
            .field("timeouts", &self.config.timeouts)
            .field("redirect", &self.config.redirect)
            .field("idle_connections", &idle_connections)
            .finish_non_exhaustive()
    }
}
