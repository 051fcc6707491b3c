//! A peer that follows a script: it expects bytes, sends bytes, and fails as the script says. Every
//! accepted connection plays the next script of the list, each on its own thread. If the client
//! deviates from the script, [`Script::join`] or dropping the value panics with a message that
//! shows both sides.

use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use socket2::{Domain, Socket, Type};

use self::player::Player;
use super::stream::Stream;

mod player;

/// The time that [`Script::join`] waits for the rest of a script. It elapses only when a test
/// fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// The receive buffer of a peer that stops reading: small, so that it is full soon.
const SMALL_BUFFER: usize = 4096;

/// The steps of one connection, in order. Unless its last step ends the connection, it then waits
/// for the client's end, and fails if the client sends more.
pub type Connection = Vec<Step>;

#[derive(Clone, Debug)]
pub enum Step {
    /// Reads exactly these bytes.
    Expect(Vec<u8>),
    /// Reads any request's head, up to its blank line and no further.
    ExpectHead,
    /// Reads any request with the body that its head announces.
    ExpectRequest,
    /// Reads until the client ends its direction, by FIN or by `close_notify`.
    ExpectEnd,
    Send(Vec<u8>),
    /// Sends in pieces of this many bytes, a write each.
    SendSplit(Vec<u8>, usize),
    Pause(Duration),
    /// Waits until the test opens the gate.
    Wait(Gate),
    /// Ends in an orderly way: `close_notify` over TLS, then FIN; reads on until the client ends
    /// too.
    Close,
    /// FIN alone; over TLS a truncation. Reads on until the client ends too.
    Cut,
    /// Resets the connection (RST).
    Reset,
    /// Stays open, sends nothing more, but reads.
    Silent,
    /// Stays open and stops reading.
    StopReading,
}

/// Holds a script back until the test says so.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let closed = self.0.0.lock().unwrap();
        let _ = self.0.1.wait_timeout_while(closed, PATIENCE, |open| !*open).unwrap();
    }
}

impl Step {
    fn expects(&self) -> bool {
        use Step::{Expect, ExpectEnd, ExpectHead, ExpectRequest};
        matches!(self, Expect(_) | ExpectHead | ExpectRequest | ExpectEnd)
    }

    /// The step without its bytes.
    fn name(&self) -> String {
        format!("{self:?}").split('(').next().unwrap_or_default().to_owned()
    }
}

pub fn expect(bytes: impl AsRef<[u8]>) -> Step {
    Step::Expect(bytes.as_ref().to_vec())
}

pub fn send(bytes: impl AsRef<[u8]>) -> Step {
    Step::Send(bytes.as_ref().to_vec())
}

pub fn send_split(bytes: impl AsRef<[u8]>, size: usize) -> Step {
    Step::SendSplit(bytes.as_ref().to_vec(), size)
}

pub fn pause(milliseconds: u64) -> Step {
    Step::Pause(Duration::from_millis(milliseconds))
}

/// These bytes one by one, with a pause after each.
pub fn drip(bytes: impl AsRef<[u8]>, milliseconds: u64) -> Connection {
    bytes.as_ref().iter().flat_map(|byte| [send([*byte]), pause(milliseconds)]).collect()
}

/// A response with status 200 and this body, of known length.
pub fn ok(body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.as_ref().len());
    [head.as_bytes(), body.as_ref()].concat()
}

/// Any request, redirected, on a connection that ends afterwards.
pub fn moved(status: u16, location: &str) -> Connection {
    answer(format!(
        "HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 4\r\n\
         connection: close\r\n\r\nbody"
    ))
}

/// Any request, and these bytes as the response.
pub fn answer(response: impl AsRef<[u8]>) -> Connection {
    vec![Step::ExpectRequest, send(response)]
}

pub struct Script {
    addr: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    acceptor: Mutex<Option<JoinHandle<()>>>,
}

impl Script {
    pub fn serve(connections: Vec<Connection>) -> Script {
        Script::start(connections, None)
    }

    /// Serves at this address, which has no listener yet.
    pub fn serve_at(addr: SocketAddr, connections: Vec<Connection>) -> Script {
        Script::start_on(listen(addr, None), connections, None)
    }

    pub fn serve_tls(connections: Vec<Connection>, config: Arc<ServerConfig>) -> Script {
        Script::start(connections, Some(config))
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of a path here; over TLS its host is `localhost`.
    pub fn url(&self, path: &str) -> String {
        let host = if self.scheme == "https" { "localhost" } else { "127.0.0.1" };
        format!("{}://{host}:{}{path}", self.scheme, self.addr.port())
    }

    /// Number of connections accepted so far.
    pub fn accepted(&self) -> usize {
        self.shared.lock().accepted
    }

    /// All bytes that the client sent on connection `i` so far, decrypted; complete after
    /// [`Script::join`].
    pub fn received(&self, i: usize) -> Vec<u8> {
        self.shared.lock().tracks.get(i).map(|track| track.received.clone()).unwrap_or_default()
    }

    /// The same as text.
    pub fn received_text(&self, i: usize) -> String {
        String::from_utf8(self.received(i)).unwrap()
    }

    /// Waits until the peer has performed this many steps of connection `i`: a request is read then, and what
    /// was sent is in the client's socket.
    #[track_caller]
    pub fn await_steps(&self, i: usize, count: usize) {
        self.watch().await_steps(i, count);
    }

    /// The same for another thread.
    pub fn watch(&self) -> Watch {
        Watch(Arc::clone(&self.shared))
    }

    /// Returns whether the client presented a certificate on connection `i`, in this handshake or in the
    /// one that it resumed.
    pub fn certified(&self, i: usize) -> bool {
        self.shared.lock().tracks.get(i).is_some_and(|track| track.is_certified)
    }

    /// Returns whether the client resumed an earlier TLS session on connection `i`.
    pub fn resumed(&self, i: usize) -> bool {
        self.shared.lock().tracks.get(i).is_some_and(|track| track.is_resumed)
    }

    /// Waits until every script is played, then closes what is still open.
    ///
    /// # Panics
    ///
    /// If the client deviated from the scripts, or did not finish them.
    #[track_caller]
    pub fn join(&self) {
        let failures = self.finish();
        assert!(failures.is_empty(), "the script was not followed\n{}", failures.join("\n"));
    }

    fn start(connections: Vec<Connection>, tls: Option<Arc<ServerConfig>>) -> Script {
        let stops_reading =
            connections.iter().flatten().any(|step| matches!(step, Step::StopReading));
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = listen(any, stops_reading.then_some(SMALL_BUFFER));
        Script::start_on(listener, connections, tls)
    }

    fn start_on(
        listener: TcpListener,
        connections: Vec<Connection>,
        tls: Option<Arc<ServerConfig>>,
    ) -> Script {
        let addr = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared::default());
        shared.lock().tracks.extend(connections.iter().map(|_| Track::default()));
        let for_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, connections, tls, &for_acceptor));
        Script { addr, scheme, shared, acceptor: Mutex::new(Some(acceptor)) }
    }

    /// Stops all threads and reports the failures; nothing if it was called before.
    fn finish(&self) -> Vec<String> {
        let Some(acceptor) = self.acceptor.lock().unwrap().take() else { return Vec::new() };
        self.shared.wait_until_played();
        self.shared.stop();
        // Wakes the acceptor, which is blocked in `accept`.
        let _ = TcpStream::connect(self.addr);
        let _ = acceptor.join();
        std::mem::take(&mut self.shared.lock().failures)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if !thread::panicking() {
            return self.join();
        }
        // The test has failed already: do not wait, but show the failures here.
        self.shared.stop();
        for failure in self.finish() {
            eprintln!("{failure}");
        }
    }
}

/// Sees how far a script is.
#[derive(Clone)]
pub struct Watch(Arc<Shared>);

impl Watch {
    /// See [`Script::await_steps`].
    #[track_caller]
    pub fn await_steps(&self, i: usize, count: usize) {
        let state = self.0.lock();
        let waits = |state: &mut State| state.tracks[i].performed < count;
        let (state, waited) = self.0.played.wait_timeout_while(state, PATIENCE, waits).unwrap();
        let performed = state.tracks[i].performed;
        drop(state);
        assert!(!waited.timed_out(), "connection {i} has come to step {performed} of {count}");
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// A step was performed, or all of them.
    played: Condvar,
}

#[derive(Default)]
struct State {
    accepted: usize,
    stopping: bool,
    tracks: Vec<Track>,
    failures: Vec<String>,
}

/// The record of one connection.
#[derive(Default)]
struct Track {
    received: Vec<u8>,
    is_certified: bool,
    is_resumed: bool,
    /// The number of steps that are done.
    performed: usize,
    /// All steps are done, or one has failed.
    is_played: bool,
    /// A handle to end the connection with; dropped where a last handle is needed for a reset.
    socket: Option<TcpStream>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn fail(&self, failure: String) {
        self.lock().failures.push(failure);
    }

    fn mark_performed(&self, id: usize) {
        self.lock().tracks[id].performed += 1;
        self.played.notify_all();
    }

    fn mark_played(&self, id: usize) {
        self.lock().tracks[id].is_played = true;
        self.played.notify_all();
    }

    fn wait_until_played(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        while !state.stopping && state.tracks.iter().any(|track| !track.is_played) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let never = state.tracks.len().saturating_sub(state.accepted);
                if never > 0 {
                    state.failures.push(format!("{never} connection(s) never came"));
                }
                return;
            }
            state = self.played.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Ends every connection: reads return what has arrived and then the end.
    fn stop(&self) {
        let mut state = self.lock();
        state.stopping = true;
        for socket in state.tracks.iter().filter_map(|track| track.socket.as_ref()) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

fn listen(addr: SocketAddr, receive_buffer: Option<usize>) -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    if let Some(size) = receive_buffer {
        // Accepted connections inherit it.
        socket.set_recv_buffer_size(size).unwrap();
    }
    socket.bind(&addr.into()).unwrap();
    socket.listen(128).unwrap();
    socket.into()
}

fn accept(
    listener: &TcpListener,
    connections: Vec<Connection>,
    tls: Option<Arc<ServerConfig>>,
    shared: &Arc<Shared>,
) {
    let mut connections = connections.into_iter();
    let mut players = Vec::new();
    while let Ok((socket, _)) = listener.accept() {
        let mut state = shared.lock();
        if state.stopping {
            break;
        }
        let id = state.accepted;
        state.accepted += 1;
        let Some(steps) = connections.next() else {
            state.failures.push(format!("connection {id} was not expected"));
            continue;
        };
        state.tracks[id].socket = socket.try_clone().ok();
        drop(state);
        let stream = Stream::new(socket, tls.clone()).unwrap();
        let player = Player::new(id, stream, Arc::clone(shared));
        players.push(thread::spawn(move || player.play(&steps)));
    }
    for player in players {
        let _ = player.join();
    }
}
