//! The permit to open a connection to a route, and how it passes to the next waiter.

use std::fmt;
use std::sync::{Arc, Weak};

use super::connection::Connection;
use super::runtime::Runtime;
use super::shared::Shared;
use super::system::{Oneshot, System};
use crate::base::erased_box::ErasedBox;
use crate::pool::permits::RouteId;

/// The right to have one more connection open to a route. Dropping it passes it to the next waiter.
pub(crate) struct Permit<F: Runtime> {
    shared: Weak<Shared<F>>,
    /// The route, if the number of its connections is limited.
    of: Option<RouteId>,
    /// The process whose pool counts it.
    process: u32,
}

/// A grant from the queue.
pub(crate) enum Grant<F: Runtime> {
    /// A connection that another call has just released.
    Connection(ErasedBox<Connection<F>>),
    Permit(Permit<F>),
}

pub(super) type Grants<F> = Oneshot<Grant<F>, <<F as Runtime>::System as System>::Event>;

/// The pool's end of a place in the queue.
pub(crate) struct Waiter<F: Runtime>(pub(super) Arc<Grants<F>>);

impl<F: Runtime> Waiter<F> {
    /// Hands the grant over. If the call is gone, the grant is dropped and passes to the next
    /// waiter.
    pub(super) fn grant(self, grant: Grant<F>) {
        self.0.put(grant);
    }
}

impl<F: Runtime> Permit<F> {
    /// Creates a permit that the pool has counted.
    pub(super) fn new(shared: &Arc<Shared<F>>, of: Option<RouteId>, process: u32) -> Self {
        Self { shared: Arc::downgrade(shared), of, process }
    }

    /// Returns the route under whose limit it is, for the pool of that process.
    pub(super) fn limited_route(&self, process: u32) -> Option<RouteId> {
        self.of.filter(|_| self.process == process)
    }

    pub(super) fn process(&self) -> u32 {
        self.process
    }
}

impl<F: Runtime> Drop for Permit<F> {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let next = {
            let mut idle = shared.idle();
            if idle.process != self.process {
                return; // counted by the parent process
            }
            idle.permits.free(self.of)
        };
        if let Some(next) = next {
            let (shared, process) = (Weak::clone(&self.shared), self.process);
            let permit = Self { shared, of: self.of, process };
            next.grant(Grant::Permit(permit));
        }
    }
}

impl<F: Runtime> fmt::Debug for Permit<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.of).finish()
    }
}
