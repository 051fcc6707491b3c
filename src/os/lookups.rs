//! The name lookups of one client: the threads and the lock around the queue that decides their
//! order, [`LookupQueue`]. A caller that stops waiting leaves its lookup behind, because a lookup
//! cannot be interrupted.
//!
//! ```text
//! begin ─▶ joins the lookup of the same name, if a caller waits for it
//!       └▶ waits in the queue ─▶ runs on a thread ─▶ answers all callers
//! ```
//!
//! # Why lookups are managed
//!
//! `getaddrinfo` blocks, has no timeout and cannot be interrupted. A call that gives up leaves a
//! thread behind for as long as a silent name server likes. Without a bound, a program that retries
//! would collect such threads; with a plain bound, names of one silent server would block all
//! others. So there is a maximum of concurrent lookups, and each site gets a share of it
//! ([`LookupQueue`], in `policy/`, decides both; `s07_names_of_one_site_leave_lookups_for_others` in
//! `tests/dialling.rs`).
//!
//! # Rules
//!
//! - Callers that want the same name at the same time share one lookup
//!   (`callers_of_the_same_name_share_a_lookup`), but none joins one that runs and that all others
//!   have left: it may be stuck (`an_abandoned_lookup_is_not_shared`). Nothing is cached beyond
//!   that.
//! - A caller holds its channel; the lookup holds a weak reference to it. When no caller is left, a
//!   waiting lookup is dropped without a thread, and the answer of a running one is dropped.
//! - The caller's resolver is called, polled and dropped without the lock
//!   (`a_resolver_is_called_and_dropped_without_the_lock`); its panic is an error of the lookup
//!   ([`caught`]).
//! - A future of the caller's that no call waits for is dropped when it is next polled
//!   (`an_abandoned_future_is_dropped`).
//! - One thread at a time starts lookups (`is_starting`). Starting may run a job to its end
//!   immediately, which starts more; without the mark, that would recurse as deep as the queue is
//!   long.
//! - A child of `fork` has none of the threads: it begins with an empty state
//!   (`after_a_fork_the_child_starts_without_lookups`).
//!
//! # Threads
//!
//! [`LookupThreads`] is where the runtimes differ: `blocking` and a runtime of the user's start [`Threads`],
//! tokio uses its blocking threads. The resolver is called on such a thread, because it may block. If the future that
//! it returns is not ready, `blocking` waits for it there, and tokio spawns it. If there is no thread, or
//! the runtime shuts down, the job is dropped, and `Drop` answers with an error; so a lookup always has an
//! answer.
//!
//! ```text
//! thread of a call                     lock                          thread of a lookup
//! begin ────────────────────────▶ join, or add to the queue
//!   hand_out_turns ─────────────▶ next: may one run? ──── run ─────▶ carry_out: resolver,
//!                                                                     drive: its future
//!                                                                     drop: take the callers
//!                                 forget the name, end ◀────────────  answer them, without the lock
//!                                 next: may one run?   ◀────────────  hand_out_turns
//! ```
//!
//! The reason why a lookup has not begun ([`Lookups::obstacle`]) goes into the timeout error of its
//! call: it names the site with the most running lookups
//! (`the_reason_of_a_delayed_lookup_is_reported`).

use std::collections::HashMap;
#[cfg(feature = "runtime")]
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::config::dns::{Addrs, MAX_ADDRESSES, Name, Resolver, Resolving};
#[cfg(any(feature = "tokio", feature = "runtime"))]
use crate::driver::async_runtime::{AsyncRuntime, NameLookup, Signal};
use crate::driver::runtime::{Event, Found, Oneshot};
use crate::error::Cause;
use crate::policy::lookups::LookupQueue;

/// The executor of lookups.
pub(crate) trait LookupThreads: Clone + Send + Sync + 'static {
    /// Runs the work on a thread that may block, or drops it if there is none.
    fn run(&self, work: impl FnOnce() + Send + 'static);

    /// Drives a future to its end, or drops it if that is not possible any more. Called on a thread of
    /// [`run`](Self::run), where by default it waits.
    fn drive(&self, lookup: impl Future<Output = ()> + Send + 'static) {
        let mut lookup = pin!(lookup);
        let waker = Waker::from(Arc::new(Unparks(thread::current())));
        while lookup.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            thread::park();
        }
    }
}

/// Runs each lookup on a new thread.
#[cfg(any(feature = "blocking", feature = "runtime"))]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Threads;

#[cfg(any(feature = "blocking", feature = "runtime"))]
impl LookupThreads for Threads {
    fn run(&self, work: impl FnOnce() + Send + 'static) {
        let thread = thread::Builder::new().name("leanhttp lookup".into());
        drop(thread.spawn(work));
    }
}

/// The name lookups of one client on an async runtime, on threads that last as long as a lookup.
///
/// At most 64 run at the same time, at most 13 of them for one site, and calls that ask for the same name share one.
///
/// ```
/// use leanhttp::runtime::{NameLookup, NameLookups};
/// # use leanhttp::runtime::AsyncRuntime;
///
/// struct Parts<R: AsyncRuntime> {
///     lookups: NameLookups<R>,
/// }
///
/// impl<R: AsyncRuntime> Parts<R> {
///     fn look_up(&self, lookup: NameLookup<R>) {
///         self.lookups.begin(lookup);
///     }
/// }
/// ```
#[cfg(feature = "runtime")]
pub struct NameLookups<R: AsyncRuntime>(Arc<Lookups<Signal<R>, Threads>>);

#[cfg(feature = "runtime")]
impl<R: AsyncRuntime> NameLookups<R> {
    /// Begins a lookup when its turn comes; it is answered by the resolver of the client's settings.
    pub fn begin(&self, lookup: NameLookup<R>) {
        self.0.begin_named(lookup, Threads);
    }

    /// Returns the reason why the lookup of that name has not begun, if others delay it.
    pub fn obstacle(&self, host: &str) -> Option<String> {
        self.0.obstacle(host)
    }
}

#[cfg(feature = "runtime")]
impl<R: AsyncRuntime> Default for NameLookups<R> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

#[cfg(feature = "runtime")]
impl<R: AsyncRuntime> Clone for NameLookups<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[cfg(feature = "runtime")]
impl<R: AsyncRuntime> fmt::Debug for NameLookups<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameLookups").finish_non_exhaustive()
    }
}

/// Wakes a thread that waits in [`LookupThreads::drive`].
struct Unparks(Thread);

impl Wake for Unparks {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The lookups of one client.
#[derive(Debug)]
pub(crate) struct Lookups<E, P>(Mutex<LookupsState<E, P>>);

#[derive(Debug)]
struct LookupsState<E, P> {
    queue: LookupQueue<Arc<Lookup<E, P>>>,
    /// The latest lookup of each name, while it runs or waits.
    names: HashMap<Box<str>, Arc<Lookup<E, P>>>,
    /// True while a thread starts lookups.
    is_starting: bool,
    /// The process that owns the threads: after a fork the child has none of them.
    process: u32,
}

/// A lookup of a name, shared by all callers that wait for it.
#[derive(Debug)]
struct Lookup<E, P> {
    host: Box<str>,
    resolver: Resolver,
    place: P,
    callers: Mutex<Callers<E>>,
}

#[derive(Debug)]
struct Callers<E> {
    is_running: bool,
    /// The callers. Each drops its channel when it stops waiting.
    desks: Vec<Weak<Oneshot<Found, E>>>,
}

/// A running lookup, which counts against the maximum until it is dropped.
struct Job<E: Event, P: LookupThreads> {
    lookups: Arc<Lookups<E, P>>,
    lookup: Arc<Lookup<E, P>>,
    found: Option<Found>,
}

impl<E, P> Default for Lookups<E, P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<E, P> Default for LookupsState<E, P> {
    fn default() -> Self {
        Self {
            queue: LookupQueue::default(),
            names: HashMap::new(),
            is_starting: false,
            process: process::id(),
        }
    }
}

impl<E: Event, P: LookupThreads> Lookups<E, P> {
    /// Looks a name up when its turn comes, on that executor, and sends the result to the channel.
    pub(crate) fn begin(
        self: &Arc<Self>,
        host: &str,
        resolver: Resolver,
        place: P,
        desk: &Arc<Oneshot<Found, E>>,
    ) {
        let desk = Arc::downgrade(desk);
        let forgotten = self.forget_the_parents();
        drop(forgotten);
        let replaced = {
            let mut state = self.state();
            if state.names.get(host).is_some_and(|lookup| lookup.take_in(&desk)) {
                return;
            }
            let callers = Mutex::new(Callers { is_running: false, desks: vec![desk] });
            let lookup = Arc::new(Lookup { host: host.into(), resolver, place, callers });
            state.queue.add(host, Arc::clone(&lookup));
            state.names.insert(host.into(), lookup) // the earlier one, which no caller waits for
        };
        drop(replaced); // outside the lock: it drops a resolver, which is the caller's code
        self.hand_out_turns();
    }

    /// Returns the reason why the lookup of that name has not begun, if it is waiting.
    pub(crate) fn obstacle(&self, host: &str) -> Option<String> {
        let state = self.state();
        let lookup = state.names.get(host)?;
        if lookup.callers().is_running {
            return None;
        }
        let (site, most) = state.queue.busiest_site()?;
        Some(format!(
            "the lookup has not started: {} lookups of other names have no answer yet, {} of \
             them for {site}",
            state.queue.running(),
            most
        ))
    }

    /// Starts all lookups that may run.
    fn hand_out_turns(self: &Arc<Self>) {
        if mem::replace(&mut self.state().is_starting, true) {
            return; // the other thread starts the rest too
        }
        let starting = Starting(self);
        loop {
            let mut unwanted = Vec::new();
            let next = {
                let mut state = self.state();
                let next = state.queue.next(|lookup| lookup.start(), &mut unwanted);
                unwanted.iter().for_each(|lookup| forget(&mut state.names, lookup));
                if next.is_none() {
                    state.is_starting = false;
                }
                next
            };
            drop(unwanted);
            let Some(lookup) = next else { return mem::forget(starting) };
            let place = lookup.place.clone();
            let job = Job { lookups: Arc::clone(self), lookup, found: None };
            place.run(move || job.carry_out());
        }
    }

    /// Clears the state in a child of `fork`: threads and callers are the parent's.
    fn forget_the_parents(&self) -> Option<LookupsState<E, P>> {
        let mut state = self.state();
        let is_child = state.process != process::id();
        is_child.then(|| mem::take(&mut *state))
    }

    /// Locks the state for a decision. The lock is never held over foreign code, so a panic
    /// elsewhere cannot leave the state inconsistent.
    fn state(&self) -> MutexGuard<'_, LookupsState<E, P>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(any(feature = "tokio", feature = "runtime"))]
impl<R: AsyncRuntime, P: LookupThreads> Lookups<Signal<R>, P> {
    /// Looks up the name that a call on an async runtime waits for, as [`begin`](Self::begin) does.
    pub(crate) fn begin_named(self: &Arc<Self>, lookup: NameLookup<R>, place: P) {
        if let Some((host, resolver, answer)) = lookup.into_parts() {
            self.begin(&host, resolver, place, &answer);
        }
    }
}

/// Marks that lookups are being started; cleared on a panic, so that the next caller can continue.
struct Starting<'a, E: Event, P: LookupThreads>(&'a Lookups<E, P>);

impl<E: Event, P: LookupThreads> Drop for Starting<'_, E, P> {
    fn drop(&mut self) {
        self.0.state().is_starting = false;
    }
}

/// Removes the lookup from the names, so that later callers do not join it.
fn forget<E, P>(names: &mut HashMap<Box<str>, Arc<Lookup<E, P>>>, lookup: &Arc<Lookup<E, P>>) {
    if names.get(&lookup.host).is_some_and(|latest| Arc::ptr_eq(latest, lookup)) {
        names.remove(&lookup.host);
    }
}

impl<E, P> Lookup<E, P> {
    /// Adds a caller, unless the lookup runs and has no callers: then it may be stuck.
    fn take_in(&self, desk: &Weak<Oneshot<Found, E>>) -> bool {
        let mut callers = self.callers();
        if callers.is_running && !callers.is_wanted() {
            return false;
        }
        if callers.desks.len().is_power_of_two() {
            callers.desks.retain(|desk| desk.strong_count() > 0);
        }
        callers.desks.push(Weak::clone(desk));
        true
    }

    /// Marks the lookup as running if a caller waits for it; returns whether one does.
    fn start(&self) -> bool {
        let mut callers = self.callers();
        callers.is_running = callers.is_wanted();
        callers.is_running
    }

    fn callers(&self) -> MutexGuard<'_, Callers<E>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> Callers<E> {
    fn is_wanted(&self) -> bool {
        self.desks.iter().any(|desk| desk.strong_count() > 0)
    }
}

impl<E: Event, P: LookupThreads> Job<E, P> {
    fn carry_out(mut self) {
        if !self.lookup.callers().is_wanted() {
            return;
        }
        let name = Name::new(&self.lookup.host);
        match caught(|| self.lookup.resolver.0.resolve(name)) {
            Ok(resolving) => {
                let place = self.lookup.place.clone();
                place.drive(async move {
                    let found = self.await_answer(resolving).await;
                    self.found = found;
                    drop(self);
                });
            }
            Err(error) => self.found = Some(Err(error)),
        }
    }

    /// Returns the answer of the resolver, or `None` once no caller waits for it.
    async fn await_answer(&self, mut resolving: Resolving) -> Option<Found> {
        let answer = poll_fn(|cx| {
            if !self.lookup.callers().is_wanted() {
                return Poll::Ready(None);
            }
            match caught(|| resolving.as_mut().poll(cx).map(addresses)) {
                Ok(poll) => poll.map(Some),
                Err(error) => Poll::Ready(Some(Err(error))),
            }
        });
        answer.await
    }
}

/// Calls the caller's resolver. Its panic becomes an error for all waiting calls.
fn caught<T>(call: impl FnOnce() -> T) -> io::Result<T> {
    let returned = panic::catch_unwind(AssertUnwindSafe(call));
    returned.map_err(|_| io::Error::other("the lookup ended without an answer"))
}

/// Returns the addresses that a resolver found. An `io::Error` of its own stays what it is.
fn addresses(answer: Result<Addrs, Cause>) -> io::Result<Vec<SocketAddr>> {
    match answer {
        Ok(addresses) => Ok(addresses.take(MAX_ADDRESSES).collect()),
        Err(error) => Err(error.downcast().map_or_else(io::Error::other, |error| *error)),
    }
}

/// Answers the callers when the lookup has ended, or when no thread was available for it.
impl<E: Event, P: LookupThreads> Drop for Job<E, P> {
    fn drop(&mut self) {
        let found = self.found.take().unwrap_or_else(|| Err(io::Error::other(NO_THREAD)));
        let desks = {
            let mut state = self.lookups.state();
            forget(&mut state.names, &self.lookup);
            state.queue.end(&self.lookup.host);
            mem::take(&mut self.lookup.callers().desks)
        };
        answer(&desks, found);
        self.lookups.hand_out_turns();
    }
}

const NO_THREAD: &str = "no thread is available for the name lookup";

/// Sends the result to all remaining callers.
fn answer<E: Event>(desks: &[Weak<Oneshot<Found, E>>], found: Found) {
    // An `io::Error` cannot be cloned, so all callers but one get a copy with its code or its text.
    let mut desks = desks.iter().filter_map(Weak::upgrade);
    let Some(last) = desks.next() else { return };
    for desk in desks {
        desk.put(copy(&found));
    }
    last.put(found); // the last one gets the resolver's own error
}

fn copy(found: &Found) -> Found {
    match found {
        Ok(addresses) => Ok(addresses.clone()),
        Err(error) => Err(match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(error.kind(), error.to_string()),
        }),
    }
}

#[cfg(test)]
#[cfg(feature = "blocking")]
mod tests;
