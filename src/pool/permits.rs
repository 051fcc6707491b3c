//! How many connections there are, how many there may be, and who waits for one: first come, first
//! served.
//!
//! It decides and does nothing, like the [pool](crate::pool): whom to tell is handed back.

use std::collections::VecDeque;

use crate::policy::route::Route;

/// The places for connections, each held from before it is dialled until it is closed.
#[derive(Debug)]
pub(crate) struct Permits<W> {
    /// How many there may be for each route.
    limit: Option<usize>,
    /// The routes of which places are held, where there is a limit.
    lanes: Vec<Lane<W>>,
    open: usize,
    tickets: u64,
}

/// The places of one route, and who waits for one.
#[derive(Debug)]
struct Lane<W> {
    route: Route,
    held: usize,
    /// In the order of their tickets. Thousands may wait: nobody looks at them one by one.
    waiting: VecDeque<(Ticket, W)>,
}

/// A place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// Whether there is a place for one more connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Held,
    Full,
}

/// Whether somebody still stood in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    InTime,
    /// Its turn has come already: what it waited for is on its way.
    TooLate,
}

impl<W> Permits<W> {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self { limit, lanes: Vec::new(), open: 0, tickets: 0 }
    }

    /// Connections that are open or about to be.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    pub(crate) fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| lane.waiting.len()).sum()
    }

    /// Holds a place for a connection, if there is one. Whoever gets none may [`wait`](Self::wait).
    pub(crate) fn hold(&mut self, route: &Route) -> Place {
        if let Some(limit) = self.limit {
            match self.lane(route) {
                // At least one, or nobody would ever be served.
                Some(lane) if lane.held >= limit.max(1) => return Place::Full,
                Some(lane) => lane.held += 1,
                None => {
                    let lane = Lane { route: route.clone(), held: 1, waiting: VecDeque::new() };
                    self.lanes.push(lane);
                }
            }
        }
        self.open += 1;
        Place::Held
    }

    /// Stands at the end of the queue for the places of that route, all of which are held.
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

    /// A connection of that route is free: whose it is, if anybody waits.
    pub(crate) fn next(&mut self, route: &Route) -> Option<W> {
        let lane = self.lane(route)?;
        lane.waiting.pop_front().map(|(_, who)| who)
    }

    /// A connection of that route was closed: whose its place is, if anybody waits.
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
    use crate::policy::route::Identity;
    use crate::url::Url;

    fn route(host: &str) -> Route {
        Route::of(&Url::parse(&format!("http://{host}/")).unwrap(), None, Identity::Shown)
    }

    #[test]
    fn as_many_as_allowed_for_each_route() {
        let mut permits = Permits::<()>::new(Some(2));
        let places = ["a", "a", "a", "b", "a:81"].map(|host| permits.hold(&route(host)));
        assert_eq!(places, [Place::Held, Place::Held, Place::Full, Place::Held, Place::Held]);
        assert_eq!(permits.free(&route("a")), None);
        assert_eq!(permits.hold(&route("a")), Place::Held);
        assert_eq!((permits.open(), permits.waiting()), (4, 0));
        let mut none = Permits::<()>::new(Some(0));
        assert_eq!(none.hold(&route("a")), Place::Held, "one at least");
        assert_eq!(none.hold(&route("a")), Place::Full);
        let mut unlimited = Permits::<()>::new(None);
        assert!((0..1000).all(|_| unlimited.hold(&route("a")) == Place::Held));
        assert!(unlimited.lanes.is_empty(), "nothing is counted by route");
    }

    #[test]
    fn who_came_first_is_served_first() {
        let mut permits = Permits::new(Some(1));
        permits.hold(&route("a"));
        permits.hold(&route("b"));
        let first = permits.wait(&route("a"), 1);
        permits.wait(&route("b"), 2);
        permits.wait(&route("a"), 3);
        permits.wait(&route("a"), 4);
        assert_eq!(permits.leave(&route("a"), first), Left::InTime);
        assert_eq!(permits.leave(&route("a"), first), Left::TooLate);
        assert_eq!(permits.next(&route("a")), Some(3), "a connection that is free");
        assert_eq!(permits.free(&route("a")), Some(4), "a place that is free");
        assert_eq!(permits.hold(&route("a")), Place::Full, "it went from hand to hand");
        assert_eq!(permits.free(&route("a")), None);
        assert_eq!(permits.next(&route("a")), None);
        assert_eq!((permits.open(), permits.waiting()), (1, 1));
    }

    proptest! {
        /// Never more than the limit, nobody waits where there is a place, and all places come back.
        #[test]
        fn places_are_neither_lost_nor_made(
            steps in prop::collection::vec((0..4_u8, 0..3_usize), 0..200),
            limit in 1..4_usize,
        ) {
            let routes = ["a", "b", "c"].map(route);
            let mut permits = Permits::new(Some(limit));
            let (mut held, mut tickets) = ([0_usize; 3], Vec::new());
            for (step, at) in steps {
                match step {
                    0 | 1 => match permits.hold(&routes[at]) {
                        Place::Held => held[at] += 1,
                        Place::Full => tickets.push((at, permits.wait(&routes[at], at))),
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
                    prop_assert_eq!(lane.is_some(), held[at] > 0, "no lane is left behind");
                }
            }
        }
    }
}
