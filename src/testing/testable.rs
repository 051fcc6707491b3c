//! A runtime that can be put on an in-memory network. Both clients run on it when the feature `testing` is on:
//! each operation goes to the runtime itself, or to `memory/`.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant, SystemTime};

use http::Method;

use super::memory::{MemoryStream, any_of, until};
use super::network::{DialOutcome, MemoryNetwork};
use super::waiting::{InCall, wait};
use crate::body::Body;
use crate::config::SocketOptions;
use crate::config::dns::Resolver;
#[cfg(any(feature = "tokio", feature = "runtime"))]
use crate::driver::async_runtime::Asynchronous;
use crate::driver::runtime::{
    Dial, Dialled, Event, Found, Meanwhile, Oneshot, Pending, Runtime, SocketError, Stream, sealed,
};
use crate::error::Result;
use crate::http1::close::CloseReason;
use crate::policy::deadline::{Expired, Wait};
use crate::url::Url;

/// A runtime that can be put on a [`MemoryNetwork`] by
/// [`ClientBuilder::network`](crate::client::ClientBuilder::network). Without one it is the runtime itself.
#[derive(Clone)]
pub struct Testable<R> {
    system: R,
    network: Option<MemoryNetwork>,
}

impl<R: Runtime> Testable<R> {
    /// Returns the runtime on that network.
    pub(super) fn on(network: &MemoryNetwork) -> Self {
        Self { system: R::default(), network: Some(network.clone()) }
    }
}

impl<R: Runtime> Default for Testable<R> {
    fn default() -> Self {
        Self { system: R::default(), network: None }
    }
}

impl<R: fmt::Debug> fmt::Debug for Testable<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.network {
            None => self.system.fmt(f),
            Some(network) => network.fmt(f),
        }
    }
}

impl<R: Runtime> sealed::Sealed for Testable<R> {}

#[cfg(any(feature = "tokio", feature = "runtime"))]
impl<R: Asynchronous> Asynchronous for Testable<R> {
    /// In memory any executor will do.
    fn check(&self) -> io::Result<()> {
        match &self.network {
            None => self.system.check(),
            Some(_) => Ok(()),
        }
    }
}

impl<R: Runtime> Runtime for Testable<R> {
    type Source = R::Source;
    type Stream = TestableStream<R>;
    type Connecting = TestableConnecting<R>;
    type Event = R::Event;

    const BLOCKS: bool = R::BLOCKS;
    const FIRST_BYTE: Option<Duration> = R::FIRST_BYTE;

    fn read(
        source: &mut Self::Source,
        into: &mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + Send {
        R::read(source, into)
    }

    fn measure(body: &mut Body<Self::Source>) -> impl Future<Output = ()> + Send {
        R::measure(body)
    }

    fn now(&self) -> Instant {
        let network = self.network.as_ref().and_then(MemoryNetwork::now);
        network.unwrap_or_else(|| Runtime::now(&self.system))
    }

    fn date(&self) -> SystemTime {
        let network = self.network.as_ref().and_then(MemoryNetwork::date);
        network.unwrap_or_else(|| Runtime::date(&self.system))
    }

    fn random(&self) -> u64 {
        Runtime::random(&self.system)
    }

    fn process(&self) -> u32 {
        self.system.process()
    }

    async fn wait_for(&self, event: &Self::Event, at_most: Option<Duration>) {
        let Some(network) = &self.network else {
            return self.system.wait_for(event, at_most).await;
        };
        let set = until(network, at_most, |_, waker| is_set(event, waker).then_some(()));
        wait(network, &self.system, set).await;
    }

    fn is_in_memory(&self) -> bool {
        self.network.is_some()
    }

    fn enter(&self) -> impl Sized + Send + Sync {
        self.network.as_ref().filter(|_| R::BLOCKS).map(InCall::enter)
    }

    fn connect(
        &self,
        address: SocketAddr,
        options: &SocketOptions,
    ) -> io::Result<Self::Connecting> {
        Ok(TestableConnecting(match &self.network {
            None => ConnectingOf::System(self.system.connect(address, options)?),
            Some(network) => ConnectingOf::Memory(network.dial(address)),
        }))
    }

    async fn any_of(
        &self,
        attempts: &mut Vec<Dial<Self::Connecting>>,
        at_most: Option<Duration>,
        stop: Option<&Self::Event>,
    ) -> Option<Dialled<Self::Stream>> {
        let Some(network) = &self.network else {
            return system_any_of(&self.system, attempts, at_most, stop).await;
        };
        let is_stopped = |waker: &Waker| stop.is_some_and(|stop| is_set(stop, waker));
        let first = any_of(network, attempts, TestableConnecting::memory, at_most, is_stopped);
        let (address, outcome) = wait(network, &self.system, first).await?;
        let stream = |stream| TestableStream(StreamOf::Memory(stream, self.system.clone()));
        Some((address, outcome.map(stream)))
    }

    /// On a network in memory there are no Unix domain sockets.
    async fn connect_unix(&self, path: &Path, wait: Wait) -> Result<Self::Stream, SocketError> {
        match &self.network {
            None => {
                Ok(TestableStream(StreamOf::System(self.system.connect_unix(path, wait).await?)))
            }
            Some(_) => Err(io::Error::from(io::ErrorKind::Unsupported).into()),
        }
    }

    fn look_up(&self, host: String, resolver: Resolver, answer: Arc<Oneshot<Found, Self::Event>>) {
        match &self.network {
            None => self.system.look_up(host, resolver, answer),
            Some(network) => {
                if let Some(found) = network.look_up(&host) {
                    answer.put(found);
                }
            }
        }
    }

    fn lookup_obstacle(&self, host: &str) -> Option<String> {
        self.system.lookup_obstacle(host)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        Runtime::spawn(&self.system, task);
    }
}

fn is_set<E: Event>(event: &E, waker: &Waker) -> bool {
    event.poll_set(&mut Context::from_waker(waker)).is_ready()
}

/// Waits for attempts of the runtime itself, in their own list.
async fn system_any_of<R: Runtime>(
    system: &R,
    attempts: &mut Vec<Dial<TestableConnecting<R>>>,
    at_most: Option<Duration>,
    stop: Option<&R::Event>,
) -> Option<Dialled<TestableStream<R>>> {
    let mut own: Vec<_> = attempts
        .drain(..)
        .filter_map(|Dial { address, connecting }| match connecting.0 {
            ConnectingOf::System(connecting) => Some(Dial { address, connecting }),
            ConnectingOf::Memory(_) => None,
        })
        .collect();
    let ended = system.any_of(&mut own, at_most, stop).await;
    attempts.extend(own.into_iter().map(|Dial { address, connecting }| Dial {
        address,
        connecting: TestableConnecting(ConnectingOf::System(connecting)),
    }));
    ended.map(|(address, outcome)| {
        (address, outcome.map(|stream| TestableStream(StreamOf::System(stream))))
    })
}

/// An attempt to connect, in progress.
pub struct TestableConnecting<R: Runtime>(ConnectingOf<R>);

enum ConnectingOf<R: Runtime> {
    System(R::Connecting),
    Memory(DialOutcome),
}

impl<R: Runtime> TestableConnecting<R> {
    fn memory(&self) -> Option<&DialOutcome> {
        match &self.0 {
            ConnectingOf::System(_) => None,
            ConnectingOf::Memory(outcome) => Some(outcome),
        }
    }
}

impl<R: Runtime> fmt::Debug for TestableConnecting<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestableConnecting").finish_non_exhaustive()
    }
}

/// A connected socket, of the system or in memory.
#[derive(Debug)]
pub struct TestableStream<R: Runtime>(StreamOf<R>);

#[derive(Debug)]
enum StreamOf<R: Runtime> {
    System(R::Stream),
    Memory(MemoryStream<MemoryNetwork>, R),
}

impl<R: Runtime> Stream for TestableStream<R> {
    async fn readable(
        &mut self,
        limit: impl FnOnce() -> Result<Wait, Expired> + Send,
    ) -> Result<(), SocketError> {
        match &mut self.0 {
            StreamOf::System(stream) => stream.readable(limit).await,
            StreamOf::Memory(..) => Ok(()),
        }
    }

    async fn read(&mut self, into: &mut [u8], limit: Wait) -> Result<usize, SocketError> {
        match &mut self.0 {
            StreamOf::System(stream) => stream.read(into, limit).await,
            StreamOf::Memory(stream, system) => {
                let network = stream.world().clone();
                wait(&network, system, stream.read(into, limit)).await
            }
        }
    }

    async fn write(
        &mut self,
        bytes: &[u8],
        meanwhile: Meanwhile,
        limit: Wait,
    ) -> Result<usize, SocketError> {
        match &mut self.0 {
            StreamOf::System(stream) => stream.write(bytes, meanwhile, limit).await,
            StreamOf::Memory(stream, system) => {
                let network = stream.world().clone();
                wait(&network, system, stream.write(bytes, meanwhile, limit)).await
            }
        }
    }

    async fn input(&mut self, limit: Wait) -> Result<(), SocketError> {
        match &mut self.0 {
            StreamOf::System(stream) => stream.input(limit).await,
            // A source that blocks cannot be polled meanwhile.
            StreamOf::Memory(..) if R::BLOCKS => std::future::pending().await,
            StreamOf::Memory(stream, system) => {
                let network = stream.world().clone();
                wait(&network, system, stream.input(limit)).await
            }
        }
    }

    fn pending(&self) -> Pending {
        match &self.0 {
            StreamOf::System(stream) => stream.pending(),
            StreamOf::Memory(stream, _) => stream.pending(),
        }
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        match &self.0 {
            StreamOf::System(stream) => stream.local_addr(),
            StreamOf::Memory(stream, _) => stream.local_addr(),
        }
    }

    fn end_writing(&mut self) -> io::Result<()> {
        match &mut self.0 {
            StreamOf::System(stream) => stream.end_writing(),
            StreamOf::Memory(stream, _) => stream.end_writing(),
        }
    }

    fn say_farewell(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            StreamOf::System(stream) => stream.say_farewell(bytes),
            StreamOf::Memory(stream, _) => stream.say_farewell(bytes),
        }
    }

    fn interrupter(&self) -> impl Fn() + Send + 'static {
        let (system, memory) = match &self.0 {
            StreamOf::System(stream) => (Some(stream.interrupter()), None),
            StreamOf::Memory(stream, _) => (None, Some(stream.interrupter())),
        };
        move || {
            system.iter().for_each(|interrupt| interrupt());
            memory.iter().for_each(|interrupt| interrupt());
        }
    }

    fn begin(&mut self, method: &Method, url: &Url) {
        match &mut self.0 {
            StreamOf::System(stream) => stream.begin(method, url),
            StreamOf::Memory(stream, _) => stream.begin(method, url),
        }
    }

    fn forget_waits(&mut self) {
        match &mut self.0 {
            StreamOf::System(stream) => stream.forget_waits(),
            StreamOf::Memory(stream, _) => stream.forget_waits(),
        }
    }

    fn closing(&mut self, reason: CloseReason) {
        match &mut self.0 {
            StreamOf::System(stream) => stream.closing(reason),
            StreamOf::Memory(stream, _) => stream.closing(reason),
        }
    }
}
