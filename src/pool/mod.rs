//! The pool: idle connections, kept for the next request on the same [`Route`], and the limit on
//! open ones.
//!
//! This code only decides: it returns the connections to be closed and the waiters to be woken, and
//! the [driver](crate::driver) closes and wakes them outside the lock. It is generic over the
//! connection and takes the time as an argument. Read this file first, then [`permits`], the limit
//! per route with its queue; [`slab`] is the memory of both.
//!
//! Every connection except the newest is in two lists, and the pool only looks at their ends:
//!
//! ```text
//!               evicted if the pool is full; expires first
//!               │
//! by use        a1 ─▶ b1 ─▶ a2 ─▶ c1 ─▶ a3        newest: b2
//!
//! route a       a1 ───────▶ a2 ───────▶ a3 ─ taken next
//! route b             b1
//! route c                         c1
//! ```
//!
//! - A take compares the route of the newest connection, then finds the list of its route by hash,
//!   and takes the last one of it: the connection that was used last is the least likely to be
//!   stale. A put moves the connection that was the newest so far into its lists. So a client that
//!   sends one request after another to one host pays for neither lists nor hashes.
//! - All connections have the same idle timeout, so the order of use is also the order in which it
//!   ends. A connection with a limit of its own, its age or the `timeout` of a `Keep-Alive` field
//!   (RFC 2068 §19.7.1.1), has an entry in a heap, too. An entry whose connection has been taken
//!   since stays there until it is due, or until such entries are the majority.
//! - There is no background task: [`expire`](Pool::expire) runs before each take. A client can ask for one, the
//!   [reaper](crate::driver), which sleeps until the moment that [`reap`](Pool::reap) names.
//!
//! Invariants, for every order of calls: no route gets a connection of another one; no more
//! than `max_idle` connections, and `max_idle_per_host` of each route; the longest idle is evicted.
//! `the_pool_decides_like_one_that_scans_everything` compares with a plain vector, and
//! `no_operation_depends_on_the_number_of_connections` counts the entries that are visited.
//!
//! # One request after another
//!
//! For a client with one host, the common case, neither lists nor index are used; the lines after
//! it show how they come to be:
//!
//! ```text
//! put a1      newest = a1                                 no list, no hash
//! take a      the route of `newest` is compared: a1       no list, no hash
//! put a1      newest = a1
//! put b1      a1 settles into the first lane, which is `only`; newest = b1
//! put c1      b1 settles: two lanes, so the index is made, with the hash of each; newest = c1
//! take a      the index has the lane of a by its hash, its route is compared: a1
//! ```
//!
//! The index maps a hash to the first lane with it; lanes of equal hashes are chained, and each is
//! compared whole before a connection of it is taken. So a collision costs time and never hands out
//! a connection of another route.
//!
//! # Expiry
//!
//! `next_expiry` is the earliest moment at which anything can be due, so nearly every call of
//! [`Pool::expire`] is one comparison. It may be too early, if the connection that set it was taken
//! since; then a pass finds nothing and sets it anew. Two sources feed it: the front of the list by
//! use, for the idle timeout that all share, and the heap, for limits of single connections.
//!
//! # Why these structures
//!
//! A vector that is scanned is shorter, and was the model that the test compares with: every
//! decision here must equal its decision. But a scan makes a request cost more with each idle
//! connection, and a crawler has thousands. A map from route to list would hash a route, with its
//! proxy and credentials, twice for each request; comparing with the newest first makes the usual
//! client skip that.
//!
//! # Who calls what
//!
//! | method | called by | under the lock with |
//! | --- | --- | --- |
//! | `expire`, then `take` | `driver/checkout.rs`, before a request | permits, if nothing is idle |
//! | `may_keep`, then `put` | `driver/response_body.rs`, after a response | a waiter gets the connection instead, if there is one |
//! | `closed_early` | `driver/checkout.rs`, after a connection turned out dead | |
//! | `clear` | the client, on demand, and a child of `fork` | |
//! | `needs_reaper`, after a `put`; `reap` | `driver/response_body.rs`; the reaper | |
//!
//! Each returns what the driver must do after the lock: connections to close, with their reasons.
//!
//! # The state, and what always holds
//!
//! | field | holds | always |
//! | --- | --- | --- |
//! | `newest` | the connection that was put last | in no list, and not in `due` |
//! | `idle` | all others | each is in `by_use` and in the list of its lane |
//! | `by_use` | the order of their last use | `since` never decreases along it |
//! | `lanes` | one list per route | none is empty; two lanes never have the same route |
//! | `only`, `index` | how a lane is found | a lane is `only`, or it is in `index` under its hash |
//! | `due` | moments of connections with limits of their own | each such connection in `idle` has an entry |
//! | `next_expiry` | when to look again | not later than anything is due |
//! | `reaper_wakes` | when the reaper looks again | the reaper is called if it is later than `next_expiry` |
//!
//! `settle` is the only way into the lists, and `remove` the only way out.

pub(crate) mod permits;
mod slab;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::hash_map::{Entry, HashMap, RandomState};
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};
use std::iter;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::slab::{Links, List, Place, Slab};
use crate::config::PoolLimits;
use crate::http1::close::CloseReason;
use crate::policy::proxy::ProxyServer;
use crate::policy::route::{EarlyClosers, IdentityUse, Route};
use crate::url::Url;

/// Idle connections, by route and in the order of their use.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    limits: PoolLimits,
    /// The connection that was put last.
    newest: Option<Newest<T>>,
    /// All others.
    idle: Slab<IdleConnection<T>>,
    /// The same, the longest idle first.
    by_use: List,
    lanes: Slab<Lane>,
    /// The first lane with each hash.
    index: HashMap<u64, Place, BuildHasherDefault<AlreadyHashed>>,
    /// The lane of a client that has only one so far; it is not in the index.
    only: Option<Place>,
    /// Differs between pools, so that no peer can choose hosts with equal hashes.
    seed: u64,
    /// The moments at which connections with limits of their own are due, and their places. An entry is
    /// obsolete if the connection at its place, if any, is not due then.
    due: BinaryHeap<Reverse<(Instant, Place)>>,
    /// Nothing expires before this moment, so nothing is checked until then. It may be too early,
    /// because the connection that set it may have been taken since.
    next_expiry: Option<Instant>,
    /// The moment for which the reaper sleeps; `None` if there is none.
    #[cfg(feature = "tokio")]
    reaper_wakes: Option<Instant>,
    early_closers: EarlyClosers,
    /// Makes the hashes of many routes equal.
    #[cfg(test)]
    collides: bool,
}

#[derive(Debug)]
struct Newest<T> {
    connection: T,
    since: Instant,
    own_limit: Option<Instant>,
    /// The hash of its route, if it is known that there is no lane of it.
    hash: Option<u64>,
}

#[derive(Debug)]
struct IdleConnection<T> {
    connection: T,
    since: Instant,
    lane: Place,
    by_use: Links,
    in_lane: Links,
}

/// The idle connections of one route; never empty.
#[derive(Debug)]
struct Lane {
    /// The longest idle first.
    idle: List,
    /// The hash of the route, once the lane is in the index.
    hash: Option<u64>,
    /// The next lane with the same hash.
    next: Option<Place>,
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
        Self {
            limits,
            newest: None,
            idle: Slab::new(),
            by_use: List::default(),
            lanes: Slab::new(),
            index: HashMap::default(),
            only: None,
            seed: RandomState::new().build_hasher().finish(),
            due: BinaryHeap::new(),
            next_expiry: None,
            #[cfg(feature = "tokio")]
            reaper_wakes: None,
            early_closers: EarlyClosers::default(),
            #[cfg(test)]
            collides: false,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.idle.len() + usize::from(self.newest.is_some())
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
        let leads_there = |route: &Route| route.leads_to(url, proxy, identity);
        match &self.newest {
            Some(newest) if leads_there(newest.connection.route()) => {
                self.newest.take().map(|newest| (newest.connection, newest.since))
            }
            _ => {
                let hash = || self.hash(|state| Route::hash_to(url, proxy, identity, state));
                let lane = self.find(leads_there, hash).ok()?;
                let idle = self.remove(self.lanes.get(lane)?.idle.last?)?;
                Some((idle.connection, idle.since))
            }
        }
    }

    /// Returns the number of connections to `url` through that proxy.
    #[cfg(feature = "export")]
    pub(crate) fn idle_to(
        &self,
        url: &Url,
        proxy: Option<&Arc<ProxyServer>>,
        identity: IdentityUse,
    ) -> usize {
        let leads_there = |route: &Route| route.leads_to(url, proxy, identity);
        let newest = self.newest.as_ref();
        let newest = newest.is_some_and(|newest| leads_there(newest.connection.route()));
        let hash = || self.hash(|state| Route::hash_to(url, proxy, identity, state));
        let lane = self.find(leads_there, hash).ok().and_then(|lane| self.lanes.get(lane));
        lane.map_or(0, |lane| lane.idle.len) + usize::from(newest)
    }

    /// Keeps a connection that [may be kept](Self::may_keep), and returns the one that is evicted
    /// for it.
    pub(crate) fn put(&mut self, connection: T, now: Instant) -> Option<Closed<T>> {
        if self.limits.max_idle_per_host == 0 || self.limits.max_idle == 0 {
            return Some(Closed { connection, reason: CloseReason::PoolFull });
        }
        self.settle();
        // A connection without limits of its own expires after those that are idle longer.
        let own_limit = own_limit(&connection, &self.limits);
        if self.next_expiry.is_none() || own_limit.is_some() {
            let idle_too_long = self.limits.idle_timeout.and_then(|limit| now.checked_add(limit));
            self.next_expiry = earliest([self.next_expiry, idle_too_long, own_limit]);
        }
        self.newest = Some(Newest { connection, since: now, own_limit, hash: None });
        // The common case: no route is compared.
        let fits = self.len() <= self.limits.max_idle_per_host.min(self.limits.max_idle);
        if fits { None } else { self.evict() }
    }

    /// If there are too many connections of the newest one's route, removes the longest idle of
    /// these; or if there are too many of all routes, of all.
    fn evict(&mut self) -> Option<Closed<T>> {
        let route = self.newest.as_ref()?.connection.route();
        let lane = self.find(|other| other == route, || self.hash(|state| route.hash(state)));
        let of_route = lane.ok().and_then(|lane| Some(self.lanes.get(lane)?.idle));
        let oldest = match of_route {
            Some(idle) if idle.len >= self.limits.max_idle_per_host => idle.first,
            _ if self.len() > self.limits.max_idle => self.by_use.first,
            _ => None,
        };
        if let (Some(newest), Err(hash)) = (&mut self.newest, lane) {
            newest.hash = hash;
        }
        Some(self.remove(oldest?)?.closed(CloseReason::PoolFull))
    }

    /// Moves the connection that was the newest so far into its lists.
    ///
    /// This happens when the next connection is put while this one is still idle. A client that
    /// uses one connection at a time takes it before that, and never gets here.
    fn settle(&mut self) {
        let Some(newest) = self.newest.take() else { return };
        let Newest { connection, since, own_limit, hash } = newest;
        let lane = self.lane_of(connection.route(), hash);
        let last = self.by_use.last.and_then(|last| self.idle.get(last));
        // Calls read the clock before they lock the pool, so the times may be out of order.
        let since = last.map_or(since, |last| last.since.max(since));
        let links = Links::default();
        let idle = IdleConnection { connection, since, lane, by_use: links, in_lane: links };
        let place = self.idle.insert(idle);
        self.by_use.push(place, &mut self.idle, |idle| &mut idle.by_use);
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.idle.push(place, &mut self.idle, |idle| &mut idle.in_lane);
        }
        if let Some(at) = own_limit {
            self.due.push(Reverse((at, place)));
            self.forget_obsolete_entries();
        }
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
            Some(at) if at <= now => self.remove_expired(now),
            _ => Vec::new(), // the common case
        }
    }

    /// Returns whether the reaper has to be called: something may be due before it wakes.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn needs_reaper(&self) -> bool {
        let is_early = |next| self.reaper_wakes.is_none_or(|wakes| next < wakes);
        self.limits.has_reaper && self.next_expiry.is_some_and(is_early)
    }

    /// Removes and returns the connections that are idle too long or too old, and the moment at which the reaper
    /// wakes next. There is none if nothing can be due; then the reaper ends.
    #[cfg(feature = "tokio")]
    pub(crate) fn reap(&mut self, now: Instant) -> (Vec<Closed<T>>, Option<Instant>) {
        let closed = self.expire(now);
        self.reaper_wakes = self.next_expiry;
        (closed, self.next_expiry)
    }

    /// Reports that the reaper has ended before it was due.
    #[cfg(feature = "tokio")]
    pub(crate) fn reaper_is_gone(&mut self) {
        self.reaper_wakes = None;
    }

    #[cold]
    fn remove_expired(&mut self, now: Instant) -> Vec<Closed<T>> {
        let mut closed = Vec::new();
        self.settle();
        let idle_timeout = self.limits.idle_timeout;
        let idle_too_long = |idle: &IdleConnection<T>| idle.since.checked_add(idle_timeout?);
        let next_by_use = loop {
            let oldest = self.by_use.first.and_then(|oldest| self.idle.get(oldest));
            let Some(at) = oldest.and_then(idle_too_long) else { break None };
            if at > now {
                break Some(at);
            }
            let expired = self.by_use.first.and_then(|oldest| self.remove(oldest));
            closed.extend(expired.map(|idle| idle.closed(CloseReason::Expired)));
        };
        let next_due = loop {
            let Some(Reverse((at, place))) = self.due.peek().copied() else { break None };
            if at > now {
                break Some(at);
            }
            self.due.pop();
            let Some(idle) = self.idle.get(place) else { continue };
            if own_limit(&idle.connection, &self.limits) == Some(at) {
                let reason = self.may_keep(&idle.connection, now).err();
                let reason = reason.unwrap_or(CloseReason::PeerLimit);
                closed.extend(self.remove(place).map(|idle| idle.closed(reason)));
            }
        };
        self.next_expiry = earliest([next_by_use, next_due]);
        if self.idle.len() == 0 {
            self.due.clear();
            self.next_expiry = None; // the next connection to be put decides
        }
        closed
    }

    /// Removes and returns all connections.
    pub(crate) fn clear(&mut self) -> Vec<T> {
        let mut removed = Vec::with_capacity(self.len());
        self.settle();
        while let Some(oldest) = self.by_use.first {
            removed.extend(self.remove(oldest).map(|idle| idle.connection));
        }
        removed
    }

    /// Takes a connection out of both of its lists, and its lane out of the index if it was the
    /// last in it.
    fn remove(&mut self, place: Place) -> Option<IdleConnection<T>> {
        let id = self.idle.get(place)?.lane;
        self.by_use.unlink(place, &mut self.idle, |idle| &mut idle.by_use);
        let lane = self.lanes.get_mut(id)?;
        lane.idle.unlink(place, &mut self.idle, |idle| &mut idle.in_lane);
        if lane.idle.len == 0 {
            self.remove_lane(id);
        }
        self.idle.remove(place)
    }

    /// Returns the lane of a route, which may be new; `hash` is that of the route, if it is known
    /// that there is none yet.
    fn lane_of(&mut self, route: &Route, hash: Option<u64>) -> Place {
        let new_hash = |pool: &Self| pool.hash(|state| route.hash(state));
        let hash = match hash {
            Some(hash) => Some(hash),
            None => match self.find(|other| other == route, || new_hash(self)) {
                Ok(lane) => return lane,
                Err(hash) => hash,
            },
        };
        let lane = self.lanes.insert(Lane { idle: List::default(), hash: None, next: None });
        if self.lanes.len() == 1 {
            self.only = Some(lane);
            return lane;
        }
        if let Some(only) = self.only.take() {
            let hash = self.route_of(only).map(|route| self.hash(|state| route.hash(state)));
            self.add_to_index(only, hash.unwrap_or_default());
        }
        self.add_to_index(lane, hash.unwrap_or_else(|| new_hash(self)));
        lane
    }

    /// Finds the lane of a route. If there is none, it may return the hash of the route.
    #[inline]
    fn find(
        &self,
        matches: impl Fn(&Route) -> bool,
        hash: impl FnOnce() -> u64,
    ) -> Result<Place, Option<u64>> {
        let is_it = |lane: &Place| self.route_of(*lane).is_some_and(&matches);
        if self.index.is_empty() {
            return self.only.filter(is_it).ok_or(None);
        }
        let hash = hash();
        let next = |lane: &Place| self.lanes.get(*lane)?.next;
        let mut with_hash = iter::successors(self.index.get(&hash).copied(), next);
        with_hash.find(is_it).ok_or(Some(hash))
    }

    fn route_of(&self, lane: Place) -> Option<&Route> {
        let newest = self.lanes.get(lane)?.idle.last?;
        Some(self.idle.get(newest)?.connection.route())
    }

    fn hash(&self, write: impl FnOnce(&mut RouteHasher)) -> u64 {
        let mut state = RouteHasher(self.seed);
        write(&mut state);
        let hash = state.finish();
        #[cfg(test)]
        let hash = if self.collides { hash % 2 } else { hash };
        hash
    }

    /// Puts a lane in front of the chain of its hash.
    fn add_to_index(&mut self, id: Place, hash: u64) {
        let next = self.index.insert(hash, id);
        if let Some(lane) = self.lanes.get_mut(id) {
            (lane.hash, lane.next) = (Some(hash), next);
        }
    }

    /// Takes a lane out of the chain of its hash: the index points to the first, and each to the
    /// next.
    fn remove_lane(&mut self, id: Place) {
        self.only = self.only.filter(|only| *only != id);
        let Some(Lane { hash: Some(hash), next, .. }) = self.lanes.remove(id) else { return };
        let Entry::Occupied(mut first) = self.index.entry(hash) else { return };
        if *first.get() == id {
            match next {
                Some(next) => drop(first.insert(next)),
                None => drop(first.remove()),
            }
            return;
        }
        let mut before = Some(*first.get());
        while let Some(lane) = before.and_then(|before| self.lanes.get_mut(before)) {
            if lane.next == Some(id) {
                lane.next = next;
                return;
            }
            before = lane.next;
        }
    }

    /// Rebuilds the heap once most of its entries are obsolete. It has grown fourfold since the last
    /// time, so this costs less than one visit for each put.
    ///
    /// Entries are not removed when their connection is taken, because a heap cannot find them. A
    /// client whose server announces a `Keep-Alive` timeout would otherwise add one with each
    /// request.
    fn forget_obsolete_entries(&mut self) {
        if self.due.len() <= 4 * self.idle.len() + 64 {
            return;
        }
        let mut due = mem::take(&mut self.due).into_vec();
        due.clear();
        let next = |place: &Place| self.idle.get(*place)?.by_use.next;
        due.extend(iter::successors(self.by_use.first, next).filter_map(|place| {
            let at = own_limit(&self.idle.get(place)?.connection, &self.limits)?;
            Some(Reverse((at, place)))
        }));
        self.due = due.into();
    }
}

fn earliest(moments: impl IntoIterator<Item = Option<Instant>>) -> Option<Instant> {
    moments.into_iter().flatten().min()
}

/// The time at which a connection expires even if it is not idle for long.
fn own_limit(connection: &impl Pooled, limits: &PoolLimits) -> Option<Instant> {
    let too_old = |limit: Duration| connection.opened().checked_add(limit);
    earliest([limits.max_age.and_then(too_old), connection.kept_until()])
}

impl<T> IdleConnection<T> {
    fn closed(self, reason: CloseReason) -> Closed<T> {
        Closed { connection: self.connection, reason }
    }
}

/// FNV-1a. SipHash takes 300 instructions for a host, twice for each request of a client with many
/// hosts, 5 % of a GET; if a peer finds hosts with equal hashes, a take scans their lanes.
struct RouteHasher(u64);

impl Hasher for RouteHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// The hash of a hash that is random already.
#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        debug_assert!(false, "the key is no u64: {bytes:?}");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests;
