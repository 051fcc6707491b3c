//! The tokio runtime: the operating system, through tokio.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use ::tokio::runtime::Handle;

use super::event::Event;
use super::race;
use super::stream::Stream;
use crate::config::Resolver;
use crate::config::SocketOptions;
use crate::driver::SocketError;
use crate::driver::system::{self, Failures, Found, Oneshot};
use crate::os;
use crate::os::lookups::{LookupThreads, Lookups};
use crate::policy::deadline::Budget;

/// The operating system, through the runtime that a call runs in.
#[derive(Debug, Clone, Default)]
pub struct System {
    lookups: Arc<Lookups<Event, RuntimeHandle>>,
}

/// Runs lookups on the blocking threads of the runtime that a call runs in.
#[derive(Debug, Clone)]
struct RuntimeHandle(Handle);

impl LookupThreads for RuntimeHandle {
    fn run(&self, work: impl FnOnce() + Send + 'static) {
        drop(self.0.spawn_blocking(work));
    }
}

/// Returns the time of the runtime's clock, which a test may have paused.
pub(super) fn now() -> Instant {
    ::tokio::time::Instant::now().into_std()
}

impl system::System for System {
    type Stream = Stream;
    type Event = Event;

    fn now(&self) -> Instant {
        now()
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
        race::connect_unix(path, budget).await
    }

    /// Looks a name up on a blocking thread, as `tokio::net::lookup_host` does. A lookup cannot be
    /// interrupted, so it may outlive the wait. The program needs these threads for other work, so
    /// a client uses only some of them.
    fn look_up(&self, host: String, resolver: Resolver, answer: Arc<Oneshot<Found, Event>>) {
        match Handle::try_current() {
            Ok(runtime) => self.lookups.begin(&host, resolver, RuntimeHandle(runtime), &answer),
            Err(error) => answer.put(Err(io::Error::other(error))),
        }
    }

    fn lookup_obstacle(&self, host: &str) -> Option<String> {
        self.lookups.obstacle(host)
    }
}
