//! The state that all calls of a client share: its settings, its runtime, its connections.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::connection::Connection;
use super::permit::Waiter;
use super::runtime::Front;
use super::system::System as _;
use crate::base::buffer::Shelf;
use crate::base::erased_box::Apart;
use crate::config::Config;
use crate::pool::Pool;
use crate::pool::permits::Permits;

/// The state behind all clones of a client.
pub(crate) struct Shared<F: Front> {
    pub(crate) config: Apart<Config>,
    pub(crate) system: F::System,
    idle: Mutex<Idle<F>>,
}

/// The idle connections, and the queues for connections.
pub(crate) struct Idle<F: Front> {
    pub(crate) pool: Pool<Apart<Connection<F>>>,
    pub(crate) shelf: Shelf,
    pub(crate) permits: Permits<Waiter<F>>,
    /// The process that owns all of these.
    pub(crate) process: u32,
}

impl<F: Front> Shared<F> {
    pub(crate) fn new(config: Apart<Config>, system: F::System) -> Self {
        let permits = Permits::new(config.pool.max_open_per_host);
        let process = system.process();
        let idle = Idle { pool: Pool::new(config.pool), shelf: Shelf::default(), permits, process };
        Self { config, system, idle: Mutex::new(idle) }
    }

    /// Locks the pool for a decision. The lock is never held over foreign code, so a panic
    /// elsewhere cannot leave the pool inconsistent.
    pub(crate) fn idle(&self) -> MutexGuard<'_, Idle<F>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Front> fmt::Debug for Shared<F> {
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
