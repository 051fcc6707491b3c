//! One's turn to have a connection: one that idles, a place for a new one, or a wait for either.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::Blocking;
use super::dial;
use super::drive::Connection;
use crate::call::Call;
use crate::client::Shared;
use crate::error::{Error, Kind, Phase, Result};
use crate::policy::budget::{Expired, Operation};
use crate::policy::route::Route;
use crate::slots::{Left, Place, Ticket};
use crate::wire::session::Memory;

/// The place of a connection among those that there may be; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    shared: Weak<Shared<Blocking>>,
    route: Route,
}

/// What somebody has waited for.
#[derive(Debug)]
pub(crate) enum Grant {
    /// A connection that another has just finished with.
    Connection(Box<Connection>),
    Slot(Slot),
}

/// How a waiting thread is told.
#[derive(Debug)]
pub struct Waiter(SyncSender<Grant>);

impl Waiter {
    /// If nobody takes the grant any more it is dropped, and what it held goes to the next.
    pub(super) fn grant(self, grant: Grant) {
        let _ = self.0.send(grant);
    }
}

enum Turn {
    Idle(Box<Connection>, Memory),
    Slot(Slot),
    Later(Ticket, Receiver<Grant>),
}

/// A connection to the call's current URL: the one that idled least and still lives, or a new one.
pub(super) fn connection(
    shared: &Arc<Shared<Blocking>>,
    call: &mut Call<'_, Blocking>,
) -> Result<Box<Connection>> {
    loop {
        let (mut connection, memory) = match turn(shared, call) {
            Turn::Idle(connection, memory) => (connection, memory),
            Turn::Slot(slot) => return dial::dial(call, slot),
            Turn::Later(ticket, grants) => match wait(shared, call, ticket, &grants)? {
                Grant::Connection(connection) => (connection, shared.idle().shelf.take()),
                Grant::Slot(slot) => return dial::dial(call, slot),
            },
        };
        connection.wake(memory);
        if connection.is_alive(&call.budget) {
            return Ok(connection);
        }
    }
}

fn turn(shared: &Arc<Shared<Blocking>>, call: &Call<'_, Blocking>) -> Turn {
    let now = Instant::now();
    let mut stale = Vec::new();
    let mut idle = shared.idle();
    let expired = idle.pool.expire(now);
    let turn = loop {
        match idle.pool.take(call.url(), call.proxy()) {
            // One was stale, so the others may be.
            Some(connection) if call.is_resent() => stale.push(connection),
            Some(connection) => break Turn::Idle(connection, idle.shelf.take()),
            None => break idle.place(shared, call.route()),
        }
    };
    drop(idle);
    drop((expired, stale)); // closed only here, where the pool is no longer locked
    turn
}

impl crate::client::Idle<Blocking> {
    /// A place for a new connection, or one in the queue.
    fn place(&mut self, shared: &Arc<Shared<Blocking>>, route: Route) -> Turn {
        match self.slots.hold(&route) {
            Place::Held => Turn::Slot(Slot { shared: Arc::downgrade(shared), route }),
            Place::Full => {
                let (waiter, grants) = mpsc::sync_channel(1);
                Turn::Later(self.slots.wait(route, Waiter(waiter)), grants)
            }
        }
    }
}

/// Waits for one's turn, as long as making a connection may take.
fn wait(
    shared: &Shared<Blocking>,
    call: &mut Call<'_, Blocking>,
    ticket: Ticket,
    grants: &Receiver<Grant>,
) -> Result<Grant> {
    call.budget.start_connecting(Instant::now());
    let expired = match call.budget.wait(Operation::Connect, Instant::now) {
        Err(expired) => expired,
        Ok(wait) => match receive(grants, wait.at_most) {
            Some(grant) => return Ok(grant),
            None => wait.expired,
        },
    };
    let left = shared.idle().slots.leave(ticket);
    match (left, grants.try_recv()) {
        (_, Ok(grant)) => Ok(grant),
        // It is on its way: whoever sends it has left the lock already.
        (Left::TooLate, Err(_)) => grants.recv().map_err(|_| queue_error(call, expired)),
        (Left::InTime, Err(_)) => Err(queue_error(call, expired)),
    }
}

fn receive(grants: &Receiver<Grant>, at_most: Option<Duration>) -> Option<Grant> {
    match at_most {
        None => grants.recv().ok(),
        Some(limit) => grants.recv_timeout(limit).ok(),
    }
}

fn queue_error(call: &Call<'_, Blocking>, expired: Expired) -> Error {
    Error::new(Kind::Timeout, Phase::Queue).peer(call.route().authority()).cause(expired)
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let next = shared.idle().slots.free(&self.route);
        if let Some(next) = next {
            let slot = Self { shared: Weak::clone(&self.shared), route: self.route.clone() };
            next.grant(Grant::Slot(slot));
        }
    }
}
