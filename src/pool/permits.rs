//! The limit of connections per route, with a first-in, first-out queue.
//!
//! Like the [pool](crate::pool), this code only decides: it returns the waiter to be woken.

use std::collections::VecDeque;

use crate::policy::route::Route;

/// The permits for connections. Each is held from before the dial until the connection is closed.
#[derive(Debug)]
pub(crate) struct Permits<W> {
    /// The maximum for each route, if there is one.
    limit: Option<usize>,
    /// The routes with held permits; used only if there is a limit.
    lanes: Vec<Lane<W>>,
    open: usize,
    tickets: u64,
}

/// The permits of one route, and the queue for them.
#[derive(Debug)]
struct Lane<W> {
    route: Route,
    held: usize,
    /// The queue in the order of the tickets. Thousands may wait, so it is never scanned.
    waiting: VecDeque<(Ticket, W)>,
}

/// A position in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// The result of asking for a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Availability {
    Held,
    Full,
}

/// The result of leaving the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    InTime,
    /// Already granted: the connection or permit is being handed over.
    TooLate,
}

impl<W> Permits<W> {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self { limit, lanes: Vec::new(), open: 0, tickets: 0 }
    }

    /// Returns the number of connections that are open or being opened.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    pub(crate) fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| lane.waiting.len()).sum()
    }

    /// Takes a permit if there is one. A call that gets none may [`wait`](Self::wait).
    pub(crate) fn hold(&mut self, route: &Route) -> Availability {
        if let Some(limit) = self.limit {
            match self.lane(route) {
                // A limit of 0 counts as 1, because no call could ever be served.
                Some(lane) if lane.held >= limit.max(1) => return Availability::Full,
                Some(lane) => lane.held += 1,
                None => {
                    let lane = Lane { route: route.clone(), held: 1, waiting: VecDeque::new() };
                    self.lanes.push(lane);
                }
            }
        }
        self.open += 1;
        Availability::Held
    }

    /// Joins the end of the queue for that route, all of whose permits are held.
    pub(crate) fn wait(&mut self, route: &Route, who: W) -> Ticket {
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        if let Some(lane) = self.lane(route) {
            lane.waiting.push_back((ticket, who));
        }
        ticket
    }

    /// Leaves the queue.
    pub(crate) fn leave(&mut self, route: &Route, ticket: Ticket) -> Left {
        let Some(lane) = self.lane(route) else { return Left::TooLate };
        match lane.waiting.binary_search_by_key(&ticket, |(ticket, _)| *ticket) {
            Ok(at) => {
                lane.waiting.remove(at);
                Left::InTime
            }
            Err(_) => Left::TooLate,
        }
    }

    /// Returns the next waiter, if any, for a connection of that route that became free.
    pub(crate) fn next(&mut self, route: &Route) -> Option<W> {
        let lane = self.lane(route)?;
        lane.waiting.pop_front().map(|(_, who)| who)
    }

    /// Returns the next waiter, if any, for the permit of a connection of that route that was
    /// closed.
    pub(crate) fn free(&mut self, route: &Route) -> Option<W> {
        if let Some(next) = self.next(route) {
            return Some(next);
        }
        self.open = self.open.saturating_sub(1);
        if let Some(at) = self.lanes.iter().position(|lane| lane.route == *route) {
            match self.lanes.get_mut(at) {
                Some(lane) if lane.held > 1 => lane.held -= 1,
                _ => drop(self.lanes.swap_remove(at)),
            }
        }
        None
    }

    fn lane(&mut self, route: &Route) -> Option<&mut Lane<W>> {
        self.lanes.iter_mut().find(|lane| lane.route == *route)
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

    #[test]
    fn the_limit_holds_for_each_route() {
        let mut permits = Permits::<()>::new(Some(2));
        let places = ["a", "a", "a", "b", "a:81"].map(|host| permits.hold(&route(host)));
        assert_eq!(
            places,
            [
                Availability::Held,
                Availability::Held,
                Availability::Full,
                Availability::Held,
                Availability::Held
            ]
        );
        assert_eq!(permits.free(&route("a")), None);
        assert_eq!(permits.hold(&route("a")), Availability::Held);
        assert_eq!((permits.open(), permits.waiting()), (4, 0));
        let mut none = Permits::<()>::new(Some(0));
        assert_eq!(none.hold(&route("a")), Availability::Held, "a limit of 0 counts as 1");
        assert_eq!(none.hold(&route("a")), Availability::Full);
        let mut unlimited = Permits::<()>::new(None);
        assert!((0..1000).all(|_| unlimited.hold(&route("a")) == Availability::Held));
        assert!(unlimited.lanes.is_empty(), "without a limit no route is counted");
    }

    #[test]
    fn the_queue_is_first_in_first_out() {
        let mut permits = Permits::new(Some(1));
        permits.hold(&route("a"));
        permits.hold(&route("b"));
        let first = permits.wait(&route("a"), 1);
        permits.wait(&route("b"), 2);
        permits.wait(&route("a"), 3);
        permits.wait(&route("a"), 4);
        assert_eq!(permits.leave(&route("a"), first), Left::InTime);
        assert_eq!(permits.leave(&route("a"), first), Left::TooLate);
        assert_eq!(permits.next(&route("a")), Some(3), "for a free connection");
        assert_eq!(permits.free(&route("a")), Some(4), "for a free permit");
        assert_eq!(permits.hold(&route("a")), Availability::Full, "the permit was handed over");
        assert_eq!(permits.free(&route("a")), None);
        assert_eq!(permits.next(&route("a")), None);
        assert_eq!((permits.open(), permits.waiting()), (1, 1));
    }

    proptest! {
        /// Never more than the limit, no waiter while a permit is free, and all permits are
        /// returned.
        #[test]
        fn permits_are_neither_lost_nor_duplicated(
            steps in prop::collection::vec((0..4_u8, 0..3_usize), 0..200),
            limit in 1..4_usize,
        ) {
            let routes = ["a", "b", "c"].map(route);
            let mut permits = Permits::new(Some(limit));
            let (mut held, mut tickets) = ([0_usize; 3], Vec::new());
            for (step, at) in steps {
                match step {
                    0 | 1 => match permits.hold(&routes[at]) {
                        Availability::Held => held[at] += 1,
                        Availability::Full => tickets.push((at, permits.wait(&routes[at], at))),
                    },
                    2 if held[at] > 0 => {
                        if let Some(next) = permits.free(&routes[at]) {
                            prop_assert_eq!(next, at);
                        } else {
                            held[at] -= 1;
                        }
                    }
                    _ => {
                        if let Some((at, ticket)) = tickets.pop() {
                            permits.leave(&routes[at], ticket);
                        }
                    }
                }
                prop_assert!(held.iter().all(|held| *held <= limit));
                prop_assert_eq!(permits.open(), held.iter().sum::<usize>());
                for (at, route) in routes.iter().enumerate() {
                    let lane = permits.lanes.iter().find(|lane| lane.route == *route);
                    let waits = lane.is_some_and(|lane| !lane.waiting.is_empty());
                    prop_assert!(!waits || held[at] == limit);
                    prop_assert_eq!(lane.is_some(), held[at] > 0, "no empty lane remains");
                }
            }
        }
    }
}
