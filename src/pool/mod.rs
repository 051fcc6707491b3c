//! The pool: idle connections, kept for the next request on the same [`Route`].
//!
//! This code only decides: it returns the connections to be closed, with the reason. It is generic
//! over the connection and takes the time as an argument. Read this file first, then [`permits`].

pub(crate) mod permits;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::PoolLimits;
use crate::http1::close::CloseReason;
use crate::policy::proxy::ProxyServer;
use crate::policy::route::EarlyClosers;
use crate::policy::route::{IdentityUse, Route};
use crate::url::Url;

/// Idle connections, the longest idle first.
///
/// A take scans them from the newest: they are few, and the connection that was used last is the
/// least likely to be stale.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    limits: PoolLimits,
    idle: Vec<IdleConnection<T>>,
    /// Nothing expires before this moment, so nothing is scanned until then. It may be too early,
    /// because the connection that set it may have been taken since.
    next_expiry: Option<Instant>,
    early_closers: EarlyClosers,
}

#[derive(Debug)]
struct IdleConnection<T> {
    connection: T,
    since: Instant,
}

/// A connection that can be pooled: it knows its route and its age.
pub(crate) trait Pooled {
    fn route(&self) -> &Route;
    fn opened(&self) -> Instant;
    /// The time at which the connection is given up, because the peer announced that it will close
    /// it.
    fn kept_until(&self) -> Option<Instant>;
}

/// A connection to close.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed<T> {
    pub(crate) connection: T,
    pub(crate) reason: CloseReason,
}

impl<T> Pool<T> {
    pub(crate) fn new(limits: PoolLimits) -> Self {
        let early_closers = EarlyClosers::default();
        Self { limits, idle: Vec::new(), next_expiry: None, early_closers }
    }

    pub(crate) fn len(&self) -> usize {
        self.idle.len()
    }

    /// Removes and returns all connections.
    pub(crate) fn clear(&mut self) -> Vec<T> {
        self.idle.drain(..).map(|idle| idle.connection).collect()
    }
}

impl<T: Pooled> Pool<T> {
    /// Takes the connection to `url` through that proxy that was used last, and the time since
    /// which it is idle. Call [`expire`](Self::expire) first.
    pub(crate) fn take(
        &mut self,
        url: &Url,
        proxy: Option<&Arc<ProxyServer>>,
        identity: IdentityUse,
    ) -> Option<(T, Instant)> {
        let leads_there =
            |idle: &IdleConnection<T>| idle.connection.route().leads_to(url, proxy, identity);
        let at = self.idle.iter().rposition(leads_there)?;
        let idle = self.idle.remove(at);
        Some((idle.connection, idle.since))
    }

    /// Keeps a connection that [may be kept](Self::may_keep), and returns the one that is evicted
    /// for it.
    pub(crate) fn put(&mut self, connection: T, now: Instant) -> Option<Closed<T>> {
        if self.limits.max_idle_per_host == 0 || self.limits.max_idle == 0 {
            return Some(Closed { connection, reason: CloseReason::PoolFull });
        }
        let evicted = self.evict_for(connection.route());
        let idle = IdleConnection { connection, since: now };
        // A connection without limits of its own expires after those that are idle longer.
        let has_own_limit = self.limits.max_age.is_some() || idle.connection.kept_until().is_some();
        if self.next_expiry.is_none() || has_own_limit {
            self.next_expiry = earliest([self.next_expiry, idle.expiry(&self.limits)]);
        }
        self.idle.push(idle);
        evicted
    }

    /// Returns why a connection cannot be kept, if it cannot.
    #[inline]
    pub(crate) fn may_keep(&self, connection: &T, now: Instant) -> Result<(), CloseReason> {
        let age = || now.saturating_duration_since(connection.opened());
        if self.limits.max_age.is_some_and(|limit| age() >= limit) {
            return Err(CloseReason::Aged);
        }
        if connection.kept_until().is_some_and(|until| until <= now) {
            return Err(CloseReason::PeerLimit);
        }
        if self.early_closers.include(connection.route(), now) {
            return Err(CloseReason::EarlyCloser);
        }
        Ok(())
    }

    /// Records that the peer closed a connection of that route right after its first response.
    pub(crate) fn closed_early(&mut self, route: &Route, now: Instant) {
        self.early_closers.found(route, now);
    }

    /// Removes and returns the connections that are idle too long or too old.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Closed<T>> {
        match self.next_expiry {
            Some(at) if at <= now => self.sort_out(now),
            _ => Vec::new(), // the common case
        }
    }

    #[cold]
    fn sort_out(&mut self, now: Instant) -> Vec<Closed<T>> {
        let mut closed = Vec::new();
        for idle in std::mem::take(&mut self.idle) {
            let has_idled = now.saturating_duration_since(idle.since);
            if self.limits.idle_timeout.is_some_and(|limit| has_idled >= limit) {
                closed.push(idle.closed(CloseReason::Expired));
                continue;
            }
            match self.may_keep(&idle.connection, now) {
                Ok(()) => self.idle.push(idle),
                Err(reason) => closed.push(idle.closed(reason)),
            }
        }
        self.next_expiry = earliest(self.idle.iter().map(|idle| idle.expiry(&self.limits)));
        closed
    }

    /// Makes room for one more connection of `route`: evicts the longest idle one of the same host,
    /// or else of all hosts. At least one may be kept.
    fn evict_for(&mut self, route: &Route) -> Option<Closed<T>> {
        if self.idle.len() < self.limits.max_idle_per_host.min(self.limits.max_idle) {
            return None; // the common case: no route is compared
        }
        let same_host = |idle: &IdleConnection<T>| idle.connection.route() == route;
        let of_host = self.idle.iter().filter(|idle| same_host(idle)).count();
        let oldest = if of_host >= self.limits.max_idle_per_host {
            self.idle.iter().position(same_host)
        } else {
            (self.idle.len() >= self.limits.max_idle).then_some(0)
        };
        Some(self.idle.remove(oldest?).closed(CloseReason::PoolFull))
    }
}

fn earliest(moments: impl IntoIterator<Item = Option<Instant>>) -> Option<Instant> {
    moments.into_iter().flatten().min()
}

impl<T: Pooled> IdleConnection<T> {
    /// The time at which it expires if no call takes it.
    fn expiry(&self, limits: &PoolLimits) -> Option<Instant> {
        let after = |moment: Instant, limit: Option<Duration>| moment.checked_add(limit?);
        earliest([
            after(self.since, limits.idle_timeout),
            after(self.connection.opened(), limits.max_age),
            self.connection.kept_until(),
        ])
    }
}

impl<T> IdleConnection<T> {
    fn closed(self, reason: CloseReason) -> Closed<T> {
        Closed { connection: self.connection, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PoolLimits = PoolLimits {
        idle_timeout: Some(Duration::from_secs(90)),
        max_idle_per_host: 2,
        max_idle: 3,
        max_open_per_host: None,
        max_age: None,
    };

    impl Pooled for (Route, u32, Instant) {
        fn route(&self) -> &Route {
            &self.0
        }

        /// Numbers from 100 on expire that many seconds, less 100, after the start.
        fn kept_until(&self) -> Option<Instant> {
            let seconds = u64::from(self.1).checked_sub(100)?;
            Some(self.2 + Duration::from_secs(seconds))
        }

        fn opened(&self) -> Instant {
            self.2
        }
    }

    type TestPool = Pool<(Route, u32, Instant)>;

    fn url(host: &str) -> Url {
        Url::parse(&format!("http://{host}/")).unwrap()
    }

    fn put(pool: &mut TestPool, host: &str, connection: u32, now: Instant) -> Option<u32> {
        let closed =
            pool.put((Route::of(&url(host), None, IdentityUse::Shown), connection, now), now)?;
        assert_eq!(closed.reason, CloseReason::PoolFull);
        Some(closed.connection.1)
    }

    fn take(pool: &mut TestPool, host: &str) -> Option<u32> {
        let taken = pool.take(&url(host), None, IdentityUse::Shown);
        taken.map(|((_, connection, _), _)| connection)
    }

    #[test]
    fn the_last_used_connection_of_the_route_is_taken() {
        let mut pool = Pool::new(LIMITS);
        let now = Instant::now();
        put(&mut pool, "a", 1, now);
        put(&mut pool, "b", 2, now);
        put(&mut pool, "a", 3, now);
        assert_eq!(take(&mut pool, "c"), None);
        assert_eq!(take(&mut pool, "a:81"), None);
        assert_eq!(take(&mut pool, "a"), Some(3));
        assert_eq!(take(&mut pool, "a"), Some(1));
        assert_eq!(take(&mut pool, "a"), None);
        assert_eq!(pool.len(), 1);
    }

    #[test]
    fn a_full_pool_evicts_the_longest_idle() {
        let mut pool = Pool::new(LIMITS);
        let now = Instant::now();
        assert_eq!(put(&mut pool, "a", 1, now), None);
        assert_eq!(put(&mut pool, "b", 2, now), None);
        assert_eq!(put(&mut pool, "a", 3, now), None);
        assert_eq!(put(&mut pool, "a", 4, now), Some(1), "the limit of one host is two");
        assert_eq!(put(&mut pool, "c", 5, now), Some(2), "the limit of all hosts is three");
        assert_eq!(pool.len(), 3);
    }

    #[test]
    fn a_limit_of_zero_keeps_nothing() {
        for (max_idle_per_host, max_idle) in [(0, 3), (2, 0)] {
            let mut pool = Pool::new(PoolLimits { max_idle_per_host, max_idle, ..LIMITS });
            assert_eq!(put(&mut pool, "a", 1, Instant::now()), Some(1));
            assert_eq!(pool.len(), 0);
        }
    }

    #[test]
    fn idle_age_is_measured_from_the_last_use() {
        let mut pool = Pool::new(LIMITS);
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        put(&mut pool, "a", 1, start);
        put(&mut pool, "b", 2, later(50));
        let mut expired = |now| {
            let closed: Vec<_> =
                pool.expire(now).into_iter().map(|c| (c.connection.1, c.reason)).collect();
            closed
        };
        assert_eq!(expired(later(89)), []);
        assert_eq!(expired(later(90)), [(1, CloseReason::Expired)]);
        assert_eq!(expired(later(139)), []);
        assert_eq!(expired(later(140)), [(2, CloseReason::Expired)]);
    }

    #[test]
    fn age_is_measured_from_the_opening() {
        let limits = PoolLimits { max_age: Some(Duration::from_secs(60)), ..LIMITS };
        let mut pool = TestPool::new(limits);
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let connection = |opened| (Route::of(&url("a"), None, IdentityUse::Shown), 1, opened);
        assert!(pool.put(connection(start), later(59)).is_none());
        assert_eq!(pool.expire(later(59)).len(), 0);
        let expired: Vec<_> =
            pool.expire(later(60)).into_iter().map(|closed| closed.reason).collect();
        assert_eq!(expired, [CloseReason::Aged]);
        assert_eq!(pool.may_keep(&connection(start), later(60)), Err(CloseReason::Aged));
        assert_eq!(pool.may_keep(&connection(later(1)), later(60)), Ok(()));
        assert!(pool.put(connection(later(1)), later(60)).is_none());
        assert_eq!((pool.clear().len(), pool.len()), (1, 0));
    }

    /// The peer's announced limit can shorten the client's own, never extend it.
    #[test]
    fn the_keep_alive_of_the_peer_shortens_the_idle_timeout() {
        let mut pool = TestPool::new(LIMITS);
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        put(&mut pool, "a", 120, start);
        put(&mut pool, "b", 1, start);
        put(&mut pool, "c", 300, start);
        let mut expired = |now| -> Vec<_> {
            pool.expire(now).into_iter().map(|c| (c.connection.1, c.reason)).collect()
        };
        assert_eq!(expired(later(19)), []);
        assert_eq!(expired(later(20)), [(120, CloseReason::PeerLimit)]);
        assert_eq!(expired(later(20)), []);
        let both = [(1, CloseReason::Expired), (300, CloseReason::Expired)];
        assert_eq!(expired(later(90)), both);
        let connection = (Route::of(&url("a"), None, IdentityUse::Shown), 120, start);
        assert_eq!(pool.may_keep(&connection, later(19)), Ok(()));
        assert_eq!(pool.may_keep(&connection, later(20)), Err(CloseReason::PeerLimit));
    }

    #[test]
    fn a_route_whose_peer_closes_early_is_not_pooled_for_a_while() {
        let mut pool = TestPool::new(LIMITS);
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let connection = |host: &str| (Route::of(&url(host), None, IdentityUse::Shown), 1, start);
        pool.closed_early(&connection("a").0, start);
        let kept = |host, at| pool.may_keep(&connection(host), at);
        assert_eq!(kept("a", later(9)), Err(CloseReason::EarlyCloser));
        assert_eq!((kept("b", later(9)), kept("a", later(10))), (Ok(()), Ok(())));
    }
}
