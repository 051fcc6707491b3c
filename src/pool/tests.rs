use proptest::prelude::*;

use super::*;

const LIMITS: PoolLimits = PoolLimits {
    idle_timeout: Some(Duration::from_secs(90)),
    max_idle_per_host: 2,
    max_idle: 3,
    max_open_per_host: None,
    max_age: None,
    #[cfg(feature = "tokio")]
    has_reaper: false,
};

impl Pooled for (Route, u32, Instant) {
    fn route(&self) -> &Route {
        &self.0
    }

    /// Numbers whose last three digits are at least 100 expire that many seconds, less 100,
    /// after the start.
    fn kept_until(&self) -> Option<Instant> {
        let seconds = u64::from(self.1 % 1000).checked_sub(100)?;
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

/// The reaper is called only for what is due before it wakes, and wakes when the next is due.
#[cfg(feature = "tokio")]
#[test]
fn the_reaper_wakes_when_something_is_due() {
    let start = Instant::now();
    let later = |seconds| start + Duration::from_secs(seconds);
    let mut none = TestPool::new(LIMITS);
    put(&mut none, "a", 1, start);
    assert!(!none.needs_reaper());
    let mut pool = TestPool::new(PoolLimits { has_reaper: true, ..LIMITS });
    assert!(!pool.needs_reaper(), "nothing is idle");
    put(&mut pool, "a", 1, start);
    assert!(pool.needs_reaper());
    assert_eq!(pool.reap(start), (Vec::new(), Some(later(90))));
    put(&mut pool, "b", 2, later(10));
    assert!(!pool.needs_reaper(), "it is due later");
    put(&mut pool, "c", 105, later(20));
    assert!(pool.needs_reaper(), "the peer closes it at 25");
    assert_eq!(pool.reap(later(20)).1, Some(later(25)));
    let reap = |pool: &mut TestPool, seconds| {
        let (closed, next) = pool.reap(later(seconds));
        (closed.into_iter().map(|closed| closed.connection.1).collect::<Vec<_>>(), next)
    };
    assert_eq!(reap(&mut pool, 25), (vec![105], Some(later(90))));
    assert_eq!(reap(&mut pool, 90), (vec![1], Some(later(100))));
    pool.reaper_is_gone();
    assert!(pool.needs_reaper(), "by the next connection, whichever it is");
    assert_eq!(reap(&mut pool, 100), (vec![2], None));
    assert!(!pool.needs_reaper());
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
    let expired: Vec<_> = pool.expire(later(60)).into_iter().map(|closed| closed.reason).collect();
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

/// The same decisions, made by looking at every connection each time.
struct Naive {
    limits: PoolLimits,
    /// The host, the number, and the time since which it is idle.
    idle: Vec<(usize, TestConnection, Instant)>,
}

type TestConnection = (Route, u32, Instant);

impl Naive {
    fn put(&mut self, host: usize, connection: TestConnection, now: Instant) -> Option<u32> {
        self.idle.push((host, connection, now));
        let same_host = |idle: &(usize, TestConnection, Instant)| idle.0 == host;
        let of_host = self.idle.iter().filter(|idle| same_host(idle)).count();
        let at = if of_host > self.limits.max_idle_per_host {
            self.idle.iter().position(same_host)?
        } else if self.idle.len() > self.limits.max_idle {
            0
        } else {
            return None;
        };
        Some(self.idle.remove(at).1.1)
    }

    fn take(&mut self, host: usize) -> Option<(u32, Instant)> {
        let at = self.idle.iter().rposition(|idle| idle.0 == host)?;
        let (_, connection, since) = self.idle.remove(at);
        Some((connection.1, since))
    }

    fn expire(&mut self, now: Instant) -> Vec<(u32, CloseReason)> {
        let limits = self.limits;
        let reason = |connection: &TestConnection, since: Instant| {
            if limits.idle_timeout.is_some_and(|limit| now - since >= limit) {
                return Some(CloseReason::Expired);
            }
            if limits.max_age.is_some_and(|limit| now - connection.2 >= limit) {
                return Some(CloseReason::Aged);
            }
            connection.kept_until().filter(|until| *until <= now).map(|_| CloseReason::PeerLimit)
        };
        let idle = mem::take(&mut self.idle).into_iter();
        let (expired, kept) = idle.partition(|idle| reason(&idle.1, idle.2).is_some());
        self.idle = kept;
        let expired: Vec<(usize, TestConnection, Instant)> = expired;
        let reason =
            |idle: &(usize, TestConnection, Instant)| (idle.1.1, reason(&idle.1, idle.2).unwrap());
        expired.iter().map(reason).collect()
    }
}

/// Some limits: of idle time and age in seconds, of one host and of all.
fn some_limits() -> impl Strategy<Value = PoolLimits> {
    let seconds = || prop::option::of((1..60_u64).prop_map(Duration::from_secs));
    (seconds(), seconds(), 1..4_usize, 1..12_usize).prop_map(
        |(idle_timeout, max_age, max_idle_per_host, max_idle)| PoolLimits {
            idle_timeout,
            max_age,
            max_idle_per_host,
            max_idle,
            max_open_per_host: None,
            #[cfg(feature = "tokio")]
            has_reaper: false,
        },
    )
}

proptest! {
    #[test]
    fn the_pool_decides_like_one_that_scans_everything(
        limits in some_limits(),
        steps in prop::collection::vec((0..8_u8, 0..8_usize, 0..20_u64, 0..40_u32), 0..300),
        collides: bool,
    ) {
        let mut pool = TestPool { collides, ..Pool::new(limits) };
        let mut naive = Naive { limits, idle: Vec::new() };
        let hosts: Vec<_> = (0..8).map(|host| url(&format!("h{host}"))).collect();
        let mut now = Instant::now();
        let mut number = 1000;
        let mut in_use = Vec::new();
        for (step, host, seconds, kept) in steps {
            // Those of equal age are opened at the same moment.
            now += Duration::from_secs(seconds.saturating_sub(14));
            let (mut expired, mut expected) = (pool.expire(now), naive.expire(now));
            expired.sort_by_key(|closed| closed.connection.1);
            expected.sort_by_key(|closed| closed.0);
            let expired = expired.into_iter().map(|closed| (closed.connection.1, closed.reason));
            prop_assert_eq!(expired.collect::<Vec<_>>(), expected);
            match step {
                0..4 => {
                    let taken = pool.take(&hosts[host], None, IdentityUse::Shown);
                    let names = taken.as_ref().map(|(taken, since)| (taken.1, *since));
                    prop_assert_eq!(names, naive.take(host));
                    in_use.extend(taken.map(|(taken, _)| (host, taken)));
                }
                4..7 => {
                    let (host, connection) = match in_use.pop().filter(|_| step < 6) {
                        Some(used) => used,
                        None => {
                            number += 1000;
                            let route = Route::of(&hosts[host], None, IdentityUse::Shown);
                            // See `kept_until`.
                            let number = if kept > 20 { number + 100 + kept } else { number };
                            (host, (route, number, now))
                        }
                    };
                    if pool.may_keep(&connection, now).is_ok() {
                        let evicted = naive.put(host, connection.clone(), now);
                        let closed = pool.put(connection, now);
                        prop_assert_eq!(closed.map(|closed| closed.connection.1), evicted);
                    }
                }
                _ if seconds == 0 => {
                    let all: Vec<_> = naive.idle.drain(..).map(|idle| idle.1).collect();
                    prop_assert_eq!(pool.clear(), all);
                }
                _ => {}
            }
            prop_assert_eq!(pool.len(), naive.idle.len());
            prop_assert!(pool.due.len() <= 4 * pool.len() + 65);
            prop_assert!(pool.index.len() <= pool.lanes.len());
            prop_assert!(pool.lanes.len() <= pool.len());
        }
    }
}

#[test]
fn no_operation_depends_on_the_number_of_connections() {
    let limits = PoolLimits { max_idle_per_host: 1, max_idle: 1000, ..LIMITS };
    let aged = PoolLimits { max_age: Some(Duration::from_secs(600)), ..limits };
    for limits in [limits, aged] {
        let few = visits(limits, 10);
        let many = visits(limits, 1000);
        assert!(many.iter().zip(few).all(|(many, few)| *many <= few + 8), "{few:?} {many:?}");
        assert!(few.iter().all(|few| *few <= 40), "{few:?}");
    }
}

/// The entries that are visited on average for taking and putting back a connection of each
/// host in turn, for one eviction of the same host and one of all, and for each that expires.
fn visits(limits: PoolLimits, count: usize) -> [usize; 4] {
    let mut pool = TestPool::new(PoolLimits { max_idle: count, ..limits });
    let start = Instant::now();
    let hosts: Vec<_> = (0..count + 1).map(|host| url(&format!("h{host}"))).collect();
    let connection = |host: usize| {
        (
            Route::of(&hosts[host], None, IdentityUse::Shown),
            u32::try_from(host % 90).unwrap(),
            start,
        )
    };
    let at = |number: usize| start + Duration::from_millis(u64::try_from(number).unwrap());
    for host in 0..count {
        assert!(pool.put(connection(host), at(host)).is_none());
    }
    let visits = |pool: &TestPool| pool.idle.visits() + pool.lanes.visits();
    let mut counted = [0; 4];
    let mut before = visits(&pool);
    let mut count_to = |counted: &mut usize, pool: &TestPool, times: usize| {
        *counted = (visits(pool) - before) / times;
        before = visits(pool);
    };
    for turn in 0..10 * count {
        let now = at(count + turn);
        assert!(pool.expire(now).is_empty());
        let (taken, _) = pool.take(&hosts[turn % count], None, IdentityUse::Shown).unwrap();
        assert!(pool.put(taken, now).is_none());
    }
    count_to(&mut counted[0], &pool, 10 * count);
    let now = at(12 * count);
    assert_eq!(pool.put(connection(count / 2), now).unwrap().connection.0, connection(count / 2).0);
    count_to(&mut counted[1], &pool, 1);
    assert_eq!(pool.put(connection(count), now).unwrap().connection.0, connection(0).0);
    count_to(&mut counted[2], &pool, 1);
    let next = pool.next_expiry.unwrap().max(at(11 * count + 1) + Duration::from_secs(90));
    let expired = pool.expire(next).len();
    count_to(&mut counted[3], &pool, expired);
    counted
}
