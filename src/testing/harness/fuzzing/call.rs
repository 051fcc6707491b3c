//! Whole calls on a simulated runtime, whose network is the fuzzer's. It never waits: the network
//! decides which operations time out.
//!
//! # How a target drives a call
//!
//! ```text
//! fuzz target ──client, reader, call──▶ driver ──Runtime, Stream──▶ Fuzzed ──▶ Network, the target's
//!                                                                               connect, read, write, pending
//! ```
//!
//! [`Fuzzed`] is the shortest complete runtime: each operation asks the target's [`Network`] and
//! returns its answer, so nothing ever waits, and a time limit passes when the target says so. That
//! makes it the example to read for the trait [`Runtime`](crate::driver::runtime::Runtime).
//!
//! The target `call` follows a script of what the network does. It looks for what a client must
//! never do in what the servers receive, and checks that nothing depends on how the bytes are
//! split.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Method;

use super::{Head, Outcome, protocol, text};
use crate::body::{self, Body, SourceLength};
use crate::client::send;
use crate::config::SocketOptions;
use crate::config::dns::Resolver;
use crate::driver::ResponseBody;
use crate::driver::runtime::{
    self, Dial, Dialled, Found, Meanwhile, Oneshot, Runtime, SocketError, run,
};
use crate::error::{Error, Result};
use crate::http1::head;
use crate::http1::limits::Limits;
use crate::policy::deadline::Wait;
use crate::url::Url;

pub use crate::driver::runtime::Pending;

/// A reader that the fuzzer supplied.
pub struct Given(Box<dyn io::Read + Send>);

impl Given {
    pub(crate) fn new(reader: impl io::Read + Send + 'static) -> Self {
        Self(Box::new(reader))
    }
}

impl io::Read for Given {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").finish_non_exhaustive()
    }
}

impl body::Source for Given {}

/// A client on this runtime; requests are sent with [`call`].
pub type Client = crate::client::Client<Fuzzed>;
/// The settings of such a client.
pub type ClientBuilder = crate::client::ClientBuilder<Fuzzed>;
/// A request on this runtime.
pub type Request = crate::client::request::Request<Fuzzed>;
/// A request body on this runtime.
pub type RequestBody = Body<Given>;

/// The network that the driver sees. Connections are numbered from 0 in the order of their dialing.
pub trait Network: Send {
    /// Looks up this host and connects to it; returns the connection's number, or `None` if that
    /// fails.
    fn dial(&mut self, stop: (&str, u16)) -> Option<usize>;
    /// Reports that the next hop or attempt is about to be sent.
    fn begin(&mut self, connection: usize, method: &Method, url: &Url);
    /// Writes as a socket does; `WouldBlock` means that the deadline has passed.
    fn write(&mut self, connection: usize, bytes: &[u8]) -> io::Result<usize>;
    /// Reads as a socket does; `WouldBlock` means that the deadline has passed.
    fn read(&mut self, connection: usize, into: &mut [u8], patience: Patience)
    -> io::Result<usize>;
    /// Returns the input that can be read without waiting.
    fn pending(&self, connection: usize) -> Pending;
    /// Reports that the connection was returned to the pool.
    fn keep(&mut self, connection: usize);
    /// Returns the process that the client runs in.
    fn process(&self) -> u32 {
        0
    }
}

/// The limit of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// The read timeout.
    Read,
    /// The limit for `100 Continue`.
    Continue,
}

/// The way in which a caller reads a body.
#[derive(Debug, Clone, Copy)]
pub struct Reading<I> {
    /// The sizes of the slices that are read into.
    pub sizes: I,
    /// The number of bytes after which the caller drops the response.
    pub at_most: usize,
}

/// Creates a client on that network.
pub fn client(builder: ClientBuilder, network: Arc<Mutex<dyn Network>>) -> Result<Client> {
    let inner = Inner { network: Some(network), ..Inner::default() };
    builder.build_in(Fuzzed(Arc::new(Mutex::new(inner))))
}

/// Creates a body from a reader, of this length or of unknown length.
pub fn reader(source: impl io::Read + Send + 'static, length: Option<u64>) -> RequestBody {
    let length = length.map_or(SourceLength::Unknown, SourceLength::Exactly);
    let source = Given::new(source);
    Body::from_source(source, length)
}

/// Sends a request and reads the response; the body is the decoded one.
pub fn call(
    client: &Client,
    request: Request,
    reading: Reading<impl Iterator<Item = usize>>,
) -> Outcome {
    let mut outcome =
        Outcome { head: None, body: Vec::new(), trailers: None, end: Ok(()), reusable: Ok(()) };
    outcome.end = match run(|| send(client, request.parts)) {
        Ok(response) => {
            outcome.head = as_sent(response.raw_head());
            let mut body = response.body;
            let end = receive(&mut body, reading, &mut outcome.body);
            outcome.trailers = body.trailers().cloned();
            end
        }
        Err(error) => Err(shown(&error)),
    };
    client.shared().runtime.lock().settle();
    outcome
}

/// Parses the head as it was sent, before any field was removed.
fn as_sent(raw: &Bytes) -> Option<Head> {
    head::parse(raw, &Limits::default()).map(Head::from).map_err(protocol).ok()
}

fn receive(
    reader: &mut ResponseBody<Fuzzed>,
    reading: Reading<impl Iterator<Item = usize>>,
    body: &mut Vec<u8>,
) -> std::result::Result<(), String> {
    let mut memory = [0; 16 * 1024];
    for size in reading.sizes {
        let left = reading.at_most.saturating_sub(body.len());
        if left == 0 {
            break;
        }
        let size = size.clamp(1, memory.len()).min(left);
        let slice = memory.get_mut(..size).unwrap_or_default();
        match run(|| reader.next_bytes(slice)) {
            Ok(0) => return Ok(()),
            Ok(count) => body.extend_from_slice(slice.get(..count).unwrap_or_default()),
            Err(error) => return Err(shown(&error)),
        }
    }
    Err("the caller let go".to_owned())
}

/// Returns the kind only: the text of an error shows bytes of the peer, which depend on how they
/// were split.
fn shown(error: &Error) -> String {
    text(error.kind())
}

/// The fuzzed runtime: a network, and the set of its open connections.
#[derive(Clone, Default)]
pub struct Fuzzed(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    network: Option<Arc<Mutex<dyn Network>>>,
    /// The connections that have sent a request and were neither closed nor seen in the pool since.
    used: Vec<usize>,
    /// The names that were looked up: the address of each is its index in [`NAMES`].
    names: Vec<String>,
}

impl Fuzzed {
    /// Sets the network, for tests below the client.
    #[cfg(test)]
    pub(crate) fn set_network(&self, network: Arc<Mutex<dyn Network>>) {
        self.lock().network = Some(network);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Reports the pooled connections. Calls are sequential, so a connection that is open between
    /// two calls is in the pool.
    fn settle(&mut self) {
        for connection in std::mem::take(&mut self.used) {
            self.with(|network| network.keep(connection));
        }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut dyn Network) -> T) -> Option<T> {
        let network = self.network.as_ref()?;
        Some(act(&mut *network.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Returns the address that stands for this name.
    fn address(&mut self, name: String) -> SocketAddr {
        let known = self.names.iter().position(|known| *known == name);
        let at = known.unwrap_or(self.names.len());
        if known.is_none() {
            self.names.push(name);
        }
        let [.., low] = NAMES;
        let low = low.wrapping_add(u16::try_from(at).unwrap_or(u16::MAX));
        let [a, b, c, d, e, f, g, _] = NAMES;
        SocketAddr::new(Ipv6Addr::new(a, b, c, d, e, f, g, low).into(), 0)
    }

    /// Returns the host that an address stands for.
    fn host(&self, ip: IpAddr) -> String {
        let IpAddr::V6(v6) = ip else { return ip.to_string() };
        let [network @ .., at] = v6.segments();
        let is_name = NAMES.starts_with(&network);
        let name = self.names.get(usize::from(at)).filter(|_| is_name);
        name.cloned().unwrap_or_else(|| format!("[{v6}]"))
    }
}

/// The prefix of the addresses for names; no fuzzer finds it by chance.
const NAMES: [u16; 8] = [0x2001, 0xdb8, 0x6c65, 0x616e, 0x6874, 0x7470, 0x3a2f, 0];

impl runtime::sealed::Sealed for Fuzzed {}

impl Runtime for Fuzzed {
    type Source = Given;
    type Stream = Stream;
    type Connecting = Stream;
    type Event = Event;

    const BLOCKS: bool = true;

    async fn read(source: &mut Self::Source, into: &mut [u8]) -> io::Result<usize> {
        io::Read::read(source, into)
    }

    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    /// Returns 0: the simulation is deterministic.
    fn random(&self) -> u64 {
        0
    }

    fn process(&self) -> u32 {
        self.lock().with(|network| network.process()).unwrap_or_default()
    }

    fn connect(&self, address: SocketAddr, _: &SocketOptions) -> io::Result<Stream> {
        let mut inner = self.lock();
        inner.settle();
        let host = inner.host(address.ip());
        let number = inner.with(|network| network.dial((&host, address.port()))).flatten();
        let number = number.ok_or(io::ErrorKind::ConnectionRefused)?;
        Ok(Stream { world: self.clone(), number })
    }

    async fn any_of(
        &self,
        attempts: &mut Vec<Dial<Stream>>,
        _: Option<Duration>,
        _: Option<&Event>,
    ) -> Option<Dialled<Stream>> {
        let Dial { address, connecting } = attempts.pop()?;
        Some((address, Ok(connecting)))
    }

    fn look_up(&self, host: String, _: Resolver, answer: Arc<Oneshot<Found, Event>>) {
        answer.put(Ok(vec![self.lock().address(host)]));
    }
}

/// An event without a wait, because nothing takes time here.
#[derive(Debug, Default)]
pub struct Event;

impl runtime::Event for Event {
    fn set(&self) {}

    fn poll_set(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    async fn wait(&self, _: Option<Duration>) {}
}

/// A connection: its number in the network.
#[derive(Debug)]
pub struct Stream {
    world: Fuzzed,
    number: usize,
}

impl runtime::Stream for Stream {
    async fn read(
        &mut self,
        into: &mut [u8],
        wait: Wait,
    ) -> std::result::Result<usize, SocketError> {
        let patience = match wait.expired.is_patience() {
            true => Patience::Continue,
            false => Patience::Read,
        };
        let read = |network: &mut dyn Network| network.read(self.number, into, patience);
        outcome(self.world.lock().with(read), wait)
    }

    async fn write(
        &mut self,
        bytes: &[u8],
        _: Meanwhile,
        wait: Wait,
    ) -> std::result::Result<usize, SocketError> {
        let write = |network: &mut dyn Network| network.write(self.number, bytes);
        outcome(self.world.lock().with(write), wait)
    }

    fn pending(&self) -> Pending {
        let pending = self.world.lock().with(|network| network.pending(self.number));
        pending.unwrap_or(Pending::End)
    }

    fn say_farewell(&mut self, _: &[u8]) {}

    fn interrupter(&self) -> impl Fn() + Send + 'static {
        || ()
    }

    fn begin(&mut self, method: &Method, url: &Url) {
        let mut inner = self.world.lock();
        inner.settle();
        inner.with(|network| network.begin(self.number, method, url));
        inner.used.push(self.number);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.world.lock().used.retain(|used| *used != self.number);
    }
}

fn outcome(
    result: Option<io::Result<usize>>,
    wait: Wait,
) -> std::result::Result<usize, SocketError> {
    match result {
        Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => Err(wait.expired.into()),
        Some(result) => Ok(result?),
        None => Err(io::Error::from(io::ErrorKind::NotConnected).into()),
    }
}

impl fmt::Debug for Fuzzed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fuzzed")
    }
}
