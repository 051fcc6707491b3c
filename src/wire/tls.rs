//! The TLS stage: ciphertext in, ciphertext out, plaintext on the other side.
//!
//! It holds rustls by its unbuffered interface: rustls keeps no bytes, so each is copied once less,
//! and the buffers can be given back while the connection idles.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError,
    UnbufferedStatus, WriteTraffic,
};
use rustls::{CertificateError, InvalidMessage};

pub(crate) use super::tls_info::TlsInfo;
use crate::apart::Apart;
use crate::proto::buffer::{Buffer, Shelf};

/// What is read at once, until that is found to be too little: a handshake fits.
const FIRST_READ: usize = 8 * 1024;

/// What is read at once of a large body: four records of 16 KiB.
const LARGE_READ: usize = 68 * 1024;

/// What one record adds to its plaintext at most: header, explicit nonce, tag, content type.
const RECORD_OVERHEAD: usize = 64;

/// The plaintext of one record.
const RECORD: usize = 16 * 1024;

/// What the peer may say beyond its plaintext once the handshake is done, such as tickets: nothing else
/// would end an endless row of them. Servers hand out two, of some 200 bytes each.
const MOST_ASIDE: usize = 256 * 1024;

/// TLS on one connection.
pub(crate) struct Tls {
    connection: Apart<UnbufferedClientConnection>,
    /// Ciphertext received.
    incoming: Buffer,
    /// Ciphertext to be written.
    outgoing: Buffer,
    progress: Progress,
    read_size: usize,
    /// How much of what came in this exchange, or since the handshake, was neither plaintext nor what its
    /// records add to it.
    aside: usize,
    /// What the handshake came to, once that was asked for.
    info: Option<TlsInfo>,
}

/// Why TLS failed.
#[derive(Clone)]
pub(crate) enum TlsError {
    /// What rustls says; shared, because its errors are large to copy.
    Rustls(Arc<rustls::Error>),
    /// What was found before rustls was asked.
    Other(Cow<'static, str>),
}

/// What the peer's records brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// There may be more to come.
    More,
    /// The peer said that it has sent everything.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Handshaking,
    Open,
    PeerClosed,
    /// The handshake failed; the output holds an alert for the peer.
    Refused,
    /// A record was invalid; the output holds an alert for the peer.
    Failed,
}

type State<'c, 'i> = ConnectionState<'c, 'i, rustls::client::ClientConnectionData>;
type Encode<'c> = EncodeTlsData<'c, rustls::client::ClientConnectionData>;
type Write<'c> = WriteTraffic<'c, rustls::client::ClientConnectionData>;

impl Tls {
    /// A handshake for `host` (a name, or an IP address with or without brackets), not yet begun.
    pub(crate) fn new(config: Arc<rustls::ClientConfig>, host: &str) -> Result<Self, TlsError> {
        let connection = UnbufferedClientConnection::new(config, server_name(host)?)?;
        Ok(Self {
            connection: Apart::new(connection),
            incoming: Buffer::default(),
            outgoing: Buffer::default(),
            progress: Progress::Handshaking,
            read_size: FIRST_READ,
            aside: 0,
            info: None,
        })
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        matches!(self.progress, Progress::Handshaking | Progress::Refused)
    }

    /// These bytes came by another way: through a tunnel.
    pub(crate) fn received(&mut self, bytes: &[u8]) {
        self.incoming.push(bytes);
    }

    /// Takes what has come as far as it goes: the handshake proceeds, plaintext goes to `sink`.
    pub(crate) fn receive(&mut self, mut sink: impl FnMut(&[u8])) -> Result<Received, TlsError> {
        self.run(&mut sink, &[])?;
        match self.progress {
            Progress::PeerClosed => {
                self.incoming.clear(); // whatever comes now is ignored (RFC 8446 §6.1)
                Ok(Received::Closed)
            }
            _ => Ok(Received::More),
        }
    }

    /// Encrypts `plain` into the output; says how much of it, which is none of it during the
    /// handshake. Call [`receive`](Self::receive) first.
    pub(crate) fn encrypt(&mut self, plain: &[u8]) -> Result<usize, TlsError> {
        self.run(&mut |_| {}, plain)
    }

    pub(crate) fn output(&self) -> &[u8] {
        self.outgoing.data()
    }

    pub(crate) fn wrote(&mut self, count: usize) {
        self.outgoing.consume(count);
    }

    pub(crate) fn discard_output(&mut self) {
        self.outgoing.clear();
    }

    pub(crate) fn read_space(&mut self) -> &mut [u8] {
        let least = if self.incoming.is_empty() { self.read_size } else { self.read_size / 4 };
        self.incoming.space(least)
    }

    pub(crate) fn read(&mut self, count: usize) {
        self.incoming.filled(count);
        if self.incoming.is_full() {
            self.read_size = LARGE_READ;
        }
    }

    /// Whether nothing is half received or half sent.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.is_between_records() && self.outgoing.is_empty()
    }

    /// Whether the connection is open, and nothing is half received.
    pub(crate) fn is_between_records(&self) -> bool {
        self.progress == Progress::Open && self.incoming.is_empty()
    }

    /// What the handshake came to; none before it is done.
    pub(crate) fn info(&mut self) -> Option<TlsInfo> {
        if self.info.is_none() && !self.is_handshaking() {
            self.info = Some(TlsInfo::of(&self.connection));
        }
        self.info.clone()
    }

    /// The last bytes: an alert that waits, or `plain` and `close_notify`. Nothing in the middle of
    /// a record.
    pub(crate) fn farewell(&mut self, plain: &[u8]) -> &[u8] {
        let between_records = self.outgoing.is_empty();
        if between_records && matches!(self.progress, Progress::Open | Progress::PeerClosed) {
            if !plain.is_empty() {
                let _ = self.encrypt(plain); // if that fails, there is nothing more to be said
            }
            self.queue_close_notify();
        }
        let has_alert = matches!(self.progress, Progress::Refused | Progress::Failed);
        let last_words = between_records || has_alert;
        if last_words { self.outgoing.data() } else { &[] }
    }

    /// Gives its memory away while the connection idles.
    pub(crate) fn rest(&mut self, shelf: &mut Shelf) {
        (self.read_size, self.aside) = (FIRST_READ, 0);
        self.incoming.rest(shelf);
        self.outgoing.rest(shelf);
    }

    /// Takes memory for the next exchange.
    pub(crate) fn wake(&mut self, shelf: &mut Shelf) {
        self.outgoing.wake(shelf);
        self.incoming.wake(shelf);
    }

    /// Lets rustls do whatever it can do now, and encrypts `plain` as soon as that is allowed.
    fn run(&mut self, sink: &mut dyn FnMut(&[u8]), plain: &[u8]) -> Result<usize, TlsError> {
        loop {
            let UnbufferedStatus { discard, state, .. } =
                self.connection.process_tls_records(self.incoming.data_mut());
            let turn = match state {
                Ok(state) => take_turn(state, &mut self.outgoing, sink, plain),
                Err(error) => Err(error),
            };
            self.incoming.consume(discard);
            self.aside = self.aside.saturating_add(discard);
            match turn {
                Ok(Turn::Again) => {}
                Ok(Turn::Data(count)) => self.aside = self.aside.saturating_sub(count),
                Ok(Turn::Blocked) => return Ok(0),
                Ok(Turn::PeerClosed) => self.progress = Progress::PeerClosed,
                Ok(Turn::Writable { encrypted }) => {
                    self.settle()?;
                    return Ok(encrypted);
                }
                Err(error) => {
                    self.fail();
                    return Err(error.into());
                }
            }
        }
    }

    /// The handshake is done, now or before.
    fn settle(&mut self) -> Result<(), TlsError> {
        if self.progress == Progress::Handshaking {
            (self.progress, self.aside) = (Progress::Open, 0); // a handshake has limits of its own
        }
        if self.aside > MOST_ASIDE {
            self.progress = Progress::Failed;
            return Err("too many messages of TLS without any data".into());
        }
        Ok(())
    }

    /// After an error rustls has an alert for the peer: it becomes the output. Without it the peer
    /// sees a closed connection, so what cannot be encoded is not reported.
    fn fail(&mut self) {
        self.progress = if self.is_handshaking() { Progress::Refused } else { Progress::Failed };
        let status = self.connection.process_tls_records(&mut []);
        if let Ok(ConnectionState::EncodeTlsData(record)) = status.state {
            let _ = encode(record, &mut self.outgoing);
        }
    }

    fn queue_close_notify(&mut self) {
        let status = self.connection.process_tls_records(&mut []);
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = status.state {
            let written = traffic.queue_close_notify(self.outgoing.space(RECORD_OVERHEAD));
            self.outgoing.filled(written.unwrap_or(0));
        }
    }
}

/// What one state of rustls came to.
enum Turn {
    Again,
    /// Plaintext came, in records of so many bytes at most.
    Data(usize),
    /// The handshake needs more from the peer.
    Blocked,
    PeerClosed,
    Writable {
        encrypted: usize,
    },
}

fn take_turn(
    state: State<'_, '_>,
    outgoing: &mut Buffer,
    sink: &mut dyn FnMut(&[u8]),
    plain: &[u8],
) -> Result<Turn, rustls::Error> {
    match state {
        ConnectionState::ReadTraffic(mut records) => {
            // rustls 0.23 counts a record's bytes in `discard` of the status: there is no more.
            let mut count = 0;
            while let Some(record) = records.next_record() {
                let payload = record?.payload;
                sink(payload);
                count += if payload.is_empty() { 0 } else { payload.len() + RECORD_OVERHEAD };
            }
            Ok(Turn::Data(count))
        }
        ConnectionState::EncodeTlsData(record) => encode(record, outgoing).map(|()| Turn::Again),
        ConnectionState::TransmitTlsData(sent) => {
            // It is in the output, which is sent in order: whatever follows comes after it.
            sent.done();
            Ok(Turn::Again)
        }
        ConnectionState::WriteTraffic(traffic) => {
            let encrypted = encrypt(traffic, plain, outgoing)?;
            Ok(Turn::Writable { encrypted })
        }
        ConnectionState::PeerClosed => Ok(Turn::PeerClosed),
        // `Closed`, and what a later rustls may add: nothing happens before more comes in.
        _ => Ok(Turn::Blocked),
    }
}

fn encode(mut record: Encode<'_>, outgoing: &mut Buffer) -> Result<(), rustls::Error> {
    let mut least = RECORD_OVERHEAD;
    loop {
        match record.encode(outgoing.space(least)) {
            Ok(count) => {
                outgoing.filled(count);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) => {
                least = required_size;
            }
            Err(error) => return Err(rustls::Error::General(error.to_string())),
        }
    }
}

fn encrypt(
    mut traffic: Write<'_>,
    plain: &[u8],
    outgoing: &mut Buffer,
) -> Result<usize, rustls::Error> {
    if plain.is_empty() {
        return Ok(0);
    }
    let mut least = plain.len() + (plain.len() / RECORD + 1) * RECORD_OVERHEAD;
    loop {
        match traffic.encrypt(plain, outgoing.space(least)) {
            Ok(count) => {
                outgoing.filled(count);
                return Ok(plain.len());
            }
            Err(EncryptError::InsufficientSize(InsufficientSizeError { required_size })) => {
                least = required_size;
            }
            Err(error) => return Err(rustls::Error::General(error.to_string())),
        }
    }
}

/// The name that the certificate must be valid for. A trailing dot is no part of it (RFC 6066 §3).
fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    ServerName::try_from(host.to_owned())
        .map_err(|_| TlsError::from(format!("{host:?} cannot be the name of a certificate")))
}

impl TlsError {
    /// What may help whoever made a setting that is wrong.
    pub(crate) fn setting_hint(&self) -> Option<&'static str> {
        match self {
            Self::Rustls(error) if matches!(**error, rustls::Error::InconsistentKeys(_)) => Some(
                "the private key is not that of the first certificate, which has to be the client's \
                 own",
            ),
            _ => None,
        }
    }

    /// What may help whoever sees this in a handshake.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        let Self::Rustls(error) = self else { return None };
        match &**error {
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Some(
                "the server does not seem to speak TLS on this port: does it speak plain HTTP \
                 (`http://`)?",
            ),
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => Some(
                "`add_root_certificate` makes an authority known, `tls_platform_verifier` those of \
                 the system",
            ),
            rustls::Error::InvalidCertificate(CertificateError::Other(word))
                if word.to_string() == "CaUsedAsEndEntity" =>
            {
                Some(
                    "the server shows the certificate of an authority as its own: \
                     `add_root_certificate` of this very certificate trusts it",
                )
            }
            _ => None,
        }
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Rustls(Arc::new(error))
    }
}

impl From<&'static str> for TlsError {
    fn from(text: &'static str) -> Self {
        Self::Other(text.into())
    }
}

impl From<String> for TlsError {
    fn from(text: String) -> Self {
        Self::Other(text.into())
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rustls(error) => match &**error {
                // rustls shows how the word of a verifier of ours is wrapped, and not what it says.
                rustls::Error::InvalidCertificate(CertificateError::Other(word)) => {
                    write!(f, "invalid peer certificate: {word}")
                }
                error => error.fmt(f),
            },
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// As it is displayed: to derive it would repeat in each codegen unit what rustls shows of its errors.
impl fmt::Debug for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rustls(error) => Some(&**error),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("progress", &self.progress).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_certificates() {
        let cases = [
            ("a.example", "a.example"),
            ("a.example.", "a.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
        ];
        for (host, expected) in cases {
            assert_eq!(server_name(host).unwrap().to_str(), expected);
        }
        assert!(server_name("under score!").unwrap_err().to_string().contains("under score!"));
    }
}
