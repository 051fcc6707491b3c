//! The blocking runtime: the operating system, with blocking calls.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::race;
use super::stream::Stream;
use crate::config::Resolver;
use crate::config::SocketOptions;
use crate::driver::SocketError;
use crate::driver::system::{self, Failures, Found, Oneshot};
use crate::os;
use crate::os::lookups::{LookupThreads, Lookups};
use crate::policy::deadline::Budget;

/// The operating system, as used by one client.
#[derive(Debug, Clone, Default)]
pub struct System {
    lookups: Arc<Lookups<Event, Threads>>,
}

/// Runs each lookup on a new thread.
#[derive(Debug, Clone, Copy)]
struct Threads;

impl LookupThreads for Threads {
    fn run(&self, work: impl FnOnce() + Send + 'static) {
        let thread = thread::Builder::new().name("leanhttp lookup".into());
        drop(thread.spawn(work));
    }
}

impl system::System for System {
    type Stream = Stream;
    type Event = Event;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn date(&self) -> SystemTime {
        SystemTime::now()
    }

    fn random(&self) -> u64 {
        os::random()
    }

    async fn connect(
        &self,
        addresses: Vec<SocketAddr>,
        options: &SocketOptions,
        budget: &Budget,
    ) -> Result<(Stream, SocketAddr), Failures> {
        race::connect(addresses, options, budget).await
    }

    async fn connect_unix(&self, path: &Path, budget: &Budget) -> Result<Stream, SocketError> {
        race::connect_unix(path, budget)
    }

    fn look_up(&self, host: String, resolver: Resolver, answer: Arc<Oneshot<Found, Event>>) {
        self.lookups.begin(&host, resolver, Threads, &answer);
    }

    fn lookup_obstacle(&self, host: &str) -> Option<String> {
        self.lookups.obstacle(host)
    }
}

/// A one-shot event that a thread waits for.
#[derive(Debug, Default)]
pub struct Event {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl system::Event for Event {
    fn set(&self) {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    async fn wait(&self, at_most: Option<Duration>) {
        let is_set = self.is_set.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |is_set: &mut bool| !*is_set;
        match at_most {
            Some(limit) => drop(self.changed.wait_timeout_while(is_set, limit, waits)),
            None => drop(self.changed.wait_while(is_set, waits)),
        }
    }
}
