//! A connection in use, which returns to the pool when it is dropped.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use super::checkout::{Grant, Shared};
use super::connection::{Connection, Patience, close};
use super::runtime::{Runtime, ready};
use crate::base::erased_box::ErasedBox;
use crate::body::Body;
use crate::error::Result;
use crate::policy::deadline::budget::{Budget, Stage};

/// The limit for draining a redirect's body. A new connection takes one round trip, with TLS two or
/// three.
const SKIP_PATIENCE: Duration = Duration::from_millis(100);

/// A connection whose response is being read. When the lease ends, the connection is pooled if it
/// is clean or can be drained without waiting; otherwise it is closed.
#[derive(Debug)]
pub(crate) struct Lease<F: Runtime> {
    /// `None` after the end of the lease.
    connection: Option<ErasedBox<Connection<F>>>,
    shared: Arc<Shared<F>>,
    budget: Budget,
    /// Ends the lease. A function pointer keeps this large code out of the caller's crate, where it
    /// would be repeated for each place that drops a response.
    release: fn(&mut Self),
}

impl<F: Runtime> Lease<F> {
    pub(crate) fn new(
        connection: ErasedBox<Connection<F>>,
        shared: &Arc<Shared<F>>,
        budget: Budget,
    ) -> Self {
        // Only what has already arrived is drained.
        let release = |lease: &mut Self| ready(lease.end(Patience::None)).unwrap_or_default();
        Self { connection: Some(connection), shared: Arc::clone(shared), budget, release }
    }

    /// Returns the number of body bytes still to be read, if it is known.
    pub(crate) fn body_left(&self) -> Option<u64> {
        self.connection.as_ref().map_or(Some(0), |connection| connection.body_left())
    }

    /// Returns the maximum that `bytes`, `text` and `json` read into memory.
    pub(crate) fn body_limit(&self) -> u64 {
        self.shared.config.limits.max_body_bytes
    }

    /// Reads the next bytes of the body; 0 means the end.
    pub(crate) async fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        match &mut self.connection {
            Some(connection) => {
                self.budget.enter(Stage::Body, || self.shared.runtime.now());
                connection.read_body(into, &mut self.budget).await
            }
            None => Ok(0),
        }
    }

    /// Reads like [`read`](Self::read), while the rest of the request is sent.
    pub(crate) async fn read_while_sending(
        &mut self,
        into: &mut [u8],
        request: &mut Body<F::Source>,
    ) -> Result<usize> {
        match &mut self.connection {
            Some(connection) => {
                self.budget.enter(Stage::Body, || self.shared.runtime.now());
                connection.read_while_sending(into, request, &mut self.budget).await
            }
            None => Ok(0),
        }
    }

    /// Returns whether more of the request is to be sent.
    pub(crate) fn is_sending(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.is_sending())
    }

    /// Drains the body to keep the connection: most servers send a short body right after the head,
    /// which is worth a short wait.
    pub(crate) async fn skip_body(mut self) {
        self.budget = self.budget.shortened(SKIP_PATIENCE, self.shared.runtime.now());
        self.end(Patience::Budget).await;
    }

    /// Ends the lease without returning the connection to the pool.
    pub(crate) fn into_connection(mut self) -> Option<(ErasedBox<Connection<F>>, Budget)> {
        Some((self.connection.take()?, self.budget.clone()))
    }

    /// Returns the trailers, once the body was read to its end.
    pub(crate) fn trailers(&mut self) -> Option<Option<HeaderMap>> {
        let Some(connection) = &mut self.connection else { return Some(None) };
        let connection = &mut **connection;
        (connection.body_left() == Some(0)).then(|| connection.take_trailers())
    }
}

impl<F: Runtime> Drop for Lease<F> {
    fn drop(&mut self) {
        (self.release)(self);
    }
}

impl<F: Runtime> Lease<F> {
    async fn end(&mut self, patience: Patience) {
        let Some(mut connection) = self.connection.take() else { return };
        let limit = self.shared.config.limits.max_drain_bytes;
        let held = &mut *connection;
        if let Err(reason) = held.drain(limit, patience, &mut self.budget).await {
            return connection.close(reason);
        }
        held.let_go();
        let now = self.shared.runtime.now();
        let mut idle = self.shared.idle();
        held.rest(&mut idle.shelf);
        if let Err(reason) = idle.pool.may_keep(&connection, now) {
            drop(idle);
            return connection.close(reason);
        }
        let of = connection.limited_route(idle.process);
        match of.and_then(|of| idle.permits.next(of)) {
            Some(next) => {
                drop(idle);
                next.grant(Grant::Connection(connection));
            }
            None => {
                let evicted = idle.pool.put(connection, now);
                drop(idle);
                close(evicted); // outside the lock of the pool
            }
        }
    }
}
