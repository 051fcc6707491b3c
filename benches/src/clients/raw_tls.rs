//! The floor over TLS: the raw loop over rustls' unbuffered API.

use std::io::{self, Read, Write};
use std::mem;
use std::net::{SocketAddr, SocketAddrV4, TcpStream};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use rustls::{ClientConfig, RootCertStore};

use super::raw::{self, Dialer};
use super::{Client, Job};
use crate::Outcome;

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let address = job.target.address(job.row);
    let config = Arc::new(config(&job.target.certificate)?);
    raw::boxed(job, Tls { address, name: ServerName::from(address.ip()), config })
}

/// A configuration that trusts the server of the benchmarks and nothing else.
pub fn config(certificate: &str) -> Outcome<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate.as_bytes())?)?;
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

#[derive(Clone)]
struct Tls {
    address: SocketAddr,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl Dialer for Tls {
    type Stream = TlsStream;

    fn dial(&self, spent: Option<TlsStream>) -> Outcome<TlsStream> {
        let (space, outgoing) = match spent {
            Some(TlsStream { incoming, outgoing, .. }) => (incoming.space, outgoing),
            None => (vec![0; INCOMING], vec![0; OUTGOING]),
        };
        let incoming = Incoming { space, held: 0..0 };
        let socket = TcpStream::connect(self.address)?;
        socket.set_nodelay(true)?;
        let tls = UnbufferedClientConnection::new(Arc::clone(&self.config), self.name.clone())?;
        Ok(TlsStream { socket, tls, incoming, outgoing, queued: 0, rest: Vec::new() })
    }

    fn lighten(idle: &mut TlsStream) {
        idle.incoming.space = Vec::new();
        idle.outgoing = Vec::new();
    }

    fn turn_to(&mut self, address: SocketAddrV4) {
        self.address = address.into();
    }
}

/// Large pieces, so that few calls move much.
const INCOMING: usize = 64 << 10;
const WRITE: usize = 64 << 10;
/// A write and the overhead of TLS: the last messages of the handshake, and a little for each
/// record.
const OUTGOING: usize = WRITE + (8 << 10);

struct TlsStream {
    socket: TcpStream,
    tls: UnbufferedClientConnection,
    incoming: Incoming,
    outgoing: Vec<u8>,
    /// The end of the bytes in `outgoing` that wait to be sent.
    queued: usize,
    /// The data for which a read had no room.
    rest: Vec<u8>,
}

/// Ciphertext that has arrived and is not yet decrypted.
struct Incoming {
    space: Vec<u8>,
    held: Range<usize>,
}

enum Step {
    Done(usize),
    Again,
    NeedsInput,
}

impl AsFd for TlsStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Read for TlsStream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.rest.is_empty() {
            let count = self.rest.as_slice().read(into)?;
            self.rest.drain(..count);
            return Ok(count);
        }
        loop {
            match self.receive(into)? {
                Step::Done(count) => return Ok(count),
                Step::Again => {}
                Step::NeedsInput => self.incoming.fill(&mut self.socket)?,
            }
        }
    }
}

impl Write for TlsStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let now = &data[..data.len().min(WRITE)];
        loop {
            match self.send(now)? {
                Step::Done(count) => return Ok(count),
                Step::Again => {}
                Step::NeedsInput => self.incoming.fill(&mut self.socket)?,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TlsStream {
    fn receive(&mut self, into: &mut [u8]) -> io::Result<Step> {
        let UnbufferedStatus { discard, state, .. } =
            self.tls.process_tls_records(&mut self.incoming.space[self.incoming.held.clone()]);
        let step = match state.map_err(io::Error::other)? {
            ConnectionState::ReadTraffic(mut traffic) => match traffic.next_record() {
                Some(record) => {
                    let payload = record.map_err(io::Error::other)?.payload;
                    let (now, later) = payload.split_at(payload.len().min(into.len()));
                    into[..now.len()].copy_from_slice(now);
                    self.rest.extend_from_slice(later);
                    Step::Done(now.len())
                }
                None => Step::Again,
            },
            ConnectionState::PeerClosed | ConnectionState::Closed => Step::Done(0),
            _ => Step::NeedsInput,
        };
        self.incoming.held.start += discard;
        Ok(step)
    }

    /// The first data is sent with the last messages of the handshake.
    fn send(&mut self, data: &[u8]) -> io::Result<Step> {
        let UnbufferedStatus { discard, state, .. } =
            self.tls.process_tls_records(&mut self.incoming.space[self.incoming.held.clone()]);
        let room = &mut self.outgoing[self.queued..];
        let mut sent = None;
        match state.map_err(io::Error::other)? {
            ConnectionState::EncodeTlsData(mut message) => {
                self.queued += message.encode(room).map_err(io::Error::other)?;
            }
            ConnectionState::TransmitTlsData(mut queue) => {
                if let Some(mut traffic) = queue.may_encrypt_app_data() {
                    self.queued += traffic.encrypt(data, room).map_err(io::Error::other)?;
                    sent = Some(data.len());
                }
                self.socket.write_all(&self.outgoing[..mem::take(&mut self.queued)])?;
                queue.done();
            }
            ConnectionState::WriteTraffic(mut traffic) => {
                let count = traffic.encrypt(data, room).map_err(io::Error::other)?;
                self.socket.write_all(&room[..count])?;
                sent = Some(data.len());
            }
            ConnectionState::BlockedHandshake => {
                self.incoming.held.start += discard;
                return Ok(Step::NeedsInput);
            }
            other => return Err(io::Error::other(format!("{other:?} before a request"))),
        }
        self.incoming.held.start += discard;
        Ok(sent.map_or(Step::Again, Step::Done))
    }
}

impl Incoming {
    fn fill(&mut self, socket: &mut TcpStream) -> io::Result<()> {
        self.space.copy_within(self.held.clone(), 0);
        self.held = 0..self.held.len();
        match socket.read(&mut self.space[self.held.end..])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.held.end += count;
                Ok(())
            }
        }
    }
}
