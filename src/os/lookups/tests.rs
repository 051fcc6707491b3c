use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::blocking::Blocking;
use crate::config::dns::{Resolve, from_fn};
use crate::driver::runtime::Runtime;
use crate::driver::runtime::ready;
use crate::policy::deadline::{Budget, Timeouts};

type Woken = <Blocking as Runtime>::Event;
type Answer = Arc<Oneshot<Found, Woken>>;

#[derive(Debug, Clone, Copy)]
struct Threads;

impl LookupThreads for Threads {
    fn run(&self, work: impl FnOnce() + Send + 'static) {
        drop(thread::spawn(work));
    }
}

/// An executor without threads.
#[derive(Debug, Clone, Copy)]
struct Nowhere;

impl LookupThreads for Nowhere {
    fn run(&self, work: impl FnOnce() + Send + 'static) {
        drop(work);
    }
}

/// A resolver that stalls until the test resumes it, and the names that it was asked for.
struct Stalling {
    resolver: Resolver,
    asked: Arc<Mutex<Vec<String>>>,
    go: mpsc::Sender<()>,
}

impl Stalling {
    fn new() -> Self {
        let (go, told) = mpsc::channel();
        let (told, asked) = (Mutex::new(told), Arc::<Mutex<Vec<_>>>::default());
        let names = Arc::clone(&asked);
        let resolver = move |name: &str| {
            names.lock().unwrap().push(name.to_owned());
            let _ = told.lock().unwrap().recv();
            Err(io::Error::other(name.to_owned()))
        };
        Self { resolver: Resolver(Arc::new(from_fn(resolver))), asked, go }
    }

    /// Waits until that many names were asked for.
    fn wait_for(&self, count: usize) {
        while self.asked.lock().unwrap().len() < count {
            thread::yield_now();
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn begin(lookups: &Arc<Lookups<Woken, Threads>>, resolver: &Resolver, host: &str) -> Answer {
    let answer = Arc::default();
    lookups.begin(host, resolver.clone(), Threads, &answer);
    answer
}

fn answered(desk: &Answer) -> String {
    let budget = Budget::start(Timeouts::default(), Instant::now());
    let found =
        ready(desk.wait(&Blocking::default(), Some(Duration::from_secs(20)), &budget)).unwrap();
    found.expect("an answer in time").unwrap_err().to_string()
}

fn waiting<E, P>(state: &LookupsState<E, P>) -> usize {
    state.queue.waiting()
}

/// Asserts that no state is left behind.
fn assert_empty<P: LookupThreads + std::fmt::Debug>(lookups: &Lookups<Woken, P>) {
    let start = Instant::now();
    // A thread starts further lookups after it has answered.
    let is_busy = || {
        let state = lookups.state();
        state.queue.running() > 0 || state.is_starting
    };
    while is_busy() && start.elapsed() < Duration::from_secs(20) {
        thread::yield_now();
    }
    let state = lookups.state();
    assert!(state.queue.busiest_site().is_none() && state.names.is_empty(), "{state:?}");
    assert_eq!((state.queue.running(), state.is_starting), (0, false));
}

/// For any number of calls that give up on a stalling resolver.
#[test]
fn threads_and_waiting_lookups_are_bounded() {
    let lookups = Arc::new(Lookups::default());
    let stalling = Stalling::new();
    let resolver = &stalling.resolver;
    let begin = |host: String| begin(&lookups, resolver, &host);
    let left: Vec<_> = (0..64).map(|n| begin(format!("left{n}.test"))).collect();
    stalling.wait_for(64);
    drop(left);
    for n in 0..1000 {
        drop(begin(format!("late{n}.test")));
    }
    let wanted: Vec<_> = (0..3).map(|n| begin(format!("wanted{n}.test"))).collect();
    assert_eq!(lookups.state().queue.running(), 64);
    drop(stalling.go);
    for (n, desk) in wanted.iter().enumerate() {
        assert_eq!(answered(desk), format!("wanted{n}.test"));
    }
    assert_eq!(stalling.asked.lock().unwrap().len(), 64 + wanted.len());
    assert_empty(&lookups);
}

#[test]
fn a_waiting_lookup_runs_when_another_ends() {
    let lookups = Arc::new(Lookups::default());
    let stalling = Stalling::new();
    let host = |n: usize| format!("{n}.site{}.test", n % 100);
    let all: Vec<_> = (0..200).map(|n| begin(&lookups, &stalling.resolver, &host(n))).collect();
    stalling.wait_for(64);
    assert_eq!(lookups.state().queue.running(), 64);
    assert_eq!(waiting(&lookups.state()), 200 - 64);
    for _ in &all {
        stalling.go.send(()).unwrap();
    }
    for (n, desk) in all.iter().enumerate() {
        assert_eq!(answered(desk), host(n));
    }
    assert_empty(&lookups);
}

/// The names of one site, or of several, do not block the lookups of another site.
#[test]
fn a_site_gets_only_a_part_of_the_lookups() {
    for (sites, most) in [(1, 13), (8, 44), (30, 60)] {
        let lookups = Arc::new(Lookups::default());
        let stalling = Stalling::new();
        let host = |n: usize| format!("{n}.silent{}.test", n % sites);
        let all: Vec<_> =
            (0..1000).map(|n| begin(&lookups, &stalling.resolver, &host(n))).collect();
        let running = lookups.state().queue.running();
        assert!(running <= most && running >= sites, "{sites} sites: {running}");
        let answer = |name: &str| Err(io::Error::other(format!("no {name}")));
        let other = Resolver(Arc::new(from_fn(answer)));
        let answered = answered(&begin(&lookups, &other, "a.other.test"));
        assert_eq!(answered, "no a.other.test");
        drop((all, stalling.go));
    }
}

#[test]
fn the_reason_of_a_delayed_lookup_is_reported() {
    let lookups = Arc::new(Lookups::default());
    let stalling = Stalling::new();
    let all: Vec<_> =
        (0..20).map(|n| begin(&lookups, &stalling.resolver, &format!("{n}.silent.test"))).collect();
    let obstacle = "the lookup has not started: 13 lookups of other names have no answer \
                    yet, 13 of them for silent.test";
    assert_eq!(lookups.obstacle("13.silent.test").as_deref(), Some(obstacle));
    assert_eq!(lookups.obstacle("12.silent.test"), None, "it runs");
    assert_eq!(lookups.obstacle("b.test"), None);
    drop((all, stalling.go));
}

#[test]
fn callers_of_the_same_name_share_a_lookup() {
    let lookups = Arc::new(Lookups::default());
    let stalling = Stalling::new();
    let all: Vec<_> = (0..100).map(|_| begin(&lookups, &stalling.resolver, "a.test")).collect();
    stalling.wait_for(1);
    stalling.go.send(()).unwrap();
    for desk in &all {
        assert_eq!(answered(desk), "a.test");
    }
    assert_eq!(stalling.asked(), ["a.test"]);
    assert_empty(&lookups);
    // A finished lookup does not answer later callers.
    let late = begin(&lookups, &stalling.resolver, "a.test");
    stalling.go.send(()).unwrap();
    assert_eq!(answered(&late), "a.test");
    assert_eq!(stalling.asked().len(), 2);
}

/// An abandoned lookup may be stuck: later callers do not wait for it.
#[test]
fn an_abandoned_lookup_is_not_shared() {
    let lookups = Arc::new(Lookups::default());
    let stalling = Stalling::new();
    drop(begin(&lookups, &stalling.resolver, "a.test"));
    let first = begin(&lookups, &stalling.resolver, "b.test");
    stalling.wait_for(1);
    drop(first);
    let count = stalling.asked().len();
    let second = begin(&lookups, &stalling.resolver, "b.test");
    stalling.wait_for(count + 1);
    let third = begin(&lookups, &stalling.resolver, "b.test");
    for _ in 0..=count {
        stalling.go.send(()).unwrap();
    }
    assert_eq!((answered(&second), answered(&third)), ("b.test".to_owned(), "b.test".to_owned()));
    assert_eq!(stalling.asked().len(), count + 1, "the third shares the second");
    drop(stalling.go);
    assert_empty(&lookups);
}

/// For any number of waiting lookups, and without recursion.
#[test]
fn without_threads_all_lookups_fail() {
    let lookups = Arc::new(Lookups::default());
    let stalling = Stalling::new();
    let desks: Vec<Answer> = (0..10_000).map(|_| Arc::default()).collect();
    lookups.state().is_starting = true; // makes all of them wait
    for (n, desk) in desks.iter().enumerate() {
        lookups.begin(&format!("{n}.test"), stalling.resolver.clone(), Nowhere, desk);
    }
    lookups.state().is_starting = false;
    lookups.hand_out_turns();
    for desk in &desks {
        assert_eq!(answered(desk), NO_THREAD);
    }
    assert_empty(&lookups);
}

/// The threads of the parent do not exist in the child.
#[test]
fn after_a_fork_the_child_starts_without_lookups() {
    let lookups = Arc::new(Lookups::default());
    let stalling = Stalling::new();
    let parents: Vec<_> =
        (0..64).map(|n| begin(&lookups, &stalling.resolver, &format!("{n}.test"))).collect();
    lookups.state().process -= 1;
    let answer = |name: &str| Err(io::Error::other(format!("no {name}")));
    let child = begin(&lookups, &Resolver(Arc::new(from_fn(answer))), "0.test");
    assert_eq!(answered(&child), "no 0.test");
    drop((parents, stalling.go));
}

/// The resolver is the caller's code: it may use the client, and so may its destructor.
#[test]
fn a_resolver_is_called_and_dropped_without_the_lock() {
    struct Uses(Arc<Lookups<Woken, Threads>>, Arc<AtomicUsize>);
    impl Drop for Uses {
        fn drop(&mut self) {
            assert_eq!(self.0.obstacle("a.test"), None);
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    let lookups = Arc::new(Lookups::default());
    let stalling = Stalling::new();
    let dropped = Arc::new(AtomicUsize::new(0));
    let using = || {
        let uses = Uses(Arc::clone(&lookups), Arc::clone(&dropped));
        let resolver = move |_: &str| {
            uses.0.obstacle("a.test");
            Ok(Vec::new())
        };
        Resolver(Arc::new(from_fn(resolver)))
    };
    let desk: Answer = Arc::default();
    lookups.begin("a.test", using(), Threads, &desk);
    let budget = Budget::start(Timeouts::default(), Instant::now());
    let found =
        ready(desk.wait(&Blocking::default(), Some(Duration::from_secs(20)), &budget)).unwrap();
    assert_eq!(found.unwrap().unwrap(), []);
    // Lookups without callers are dropped where lookups are started.
    let blockers: Vec<_> =
        (0..64).map(|n| begin(&lookups, &stalling.resolver, &format!("{n}.test"))).collect();
    for n in 0..3 {
        let desk: Answer = Arc::default();
        lookups.begin(&format!("x{n}.test"), using(), Threads, &desk);
    }
    drop((blockers, stalling.go));
    assert_empty(&lookups);
    while dropped.load(Ordering::SeqCst) < 4 {
        thread::yield_now();
    }
}

/// It is dropped, and not asked again, when it is woken and no call waits for it any more.
#[test]
fn an_abandoned_future_is_dropped() {
    #[derive(Clone, Default)]
    struct Waiting(Arc<Mutex<(Vec<Waker>, usize)>>);
    struct Counted(Waiting);
    impl Resolve for Waiting {
        fn resolve(&self, _: Name) -> Resolving {
            let counted = Counted(self.clone());
            Box::pin(poll_fn(move |cx| {
                counted.0.0.lock().unwrap().0.push(cx.waker().clone());
                Poll::Pending
            }))
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.0.lock().unwrap().1 += 1;
        }
    }
    let (lookups, waiting) = (Arc::new(Lookups::default()), Waiting::default());
    let desk = begin(&lookups, &Resolver(Arc::new(waiting.clone())), "a.test");
    while waiting.0.lock().unwrap().0.is_empty() {
        thread::yield_now();
    }
    let wake = |expected| {
        let mut state = waiting.0.lock().unwrap();
        let wakers = std::mem::take(&mut state.0);
        assert_eq!((wakers.len(), state.1), expected);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    };
    wake((1, 0));
    while waiting.0.lock().unwrap().0.is_empty() {
        thread::yield_now(); // the caller still waits, so it is polled again
    }
    drop(desk);
    wake((1, 0));
    assert_empty(&lookups);
    while waiting.0.lock().unwrap().1 == 0 {
        thread::yield_now();
    }
    wake((0, 1));
}
