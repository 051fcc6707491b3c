//! The lookups of one client. One cannot be interrupted: a caller that has waited for long enough leaves
//! it behind, on a thread that is lost until the resolver answers. So there are only so many of them at a
//! time, and the names of one site get a part of them only: whoever makes a client look up names whose
//! servers are silent must not keep it from looking up others.
//!
//! ```text
//! begin ─▶ shares the lookup of the same name, if somebody waits for that
//!       └▶ waits in its site ─▶ runs, when the site may have one more ─▶ answers all who wait
//! ```

use std::collections::{HashMap, VecDeque};
use std::io;
use std::mem;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::site;
use crate::config::dns::Resolver;
use crate::driver::system::{Desk, Event, Found};

/// Lookups of one client that run at once, each on a thread. A resolver that lets so many wait is not
/// made faster by more of them.
const MAX_RUNNING: usize = 64;

/// A site may have one more lookup while it has less than this part of those that are free. One site alone
/// gets 13 of 64, eight sites together 43: so many sites that nothing is left cost an attacker a domain
/// each.
const PART: usize = 4;

/// Where a lookup runs.
pub(crate) trait Place: Clone + Send + Sync + 'static {
    /// Does this work on a thread that may block, or drops it if there is none.
    fn run(&self, work: impl FnOnce() + Send + 'static);
}

/// The lookups of one client.
#[derive(Debug)]
pub(crate) struct Lookups<E, P>(Mutex<State<E, P>>);

#[derive(Debug)]
struct State<E, P> {
    /// How many run, whether or not anybody waits for them.
    running: usize,
    /// Those of which lookups run or wait.
    sites: HashMap<Box<str>, Site<E, P>>,
    /// The sites that wait, in the order of their turns.
    turns: VecDeque<Box<str>>,
    /// What was begun last for each name, while it runs or waits.
    names: HashMap<Box<str>, Arc<Lookup<E, P>>>,
    /// Somebody hands out turns already.
    is_at_work: bool,
    /// The process whose threads these are: after a fork the child has none of them.
    process: u32,
}

#[derive(Debug)]
struct Site<E, P> {
    running: usize,
    waiting: VecDeque<Arc<Lookup<E, P>>>,
}

/// A name that is looked up, for all who want to know it.
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
    /// A desk is gone when nobody waits at it any more.
    desks: Vec<Weak<Desk<Found, E>>>,
}

/// A lookup that holds one of the places; given back when this is dropped.
struct Job<E: Event, P: Place> {
    lookups: Arc<Lookups<E, P>>,
    lookup: Arc<Lookup<E, P>>,
    found: Option<Found>,
}

impl<E, P> Default for Lookups<E, P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<E, P> Default for State<E, P> {
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

impl<E: Event, P: Place> Lookups<E, P> {
    /// Looks a name up when its turn comes, at that place, and puts what was found on the desk.
    pub(crate) fn begin(
        self: &Arc<Self>,
        host: &str,
        resolver: Resolver,
        place: P,
        desk: &Arc<Desk<Found, E>>,
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
        drop(replaced); // with a resolver, which is the caller's code: not under the lock
        self.hand_out_turns();
    }

    /// Why the lookup of that name has not begun, if it waits for its turn.
    pub(crate) fn obstacle(&self, host: &str) -> Option<String> {
        let state = self.state();
        let lookup = state.names.get(host)?;
        if lookup.callers().is_running {
            return None;
        }
        let (site, most) = state.sites.iter().max_by_key(|(_, site)| site.running)?;
        Some(format!(
            "its turn to be looked up has not come: {} lookups of other names have no answer yet, {} of \
             them for {site}",
            state.running, most.running
        ))
    }

    /// Begins what may run.
    fn hand_out_turns(self: &Arc<Self>) {
        if mem::replace(&mut self.state().is_at_work, true) {
            return; // who does it comes to the rest too
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

    /// After a fork the threads are the parent's, and so are those who wait.
    fn forget_the_parents(&self) -> Option<State<E, P>> {
        let mut state = self.state();
        let is_child = state.process != process::id();
        is_child.then(|| mem::take(&mut *state))
    }

    /// For as long as a decision takes. A panic elsewhere cannot have left it half done.
    fn state(&self) -> MutexGuard<'_, State<E, P>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Turns are handed out; should that panic, the next one may do it.
struct AtWork<'a, E: Event, P: Place>(&'a Lookups<E, P>);

impl<E: Event, P: Place> Drop for AtWork<'_, E, P> {
    fn drop(&mut self) {
        self.0.state().is_at_work = false;
    }
}

impl<E, P> State<E, P> {
    /// Lines a lookup up; gives back the one of the same name that nobody waits for.
    fn wait(&mut self, lookup: Arc<Lookup<E, P>>) -> Option<Arc<Lookup<E, P>>> {
        let name: Box<str> = site::of(&lookup.host).into();
        let new = || Site { running: 0, waiting: VecDeque::new() };
        let site = self.sites.entry(name.clone()).or_insert_with(new);
        if site.waiting.is_empty() {
            self.turns.push_back(name);
        }
        site.waiting.push_back(Arc::clone(&lookup));
        self.names.insert(lookup.host.clone(), lookup)
    }

    /// The next lookup to run. What nobody wants any more is put aside, to be dropped elsewhere.
    ///
    /// A site without one that runs is never passed over, so this looks at few.
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

    /// A lookup has ended.
    fn end(&mut self, lookup: &Arc<Lookup<E, P>>) {
        forget(&mut self.names, lookup);
        self.running = self.running.saturating_sub(1);
        let name = site::of(&lookup.host);
        let Some(site) = self.sites.get_mut(name) else { return };
        site.running = site.running.saturating_sub(1);
        if site.running == 0 && site.waiting.is_empty() {
            self.sites.remove(name);
        }
    }
}

/// Nobody finds this lookup by its name any more.
fn forget<E, P>(names: &mut HashMap<Box<str>, Arc<Lookup<E, P>>>, lookup: &Arc<Lookup<E, P>>) {
    if names.get(&lookup.host).is_some_and(|latest| Arc::ptr_eq(latest, lookup)) {
        names.remove(&lookup.host);
    }
}

impl<E, P> Site<E, P> {
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
    /// Takes one more caller in, unless this runs and everybody has given it up: then it may be stuck.
    fn take_in(&self, desk: &Weak<Desk<Found, E>>) -> bool {
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

impl<E: Event, P: Place> Job<E, P> {
    fn carry_out(mut self) {
        let is_wanted = self.lookup.callers().is_wanted();
        let lookup = || super::look_up(&self.lookup.resolver, &self.lookup.host);
        self.found = is_wanted.then(lookup);
    }
}

/// The lookup is over, or no thread was there for it.
impl<E: Event, P: Place> Drop for Job<E, P> {
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

const NO_THREAD: &str = "there is no thread to look the name up on";

/// Tells all who still wait.
fn answer<E: Event>(desks: &[Weak<Desk<Found, E>>], found: Found) {
    let mut desks = desks.iter().filter_map(Weak::upgrade);
    let Some(last) = desks.next() else { return };
    for desk in desks {
        desk.put(copy(&found));
    }
    last.put(found); // with the resolver's own error
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
