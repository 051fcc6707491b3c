//! The name lookups of one client. A lookup cannot be interrupted: a caller that stops waiting
//! leaves it behind, on a thread that is blocked until the resolver answers. So the number of
//! concurrent lookups is limited, and the names of one site get only a part of it: an attacker who
//! makes a client look up names with silent name servers must not block the lookups of other names.
//!
//! ```text
//! begin ─▶ joins the lookup of the same name, if a caller waits for it
//!       └▶ waits in its site's queue ─▶ runs, when the site may have one more ─▶ answers all callers
//! ```

use std::collections::{HashMap, VecDeque};
use std::io;
use std::mem;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::config::Resolver;
use crate::driver::runtime::{Event, Found, Oneshot};

/// The maximum number of concurrent lookups of a client, each on a thread. A resolver that leaves so
/// many unanswered would not get faster with more of them.
const MAX_RUNNING: usize = 64;

/// A site may start another lookup while it has less than 1/`PART` of the free ones. One site alone
/// gets 13 of 64, eight sites together 43: to use up all of them an attacker needs a domain for
/// each.
const PART: usize = 4;

/// The executor of lookups.
pub(crate) trait LookupThreads: Clone + Send + Sync + 'static {
    /// Runs the work on a thread that may block, or drops it if there is none.
    fn run(&self, work: impl FnOnce() + Send + 'static);
}

/// The lookups of one client.
#[derive(Debug)]
pub(crate) struct Lookups<E, P>(Mutex<LookupsState<E, P>>);

#[derive(Debug)]
struct LookupsState<E, P> {
    /// The number of running lookups, including those without callers.
    running: usize,
    /// The sites with running or waiting lookups.
    sites: HashMap<Box<str>, SiteLookups<E, P>>,
    /// The sites with waiting lookups, in the order of their turns.
    turns: VecDeque<Box<str>>,
    /// The latest lookup of each name, while it runs or waits.
    names: HashMap<Box<str>, Arc<Lookup<E, P>>>,
    /// True while a thread starts lookups.
    is_at_work: bool,
    /// The process that owns the threads: after a fork the child has none of them.
    process: u32,
}

#[derive(Debug)]
struct SiteLookups<E, P> {
    running: usize,
    waiting: VecDeque<Arc<Lookup<E, P>>>,
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
            running: 0,
            sites: HashMap::new(),
            turns: VecDeque::new(),
            names: HashMap::new(),
            is_at_work: false,
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
            state.wait(Arc::new(Lookup { host: host.into(), resolver, place, callers }))
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
        let (site, most) = state.sites.iter().max_by_key(|(_, site)| site.running)?;
        Some(format!(
            "the lookup has not started: {} lookups of other names have no answer yet, {} of \
             them for {site}",
            state.running, most.running
        ))
    }

    /// Starts all lookups that may run.
    fn hand_out_turns(self: &Arc<Self>) {
        if mem::replace(&mut self.state().is_at_work, true) {
            return; // the other thread starts the rest too
        }
        let at_work = AtWork(self);
        loop {
            let mut unwanted = Vec::new();
            let next = {
                let mut state = self.state();
                let next = state.next(&mut unwanted);
                if next.is_none() {
                    state.is_at_work = false;
                }
                next
            };
            drop(unwanted);
            let Some(lookup) = next else { return mem::forget(at_work) };
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

/// Marks that lookups are being started; cleared on a panic, so that the next caller can continue.
struct AtWork<'a, E: Event, P: LookupThreads>(&'a Lookups<E, P>);

impl<E: Event, P: LookupThreads> Drop for AtWork<'_, E, P> {
    fn drop(&mut self) {
        self.0.state().is_at_work = false;
    }
}

impl<E, P> LookupsState<E, P> {
    /// Appends a lookup to its site's queue; returns the earlier one of the same name, which no
    /// caller waits for.
    fn wait(&mut self, lookup: Arc<Lookup<E, P>>) -> Option<Arc<Lookup<E, P>>> {
        let name: Box<str> = site_of(&lookup.host).into();
        let new = || SiteLookups { running: 0, waiting: VecDeque::new() };
        let site = self.sites.entry(name.clone()).or_insert_with(new);
        if site.waiting.is_empty() {
            self.turns.push_back(name);
        }
        site.waiting.push_back(Arc::clone(&lookup));
        self.names.insert(lookup.host.clone(), lookup)
    }

    /// Returns the next lookup to run. Lookups without callers are moved to `unwanted`, to be
    /// dropped outside the lock.
    ///
    /// A site without a running lookup is never skipped, so this visits only a few.
    fn next(&mut self, unwanted: &mut Vec<Arc<Lookup<E, P>>>) -> Option<Arc<Lookup<E, P>>> {
        let free = MAX_RUNNING.checked_sub(self.running).filter(|free| *free > 0)?;
        for _ in 0..self.turns.len() {
            let name = self.turns.pop_front()?;
            let Some(site) = self.sites.get_mut(&name) else { continue };
            if site.running >= (free / PART).max(1) {
                self.turns.push_back(name);
                continue;
            }
            let next = site.next(unwanted);
            unwanted.iter().for_each(|lookup| forget(&mut self.names, lookup));
            match &next {
                Some(_) => {
                    site.running += 1;
                    self.running += 1;
                    if !site.waiting.is_empty() {
                        self.turns.push_back(name);
                    }
                    return next;
                }
                None if site.running == 0 => drop(self.sites.remove(&name)),
                None => {}
            }
        }
        None
    }

    /// Removes a lookup that has ended.
    fn end(&mut self, lookup: &Arc<Lookup<E, P>>) {
        forget(&mut self.names, lookup);
        self.running = self.running.saturating_sub(1);
        let name = site_of(&lookup.host);
        let Some(site) = self.sites.get_mut(name) else { return };
        site.running = site.running.saturating_sub(1);
        if site.running == 0 && site.waiting.is_empty() {
            self.sites.remove(name);
        }
    }
}

/// Removes the lookup from the names, so that later callers do not join it.
fn forget<E, P>(names: &mut HashMap<Box<str>, Arc<Lookup<E, P>>>, lookup: &Arc<Lookup<E, P>>) {
    if names.get(&lookup.host).is_some_and(|latest| Arc::ptr_eq(latest, lookup)) {
        names.remove(&lookup.host);
    }
}

impl<E, P> SiteLookups<E, P> {
    fn next(&mut self, unwanted: &mut Vec<Arc<Lookup<E, P>>>) -> Option<Arc<Lookup<E, P>>> {
        while let Some(lookup) = self.waiting.pop_front() {
            let mut callers = lookup.callers();
            callers.is_running = callers.is_wanted();
            let is_running = callers.is_running;
            drop(callers);
            match is_running {
                true => return Some(lookup),
                false => unwanted.push(lookup),
            }
        }
        None
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
        let is_wanted = self.lookup.callers().is_wanted();
        let lookup = || super::look_up(&self.lookup.resolver, &self.lookup.host);
        self.found = is_wanted.then(lookup);
    }
}

/// Answers the callers when the lookup has ended, or when no thread was available for it.
impl<E: Event, P: LookupThreads> Drop for Job<E, P> {
    fn drop(&mut self) {
        let found = self.found.take().unwrap_or_else(|| Err(io::Error::other(NO_THREAD)));
        let desks = {
            let mut state = self.lookups.state();
            state.end(&self.lookup);
            mem::take(&mut self.lookup.callers().desks)
        };
        answer(&desks, found);
        self.lookups.hand_out_turns();
    }
}

const NO_THREAD: &str = "no thread is available for the name lookup";

/// Sends the result to all remaining callers.
fn answer<E: Event>(desks: &[Weak<Oneshot<Found, E>>], found: Found) {
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

/// Returns the registrable domain of `host` by the Public Suffix List, or the host itself if it has
/// none.
#[cfg(feature = "public-suffix")]
fn site_of(host: &str) -> &str {
    use psl::Psl;

    let host = host.strip_suffix('.').unwrap_or(host);
    let domain = psl::List.domain(host.as_bytes()).map(|domain| domain.as_bytes().len());
    let start = domain.and_then(|length| host.len().checked_sub(length));
    start.and_then(|start| host.get(start..)).unwrap_or(host)
}

/// Returns the last two labels of `host`: without the Public Suffix List unrelated owners may share
/// them.
#[cfg(not(feature = "public-suffix"))]
fn site_of(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    let tld = host.rfind('.').unwrap_or(0);
    match host.get(..tld).and_then(|above| above.rfind('.')) {
        Some(dot) => host.get(dot + 1..).unwrap_or(host),
        None => host,
    }
}

#[cfg(test)]
#[cfg(feature = "blocking")]
mod tests;
