//! The tokio runtime: its clock, connecting, name lookups and events. [`stream`](super::stream) is a
//! connected socket.
//!
//! Nothing is spawned except name lookups, on blocking threads and, if the resolver is asynchronous, as a task, and
//! the reaper of a client that asks for it: attempts to connect are futures in the task that waits
//! for them, and everything happens in the runtime that a call is polled in, which
//! `endpoint::current` checks.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::tokio::net::TcpSocket;
use ::tokio::runtime::Handle;
use ::tokio::task::yield_now;
use ::tokio::time::sleep;

use super::body::Source;
use super::endpoint::{StreamSocket, current};
use super::stream::Stream;
use crate::config::SocketOptions;
use crate::driver::async_runtime::{AsyncRuntime, NameLookup, Signal};
use crate::driver::runtime::ready;
use crate::os;
use crate::os::lookups::{LookupThreads, Lookups};

/// The tokio runtime, as a type parameter; each client has one of its own, which is the operating
/// system through whatever runtime of tokio a call runs in.
#[derive(Debug, Clone, Default)]
pub struct Tokio {
    lookups: Arc<Lookups<Signal<Self>, RuntimeHandle>>,
}

impl AsyncRuntime for Tokio {
    type Source = Source;
    type Stream = Stream;
    type Connecting = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send + Sync>>;

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        sleep(time)
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        yield_now()
    }

    fn check() -> io::Result<()> {
        current().map(drop)
    }

    /// Reads the length of each file. Boxed, because few requests contain files.
    #[cfg(feature = "stream")]
    async fn measure(body: &mut super::Body) {
        Box::pin(super::body::measure(body)).await;
    }

    /// Spawns a task where there are timers; a response may be dropped outside of any runtime.
    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        if current().is_ok() {
            drop(Handle::current().spawn(task));
        }
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

    #[cfg(unix)]
    async fn connect_unix(&self, path: &Path) -> io::Result<Stream> {
        let stream = ::tokio::net::UnixStream::connect(path).await?;
        Stream::new(StreamSocket::Unix(stream))
    }

    /// Looks a name up on a blocking thread, as `tokio::net::lookup_host` does. A lookup cannot be
    /// interrupted, so it may outlive the wait. The program needs these threads for other work, so
    /// a client uses only some of them.
    fn look_up(&self, lookup: NameLookup<Self>) {
        match Handle::try_current() {
            Ok(runtime) => self.lookups.begin_named(lookup, RuntimeHandle(runtime)),
            Err(error) => lookup.answer(Err(io::Error::other(error))),
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
