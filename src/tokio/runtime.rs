//! The tokio runtime: its clock, connecting, name lookups and events. [`stream`](super::stream) is a
//! connected socket.
//!
//! Nothing is spawned except name lookups, on blocking threads and, if the resolver is asynchronous, as a task: attempts to connect are futures in the task that waits
//! for them, and everything happens in the runtime that a call is polled in, which
//! `endpoint::current` checks.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ::tokio::net::TcpSocket;
use ::tokio::runtime::Handle;
use ::tokio::task::yield_now;
use ::tokio::time::timeout;

use super::body::Source;
use super::endpoint::StreamSocket;
use super::stream::Stream;
use crate::config::SocketOptions;
use crate::config::dns::Resolver;
use crate::driver::runtime::{
    self, Dial, Dialled, Found, Oneshot, Runtime, SocketError, first_of, ready,
};
use crate::os;
use crate::os::lookups::{LookupThreads, Lookups};
use crate::policy::deadline::Wait;

/// The tokio runtime, as a type parameter; each client has one of its own, which is the operating
/// system through whatever runtime of tokio a call runs in.
#[derive(Debug, Clone, Default)]
pub struct Tokio {
    lookups: Arc<Lookups<Event, RuntimeHandle>>,
}

impl runtime::sealed::Sealed for Tokio {}

impl Runtime for Tokio {
    type Source = Source;
    type Stream = Stream;
    type Connecting = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send + Sync>>;
    type Event = Event;

    /// A waiting task costs no thread, and long polling, reports and language models take long.
    const FIRST_BYTE: Option<Duration> = None;

    /// Reads the length of each file. Boxed, because few requests contain files.
    #[cfg(feature = "stream")]
    async fn measure(body: &mut super::Body) {
        Box::pin(super::body::measure(body)).await;
    }

    async fn read(source: &mut Source, into: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| source.poll_read(cx, into)).await
    }

    /// Returns the time of the runtime's clock, which a test may have paused.
    fn now(&self) -> Instant {
        ::tokio::time::Instant::now().into_std()
    }

    fn connect(&self, to: SocketAddr, options: &SocketOptions) -> io::Result<Self::Connecting> {
        let socket = os::socket(to, options)?;
        socket.set_nonblocking(true)?;
        let connecting = TcpSocket::from_std_stream(socket.into()).connect(to);
        Ok(Box::pin(async { Stream::new(StreamSocket::Tcp(connecting.await?)) }))
    }

    async fn any_of(
        &self,
        attempts: &mut Vec<Dial<Self::Connecting>>,
        at_most: Option<Duration>,
        stop: Option<&Event>,
    ) -> Option<Dialled<Stream>> {
        if at_most == Some(Duration::ZERO) {
            yield_now().await; // lets the runtime poll its sockets
        }
        first_of(attempts, at_most, stop).await
    }

    #[cfg(unix)]
    async fn connect_unix(&self, path: &Path, _: Wait) -> Result<Stream, SocketError> {
        let stream = ::tokio::net::UnixStream::connect(path).await?;
        Ok(Stream::new(StreamSocket::Unix(stream))?)
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

/// Runs lookups on the blocking threads of the runtime that a call runs in.
#[derive(Debug, Clone)]
struct RuntimeHandle(Handle);

impl LookupThreads for RuntimeHandle {
    fn run(&self, work: impl FnOnce() + Send + 'static) {
        drop(self.0.spawn_blocking(work));
    }

    /// Spawns the future unless it is ready, as that of a resolver that blocks. On a blocking thread it
    /// would keep the runtime from shutting down.
    fn drive(&self, lookup: impl Future<Output = ()> + Send + 'static) {
        let mut lookup = Box::pin(lookup);
        if ready(lookup.as_mut()).is_none() {
            drop(self.0.spawn(lookup));
        }
    }
}

/// A flag that one task waits for.
#[derive(Debug, Default)]
pub struct Event(Mutex<Flag>);

#[derive(Debug, Default)]
struct Flag {
    is_set: bool,
    waiter: Option<Waker>,
}

impl Event {
    /// Polls the flag. Cloning, dropping and waking a waker runs foreign code, so none of it
    /// happens under the lock.
    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        {
            let flag = self.lock();
            if flag.is_set {
                return Poll::Ready(());
            }
            if flag.waiter.as_ref().is_some_and(|waiter| waiter.will_wake(cx.waker())) {
                return Poll::Pending;
            }
        }
        let waiter = cx.waker().clone();
        let (old, poll) = {
            let mut flag = self.lock();
            match flag.is_set {
                true => (Some(waiter), Poll::Ready(())),
                false => (flag.waiter.replace(waiter), Poll::Pending),
            }
        };
        drop(old);
        poll
    }

    fn lock(&self) -> MutexGuard<'_, Flag> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl runtime::Event for Event {
    fn set(&self) {
        let waiter = {
            let mut flag = self.lock();
            flag.is_set = true;
            flag.waiter.take()
        };
        if let Some(waiter) = waiter {
            // Events are set where permits are released and connections closed, perhaps while a
            // panic unwinds. A panic of the waker is caught here after the panic hook has reported
            // it.
            drop(panic::catch_unwind(AssertUnwindSafe(|| waiter.wake())));
        }
    }

    async fn wait(&self, at_most: Option<Duration>) {
        let set = poll_fn(|cx| self.poll(cx));
        match at_most {
            Some(limit) => drop(timeout(limit, set).await),
            None => set.await,
        }
    }
}
