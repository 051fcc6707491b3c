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
//! which costs far more than a hash. The pool, which is asked by each request, has a cheaper one.
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

    /// Takes a permit if there is one. A call that gets none may [`wait`](Self::wait).
    ///
    /// The route is hashed and compared here, once per new connection, and not when a connection is
    /// taken from the pool.
    pub(crate) fn hold(&mut self, route: &Route) -> Availability {
        let Some(limit) = self.limit else {
            self.open += 1;
            return Availability::Held(None);
        };
        let place = match self.by_route.get(route) {
            Some(place) => *place,
            None => {
                let route = Arc::new(route.clone());
                let queue =
                    RouteQueue { route: Arc::clone(&route), held: 0, queue: List::default() };
                let place = self.routes.insert(queue);
                self.by_route.insert(route, place);
                place
            }
        };
        match self.routes.get_mut(place) {
            // A limit of 0 counts as 1, because no call could ever be served.
            Some(queue) if queue.held >= limit.max(1) => return Availability::Full(RouteId(place)),
            Some(queue) => queue.held += 1,
            None => debug_assert!(false, "a known route has no queue"),
        }
        self.open += 1;
        Availability::Held(Some(RouteId(place)))
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::route::IdentityUse;
    use crate::url::Url;

    fn route(host: &str) -> Route {
        Route::of(&Url::parse(&format!("http://{host}/")).unwrap(), None, IdentityUse::Shown)
    }

    /// Takes a permit, or returns the route of the queue.
    fn hold<W>(permits: &mut Permits<W>, host: &str) -> Result<Option<RouteId>, RouteId> {
        match permits.hold(&route(host)) {
            Availability::Held(of) => Ok(of),
            Availability::Full(of) => Err(of),
        }
    }

    #[test]
    fn the_limit_holds_for_each_route() {
        let mut permits = Permits::<()>::new(Some(2));
        let held = ["a", "a", "a", "b", "a:81"].map(|host| hold(&mut permits, host));
        assert_eq!(held.map(|held| held.is_ok()), [true, true, false, true, true]);
        assert_eq!(permits.free(held[0].unwrap()), None);
        assert!(hold(&mut permits, "a").is_ok());
        assert_eq!((permits.open(), permits.waiting()), (4, 0));
        let mut none = Permits::<()>::new(Some(0));
        assert!(hold(&mut none, "a").is_ok(), "a limit of 0 counts as 1");
        assert!(hold(&mut none, "a").is_err());
        let mut unlimited = Permits::<()>::new(None);
        assert!((0..1000).all(|_| hold(&mut unlimited, "a") == Ok(None)));
        assert!(unlimited.by_route.is_empty(), "without a limit no route is counted");
    }

    #[test]
    fn the_queue_is_first_in_first_out() {
        let mut permits = Permits::new(Some(1));
        let a = hold(&mut permits, "a").unwrap().unwrap();
        let b = hold(&mut permits, "b").unwrap().unwrap();
        let first = permits.wait(a, 1);
        permits.wait(b, 2);
        permits.wait(a, 3);
        permits.wait(a, 4);
        assert_eq!(permits.leave(first), Some(1));
        assert_eq!(permits.leave(first), None);
        let fifth = permits.wait(a, 5);
        assert_eq!(permits.leave(first), None, "its place is another's now");
        assert_eq!(permits.next(a), Some(3), "for a free connection");
        assert_eq!(permits.free(Some(a)), Some(4), "for a free permit");
        assert_eq!(hold(&mut permits, "a"), Err(a), "the permit was handed over");
        assert_eq!(permits.leave(fifth), Some(5));
        assert_eq!(permits.free(Some(a)), None);
        assert_eq!((permits.open(), permits.waiting()), (1, 1));
    }

    /// In a child of `fork` the calls of the parent hold tickets of a queue that is gone.
    #[test]
    fn a_new_queue_does_not_know_tickets_of_the_old_one() {
        let mut permits = Permits::new(Some(1));
        let a = hold(&mut permits, "a").unwrap().unwrap();
        let old = permits.wait(a, 1);
        assert_eq!(permits.replace().waiting(), 1);
        assert_eq!((permits.open(), permits.waiting()), (0, 0));
        let a = hold(&mut permits, "a").unwrap().unwrap();
        permits.wait(a, 2);
        assert_eq!(permits.leave(old), None);
        assert_eq!(permits.waiting(), 1);
    }

    proptest! {
        /// Never more than the limit, no waiter while a permit is free, the order of each queue is
        /// that of joining, and all permits are returned. The twin is a vector for each route.
        #[test]
        fn permits_are_neither_lost_nor_duplicated(
            steps in prop::collection::vec((0..5_u8, 0..3_usize, 0..8_usize), 0..200),
            limit in 1..4_usize,
        ) {
            let hosts = ["a", "b", "c"];
            let mut permits = Permits::new(Some(limit));
            let mut held: [Vec<RouteId>; 3] = Default::default();
            let mut queues: [Vec<(usize, Ticket)>; 3] = Default::default();
            for (number, (step, at, which)) in steps.into_iter().enumerate() {
                let queue = &mut queues[at];
                match step {
                    0 | 1 => match hold(&mut permits, hosts[at]) {
                        Ok(of) => held[at].push(of.unwrap()),
                        Err(of) => queue.push((number, permits.wait(of, number))),
                    },
                    2 | 3 if !held[at].is_empty() => {
                        let of = held[at][0];
                        let expected = (!queue.is_empty()).then(|| queue.remove(0).0);
                        let next = match step {
                            2 => permits.next(of),
                            _ => permits.free(Some(of)),
                        };
                        prop_assert_eq!(next, expected);
                        if step == 3 && next.is_none() {
                            held[at].pop();
                        }
                    }
                    _ if which < queue.len() => {
                        let (number, ticket) = queue.remove(which);
                        prop_assert_eq!(permits.leave(ticket), Some(number));
                        prop_assert_eq!(permits.leave(ticket), None);
                    }
                    _ => {}
                }
                prop_assert!(held.iter().all(|held| held.len() <= limit));
                prop_assert_eq!(permits.open(), held.iter().map(Vec::len).sum::<usize>());
                prop_assert_eq!(permits.waiting(), queues.iter().map(Vec::len).sum::<usize>());
                let known = held.iter().filter(|held| !held.is_empty()).count();
                prop_assert_eq!(permits.by_route.len(), known, "no empty queue remains");
                prop_assert_eq!(permits.routes.len(), known);
            }
        }
    }

    /// Counts the entries that are visited, among many routes and many waiters of one of them.
    #[test]
    fn no_operation_depends_on_the_number_of_waiters() {
        let visits = |count: usize| {
            let mut permits = Permits::new(Some(1));
            let held: Vec<_> = (0..count)
                .map(|host| hold(&mut permits, &format!("h{host}")).unwrap().unwrap())
                .collect();
            let tickets: Vec<_> = (0..count).map(|who| permits.wait(held[0], who)).collect();
            let before = permits.routes.visits() + permits.waiting.visits();
            assert_eq!(permits.leave(tickets[count / 2]), Some(count / 2));
            permits.wait(held[0], 0);
            permits.next(held[0]);
            permits.free(Some(held[count - 1]));
            hold(&mut permits, "another").unwrap();
            permits.routes.visits() + permits.waiting.visits() - before
        };
        let few = visits(10);
        assert_eq!(visits(1000), few);
        assert!(few < 40, "{few}");
    }
}
