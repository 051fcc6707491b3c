//! A server that responds to every request, but dies on the first connection of a row as the row
//! says.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::ServerConfig;
use socket2::SockRef;

use super::row::{Connection, Gate, Moment, PIECE, RESPONSE, RESPONSE_HEAD, Row, Way};
use crate::support::stream::Stream;

const SAYS_408: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

pub struct Peer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    tls: Option<Arc<ServerConfig>>,
    stopping: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The play for the next connection.
    play: Option<Play>,
    connections: usize,
    requests: Vec<Request>,
    running: Vec<JoinHandle<()>>,
}

/// The script of the first connection of a row.
pub struct Play {
    pub row: Row,
    /// The signal for [`Moment::Idle`] and [`Moment::Taken`].
    pub now: Receiver<()>,
    pub died: Sender<()>,
    pub gate: Arc<Gate>,
}

/// A whole request, as received.
#[derive(Clone, Debug)]
pub struct Request {
    pub head: String,
    pub body: Vec<u8>,
    /// The bytes of head and body, including chunk lines.
    pub length: usize,
}

impl Request {
    pub fn is_for(&self, path: &str) -> bool {
        self.head.split(' ').nth(1).is_some_and(|target| target.ends_with(path))
    }
}

impl Peer {
    pub fn start(tls: Option<Arc<ServerConfig>>) -> Peer {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { tls, ..Shared::default() });
        let for_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &for_acceptor));
        Peer { addr, shared, acceptor: Some(acceptor) }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn begin(&self, play: Option<Play>) {
        let mut state = self.shared.state.lock().unwrap();
        state.connections = 0;
        state.requests.clear();
        state.play = play;
    }

    /// Number of connections since the row began.
    pub fn connections(&self) -> usize {
        self.shared.state.lock().unwrap().connections
    }

    /// The complete requests since the row began, once all its connections have ended. The client
    /// must have been dropped.
    pub fn finish(&self) -> Vec<Request> {
        let running = std::mem::take(&mut self.shared.state.lock().unwrap().running);
        for connection in running {
            connection.join().unwrap();
        }
        std::mem::take(&mut self.shared.state.lock().unwrap().requests)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which is blocked in `accept`.
        let _ = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((socket, _)) = listener.accept() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let mut state = shared.state.lock().unwrap();
        state.connections += 1;
        let play = state.play.take();
        let stream = Stream::new(socket, shared.tls.clone()).unwrap();
        let talk = Talk { stream, received: Vec::new(), shared: Arc::clone(shared) };
        // A failure of the server shows at the client.
        state.running.push(thread::spawn(move || {
            let _ = match play {
                Some(play) => talk.die(play),
                None => talk.serve(),
            };
        }));
    }
}

/// One connection.
struct Talk {
    stream: Stream,
    /// The bytes of the current request.
    received: Vec<u8>,
    shared: Arc<Shared>,
}

impl Talk {
    /// Responds until the client ends the connection.
    fn serve(mut self) -> io::Result<()> {
        while self.answer().is_ok() {}
        Ok(())
    }

    fn answer(&mut self) -> io::Result<()> {
        let is_head = self.read_request(None)?.head.starts_with("HEAD");
        let response = if is_head { &RESPONSE[..RESPONSE_HEAD] } else { RESPONSE };
        self.say(response.as_bytes())
    }

    fn die(mut self, play: Play) -> io::Result<()> {
        let Row { connection, moment, way, ask, .. } = play.row;
        if connection == Connection::Pooled {
            self.answer()?;
        } else if let Stream::Tls(tls) = &mut self.stream {
            tls.conn.complete_io(&mut tls.sock)?;
        }
        match moment {
            Moment::Idle | Moment::Taken => play.now.recv().map_err(io::Error::other)?,
            Moment::Untouched => {
                self.stream.tcp().peek(&mut [0])?;
            }
            Moment::Read(count) => self.read_up_to(count, &play.gate)?,
            Moment::Sent(count) => {
                self.read_request(Some(&play.gate))?;
                self.say(&ask.response()[..count])?;
            }
        }
        let survivor = self.end(way);
        let _ = play.died.send(());
        play.gate.open();
        survivor.map_or(Ok(()), Talk::read_on)
    }

    /// Ends the connection, and returns it if the server goes on reading.
    fn end(mut self, way: Way) -> Option<Talk> {
        match way {
            Way::Reset => {
                let _ = SockRef::from(self.stream.tcp()).set_linger(Some(Duration::ZERO));
                return None;
            }
            Way::Fin => {
                let _ = self.stream.tcp().shutdown(Shutdown::Both);
            }
            Way::HalfClose => match &mut self.stream {
                Stream::Plain(_) => self.stream.cut(),
                Stream::Tls(tls) => {
                    tls.conn.send_close_notify();
                    let _ = tls.flush();
                }
            },
            Way::CloseNotify => self.stream.end(),
            Way::Cut => self.stream.cut(),
            Way::Says408 => {
                let _ = self.say(SAYS_408);
                self.stream.end();
            }
        }
        Some(self)
    }

    /// Reads the rest: a request may have been on its way.
    fn read_on(mut self) -> io::Result<()> {
        self.read_request(None).map(drop)
    }

    /// Reads a whole request, and records it.
    fn read_request(&mut self, gate: Option<&Gate>) -> io::Result<Request> {
        let request = loop {
            if let Some(request) = self.is_whole() {
                break request;
            }
            self.read_more(usize::MAX)?;
            self.encourage(usize::MAX, gate)?;
        };
        self.received.clear();
        self.shared.state.lock().unwrap().requests.push(request.clone());
        Ok(request)
    }

    /// Reads so many bytes of a request, and not one more.
    fn read_up_to(&mut self, count: usize, gate: &Gate) -> io::Result<()> {
        while self.received.len() < count {
            self.read_more(count - self.received.len())?;
            self.encourage(count, Some(gate))?;
        }
        Ok(())
    }

    fn read_more(&mut self, at_most: usize) -> io::Result<()> {
        let mut space = [0; 16 * 1024];
        let room = space.len().min(at_most);
        match self.stream.read(&mut space[..room])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.received.extend(&space[..count]);
                Ok(())
            }
        }
    }

    /// Lets the client go on with the body, if the row needs more of it.
    fn encourage(&mut self, wanted: usize, gate: Option<&Gate>) -> io::Result<()> {
        let Some(head) = self.head_length().filter(|head| wanted > *head) else { return Ok(()) };
        if let Some(gate) = gate.filter(|_| wanted > head + PIECE / 2) {
            gate.open();
        }
        let expects = self.head(head).contains("expect: 100-continue");
        if expects && self.received.len() == head { self.say(CONTINUE) } else { Ok(()) }
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    fn head(&self, length: usize) -> String {
        String::from_utf8_lossy(&self.received[..length]).to_ascii_lowercase()
    }

    fn head_length(&self) -> Option<usize> {
        find(&self.received, b"\r\n\r\n").map(|at| at + 4)
    }

    fn is_whole(&self) -> Option<Request> {
        let start = self.head_length()?;
        let head = self.head(start);
        let rest = &self.received[start..];
        let value = |name| head.lines().find_map(|line| line.strip_prefix(name));
        let (body, length) = match value("content-length: ") {
            Some(length) => {
                let length: usize = length.parse().unwrap();
                (rest.get(..length)?.to_vec(), length)
            }
            None if value("transfer-encoding: chunked").is_some() => unchunk(rest)?,
            None => (Vec::new(), 0),
        };
        let head = String::from_utf8_lossy(&self.received[..start]).into_owned();
        Some(Request { head, body, length: start + length })
    }
}

/// The length of a complete chunked body.
fn unchunk(coded: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line = find(&coded[at..], b"\r\n")?;
        let size =
            usize::from_str_radix(std::str::from_utf8(&coded[at..at + line]).ok()?, 16).ok()?;
        at += line + 2;
        body.extend(coded.get(at..at + size)?);
        at += size;
        (coded.get(at..at + 2)? == b"\r\n").then_some(())?;
        at += 2;
        if size == 0 {
            return Some((body, at));
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
