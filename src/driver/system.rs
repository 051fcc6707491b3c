//! The world as the driver sees it. Every front has one; the fuzzers and the simulation have theirs.

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
use crate::config::connect::SocketOptions;
use crate::config::dns::Resolver;
#[cfg(feature = "tokio")]
use crate::driver::poll_once::unless;
use crate::http1::close::CloseReason;
use crate::policy::clock::World;
use crate::policy::deadline::budget::{Budget, Expired, Wait};
use crate::url::Url;

/// A clock, sockets, names, and waiting for others.
pub trait System: fmt::Debug + Clone + Default + Send + Sync + 'static {
    /// A connection.
    type Stream: Stream;
    /// What a call waits for, if not for a socket.
    type Event: Event;

    /// The time, which only goes forward.
    fn now(&self) -> Instant;

    /// What the calendar and the clock on the wall say.
    fn date(&self) -> SystemTime;

    /// A number that nobody needs to be unable to guess.
    fn random(&self) -> u64;

    /// The process that this is: a child of `fork` is another one.
    fn process(&self) -> u32 {
        std::process::id()
    }

    /// Connects to the first of these addresses that answers; the others' attempts are closed.
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

    /// Begins to look a name up. The answer comes when it comes; perhaps nobody wants it any more.
    fn look_up(&self, host: String, resolver: Resolver, answer: Arc<Desk<Found, Self::Event>>);

    /// Why the lookup of that name has not begun yet, if others keep it from that.
    fn lookup_obstacle(&self, _: &str) -> Option<String> {
        None
    }
}

impl<S: System> World for S {
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
    /// Waits until a read is worth a try, for those who do not want to hold room for it meanwhile.
    /// Where a read blocks, it always is.
    fn readable(
        &mut self,
        _: impl FnOnce() -> Result<Wait, Expired> + Send,
    ) -> impl Future<Output = Result<(), SocketError>> + Send {
        ready(Ok(()))
    }

    /// Reads at least one byte; 0 is the end. `into` is not empty.
    fn read(
        &mut self,
        into: &mut [u8],
        wait: Wait,
    ) -> impl Future<Output = Result<usize, SocketError>> + Send;

    /// Writes at least one byte. There is at least one. Returns 0, unless told to
    /// [`Wait`](Meanwhile::Wait), if there is something to read before the peer takes a byte. Where a
    /// write blocks, that is seen after a while.
    fn write(
        &mut self,
        bytes: &[u8],
        meanwhile: Meanwhile,
        wait: Wait,
    ) -> impl Future<Output = Result<usize, SocketError>> + Send;

    /// Waits until [`pending`](Self::pending) sees bytes or the end, while a source is waited for. Where
    /// sources block, nobody gets to ask.
    fn input(&mut self, _: Wait) -> impl Future<Output = Result<(), SocketError>> + Send {
        std::future::pending()
    }

    /// What waits to be read, at no wait.
    fn pending(&self) -> Pending;

    /// The address at this end, if it has one.
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }

    /// No more will be written: the peer reads the end, and may go on speaking. Where nobody says
    /// that, nothing happens.
    fn end_writing(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Last words before the socket is closed. Nobody waits for them to arrive.
    fn say_farewell(&mut self, bytes: &[u8]);

    /// What ends a read or write that waits, and every later one, from another thread.
    fn interrupter(&self) -> impl Fn() + Send + 'static;

    /// A request begins: for those who watch.
    fn begin(&mut self, _: &Method, _: &Url) {}

    /// No wait that was broken off goes on: another call begins, or other limits hold.
    fn forget_waits(&mut self) {}

    /// The connection is about to be closed: for those who watch.
    fn closing(&mut self, _: CloseReason) {}
}

/// Something that happens once, and that one waits for.
pub trait Event: fmt::Debug + Default + Send + Sync + 'static {
    /// It has happened. Whoever waits is woken without a lock held, and a waker that panics is no
    /// affair of the caller's.
    fn set(&self);
    /// Waits for it, as long as that.
    fn wait(&self, at_most: Option<Duration>) -> impl Future<Output = ()> + Send;
}

/// What is done while a peer takes no more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// It will take them.
    Wait,
    /// It may have answered already or be gone, and take no byte ever again.
    Listen,
    /// It answers while it reads: what it says is read as soon as it takes no byte at once.
    Converse,
}

/// What a look at a socket saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// Nothing yet.
    Nothing,
    /// At least one byte.
    Bytes,
    /// The peer has closed the connection, or it is broken.
    End,
}

/// Why no address took the connection: each with its own reason.
pub(crate) type Failures = Vec<(SocketAddr, SocketError)>;

/// The addresses of a name.
pub(crate) type Found = std::io::Result<Vec<SocketAddr>>;

/// Where somebody puts what another waits for.
#[derive(Debug)]
pub struct Desk<T, E> {
    thing: Mutex<Option<T>>,
    event: E,
}

impl<T, E: Event> Default for Desk<T, E> {
    fn default() -> Self {
        Self { thing: Mutex::new(None), event: E::default() }
    }
}

impl<T, E: Event> Desk<T, E> {
    pub(crate) fn put(&self, thing: T) {
        let old = self.thing.lock().unwrap_or_else(PoisonError::into_inner).replace(thing);
        drop(old); // without the lock
        self.event.set();
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.thing.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T: Send + 'static, E: Event> Desk<T, E> {
    /// Waits until something is put there, as long as that and as long as the call is wanted.
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

/// What comes of it in that time, as long as the call is wanted.
#[cfg(feature = "tokio")]
pub(crate) async fn in_time<E: Event, T>(
    future: impl Future<Output = T>,
    at_most: Option<Duration>,
    budget: &Budget,
) -> Option<T> {
    let nothing = Arc::new(Desk::<(), E>::default());
    unless(future, async { nothing.wait(at_most, budget).await.unwrap_or_default() }).await
}
