//! The in-memory network: servers of the test, names, faults of connections, and the clock.
//!
//! Everything that happens is in [`NetworkState`], behind one lock: lines, names, and the agenda. Handlers are
//! code of the program, and wakers are code of executors, so both run after the lock is released:
//! [`World::settle`] calls the handler of a request that is complete, and [`World::with`] wakes what was woken.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::{self, Thread};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::Method;

use super::memory::agenda::{Agenda, EntryId};
use super::memory::wire::{Wire, WireEnd};
use super::memory::{Sockets, World};
use super::reply::{Reply, ReplyStep};
use super::request::{MAX_REQUEST_BYTES, Parsed, ReceivedRequest, parse};
use crate::client::request::IntoUrl;
use crate::driver::runtime::{Found, Pending};
use crate::error::{Error, Result};
use crate::url::Url;

/// A network in memory, with servers that the test scripts, for clients of either kind.
///
/// A client that is built with [`network`](crate::ClientBuilder::network) opens no socket and looks no name up:
/// it connects to the servers here, and everything above the socket is as always. Names without a server do not
/// exist. TLS is not part of it: a request to an `https` URL reaches its server in the clear, in this process.
/// Proxies of the environment are not used.
///
/// Time is that of the network: by default it stands still, and jumps to what happens next when all wait, so that
/// a timeout of an hour is over at once. See [`NetworkClock`].
///
/// A clone is the same network.
///
/// ```
/// use leanhttp::Client;
/// use leanhttp::testing::{MemoryNetwork, Reply};
/// use std::time::Duration;
///
/// let network = MemoryNetwork::new();
/// network.serve("http://api.example", |_| Reply::ok("hello").stall_after(2))?;
/// let client = Client::builder().network(&network).read_timeout(Duration::from_secs(3600)).build()?;
/// let error = client.get("http://api.example/").send()?.text().unwrap_err();
/// assert!(error.is_timeout());
/// assert_eq!(network.elapsed(), Duration::from_secs(3600));
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[derive(Clone)]
pub struct MemoryNetwork(Arc<Mutex<NetworkState>>);

/// The way in which the clock of a [`MemoryNetwork`] moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkClock {
    /// The time stands still while a client works, and jumps to the next event, such as a delayed byte or the end of
    /// a timeout, when every call waits. On the blocking client a call that runs in another thread keeps it from
    /// jumping; on the async one other tasks get several turns first.
    #[default]
    Jumps,
    /// Only [`advance`](MemoryNetwork::advance) moves the time.
    Manual,
    /// The time is that of the runtime: of the system for the blocking client; of tokio for the async one, which
    /// `#[tokio::test(start_paused = true)]` lets jump together with the timers of the program.
    OfRuntime,
}

/// A fault of a host. Those of a single response are methods of [`Reply`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostFault {
    /// The name does not exist.
    NoSuchName,
    /// The name server does not answer.
    SilentLookup,
    /// The host refuses the connection.
    Refused,
    /// The host does not answer the attempt to connect.
    Silent,
    /// The host accepts the connection, and never reads from it: a request of more than 64 KiB waits.
    Unread,
}

/// The number of bytes that a connection holds whose server does not read.
const WINDOW: usize = 64 * 1024;

/// The function that answers the requests to a server.
pub(super) type Handler = Arc<dyn Fn(&ReceivedRequest) -> Reply + Send + Sync>;

/// The most requests that a network remembers; it forgets the oldest ones.
const MOST_REQUESTS: usize = 10_000;

/// The first of the addresses that names get: the range for benchmarks (RFC 2544), which is never routed.
const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

impl MemoryNetwork {
    /// Creates a network without servers, whose clock [jumps](NetworkClock::Jumps).
    pub fn new() -> Self {
        Self::with_clock(NetworkClock::Jumps)
    }

    /// Creates a network without servers, with this clock.
    ///
    /// ```
    /// use leanhttp::testing::{MemoryNetwork, NetworkClock};
    /// use std::time::Duration;
    ///
    /// let network = MemoryNetwork::with_clock(NetworkClock::Manual);
    /// network.advance(Duration::from_secs(60));
    /// assert_eq!(network.elapsed(), Duration::from_secs(60));
    /// ```
    pub fn with_clock(clock: NetworkClock) -> Self {
        Self(Arc::new(Mutex::new(NetworkState {
            clock,
            start: Instant::now(),
            date: SystemTime::now(),
            agenda: Agenda::default(),
            hosts: Vec::new(),
            fallback: None,
            lines: HashMap::new(),
            opened: 0,
            requests: VecDeque::new(),
            woken: Vec::new(),
            activity: 0,
            polled: 0,
            calls: 0,
            waiting_calls: 0,
            sleepers: Vec::new(),
        })))
    }

    /// Adds a server at this origin, or replaces it: each request that it receives is answered by the function.
    /// The path of the URL is ignored.
    ///
    /// The function is called without a lock, in the call that sends the request; its panic is that call's.
    ///
    /// ```
    /// use leanhttp::testing::{MemoryNetwork, Reply, in_turn};
    ///
    /// let network = MemoryNetwork::new();
    /// network.serve("https://api.example", in_turn([Reply::status(503), Reply::ok("done")]))?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the URL is invalid or has no host.
    pub fn serve<U, H, A>(&self, origin: U, handler: H) -> Result<()>
    where
        U: IntoUrl,
        H: Fn(&ReceivedRequest) -> A + Send + Sync + 'static,
        A: Into<Reply>,
    {
        let url = origin.into_url()?;
        let (Some(name), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(Error::builder("a server needs a URL with a host").for_url(&url));
        };
        let handler: Handler = Arc::new(move |request| handler(request).into());
        let replaced = self.lock().serve(unbracketed(name), port, handler);
        drop(replaced); // without the lock: it may own anything
        Ok(())
    }

    /// Answers the requests to all hosts and ports that have no server of their own: then every name exists.
    ///
    /// ```
    /// use leanhttp::testing::{MemoryNetwork, Reply};
    ///
    /// let network = MemoryNetwork::new();
    /// network.serve_all(|request| Reply::ok(format!("this is {}", request.url())));
    /// ```
    pub fn serve_all<H, A>(&self, handler: H)
    where
        H: Fn(&ReceivedRequest) -> A + Send + Sync + 'static,
        A: Into<Reply>,
    {
        let handler: Handler = Arc::new(move |request| handler(request).into());
        let replaced = self.lock().fallback.replace(handler);
        drop(replaced);
    }

    /// Sets the addresses of a name, which need not have a server: for a test of egress rules, or of a host with
    /// several addresses. By default each name has one of 198.18.0.0/15.
    ///
    /// ```
    /// let network = leanhttp::testing::MemoryNetwork::new();
    /// network.resolve("inside.example", ["10.0.0.1".parse()?]);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn resolve(&self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        let addresses: Vec<_> = addresses.into_iter().collect();
        self.lock().host(name).addresses = addresses;
    }

    /// Lets each lookup of this host, or each attempt to connect to it, fail in this way, until
    /// [`heal`](Self::heal). Connections that are open stay open.
    ///
    /// ```
    /// use leanhttp::Client;
    /// use leanhttp::testing::{HostFault, MemoryNetwork};
    ///
    /// let network = MemoryNetwork::new();
    /// network.fail("api.example", HostFault::NoSuchName);
    /// let client = Client::builder().network(&network).build()?;
    /// let error = client.get("http://api.example/").send().unwrap_err();
    /// assert_eq!(error.kind(), leanhttp::error::Kind::Resolve);
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn fail(&self, host: &str, fault: HostFault) {
        self.lock().host(host).fault = Some((fault, usize::MAX));
    }

    /// Lets the next `times` lookups of this host, or attempts to connect to it, fail in this way.
    ///
    /// ```
    /// use leanhttp::testing::{HostFault, MemoryNetwork, Reply};
    /// use leanhttp::{Client, retry};
    ///
    /// let network = MemoryNetwork::new();
    /// network.serve("http://api.example", |_| Reply::ok("at last"))?;
    /// network.fail_next("api.example", HostFault::Refused, 2);
    /// let client = Client::builder().network(&network).retry(retry::Policy::new()).build()?;
    /// assert_eq!(client.get("http://api.example/").send()?.text()?, "at last");
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn fail_next(&self, host: &str, fault: HostFault, times: usize) {
        self.lock().host(host).fault = (times > 0).then_some((fault, times));
    }

    /// Ends the faults of a host.
    pub fn heal(&self, host: &str) {
        self.lock().host(host).fault = None;
    }

    /// Returns the requests that were received, in their order: at most the last 10,000.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.lock().requests.iter().cloned().collect()
    }

    /// Returns how many connections were opened.
    pub fn connections(&self) -> usize {
        self.lock().opened
    }

    /// Returns the time since the network was created, on its own clock. With [`NetworkClock::OfRuntime`] this is the
    /// time of the last event.
    pub fn elapsed(&self) -> Duration {
        self.lock().agenda.now()
    }

    /// Moves the clock, and lets everything happen that is due by then. Calls that wait go on in their own threads
    /// and tasks.
    pub fn advance(&self, time: Duration) {
        let end = self.elapsed().saturating_add(time);
        while self.with(|state| state.happen(Some(end))) {}
    }
}

impl Default for MemoryNetwork {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("MemoryNetwork")
            .field("clock", &state.clock)
            .field("elapsed", &state.agenda.now())
            .field("open_connections", &state.lines.len())
            .finish_non_exhaustive()
    }
}

/// For the runtime, `testable.rs`, and for `waiting.rs`, which moves the clock.
impl MemoryNetwork {
    pub(super) fn lock(&self) -> MutexGuard<'_, NetworkState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the monotonic time of the network; `None` if it is that of the runtime.
    pub(super) fn now(&self) -> Option<Instant> {
        let state = self.lock();
        let is_own = state.clock != NetworkClock::OfRuntime;
        is_own.then(|| state.start.checked_add(state.agenda.now()).unwrap_or(state.start))
    }

    /// Returns the wall-clock time of the network; `None` if it is that of the runtime.
    pub(super) fn date(&self) -> Option<SystemTime> {
        let state = self.lock();
        let is_own = state.clock != NetworkClock::OfRuntime;
        is_own.then(|| state.date.checked_add(state.agenda.now()).unwrap_or(state.date))
    }

    /// Returns the result of a lookup, which needs no time; `None` if there is never one.
    pub(super) fn look_up(&self, name: &str) -> Option<Found> {
        self.lock().look_up(name)
    }

    /// Begins to connect to an address.
    pub(super) fn dial(&self, address: SocketAddr) -> DialOutcome {
        self.lock().dial(address)
    }
}

impl World for MemoryNetwork {
    type State = NetworkState;

    fn with<T>(&self, act: impl FnOnce(&mut NetworkState) -> T) -> T {
        let (result, woken) = {
            let mut state = self.lock();
            let result = act(&mut state);
            (result, mem::take(&mut state.woken))
        };
        for waker in woken {
            // As in `tokio/runtime.rs`: a panic of the waker has been reported by the panic hook.
            drop(panic::catch_unwind(AssertUnwindSafe(|| waker.wake())));
        }
        result
    }

    fn settle(&self, line: usize) {
        while let Some((request, handler)) = self.with(|state| state.next_request(line)) {
            let reply = handler(&request);
            self.with(|state| state.reply(line, request.method(), reply));
        }
    }
}

/// The state of a network.
pub(crate) struct NetworkState {
    pub(super) clock: NetworkClock,
    start: Instant,
    date: SystemTime,
    agenda: Agenda<Happening>,
    hosts: Vec<MemoryHost>,
    /// Answers where there is no server.
    fallback: Option<Handler>,
    lines: HashMap<usize, ServedLine>,
    opened: usize,
    requests: VecDeque<ReceivedRequest>,
    /// To be woken when the lock is released.
    woken: Vec<Waker>,
    /// Grows with everything that happens.
    pub(super) activity: u64,
    /// The number of operations of async calls that are being polled.
    pub(super) polled: usize,
    /// The number of threads in blocking calls, and how many of those wait.
    pub(super) calls: usize,
    waiting_calls: usize,
    /// All threads that wait, also for the rest of a body.
    pub(super) sleepers: Vec<Thread>,
}

/// A name or address, its servers by port, and its fault.
struct MemoryHost {
    name: String,
    addresses: Vec<IpAddr>,
    servers: Vec<(u16, Handler)>,
    /// The fault, and how many times more.
    fault: Option<(HostFault, usize)>,
}

/// A connection, and what its server has received.
struct ServedLine {
    wire: Wire,
    handler: Handler,
    /// The requests that the client has begun and that were not received yet.
    begun: VecDeque<(Method, Url)>,
    received: Vec<u8>,
    /// True if the server has closed it, or does not understand what it receives.
    is_deaf: bool,
    is_unread: bool,
    has_continued: bool,
    /// The time of the last step that is scheduled, which the next ones follow.
    last: Duration,
}

/// A scheduled event.
enum Happening {
    Wake(Waker),
    Step(usize, ReplyStep),
}

/// The outcome of an attempt to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DialOutcome {
    Accepted,
    Refused,
    /// It has none.
    Unanswered,
}

impl NetworkState {
    fn serve(&mut self, name: &str, port: u16, handler: Handler) -> Option<Handler> {
        let servers = &mut self.host(name).servers;
        match servers.iter_mut().find(|(known, _)| *known == port) {
            Some((_, old)) => Some(mem::replace(old, handler)),
            None => {
                servers.push((port, handler));
                None
            }
        }
    }

    /// Returns the host of that name, which gets an address if it is new.
    fn host(&mut self, name: &str) -> &mut MemoryHost {
        let name = unbracketed(name).to_ascii_lowercase();
        let at = self.hosts.iter().position(|host| host.name == name).unwrap_or_else(|| {
            let number = u32::try_from(self.hosts.len()).unwrap_or(u32::MAX);
            let next = Ipv4Addr::from(u32::from(FIRST_ADDRESS).saturating_add(number));
            let address = name.parse().unwrap_or(IpAddr::V4(next));
            let addresses = vec![address];
            self.hosts.push(MemoryHost { name, addresses, servers: Vec::new(), fault: None });
            self.hosts.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the position of an element")]
        &mut self.hosts[at]
    }

    fn look_up(&mut self, name: &str) -> Option<Found> {
        let is_known = self.hosts.iter().any(|host| host.name.eq_ignore_ascii_case(name));
        if !is_known && self.fallback.is_none() {
            let names: Vec<_> = self.hosts.iter().map(|host| &*host.name).collect();
            return Some(Err(no_such_name(&names)));
        }
        let host = self.host(name);
        match host.strikes(|fault| matches!(fault, HostFault::NoSuchName | HostFault::SilentLookup))
        {
            Some(HostFault::SilentLookup) => None,
            Some(_) => Some(Err(io::Error::new(io::ErrorKind::NotFound, "no such name"))),
            None => {
                let addresses = host.addresses.iter().map(|ip| SocketAddr::new(*ip, 0));
                Some(Ok(addresses.collect()))
            }
        }
    }

    fn dial(&mut self, address: SocketAddr) -> DialOutcome {
        let has_fallback = self.fallback.is_some();
        let host = self.hosts.iter_mut().find(|host| host.addresses.contains(&address.ip()));
        let fault = host.and_then(|host| {
            host.strikes(|fault| matches!(fault, HostFault::Refused | HostFault::Silent))
        });
        match fault {
            Some(HostFault::Silent) => DialOutcome::Unanswered,
            None if has_fallback || self.server_at(address).is_some() => DialOutcome::Accepted,
            _ => DialOutcome::Refused,
        }
    }

    /// Returns what answers at this address.
    fn server_at(&self, address: SocketAddr) -> Option<&Handler> {
        let hosts = self.hosts.iter().filter(|host| host.addresses.contains(&address.ip()));
        let mut servers = hosts.flat_map(|host| &host.servers);
        let server = servers.find(|(port, _)| *port == address.port()).map(|(_, server)| server);
        server.or(self.fallback.as_ref())
    }

    /// Receives bytes. A server that reads at all does so at once.
    fn receive(&mut self, at: usize, bytes: &[u8]) {
        self.activity += 1;
        let Some(line) = self.lines.get_mut(&at) else { return };
        if line.is_unread {
            return line.wire.hold(bytes.len());
        }
        if line.is_deaf {
            return;
        }
        line.received.extend_from_slice(bytes);
        if line.received.len() > MAX_REQUEST_BYTES {
            line.received.clear();
            self.hang_up(at);
        }
    }

    /// Returns the next complete request that this line has received, and what answers it.
    fn next_request(&mut self, at: usize) -> Option<(ReceivedRequest, Handler)> {
        loop {
            let line = self.lines.get_mut(&at).filter(|line| !line.received.is_empty())?;
            match parse(&line.received) {
                Parsed::Partial { expects_continue } => {
                    if expects_continue && !mem::replace(&mut line.has_continued, true) {
                        self.send(at, Duration::ZERO, ReplyStep::Bytes(CONTINUE));
                    }
                    return None;
                }
                Parsed::Malformed => {
                    line.received.clear();
                    self.hang_up(at);
                    return None;
                }
                // A proxy, whose tunnel leads to the same servers.
                Parsed::Whole { method: Method::CONNECT, length, .. } => {
                    line.received.drain(..length);
                    self.send(at, Duration::ZERO, ReplyStep::Bytes(TUNNEL));
                }
                Parsed::Whole { method, headers, body, length } => {
                    line.received.drain(..length);
                    line.has_continued = false;
                    let (_, url) = line.begun.pop_front()?;
                    let request = ReceivedRequest { method, url, headers, body };
                    let handler = Arc::clone(&line.handler);
                    if self.requests.len() == MOST_REQUESTS {
                        self.requests.pop_front();
                    }
                    self.requests.push_back(request.clone());
                    return Some((request, handler));
                }
            }
        }
    }

    fn reply(&mut self, at: usize, method: &Method, reply: Reply) {
        if let Some(line) = self.lines.get_mut(&at) {
            line.is_deaf |= reply.is_upgrade();
        }
        for (delay, step) in reply.steps(method) {
            self.send(at, delay, step);
        }
    }

    fn hang_up(&mut self, at: usize) {
        self.send(at, Duration::ZERO, ReplyStep::End(WireEnd::Reset));
    }

    /// Takes a step that long after the last one: at once, or on the agenda.
    fn send(&mut self, at: usize, delay: Duration, step: ReplyStep) {
        let now = self.agenda.now();
        let Some(line) = self.lines.get_mut(&at) else { return };
        line.last = line.last.max(now).saturating_add(delay);
        match line.last > now {
            true => drop(self.agenda.schedule(line.last, Happening::Step(at, step))),
            false => self.step(at, step),
        }
    }

    fn step(&mut self, at: usize, step: ReplyStep) {
        self.activity += 1;
        let Some(line) = self.lines.get_mut(&at) else { return };
        match step {
            _ if !line.wire.is_usable() || line.wire.end().is_some() => {}
            ReplyStep::Bytes(bytes) => {
                line.wire.arrive(bytes);
                self.woken.extend(line.wire.take_reader());
            }
            ReplyStep::End(end) => {
                line.is_deaf = true;
                self.woken.extend(line.wire.finish(end));
            }
        }
    }

    /// Lets the next event happen, if it is due by that time, and moves the clock. Without a time the clock jumps
    /// to it. Returns whether something happened.
    pub(super) fn happen(&mut self, by: Option<Duration>) -> bool {
        let happening = match by {
            Some(time) => self.agenda.next_until(time),
            None => self.agenda.next(),
        };
        let Some(happening) = happening else { return false };
        self.activity += 1;
        match happening {
            Happening::Wake(waker) => self.woken.push(waker),
            Happening::Step(line, step) => self.step(line, step),
        }
        true
    }

    /// Counts this thread as one that waits.
    pub(super) fn falls_asleep(&mut self, is_in_call: bool) {
        self.waiting_calls += usize::from(is_in_call);
        self.sleepers.push(thread::current());
    }

    /// Counts it no more.
    pub(super) fn wakes_up(&mut self, is_in_call: bool) {
        self.waiting_calls -= usize::from(is_in_call);
        let own = thread::current().id();
        if let Some(at) = self.sleepers.iter().position(|thread| thread.id() == own) {
            self.sleepers.swap_remove(at);
        }
    }

    /// Returns whether every blocking call waits.
    pub(super) fn is_asleep(&self) -> bool {
        self.waiting_calls >= self.calls
    }

    /// Returns the time of the next event.
    pub(super) fn next_time(&self) -> Option<Duration> {
        self.agenda.next_time()
    }

    /// Moves a clock that is the runtime's to its time, and lets happen what is due.
    pub(super) fn follow(&mut self, now: Instant) {
        let time = now.saturating_duration_since(self.start);
        while self.happen(Some(time)) {}
    }

    /// Returns the moment of the runtime's clock at which the next event is due.
    pub(super) fn next_moment(&self) -> Option<Instant> {
        self.start.checked_add(self.agenda.next_time()?)
    }
}

const CONTINUE: Bytes = Bytes::from_static(b"HTTP/1.1 100 Continue\r\n\r\n");
const TUNNEL: Bytes = Bytes::from_static(b"HTTP/1.1 200 OK\r\n\r\n");

impl MemoryHost {
    /// Returns the fault if it is of this sort, and counts it.
    fn strikes(&mut self, is_meant: impl Fn(HostFault) -> bool) -> Option<HostFault> {
        let (fault, times) = self.fault.filter(|(fault, _)| is_meant(*fault))?;
        let left = if times == usize::MAX { times } else { times - 1 };
        self.fault = (left > 0).then_some((fault, left));
        Some(fault)
    }
}

impl Sockets for NetworkState {
    type Dial = DialOutcome;

    fn now(&self) -> Duration {
        self.agenda.now()
    }

    fn wake_at(&mut self, at: Duration, waker: &Waker) -> EntryId {
        self.agenda.schedule(at, Happening::Wake(waker.clone()))
    }

    fn forget(&mut self, entry: EntryId) {
        if let Some(Happening::Wake(waker)) = self.agenda.cancel(entry) {
            self.woken.push(waker); // dropped without the lock, and a wake more is harmless
        }
    }

    fn dialled(&mut self, dial: &DialOutcome, _: &Waker) -> Option<Result<(), io::ErrorKind>> {
        match dial {
            DialOutcome::Accepted => Some(Ok(())),
            DialOutcome::Refused => Some(Err(io::ErrorKind::ConnectionRefused)),
            DialOutcome::Unanswered => None,
        }
    }

    fn open(&mut self, address: SocketAddr) -> usize {
        self.activity += 1;
        let number = self.opened;
        self.opened += 1;
        let Some(handler) = self.server_at(address).cloned() else { return number };
        let host = self.hosts.iter_mut().find(|host| host.addresses.contains(&address.ip()));
        let fault = host.and_then(|host| host.strikes(|fault| fault == HostFault::Unread));
        let is_unread = fault.is_some();
        let line = ServedLine {
            wire: Wire::new(WINDOW),
            handler,
            begun: VecDeque::new(),
            received: Vec::new(),
            is_deaf: false,
            is_unread,
            has_continued: false,
            last: self.agenda.now(),
        };
        self.lines.insert(number, line);
        number
    }

    fn read(&mut self, at: usize, into: &mut [u8], waker: &Waker) -> Option<io::Result<usize>> {
        let Some(line) = self.lines.get_mut(&at) else { return Some(Ok(0)) };
        let count = match line.wire.available(into.len(), waker)? {
            Ok(count) => count,
            Err(error) => return Some(Err(error)),
        };
        line.wire.read(count, into);
        self.activity += 1;
        Some(Ok(count))
    }

    fn write(&mut self, at: usize, bytes: &[u8], waker: &Waker) -> Option<io::Result<usize>> {
        let Some(line) = self.lines.get_mut(&at) else {
            return Some(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let count = match line.wire.room(bytes.len(), waker)? {
            Ok(count) => count,
            Err(error) => return Some(Err(error)),
        };
        self.receive(at, bytes.get(..count).unwrap_or_default());
        Some(Ok(count))
    }

    fn has_news(&mut self, at: usize, waker: &Waker) -> bool {
        self.lines.get_mut(&at).is_none_or(|line| line.wire.has_news(waker))
    }

    fn pending(&self, at: usize) -> Pending {
        self.lines.get(&at).map_or(Pending::End, |line| line.wire.pending())
    }

    fn farewell(&mut self, _: usize, _: &[u8]) {}

    fn shut_down(&mut self, at: usize) {
        self.activity += 1;
        if let Some(line) = self.lines.get_mut(&at) {
            self.woken.extend(line.wire.finish(WireEnd::Shutdown));
        }
    }

    fn begin(&mut self, at: usize, method: &Method, url: &Url) {
        if let Some(line) = self.lines.get_mut(&at) {
            line.begun.push_back((method.clone(), url.clone()));
        }
    }

    fn close(&mut self, at: usize) {
        self.activity += 1;
        self.lines.remove(&at);
    }
}

fn no_such_name(names: &[&str]) -> io::Error {
    let known = match names.is_empty() {
        true => "no servers".to_owned(),
        false => format!("only {}", names.join(", ")),
    };
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("the in-memory network has {known}; add the host with `serve`"),
    )
}

/// Returns a host as names are compared: an IPv6 address without its brackets.
fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}
