//! A relay that disturbs connections at random: it delays, splits, drips, stalls, cuts and resets
//! them.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;

use super::dice::Dice;

pub struct Relay {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    open: AtomicUsize,
}

/// The fate of a connection. Bytes are counted in both directions together.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Good,
    /// The first bytes are sent in pieces of this size.
    Split(usize),
    /// Each of the first pieces is delayed by so many milliseconds.
    Delay(u64),
    /// The first bytes are sent one by one, one each millisecond.
    Drip(u64),
    /// After so many bytes both sides see the end.
    Cut(u64),
    /// After so many bytes both sides see a reset.
    Reset(u64),
    /// After so many bytes the next response is lost, and both sides see the end instead.
    Mute(u64),
    /// After so many bytes nothing arrives any more.
    Stall(u64),
}

/// The part of a connection that is split or delayed: enough for heads and handshakes.
const SPOILT: u64 = 20_000;

impl Fate {
    fn any(dice: &mut Dice) -> Fate {
        let bytes = dice.size(4 << 20);
        match dice.below(100) {
            0..45 => Fate::Good,
            45..60 => Fate::Split(1 + dice.below(200) as usize),
            60..68 => Fate::Delay(1 + dice.below(20)),
            68..74 => Fate::Drip(300),
            74..81 => Fate::Cut(bytes),
            81..88 => Fate::Reset(bytes),
            88..95 => Fate::Mute(bytes),
            _ => Fate::Stall(bytes),
        }
    }
}

impl Relay {
    pub fn start(target: SocketAddr, seed: u64) -> Relay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let for_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, target, seed, &for_acceptor));
        Relay { addr, shared, acceptor: Some(acceptor) }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Number of directions that are still open.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which is blocked in `accept`.
        let _ = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, target: SocketAddr, seed: u64, shared: &Arc<Shared>) {
    for connection in 0.. {
        let Ok((client, _)) = listener.accept() else { return };
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(server) = TcpStream::connect(target) else { continue };
        let fate = Fate::any(&mut Dice::new(seed, connection));
        let _ = carry(client, server, fate, shared);
    }
}

fn carry(client: TcpStream, server: TcpStream, fate: Fate, shared: &Arc<Shared>) -> io::Result<()> {
    for socket in [&client, &server] {
        socket.set_nodelay(true)?;
    }
    let (carried, is_broken) = (AtomicU64::new(0), AtomicBool::new(false));
    let pair = Arc::new(Pair { client, server, fate, carried, is_broken });
    for direction in [Pair::upstream, Pair::downstream] {
        let (pair, shared) = (Arc::clone(&pair), Arc::clone(shared));
        shared.open.fetch_add(1, Ordering::SeqCst);
        thread::spawn(move || {
            let (from, to) = direction(&pair);
            if pair.pump(from, to).is_err() {
                pair.end();
            }
            drop(pair); // the last one closes the sockets
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
    Ok(())
}

struct Pair {
    client: TcpStream,
    server: TcpStream,
    fate: Fate,
    carried: AtomicU64,
    is_broken: AtomicBool,
}

impl Pair {
    fn upstream(&self) -> (&TcpStream, &TcpStream) {
        (&self.client, &self.server)
    }

    fn downstream(&self) -> (&TcpStream, &TcpStream) {
        (&self.server, &self.client)
    }

    /// Copies until one side ends its stream, and then ends the other's.
    fn pump(&self, mut from: &TcpStream, to: &TcpStream) -> io::Result<()> {
        let mut space = [0; 16 * 1024];
        loop {
            let count = match from.read(&mut space) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if self.is_broken.load(Ordering::SeqCst) {
                return Ok(());
            }
            if count == 0 {
                // Only the server learns of the end of a stalled connection, so that it can close
                // its own.
                let is_told = !self.is_stalled() || std::ptr::eq(to, &self.server);
                return if is_told { to.shutdown(Shutdown::Write) } else { Ok(()) };
            }
            self.forward(&space[..count], to)?;
        }
    }

    fn is_stalled(&self) -> bool {
        matches!(self.fate, Fate::Stall(after) if self.carried.load(Ordering::SeqCst) >= after)
    }

    fn forward(&self, bytes: &[u8], mut to: &TcpStream) -> io::Result<()> {
        let before = self.carried.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        let left = |limit: u64| (limit.saturating_sub(before) as usize).min(bytes.len());
        match self.fate {
            Fate::Split(size) if before < SPOILT => {
                return bytes.chunks(size).try_for_each(|piece| to.write_all(piece));
            }
            Fate::Delay(wait) if before < SPOILT => thread::sleep(Duration::from_millis(wait)),
            Fate::Drip(bytewise) if before < bytewise => {
                let (slow, rest) = bytes.split_at(left(bytewise));
                for byte in slow {
                    to.write_all(&[*byte])?;
                    thread::sleep(Duration::from_millis(1));
                }
                return to.write_all(rest);
            }
            Fate::Cut(after) | Fate::Reset(after) if before + bytes.len() as u64 > after => {
                to.write_all(&bytes[..left(after)])?;
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            Fate::Mute(after) if before > after && std::ptr::eq(to, &self.client) => {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            Fate::Stall(after) => return to.write_all(&bytes[..left(after)]),
            _ => {}
        }
        to.write_all(bytes)
    }

    /// Breaks the connection.
    fn end(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
        if !matches!(self.fate, Fate::Reset(_)) {
            return self.hang_up(Shutdown::Both);
        }
        for socket in [&self.client, &self.server] {
            let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
        // Wakes the other direction, without an effect on the connection.
        self.hang_up(Shutdown::Read);
    }

    fn hang_up(&self, how: Shutdown) {
        for socket in [&self.client, &self.server] {
            let _ = socket.shutdown(how);
        }
    }
}
