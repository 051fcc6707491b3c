//! The world of this front: the operating system, as tokio shows it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use ::tokio::runtime::Handle;

use super::event::Event;
use super::race;
use super::stream::Stream;
use crate::dialling::SocketOptions;
use crate::dns::Resolver;
use crate::driver::SocketError;
use crate::driver::system::{self, Desk, Failures, Found};
use crate::os;
use crate::policy::budget::Budget;

/// The operating system, as the runtime shows it that a call runs in.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl system::System for System {
    type Stream = Stream;
    type Event = Event;

    /// A test may have paused the runtime's clock.
    fn now(&self) -> Instant {
        ::tokio::time::Instant::now().into_std()
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

    /// A lookup blocks and cannot be interrupted, so it goes where the runtime has such things done,
    /// as `tokio::net::lookup_host` does it, and outlives the wait if need be. Where there are only so
    /// many threads for that, it is not begun for who has gone by then.
    fn look_up(&self, host: String, resolver: Resolver, answer: Arc<Desk<Found, Event>>) {
        let desk = Arc::downgrade(&answer);
        let lookup = move || {
            let wanted = desk.strong_count() > 0;
            let found = wanted.then(|| os::look_up(&resolver, &host));
            if let (Some(desk), Some(found)) = (desk.upgrade(), found) {
                desk.put(found);
            }
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(lookup)),
            Err(error) => answer.put(Err(io::Error::other(error))),
        }
    }
}
