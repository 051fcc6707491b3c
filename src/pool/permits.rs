//! The limit of connections per route, with a first-in, first-out queue.
//!
//! Like the [pool](crate::pool), this code only decides: it returns the waiter to be woken. No
//! operation depends on the number of routes, permits or waiters.
//!
//! ```text
//! hold ──▶ Held: the route has room            wait ──▶ Ticket: a place at the end of its queue
//!      └─▶ Full ──────────────────────────────▶            │
//!                                                          ├── next: a connection became free ──▶ the first waiter
//! free: a connection was closed ──▶ the first waiter,      ├── leave: the call gave up
//!                                   or one permit more     └── replace: a fork, all are forgotten
//! ```
//!
//! A permit is held from before the connect until the connection is closed, so connections that are
//! being opened count, and so do idle ones. An idle connection of the same route is taken before a
//! permit is asked for; one of another route is not closed to make room, since the limit is per
//! route.
//!
//! # What must hold
//!
//! - The limit: never more than `limit` permits of a route are held
//!   (`the_limit_holds_for_each_route`).
//! - Order: the call that has waited longest is served first (`the_queue_is_first_in_first_out`).
//! - A ticket names its place and a number, because a place is used again: a late `leave` must not
//!   remove another call (`a_new_queue_does_not_know_tickets_of_the_old_one`).
//! - No permit is lost or made twice, in any order of calls
//!   (`permits_are_neither_lost_nor_duplicated`).
//! - The cost of each operation is constant (`no_operation_depends_on_the_number_of_waiters`).
//!
//! Without a limit no route is known here: `hold` counts and returns, and nothing is allocated.
//! With a limit a route exists as long as one of its permits is held; its queue can have waiters
//! only then, so removing the last permit removes an empty queue.
//!
//! With a limit of 2 on one route:
//!
//! ```text
//! hold  hold  hold           Held, Held, Full
//! wait(x)  wait(y)           tickets 0 and 1
//! free                       x: the permit of a closed connection passes to it, and `held` stays 2
//! next                       y: a connection became free; no permit is involved
//! free  free                 none waits: `held` is 1, then 0, and the route is forgotten
//! ```
//!
//! The routes are found by a map with std's hasher: a permit is asked for once per new connection,
//! which costs far more than a hash. The pool, which is asked by each request, has a cheaper one. Where calls queue,
//! each of them asks: so the route of the last one is compared first, and then neither hashed nor made.
//!
//! | call of the driver | method |
//! | --- | --- |
//! | a checkout finds nothing idle | `hold`, then `wait` if the route is full |
//! | a call gives up, or its future is dropped | `leave` |
//! | a response was read to its end | `next`, before the connection is pooled |
//! | a connection is closed | `free`, by the `Drop` of its permit |
//! | the first call after a fork | `replace` |

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use super::slab::{Links, List, Place, Slab};
use crate::policy::route::Route;

/// The permits for connections. Each is held from before the dial until the connection is closed.
#[derive(Debug)]
pub(crate) struct Permits<W> {
    /// The maximum for each route, if there is one.
    limit: Option<usize>,
    /// The routes with held permits; used only if there is a limit.
    routes: Slab<RouteQueue>,
    by_route: HashMap<Arc<Route>, Place>,
    /// The place of the route that was asked for last; another route may have it meanwhile.
    last: Option<Place>,
    /// The queues of all routes.
    waiting: Slab<Waiting<W>>,
    open: usize,
    tickets: u64,
}

/// The permits of one route, and the queue for them.
#[derive(Debug)]
struct RouteQueue {
    route: Arc<Route>,
    held: usize,
    queue: List,
}

#[derive(Debug)]
struct Waiting<W> {
    who: W,
    of: RouteId,
    ticket: u64,
    links: Links,
}

/// A route with held permits. It is valid as long as one of them is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RouteId(Place);

/// A position in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    place: Place,
    number: u64,
}

/// The result of asking for a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Availability {
    /// The permit is held, of this route if there is a limit.
    Held(Option<RouteId>),
    Full(RouteId),
}

impl<W> Permits<W> {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self {
            limit,
            routes: Slab::new(),
            by_route: HashMap::new(),
            last: None,
            waiting: Slab::new(),
            open: 0,
            tickets: 0,
        }
    }

    /// Begins anew, and returns the old state. No ticket is given out twice.
    pub(crate) fn replace(&mut self) -> Self {
        let new = Self { tickets: self.tickets, ..Self::new(self.limit) };
        mem::replace(self, new)
    }

    /// Returns the number of connections that are open or being opened.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes a permit of a route if there is one. A call that gets none may [`wait`](Self::wait).
    ///
    /// `leads_there` tells whether a route is that one; `route` makes it.
    pub(crate) fn hold(
        &mut self,
        leads_there: impl Fn(&Route) -> bool,
        route: impl FnOnce() -> Route,
    ) -> Availability {
        let Some(limit) = self.limit else {
            self.open += 1;
            return Availability::Held(None);
        };
        let is_it =
            |place: &Place| self.routes.get(*place).is_some_and(|queue| leads_there(&queue.route));
        let place = match self.last.filter(is_it) {
            Some(place) => place,
            None => self.place_of(route()),
        };
        self.last = Some(place);
        match self.routes.get_mut(place) {
            // A limit of 0 counts as 1, because no call could ever be served.
            Some(queue) if queue.held >= limit.max(1) => return Availability::Full(RouteId(place)),
            Some(queue) => queue.held += 1,
            None => debug_assert!(false, "a known route has no queue"),
        }
        self.open += 1;
        Availability::Held(Some(RouteId(place)))
    }

    /// Returns the place of a route, which may be new.
    fn place_of(&mut self, route: Route) -> Place {
        if let Some(place) = self.by_route.get(&route) {
            return *place;
        }
        let route = Arc::new(route);
        let queue = RouteQueue { route: Arc::clone(&route), held: 0, queue: List::default() };
        let place = self.routes.insert(queue);
        self.by_route.insert(route, place);
        place
    }

    /// Joins the end of the queue for that route, all of whose permits are held.
    pub(crate) fn wait(&mut self, of: RouteId, who: W) -> Ticket {
        let number = self.tickets;
        self.tickets += 1;
        let waiting = Waiting { who, of, ticket: number, links: Links::default() };
        let place = self.waiting.insert(waiting);
        if let Some(queue) = self.routes.get_mut(of.0) {
            queue.queue.push(place, &mut self.waiting, |waiting| &mut waiting.links);
        }
        Ticket { place, number }
    }

    /// Leaves the queue, and returns the waiter. Returns `None` if it is too late: the connection
    /// or permit was already granted and is being handed over.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> Option<W> {
        let waiting = self.waiting.get(ticket.place)?;
        let of = (waiting.ticket == ticket.number).then_some(waiting.of)?;
        self.take_out(of, ticket.place)
    }

    /// Returns the next waiter, if any, for a connection of that route that became free.
    pub(crate) fn next(&mut self, of: RouteId) -> Option<W> {
        let first = self.routes.get(of.0)?.queue.first?;
        self.take_out(of, first)
    }

    /// Returns the next waiter, if any, for the permit of a connection of that route that was
    /// closed.
    pub(crate) fn free(&mut self, of: Option<RouteId>) -> Option<W> {
        if let Some(next) = of.and_then(|of| self.next(of)) {
            return Some(next);
        }
        self.open = self.open.saturating_sub(1);
        let queue = self.routes.get_mut(of?.0)?;
        queue.held = queue.held.saturating_sub(1);
        if queue.held == 0 {
            let queue = self.routes.remove(of?.0)?;
            self.by_route.remove(&queue.route);
        }
        None
    }

    fn take_out(&mut self, of: RouteId, place: Place) -> Option<W> {
        let queue = &mut self.routes.get_mut(of.0)?.queue;
        queue.unlink(place, &mut self.waiting, |waiting| &mut waiting.links);
        self.waiting.remove(place).map(|waiting| waiting.who)
    }
}

#[cfg(test)]
mod tests;
