//! The runtime interface: clock, sockets, name lookup. The fuzzers and the simulation implement it
//! too.

use std::fmt;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http::Method;

use super::SocketError;
use crate::base::cancel::Hook;
use crate::config::Resolver;
use crate::config::SocketOptions;
#[cfg(feature = "tokio")]
use crate::driver::poll_once::unless;
use crate::http1::close::CloseReason;
use crate::policy::Clock;
use crate::policy::deadline::{Budget, Expired, Wait};
use crate::url::Url;

/// A clock, sockets, name lookup and events.
pub trait System: fmt::Debug + Clone + Default + Send + Sync + 'static {
    /// A connected socket.
    type Stream: Stream;
    /// A one-shot signal, for waits that are not for a socket.
    type Event: Event;

    /// Returns the monotonic time.
    fn now(&self) -> Instant;

    /// Returns the wall-clock time.
    fn date(&self) -> SystemTime;

    /// Returns a non-cryptographic random number.
    fn random(&self) -> u64;

    /// Returns the id of the process, which changes in a child of `fork`.
    fn process(&self) -> u32 {
        std::process::id()
    }

    /// Connects to the first of these addresses that answers; the other attempts are closed.
    fn connect(
        &self,
        addresses: Vec<SocketAddr>,
        options: &SocketOptions,
        budget: &Budget,
    ) -> impl Future<Output = Result<(Self::Stream, SocketAddr), Failures>> + Send;

    /// Connects to a Unix domain socket.
    fn connect_unix(
        &self,
        path: &Path,
        budget: &Budget,
    ) -> impl Future<Output = Result<Self::Stream, SocketError>> + Send;

    /// Starts a name lookup. The answer arrives later; the caller may be gone by then.
    fn look_up(&self, host: String, resolver: Resolver, answer: Arc<Oneshot<Found, Self::Event>>);

    /// Returns the reason why the lookup of that name has not begun, if other lookups delay it.
    fn lookup_obstacle(&self, _: &str) -> Option<String> {
        None
    }
}

impl<S: System> Clock for S {
    fn now(&self) -> Instant {
        System::now(self)
    }

    fn date(&self) -> SystemTime {
        System::date(self)
    }

    fn random(&self) -> u64 {
        System::random(self)
    }
}

/// A connected socket.
pub trait Stream: fmt::Debug + Send + Sync + 'static {
    /// Waits until a read will probably return something, for callers that hold no buffer
    /// meanwhile. Returns immediately if reads block.
    fn readable(
        &mut self,
        _: impl FnOnce() -> Result<Wait, Expired> + Send,
    ) -> impl Future<Output = Result<(), SocketError>> + Send {
        ready(Ok(()))
    }

    /// Reads at least one byte; 0 means the end. `into` is not empty.
    fn read(
        &mut self,
        into: &mut [u8],
        wait: Wait,
    ) -> impl Future<Output = Result<usize, SocketError>> + Send;

    /// Writes at least one byte of `bytes`, which is not empty. Returns 0, except for
    /// [`Wait`](Meanwhile::Wait), if input arrives before the peer accepts a byte. If writes block,
    /// this is noticed after a delay.
    fn write(
        &mut self,
        bytes: &[u8],
        meanwhile: Meanwhile,
        wait: Wait,
    ) -> impl Future<Output = Result<usize, SocketError>> + Send;

    /// Waits until [`pending`](Self::pending) returns bytes or the end, while a source is waited
    /// for. Never ready by default: where sources block it cannot be polled in time.
    fn input(&mut self, _: Wait) -> impl Future<Output = Result<(), SocketError>> + Send {
        std::future::pending()
    }

    /// Returns the state of the input without waiting.
    fn pending(&self) -> Pending;

    /// Returns the local address, if there is one.
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }

    /// Shuts down the sending half: the peer reads the end and may continue to send. Does nothing
    /// by default.
    fn end_writing(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Makes a best-effort write of the final bytes before the socket is closed.
    fn say_farewell(&mut self, bytes: &[u8]);

    /// Returns a function that ends every read and write, current and later ones, from another
    /// thread.
    fn interrupter(&self) -> impl Fn() + Send + 'static;

    /// Reports the start of a request to observers.
    fn begin(&mut self, _: &Method, _: &Url) {}

    /// Forgets the start of an interrupted wait: another call begins, or other limits apply.
    fn forget_waits(&mut self) {}

    /// Reports to observers that the connection is about to be closed.
    fn closing(&mut self, _: CloseReason) {}
}

/// A one-shot event that one task waits for.
pub trait Event: fmt::Debug + Default + Send + Sync + 'static {
    /// Signals the event. It wakes the waiter without holding a lock, and a panic of the waker does
    /// not reach the caller.
    fn set(&self);
    /// Waits for the event, for at most that time.
    fn wait(&self, at_most: Option<Duration>) -> impl Future<Output = ()> + Send;
}

/// The input that a blocked write watches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// None: the peer will accept the bytes.
    Wait,
    /// A response or the end: the peer may have answered or be gone, and never accept a byte again.
    Listen,
    /// The response: the peer answers while it reads, so input is read whenever it accepts no byte
    /// immediately.
    Converse,
}

/// The state of a socket's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// Nothing yet.
    Nothing,
    /// At least one byte.
    Bytes,
    /// The peer has closed the connection, or it is broken.
    End,
}

/// The failures of all addresses, each with its own reason.
pub(crate) type Failures = Vec<(SocketAddr, SocketError)>;

/// The result of a lookup: the addresses of a name.
pub(crate) type Found = std::io::Result<Vec<SocketAddr>>;

/// A one-shot channel.
#[derive(Debug)]
pub struct Oneshot<T, E> {
    thing: Mutex<Option<T>>,
    event: E,
}

impl<T, E: Event> Default for Oneshot<T, E> {
    fn default() -> Self {
        Self { thing: Mutex::new(None), event: E::default() }
    }
}

impl<T, E: Event> Oneshot<T, E> {
    pub(crate) fn put(&self, thing: T) {
        let old = self.thing.lock().unwrap_or_else(PoisonError::into_inner).replace(thing);
        drop(old); // dropped without the lock
        self.event.set();
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.thing.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T: Send + 'static, E: Event> Oneshot<T, E> {
    /// Waits for a value, for at most that time and until the call is canceled.
    pub(crate) async fn wait(
        self: &Arc<Self>,
        at_most: Option<Duration>,
        budget: &Budget,
    ) -> Option<T> {
        let wake = || {
            let desk = Arc::clone(self);
            Hook::Wake(Arc::new(move || desk.event.set()))
        };
        let _watch = budget.cancel_token().map(|token| token.on_cancel(wake()));
        self.event.wait(at_most).await;
        self.take()
    }
}

/// Returns the output of `future`, or `None` after that time or once the call is canceled.
#[cfg(feature = "tokio")]
pub(crate) async fn in_time<E: Event, T>(
    future: impl Future<Output = T>,
    at_most: Option<Duration>,
    budget: &Budget,
) -> Option<T> {
    let nothing = Arc::new(Oneshot::<(), E>::default());
    unless(future, async { nothing.wait(at_most, budget).await.unwrap_or_default() }).await
}
