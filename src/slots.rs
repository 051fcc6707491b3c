//! How many connections there are, how many there may be, and who waits for one: first come, first
//! served.
//!
//! It decides and does nothing, like the [pool](crate::pool): whom to tell is handed back.

use std::collections::VecDeque;

use crate::policy::route::Route;

/// The places for connections, each held from before it is dialled until it is closed.
#[derive(Debug)]
pub(crate) struct Slots<W> {
    /// How many there may be for each route.
    limit: Option<usize>,
    /// How many are held for each route, where there is a limit.
    held: Vec<(Route, usize)>,
    open: usize,
    waiting: VecDeque<Waiting<W>>,
    tickets: u64,
}

#[derive(Debug)]
struct Waiting<W> {
    ticket: Ticket,
    route: Route,
    who: W,
}

/// A place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl<W> Slots<W> {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self { limit, held: Vec::new(), open: 0, waiting: VecDeque::new(), tickets: 0 }
    }

    /// Connections that are open or about to be.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Holds a place for a connection, if there is one. Whoever gets none may [`wait`](Self::wait).
    pub(crate) fn hold(&mut self, route: &Route) -> Place {
        let Some(limit) = self.limit else {
            self.open += 1;
            return Place::Held;
        };
        let held = match self.held.iter_mut().position(|(held, _)| held == route) {
            Some(at) => at,
            None => {
                self.held.push((route.clone(), 0));
                self.held.len() - 1
            }
        };
        match self.held.get_mut(held) {
            // At least one, or nobody would ever be served.
            Some((_, count)) if *count < limit.max(1) => {
                *count += 1;
                self.open += 1;
                Place::Held
            }
            _ => Place::Full,
        }
    }

    /// Stands at the end of the queue.
    pub(crate) fn wait(&mut self, route: Route, who: W) -> Ticket {
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        self.waiting.push_back(Waiting { ticket, route, who });
        ticket
    }

    /// Leaves the queue.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> Left {
        match self.waiting.iter().position(|waiting| waiting.ticket == ticket) {
            Some(at) => {
                self.waiting.remove(at);
                Left::InTime
            }
            None => Left::TooLate,
        }
    }

    /// A connection of that route is free: whose it is, if anybody waits.
    pub(crate) fn next(&mut self, route: &Route) -> Option<W> {
        let at = self.waiting.iter().position(|waiting| waiting.route == *route)?;
        self.waiting.remove(at).map(|waiting| waiting.who)
    }

    /// A connection of that route was closed: whose its place is, if anybody waits.
    pub(crate) fn free(&mut self, route: &Route) -> Option<W> {
        if let Some(next) = self.next(route) {
            return Some(next);
        }
        self.open = self.open.saturating_sub(1);
        if let Some(at) = self.held.iter().position(|(held, _)| held == route) {
            match self.held.get_mut(at) {
                Some((_, count)) if *count > 1 => *count -= 1,
                _ => drop(self.held.swap_remove(at)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::url::Url;

    fn route(host: &str) -> Route {
        Route::of(&Url::parse(&format!("http://{host}/")).unwrap(), None)
    }

    #[test]
    fn as_many_as_allowed_for_each_route() {
        let mut slots = Slots::<()>::new(Some(2));
        let places = ["a", "a", "a", "b", "a:81"].map(|host| slots.hold(&route(host)));
        assert_eq!(places, [Place::Held, Place::Held, Place::Full, Place::Held, Place::Held]);
        assert_eq!(slots.free(&route("a")), None);
        assert_eq!(slots.hold(&route("a")), Place::Held);
        assert_eq!((slots.open(), slots.waiting()), (4, 0));
        let mut none = Slots::<()>::new(Some(0));
        assert_eq!(none.hold(&route("a")), Place::Held, "one at least");
        assert_eq!(none.hold(&route("a")), Place::Full);
        let mut unlimited = Slots::<()>::new(None);
        assert!((0..1000).all(|_| unlimited.hold(&route("a")) == Place::Held));
        assert!(unlimited.held.is_empty(), "nothing is counted by route");
    }

    #[test]
    fn who_came_first_is_served_first() {
        let mut slots = Slots::new(Some(1));
        slots.hold(&route("a"));
        slots.hold(&route("b"));
        let first = slots.wait(route("a"), 1);
        slots.wait(route("b"), 2);
        slots.wait(route("a"), 3);
        slots.wait(route("a"), 4);
        assert_eq!(slots.leave(first), Left::InTime);
        assert_eq!(slots.leave(first), Left::TooLate);
        assert_eq!(slots.next(&route("a")), Some(3), "a connection that is free");
        assert_eq!(slots.free(&route("a")), Some(4), "a place that is free");
        assert_eq!(slots.hold(&route("a")), Place::Full, "it went from hand to hand");
        assert_eq!(slots.free(&route("a")), None);
        assert_eq!(slots.next(&route("a")), None);
        assert_eq!((slots.open(), slots.waiting()), (1, 1));
    }

    proptest! {
        /// Never more than the limit, nobody waits where there is a place, and all places come back.
        #[test]
        fn places_are_neither_lost_nor_made(
            steps in prop::collection::vec((0..4_u8, 0..3_usize), 0..200),
            limit in 1..4_usize,
        ) {
            let routes = ["a", "b", "c"].map(route);
            let mut slots = Slots::new(Some(limit));
            let (mut held, mut tickets) = ([0_usize; 3], Vec::new());
            for (step, at) in steps {
                match step {
                    0 | 1 => match slots.hold(&routes[at]) {
                        Place::Held => held[at] += 1,
                        Place::Full => tickets.push(slots.wait(routes[at].clone(), at)),
                    },
                    2 if held[at] > 0 => {
                        if let Some(next) = slots.free(&routes[at]) {
                            prop_assert_eq!(next, at);
                        } else {
                            held[at] -= 1;
                        }
                    }
                    _ => {
                        if let Some(ticket) = tickets.pop() {
                            slots.leave(ticket);
                        }
                    }
                }
                prop_assert!(held.iter().all(|held| *held <= limit));
                prop_assert_eq!(slots.open(), held.iter().sum::<usize>());
                for (at, route) in routes.iter().enumerate() {
                    let waits = slots.waiting.iter().any(|waiting| waiting.route == *route);
                    prop_assert!(!waits || held[at] == limit);
                }
            }
        }
    }
}
