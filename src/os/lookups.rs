//! The threads that look names up. A lookup cannot be interrupted: who has waited for long enough
//! leaves it behind, and only so many are left behind at a time.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use crate::dns::Resolver;
use crate::driver::system::{Desk, Event, Found};

/// Threads of one client. A resolver that lets so many wait is not made faster by more of them.
const MAX_THREADS: usize = 64;

/// The lookups of one client.
#[derive(Debug)]
pub(crate) struct Lookups<E>(Mutex<State<E>>);

#[derive(Debug)]
struct State<E> {
    threads: usize,
    /// What no thread has begun, in order.
    waiting: VecDeque<Lookup<E>>,
}

#[derive(Debug)]
pub(crate) struct Lookup<E> {
    pub(crate) host: String,
    pub(crate) resolver: Resolver,
    /// Gone when nobody waits for it any more.
    pub(crate) answer: Weak<Desk<Found, E>>,
}

impl<E> Default for Lookups<E> {
    fn default() -> Self {
        Self(Mutex::new(State { threads: 0, waiting: VecDeque::new() }))
    }
}

impl<E: Event> Lookups<E> {
    pub(crate) fn begin(self: &Arc<Self>, lookup: Lookup<E>) {
        let mut state = self.state();
        state.waiting.retain(Lookup::is_wanted);
        state.waiting.push_back(lookup);
        if state.threads >= MAX_THREADS {
            return;
        }
        state.threads += 1;
        drop(state);
        let lookups = Arc::clone(self);
        let thread = thread::Builder::new().name("leanhttp lookup".into());
        if let Err(error) = thread.spawn(move || lookups.work()) {
            self.not_begun(&error);
        }
    }

    /// One after the other, until there is nothing left to do.
    fn work(&self) {
        while let Some(lookup) = self.next() {
            lookup.carry_out();
        }
    }

    fn next(&self) -> Option<Lookup<E>> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        if next.is_none() {
            state.threads -= 1;
        }
        next
    }

    /// The system has no more threads. As long as one of ours works, or may still be made, it gets to
    /// everything; when there is none left, nobody would.
    fn not_begun(&self, error: &io::Error) {
        let mut state = self.state();
        state.threads -= 1;
        if state.threads > 0 {
            return;
        }
        let abandoned = mem::take(&mut state.waiting);
        drop(state);
        for lookup in abandoned {
            lookup.answer_with(Err(io::Error::new(error.kind(), error.to_string())));
        }
    }

    fn state(&self) -> MutexGuard<'_, State<E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Event> Lookup<E> {
    fn is_wanted(&self) -> bool {
        self.answer.strong_count() > 0
    }

    fn carry_out(self) {
        if !self.is_wanted() {
            return;
        }
        let found = super::look_up(&self.resolver, &self.host);
        self.answer_with(found);
    }

    fn answer_with(self, found: Found) {
        if let Some(answer) = self.answer.upgrade() {
            answer.put(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::blocking::Blocking;
    use crate::driver::ready::ready;
    use crate::driver::system::System;
    use crate::front::Front;
    use crate::policy::budget::{Budget, Timeouts};

    type Lookups = super::Lookups<Woken>;
    type Woken = <<Blocking as Front>::System as System>::Event;

    /// What stalls until it is told to go on, and counts how many it stalls.
    fn stalling() -> (Resolver, Arc<AtomicUsize>, mpsc::Sender<()>) {
        let (go, told) = mpsc::channel();
        let (told, count) = (Mutex::new(told), Arc::new(AtomicUsize::new(0)));
        let stalled = Arc::clone(&count);
        let resolver = move |name: &str| {
            stalled.fetch_add(1, Ordering::SeqCst);
            let _ = told.lock().unwrap().recv();
            Err(io::Error::other(name.to_owned()))
        };
        (Resolver(Arc::new(resolver)), count, go)
    }

    fn begin(lookups: &Arc<Lookups>, resolver: &Resolver, host: &str) -> Arc<Desk<Found, Woken>> {
        let answer = Arc::default();
        let (host, resolver) = (host.to_owned(), resolver.clone());
        lookups.begin(Lookup { host, resolver, answer: Arc::downgrade(&answer) });
        answer
    }

    fn answered(desk: &Arc<Desk<Found, Woken>>) -> String {
        let budget = Budget::start(Timeouts::default(), Instant::now());
        let found = ready(desk.wait(Some(Duration::from_secs(20)), &budget)).unwrap();
        found.expect("an answer in time").unwrap_err().to_string()
    }

    /// However many calls give up on a resolver that stalls, and whatever they leave behind.
    #[test]
    fn threads_and_waiting_lookups_are_bounded() {
        let lookups = Arc::new(Lookups::default());
        let (resolver, count, go) = stalling();
        let left: Vec<_> =
            (0..MAX_THREADS).map(|_| begin(&lookups, &resolver, "left.test")).collect();
        while count.load(Ordering::SeqCst) < MAX_THREADS {
            thread::yield_now();
        }
        drop(left);
        for _ in 0..1000 {
            drop(begin(&lookups, &resolver, "left.test"));
        }
        let wanted: Vec<_> = (0..3).map(|_| begin(&lookups, &resolver, "wanted.test")).collect();
        assert_eq!(lookups.state().threads, MAX_THREADS);
        assert_eq!(lookups.state().waiting.len(), wanted.len());
        drop(go);
        for desk in &wanted {
            assert_eq!(answered(desk), "wanted.test");
        }
        assert_eq!(count.load(Ordering::SeqCst), MAX_THREADS + wanted.len());
    }

    #[test]
    fn what_waits_for_a_thread_gets_its_turn() {
        let lookups = Arc::new(Lookups::default());
        let (resolver, _, go) = stalling();
        let all: Vec<_> =
            (0..2 * MAX_THREADS).map(|n| begin(&lookups, &resolver, &n.to_string())).collect();
        assert_eq!(lookups.state().threads, MAX_THREADS);
        for _ in &all {
            go.send(()).unwrap();
        }
        for (n, desk) in all.iter().enumerate() {
            assert_eq!(answered(desk), n.to_string());
        }
    }

    /// Whichever of the attempts to make a thread fails last, nobody waits for ever.
    #[test]
    fn without_threads_all_are_answered() {
        let lookups = Lookups::default();
        let (resolver, ..) = stalling();
        let desks: [Arc<Desk<Found, Woken>>; 3] = Default::default();
        for answer in desks.iter().map(Arc::downgrade) {
            let (host, resolver) = ("h.test".to_owned(), resolver.clone());
            lookups.state().waiting.push_back(Lookup { host, resolver, answer });
        }
        lookups.state().threads = 2;
        for left in [3, 0] {
            lookups.not_begun(&io::Error::other("no more threads"));
            assert_eq!(lookups.state().waiting.len(), left);
        }
        for desk in &desks {
            assert_eq!(answered(desk), "no more threads");
        }
    }
}
