//! The TLS stage: ciphertext in, ciphertext out, plaintext on the other side.
//!
//! It holds rustls by its unbuffered interface: rustls keeps no bytes, so each is copied once less,
//! and the buffers can be given back while the connection idles. How the two share a buffer is the
//! affair of [`Unbuffered`] alone.
//!
//! # What a peer can make it keep or do
//!
//! | what | bound |
//! | --- | --- |
//! | plaintext | handed on at once |
//! | part of a record | the longest record, 18 KiB |
//! | records of a handshake, processed or waiting for the rest of a message | 1.5 MiB |
//! | after it: records without plaintext, the same | 256 KiB more than there was plaintext |
//! | bytes behind `close_notify` or an error | none is kept |
//! | bytes processed in one go | one read, 68 KiB |
//! | alerts and key updates that wait to be written | few: rustls bounds how often they are asked for |
//!
//! A record with plaintext counts nothing, so that its padding (RFC 8446 §5.4) is free.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use rustls::client::ClientConnectionData;
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, WriteTraffic,
};
use rustls::{CertificateError, InvalidMessage};

pub(crate) use super::tls_info::TlsInfo;
use super::unbuffered::{State, Unbuffered};
use crate::base::buffer::{Buffer, Shelf};

/// What one record adds to its plaintext at most when it is made here: header, explicit nonce, tag,
/// content type.
const RECORD_OVERHEAD: usize = 64;

/// The plaintext of one record.
const RECORD: usize = 16 * 1024;

/// The bytes of a handshake. A message may have 64 KiB, a limit of rustls, and may come in records of one
/// byte, which take 23 bytes each: an honest peer that does so needs 1,507,397.
const MOST_IN_HANDSHAKE: usize = 1536 * 1024;

/// What the peer may say beside its plaintext once the handshake is done, such as tickets: nothing else
/// would end an endless row of them. Servers hand out two, of some 200 bytes each.
const MOST_ASIDE: usize = 256 * 1024;

/// TLS on one connection.
#[derive(Debug)]
pub(crate) struct Tls {
    input: Unbuffered,
    /// Ciphertext to be written.
    outgoing: Buffer,
    /// The output ends in the middle of a record, so that nothing can follow it.
    is_cut: bool,
    progress: Progress,
    /// Why nothing goes on any more; the output may hold an alert for the peer.
    failure: Option<TlsError>,
    /// How many bytes of records without plaintext came, beyond those of plaintext: in the handshake, or
    /// since then in this exchange.
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
}

type Encode<'c> = EncodeTlsData<'c, ClientConnectionData>;
type Write<'c> = WriteTraffic<'c, ClientConnectionData>;

impl Tls {
    /// A handshake for `host` (a name, or an IP address with or without brackets), not yet begun.
    pub(crate) fn new(config: Arc<rustls::ClientConfig>, host: &str) -> Result<Self, TlsError> {
        Ok(Self {
            input: Unbuffered::new(config, server_name(host)?)?,
            outgoing: Buffer::default(),
            progress: Progress::Handshaking,
            failure: None,
            is_cut: false,
            aside: 0,
            info: None,
        })
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.progress == Progress::Handshaking
    }

    /// These bytes came by another way: through a tunnel.
    pub(crate) fn received(&mut self, bytes: &[u8]) {
        self.input.push(bytes);
    }

    /// Takes what has come as far as it goes: the handshake proceeds, plaintext goes to `sink`.
    pub(crate) fn receive(&mut self, mut sink: impl FnMut(&[u8])) -> Result<Received, TlsError> {
        // Nearly every step of an exchange asks, and nearly always nothing has come since.
        if self.progress != Progress::Open || self.failure.is_some() || !self.input.is_exhausted() {
            self.run(&mut sink, &[])?;
        }
        Ok(match self.progress {
            Progress::PeerClosed => Received::Closed,
            Progress::Handshaking | Progress::Open => Received::More,
        })
    }

    /// Encrypts `plain` into the output; says how much of it, which is none of it during the
    /// handshake. Call [`receive`](Self::receive) first.
    pub(crate) fn encrypt(&mut self, plain: &[u8]) -> Result<usize, TlsError> {
        if self.input.has_more() {
            self.run(&mut |_| {}, &[])?;
        }
        self.run(&mut |_| {}, plain)
    }

    /// Whether nothing goes on any more, which [`receive`](Self::receive) tells after the plaintext.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    pub(crate) fn output(&self) -> &[u8] {
        if self.is_cut { &[] } else { self.outgoing.data() }
    }

    pub(crate) fn wrote(&mut self, count: usize) {
        self.outgoing.consume(count);
    }

    /// Nothing more is written. What waits may be the rest of a record: whatever came behind it would be
    /// taken for that.
    pub(crate) fn discard_output(&mut self) {
        self.is_cut |= !self.outgoing.is_empty();
        self.outgoing.clear();
    }

    pub(crate) fn read_space(&mut self) -> &mut [u8] {
        self.input.space()
    }

    pub(crate) fn read(&mut self, count: usize) {
        self.input.filled(count);
    }

    /// How many bytes of ciphertext are kept.
    #[cfg(any(fuzzing, test))]
    pub(crate) fn pending(&self) -> usize {
        self.input.pending()
    }

    /// Whether nothing is half received or half sent.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.is_between_records() && self.outgoing.is_empty()
    }

    /// Whether the connection is open, and nothing is half received.
    pub(crate) fn is_between_records(&self) -> bool {
        self.progress == Progress::Open && self.failure.is_none() && self.input.pending() == 0
    }

    /// What the handshake came to; none before it is done.
    pub(crate) fn info(&mut self) -> Option<TlsInfo> {
        if self.info.is_none() && !self.is_handshaking() {
            self.info = Some(TlsInfo::of(self.input.common()));
        }
        self.info.clone()
    }

    /// The last bytes: an alert that waits, or `plain` and `close_notify`. Nothing in the middle of
    /// a record.
    pub(crate) fn farewell(&mut self, plain: &[u8]) -> &[u8] {
        if self.is_cut {
            return &[];
        }
        let between_records = self.outgoing.is_empty();
        let may_speak = between_records && !self.is_handshaking() && self.failure.is_none();
        // If there is an error now, there is nothing more to be said.
        if may_speak && self.encrypt(plain).is_ok() {
            self.queue_close_notify();
        }
        let last_words = between_records || self.failure.is_some();
        if last_words { self.outgoing.data() } else { &[] }
    }

    /// Gives its memory away while the connection idles.
    pub(crate) fn rest(&mut self, shelf: &mut Shelf) {
        self.aside = 0;
        self.input.rest(shelf);
        self.outgoing.rest(shelf);
    }

    /// Takes memory for the next exchange.
    pub(crate) fn wake(&mut self, shelf: &mut Shelf) {
        self.outgoing.wake(shelf);
        self.input.wake(shelf);
    }

    /// Lets rustls do whatever it can do now, and encrypts `plain` as soon as that is allowed.
    fn run(&mut self, sink: &mut dyn FnMut(&[u8]), plain: &[u8]) -> Result<usize, TlsError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let mut has_plaintext = false;
        let mut record = 0;
        loop {
            let (shown, turn) =
                self.input.step(|state| take_turn(state, &mut self.outgoing, sink, plain));
            record += shown;
            let outcome = match turn {
                Ok(Turn::Again) => continue,
                Ok(Turn::Data(count)) => {
                    has_plaintext = true;
                    record = 0;
                    self.aside = self.aside.saturating_sub(count);
                    continue;
                }
                Ok(Turn::PeerClosed) => {
                    self.progress = Progress::PeerClosed;
                    self.input.stop_listening(); // what comes now is ignored (RFC 8446 §6.1)
                    continue;
                }
                Ok(Turn::Blocked) => Ok(0),
                Ok(Turn::Writable { encrypted }) => {
                    if self.progress == Progress::Handshaking {
                        (self.progress, self.aside, record) = (Progress::Open, 0, 0);
                    }
                    Ok(encrypted)
                }
                Err(error) => Err(TlsError::from(error)),
            };
            self.aside = self.aside.saturating_add(std::mem::take(&mut record));
            let outcome = outcome.and_then(|encrypted| self.within_bounds().map(|()| encrypted));
            match outcome {
                Ok(0) if self.input.has_more() => {}
                Err(failure) if has_plaintext => {
                    self.fail(failure);
                    return Ok(0); // what came before is told first, however the bytes were cut
                }
                Err(failure) => return Err(self.fail(failure)),
                Ok(encrypted) => return Ok(encrypted),
            }
        }
    }

    /// What comes without bringing plaintext is bounded, whether rustls waits for the rest of it or
    /// not.
    fn within_bounds(&self) -> Result<(), TlsError> {
        let (most, complaint) = match self.progress {
            Progress::Handshaking => (MOST_IN_HANDSHAKE, "the handshake of TLS is too long"),
            _ => (MOST_ASIDE, "too many messages of TLS without any data"),
        };
        if self.aside <= most { Ok(()) } else { Err(complaint.into()) }
    }

    /// Nothing goes on. After an error rustls has an alert for the peer: it becomes the output. Without
    /// it the peer sees a closed connection, so what cannot be encoded is not reported.
    fn fail(&mut self, failure: TlsError) -> TlsError {
        self.input.stop_listening();
        // It must not be asked for more than that: it would look at the same bytes again.
        while self.input.common().wants_write() {
            let (_, encoded) = self.input.step(|state| match state {
                ConnectionState::EncodeTlsData(record) => encode(record, &mut self.outgoing),
                _ => Err(rustls::Error::HandshakeNotComplete),
            });
            if encoded.is_err() {
                break;
            }
        }
        self.failure.insert(failure).clone()
    }

    fn queue_close_notify(&mut self) {
        let _ = self.input.step(|state| {
            if let ConnectionState::WriteTraffic(mut traffic) = state {
                let written = traffic.queue_close_notify(self.outgoing.space(RECORD_OVERHEAD));
                self.outgoing.filled(written.unwrap_or(0));
            }
            Ok(())
        });
    }
}

/// What one state of rustls came to.
enum Turn {
    Again,
    /// So much plaintext came.
    Data(usize),
    /// The handshake needs more from the peer.
    Blocked,
    PeerClosed,
    Writable {
        encrypted: usize,
    },
}

#[inline(always)] // a fiftieth of a GET
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
                count += payload.len();
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
    ServerName::try_from(host.to_owned()).map_err(|_| {
        let has_edge = |label: &str| label.starts_with('-') || label.ends_with('-');
        let rule = match host.split('.').any(has_edge) {
            true => ": rustls takes no label that begins or ends with a hyphen",
            false => "",
        };
        TlsError::from(format!("{host:?} cannot be the name of a certificate{rule}"))
    })
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

#[cfg(all(test, feature = "ring"))]
#[path = "tls_tests.rs"]
mod tests;
