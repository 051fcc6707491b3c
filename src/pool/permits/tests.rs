use proptest::prelude::*;

use super::*;
use crate::policy::route::IdentityUse;
use crate::url::Url;

fn route(host: &str) -> Route {
    Route::of(&Url::parse(&format!("http://{host}/")).unwrap(), None, IdentityUse::Shown)
}

/// Takes a permit, or returns the route of the queue.
fn hold<W>(permits: &mut Permits<W>, host: &str) -> Result<Option<RouteId>, RouteId> {
    match permits.hold(|other| *other == route(host), || route(host)) {
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

/// The place of a route that was forgotten may be that of another one.
#[test]
fn no_route_is_taken_for_the_last_one() {
    let mut permits = Permits::<()>::new(Some(1));
    let a = hold(&mut permits, "a").unwrap();
    assert!(hold(&mut permits, "a").is_err());
    permits.free(a);
    let b = hold(&mut permits, "b").unwrap();
    assert_eq!(a, b, "the place is used again");
    assert!(hold(&mut permits, "b").is_err());
    assert!(hold(&mut permits, "a").is_ok());
    assert!(hold(&mut permits, "b").is_err());
    assert_eq!((permits.open(), permits.by_route.len()), (2, 2));
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
