//! Routes whose peers close a connection right after each response and do not say so: tinyproxy does.
//!
//! A look at an idle connection sees that only if the peer's FIN is there already. Otherwise the next
//! request crosses with it, and one that is not idempotent fails. So a route on which a connection was
//! found dead at its first reuse, a moment after its response, is not pooled for a while.

use std::time::{Duration, Instant};

use super::route::Route;

/// An idle connection that has died sooner than that was not closed for idling.
pub(crate) const SOON: Duration = Duration::from_secs(1);

/// How long a route is not pooled at first, and at most: twice as long each time that it happens again.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(600);

/// Routes of which something is remembered.
const MOST: usize = 64;

/// What is known of such routes. Nothing, nearly always.
#[derive(Debug, Default)]
pub(crate) struct EarlyClosers {
    /// The one that was found last is the last.
    found: Vec<Found>,
}

#[derive(Debug)]
struct Found {
    route: Route,
    /// For how long it is not pooled.
    pause: Duration,
    at: Instant,
}

impl Found {
    fn is_paused(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < self.pause
    }

    /// Remembered for as long again, so that a peer that has not changed is seen to have not.
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) >= 2 * self.pause
    }
}

impl EarlyClosers {
    /// A connection of that route was dead at its first reuse.
    pub(crate) fn found(&mut self, route: &Route, now: Instant) {
        let known = self.found.iter().position(|found| found.route == *route);
        let pause = match known.map(|at| self.found.remove(at)) {
            Some(before) if before.is_paused(now) => before.pause, // kept before that was known
            Some(before) if !before.is_over(now) => (2 * before.pause).min(LONGEST),
            _ => FIRST,
        };
        self.found.retain(|found| !found.is_over(now));
        if self.found.len() >= MOST {
            self.found.remove(0);
        }
        self.found.push(Found { route: route.clone(), pause, at: now });
    }

    /// Whether connections of that route are not to be kept.
    pub(crate) fn include(&self, route: &Route, now: Instant) -> bool {
        self.found.iter().any(|found| found.is_paused(now) && found.route == *route)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::policy::route::Identity;
    use crate::url::Url;

    fn route(host: usize) -> Route {
        Route::of(&Url::parse(&format!("http://h{host}.example/")).unwrap(), None, Identity::Shown)
    }

    #[test]
    fn a_route_is_not_pooled_for_a_while() {
        let (start, route, other) = (Instant::now(), route(1), route(2));
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut closers = EarlyClosers::default();
        assert!(!closers.include(&route, start));
        closers.found(&route, start);
        for (seconds, expected) in [(0, true), (9, true), (10, false), (1000, false)] {
            assert_eq!(closers.include(&route, at(seconds)), expected, "{seconds}");
        }
        assert!(!closers.include(&other, start));
        // Several that idled at the same time count once.
        closers.found(&route, at(1));
        assert!(!closers.include(&route, at(11)));
        // It is tried again, and has not changed.
        closers.found(&route, at(12));
        assert!(closers.include(&route, at(31)) && !closers.include(&route, at(32)));
        // Long afterwards nothing is known.
        closers.found(&route, at(60));
        assert!(closers.include(&route, at(69)) && !closers.include(&route, at(70)));
    }

    #[test]
    fn the_pause_has_an_end_however_often_it_happens() {
        let (mut closers, route, mut now) = (EarlyClosers::default(), route(1), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..10 {
            closers.found(&route, now);
            let pause = closers.found[0].pause;
            pauses.push(pause.as_secs());
            now += pause;
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 600, 600, 600, 600]);
    }

    proptest! {
        /// The table has a bound; nobody is in it who was not found within the longest pause, and who
        /// was found within the shortest is, unless many others were since.
        #[test]
        fn bounded_and_forgetful(
            steps in prop::collection::vec((0..200_usize, 0..30_u64), 1..400),
        ) {
            let mut closers = EarlyClosers::default();
            let mut now = Instant::now();
            let mut last = HashMap::new();
            for (step, (host, pause)) in steps.into_iter().enumerate() {
                now += Duration::from_secs(pause);
                let host = host % 90;
                closers.found(&route(host), now);
                last.insert(host, (now, step));
                prop_assert!(closers.found.len() <= MOST);
                for host in 0..90 {
                    let paused = closers.include(&route(host), now);
                    match last.get(&host) {
                        None => prop_assert!(!paused),
                        Some((at, _)) if paused => prop_assert!(now - *at < LONGEST),
                        Some((at, then)) => {
                            let few_since = step - then < MOST;
                            prop_assert!(now - *at >= FIRST || !few_since);
                        }
                    }
                }
            }
        }
    }
}
