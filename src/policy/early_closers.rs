//! Routes whose peers close a connection right after each response without announcing it, as
//! tinyproxy does.
//!
//! The liveness check of an idle connection notices this only if the peer's FIN has already
//! arrived. Otherwise the next request is sent on a closed connection, and fails if it is not
//! idempotent. So a route on which a connection was closed before its first reuse, a moment after
//! its response, is not pooled for a while.

use std::time::{Duration, Instant};

use super::route::Route;

/// An idle connection closed sooner than this was not closed by an idle timeout.
pub(crate) const SOON: Duration = Duration::from_secs(1);

/// The initial pause in pooling a route; it doubles with each recurrence, up to the limit.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(600);

/// The most routes that are tracked.
const MOST: usize = 64;

/// The routes found so far; usually none.
#[derive(Debug, Default)]
pub(crate) struct EarlyClosers {
    /// The most recent one is last.
    found: Vec<EarlyCloser>,
}

#[derive(Debug)]
struct EarlyCloser {
    route: Route,
    /// The duration of the pause.
    pause: Duration,
    at: Instant,
}

impl EarlyCloser {
    fn is_paused(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < self.pause
    }

    /// Returns whether the entry can be dropped. It is kept for another pause afterwards, to detect
    /// a recurrence.
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) >= 2 * self.pause
    }
}

impl EarlyClosers {
    /// Records that a connection of this route was closed before its first reuse.
    pub(crate) fn found(&mut self, route: &Route, now: Instant) {
        let known = self.found.iter().position(|found| found.route == *route);
        let pause = match known.map(|at| self.found.remove(at)) {
            Some(before) if before.is_paused(now) => before.pause, // pooled before the pause began
            Some(before) if !before.is_over(now) => (2 * before.pause).min(LONGEST),
            _ => FIRST,
        };
        self.found.retain(|found| !found.is_over(now));
        if self.found.len() >= MOST {
            self.found.remove(0);
        }
        self.found.push(EarlyCloser { route: route.clone(), pause, at: now });
    }

    /// Returns whether connections of this route must not be pooled.
    pub(crate) fn include(&self, route: &Route, now: Instant) -> bool {
        self.found.iter().any(|found| found.is_paused(now) && found.route == *route)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::policy::route::IdentityUse;
    use crate::url::Url;

    fn route(host: usize) -> Route {
        Route::of(
            &Url::parse(&format!("http://h{host}.example/")).unwrap(),
            None,
            IdentityUse::Shown,
        )
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
        // Several connections that idled at the same time count once.
        closers.found(&route, at(1));
        assert!(!closers.include(&route, at(11)));
        // The route is pooled again, and the peer still closes early.
        closers.found(&route, at(12));
        assert!(closers.include(&route, at(31)) && !closers.include(&route, at(32)));
        // Much later the entry is gone.
        closers.found(&route, at(60));
        assert!(closers.include(&route, at(69)) && !closers.include(&route, at(70)));
    }

    #[test]
    fn the_pause_is_limited() {
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
        /// The table has a limit; it contains no route that was last found longer than the longest
        /// pause ago, and contains each route found within the shortest pause, unless many others
        /// followed.
        #[test]
        fn the_table_is_bounded_and_entries_expire(
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
