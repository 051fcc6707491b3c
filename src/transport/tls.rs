//! The TLS layer: ciphertext in and out on one side, plaintext on the other.
//!
//! It uses the unbuffered interface of rustls: rustls keeps no bytes, so each byte is copied once less, and
//! the buffers can be released while the connection is idle. Only [`Unbuffered`] shares a buffer with
//! rustls.
//!
//! # Bounds on memory and work that a peer can cause
//!
//! | resource | bound |
//! | --- | --- |
//! | plaintext | passed on immediately |
//! | part of a record | the longest record, 18 KiB |
//! | records of a handshake, processed or waiting for the rest of a message | 1.5 MiB |
//! | records without plaintext after the handshake, processed or waiting | 256 KiB more than the plaintext |
//! | bytes after `close_notify` or an error | none are kept |
//! | bytes processed in one step | one read, 68 KiB |
//! | alerts and key updates waiting to be written | few: rustls bounds how often they are requested |
//!
//! A record with plaintext does not count, so padding (RFC 8446 §5.4) is free.
//!
//! # States
//!
//! ```text
//! Handshaking ──"may write"──▶ Open ──close_notify──▶ PeerClosed
//!      └───────────────────────┴──error──▶ failed: `failure` is set, the output holds at most an alert
//! ```
//!
//! `Handshaking` ends when rustls first reports that traffic can be written (`Turn::Writable`).
//! Until then [`Tls::encrypt`] takes no byte, which the pipe turns into "wait for the peer".
//! `PeerClosed` ends only the receiving half: the request may still be sent.
//!
//! # One turn
//!
//! `Tls::run` is the only place that drives rustls. It shows rustls one record at a time and
//! handles the state that comes back:
//!
//! | state of rustls | what happens |
//! | --- | --- |
//! | `ReadTraffic` | its plaintext goes to the sink |
//! | `EncodeTlsData` | a handshake message or an alert is encoded into the output |
//! | `TransmitTlsData` | acknowledged: the output is written in order anyway |
//! | `WriteTraffic` | the pending plaintext is encrypted, if there is any |
//! | `PeerClosed` | further input is dropped |
//! | any other | waits for more input |
//!
//! It stops when rustls has seen all input. An error after plaintext is kept in `failure` and
//! returned by the next call, so the caller gets the bytes first; whether the error was in the same
//! read as the bytes makes no difference (`plaintext_before_a_failure_is_delivered`).
//!
//! # Why the bounds
//!
//! rustls bounds one message and one record, not their number: a peer could send session tickets or
//! empty records for ever, each valid, and keep a connection busy without a byte for the caller.
//! `aside` counts what such records cost and lets plaintext pay it off. The tests are
//! `records_without_plaintext_are_bounded`, `a_handshake_is_bounded` and
//! `plaintext_raises_the_bound_on_other_records` in `tls_tests.rs`, and `tests/hostile_size.rs`
//! (`c10_a_close_in_the_handshake_is_an_error`, `c10_endless_empty_records_are_an_error`,
//! `c10_endless_tickets_are_an_error`, `c10_tickets_within_the_limit_are_accepted`,
//! `c10_bytes_after_close_notify_are_ignored`).
//!
//! # The end
//!
//! The last bytes of a connection are `close_notify`, or an alert if TLS failed. Neither is sent in
//! the middle of a record that was cut (`nothing_follows_a_record_that_was_cut`): the peer would
//! take them for the rest of it. `close_notify` is sent even if the peer's last records were not
//! processed (`close_notify_is_sent_despite_unprocessed_input`).
//!
//! # Buffers
//!
//! | buffer | holds | grows to | given back |
//! | --- | --- | --- | --- |
//! | `input` ([`Unbuffered`]) | ciphertext that rustls has not discarded | a read and a part of a record | when idle, if empty |
//! | `outgoing` | ciphertext to write | one encrypted piece | when idle |
//! | none | plaintext | | decrypted in place, and passed on as a slice |
//!
//! Decrypting in place is why the sink gets a slice and must copy what it keeps: into the caller's
//! buffer if it has space, else into the exchange's input. rustls may not be called again before
//! the sink returns.
//!
//! # Names of certificates
//!
//! The name that is verified is the host of the URL: without brackets around an IPv6 address, and
//! without the dot at the end of a fully qualified name (`tests/tls.rs`,
//! `n05_certificates_must_match_the_name`, `n06_a_trailing_dot_is_not_part_of_the_name`). rustls refuses labels with a hyphen at their
//! edge, which DNS knows; the error says so (`tests/request_fields.rs`,
//! `a_label_with_a_hyphen_at_its_edge_fails_over_tls`).
//!
//! A hint is added for failures that users meet often: plain HTTP on the port, an unknown issuer, a
//! CA certificate used as the server's own, a private key that does not match its certificate, a client
//! certificate that the server asks for (`alerts_about_a_missing_client_certificate_are_recognized`).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::client::ClientConnectionData;
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, WriteTraffic,
};
use rustls::{AlertDescription, CertificateError, InvalidMessage, ProtocolVersion};

use super::tls_info::RootSource;
pub(crate) use super::tls_info::TlsInfo;
use super::unbuffered::{RustlsState, Unbuffered};
use crate::base::buffer::{Buffer, BufferPool};
use crate::base::calendar::iso_8601;

/// The maximum overhead of one record that the client writes: header, explicit nonce, tag, content
/// type.
const RECORD_OVERHEAD: usize = 64;

/// The maximum plaintext of one record.
const RECORD: usize = 16 * 1024;

/// The maximum bytes of a handshake. rustls limits a message to 64 KiB, which may be sent in records of
/// one byte of 23 bytes each: a legitimate peer that does so needs 1,507,397.
const MOST_IN_HANDSHAKE: usize = 1536 * 1024;

/// The maximum bytes of records without plaintext after the handshake, such as session tickets. Nothing
/// else would bound them. Servers send two tickets, of some 200 bytes each.
const MOST_ASIDE: usize = 256 * 1024;

/// TLS on one connection.
#[derive(Debug)]
pub(crate) struct Tls {
    input: Unbuffered,
    /// Ciphertext to write.
    outgoing: Buffer,
    /// True if the output was cut within a record, so that nothing can follow it.
    is_cut: bool,
    progress: TlsProgress,
    /// The error that ended the connection; the output may contain an alert for the peer.
    failure: Option<TlsError>,
    /// The bytes of records without plaintext minus the plaintext: in the handshake, or since then in this
    /// exchange.
    aside: usize,
    /// The result of the handshake, once it was requested.
    info: Option<TlsInfo>,
    roots: RootSource,
    /// There is a client certificate for a server that asks for one.
    has_certificate: bool,
}

/// The reason why TLS failed.
#[derive(Clone)]
pub(crate) enum TlsError {
    /// An error of rustls; shared, because its errors are large to copy.
    Rustls(Arc<rustls::Error>),
    /// The same, about a certificate that does not lead to one of the roots, which are from there.
    Untrusted(Arc<rustls::Error>, RootSource),
    /// The same, the alert of a server that has asked for a client certificate and got none.
    Uncertified(Arc<rustls::Error>),
    /// An error found before rustls was called.
    Other(Cow<'static, str>),
}

/// The result of processing the peer's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// More may follow.
    More,
    /// The peer has sent `close_notify`.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TlsProgress {
    Handshaking,
    Open,
    PeerClosed,
}

type Encode<'c> = EncodeTlsData<'c, ClientConnectionData>;
type Write<'c> = WriteTraffic<'c, ClientConnectionData>;

impl Tls {
    /// Creates a connection to `host` (a name, or an IP address with or without brackets); the handshake has
    /// not begun.
    pub(crate) fn new(
        config: Arc<rustls::ClientConfig>,
        host: &str,
        roots: RootSource,
    ) -> Result<Self, TlsError> {
        let has_certificate = config.client_auth_cert_resolver.has_certs();
        Ok(Self {
            input: Unbuffered::new(config, server_name(host)?)?,
            outgoing: Buffer::default(),
            progress: TlsProgress::Handshaking,
            failure: None,
            is_cut: false,
            aside: 0,
            info: None,
            roots,
            has_certificate,
        })
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.progress == TlsProgress::Handshaking
    }

    /// Appends bytes that were received through a tunnel.
    pub(crate) fn received(&mut self, bytes: &[u8]) {
        self.input.push(bytes);
    }

    /// Processes the input as far as possible: advances the handshake, passes plaintext to `sink`.
    pub(crate) fn receive(&mut self, mut sink: impl FnMut(&[u8])) -> Result<Received, TlsError> {
        // Nearly every step of an exchange calls this, and nearly always no bytes were received since.
        if self.progress != TlsProgress::Open
            || self.failure.is_some()
            || !self.input.is_exhausted()
        {
            self.run(&mut sink, &[])?;
        }
        Ok(match self.progress {
            TlsProgress::PeerClosed => Received::Closed,
            TlsProgress::Handshaking | TlsProgress::Open => Received::More,
        })
    }

    /// Encrypts `plain` into the output; returns the number of bytes taken, 0 during the handshake.
    /// Call [`receive`](Self::receive) first.
    pub(crate) fn encrypt(&mut self, plain: &[u8]) -> Result<usize, TlsError> {
        if self.input.has_more() {
            self.run(&mut |_| {}, &[])?;
        }
        self.run(&mut |_| {}, plain)
    }

    /// Returns whether TLS has failed; [`receive`](Self::receive) returns the error after the plaintext.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    pub(crate) fn output(&self) -> &[u8] {
        if self.is_cut { &[] } else { self.outgoing.data() }
    }

    pub(crate) fn wrote(&mut self, count: usize) {
        self.outgoing.consume(count);
    }

    /// Discards the output. If it was cut within a record, nothing more can be written: the peer would take
    /// it for the rest of that record.
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

    /// Returns the number of buffered bytes of ciphertext.
    #[cfg(any(fuzzing, test))]
    pub(crate) fn pending(&self) -> usize {
        self.input.pending()
    }

    /// Returns whether no message is partly received or partly sent.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.is_between_records() && self.outgoing.is_empty()
    }

    /// Returns whether the connection is open, and no message is partly received.
    pub(crate) fn is_between_records(&self) -> bool {
        self.progress == TlsProgress::Open && self.failure.is_none() && self.input.pending() == 0
    }

    /// Returns the result of the handshake; `None` before it is done.
    pub(crate) fn info(&mut self) -> Option<TlsInfo> {
        if self.info.is_none() && !self.is_handshaking() {
            self.info = Some(TlsInfo::of(self.input.common(), self.roots));
        }
        self.info.clone()
    }

    /// Returns the last bytes to write: a pending alert, or `plain` and `close_notify`. Empty within a
    /// record.
    pub(crate) fn farewell(&mut self, plain: &[u8]) -> &[u8] {
        if self.is_cut {
            return &[];
        }
        let between_records = self.outgoing.is_empty();
        let may_speak = between_records && !self.is_handshaking() && self.failure.is_none();
        // After an error nothing more can be written.
        if may_speak && self.encrypt(plain).is_ok() {
            self.queue_close_notify();
        }
        let last_words = between_records || self.failure.is_some();
        if last_words { self.outgoing.data() } else { &[] }
    }

    /// Returns its buffers to the store while the connection is idle.
    pub(crate) fn rest(&mut self, shelf: &mut BufferPool) {
        self.aside = 0;
        self.input.rest(shelf);
        self.outgoing.rest(shelf);
    }

    /// Takes buffers for the next exchange.
    pub(crate) fn wake(&mut self, shelf: &mut BufferPool) {
        self.outgoing.wake(shelf);
        self.input.wake(shelf);
    }

    /// Runs rustls as far as possible, and encrypts `plain` as soon as that is allowed.
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
                    self.progress = TlsProgress::PeerClosed;
                    self.input.stop_listening(); // data after close_notify is ignored (RFC 8446 §6.1)
                    continue;
                }
                Ok(Turn::Blocked) => Ok(0),
                Ok(Turn::Writable { encrypted }) => {
                    if self.progress == TlsProgress::Handshaking {
                        (self.progress, self.aside, record) = (TlsProgress::Open, 0, 0);
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
                    return Ok(0); // earlier plaintext is delivered first, however the bytes were split
                }
                Err(failure) => return Err(self.fail(failure)),
                Ok(encrypted) => return Ok(encrypted),
            }
        }
    }

    /// Checks the bound on bytes without plaintext, whether or not rustls waits for the rest of a
    /// message.
    fn within_bounds(&self) -> Result<(), TlsError> {
        let (most, complaint) = match self.progress {
            TlsProgress::Handshaking => (MOST_IN_HANDSHAKE, "the handshake of TLS is too long"),
            _ => (MOST_ASIDE, "too many messages of TLS without any data"),
        };
        if self.aside <= most { Ok(()) } else { Err(complaint.into()) }
    }

    /// Ends the connection. If rustls has an alert for the peer, it becomes the output. Failing to encode it
    /// is not reported: without an alert the peer sees a closed connection.
    ///
    /// From here on the input is dropped. rustls must not be shown the same bytes after its error:
    /// it would process them again from positions that no longer fit.
    fn fail(&mut self, failure: TlsError) -> TlsError {
        self.input.stop_listening();
        // Requests only the alerts: another step would make rustls process the same bytes again.
        while self.input.common().wants_write() {
            let (_, encoded) = self.input.step(|state| match state {
                ConnectionState::EncodeTlsData(record) => encode(record, &mut self.outgoing),
                _ => Err(rustls::Error::HandshakeNotComplete),
            });
            if encoded.is_err() {
                break;
            }
        }
        let failure = match failure {
            TlsError::Rustls(error) if self.is_about_certificate(&error) => {
                TlsError::Uncertified(error)
            }
            other => other.about(self.roots),
        };
        self.failure.insert(failure).clone()
    }

    /// Returns whether the peer refuses a handshake without a client certificate. TLS 1.3 has an alert for that, and
    /// TLS 1.2 `handshake_failure` (RFC 5246 §7.4.6), by which a server also refuses all cipher suites: then there
    /// is none yet. Some servers call the certificate that they did not get a bad one.
    fn is_about_certificate(&self, error: &rustls::Error) -> bool {
        let rustls::Error::AlertReceived(alert) = error else { return false };
        let common = self.input.common();
        let is_agreed = common.negotiated_cipher_suite().is_some();
        let is_12 = common.protocol_version() == Some(ProtocolVersion::TLSv1_2);
        !self.has_certificate
            && match alert {
                AlertDescription::CertificateRequired => true,
                AlertDescription::BadCertificate => is_agreed,
                AlertDescription::HandshakeFailure => is_agreed && is_12,
                _ => false,
            }
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

/// The result of one state of rustls.
enum Turn {
    Again,
    /// This many bytes of plaintext were received.
    Data(usize),
    /// The handshake needs more bytes from the peer.
    Blocked,
    PeerClosed,
    Writable {
        encrypted: usize,
    },
}

/// Handles one state of rustls. It is a function and not a method because rustls borrows the input
/// while it runs: of the connection it may touch only the output.
#[inline(always)] // saves 2 % of the instructions of a GET
fn take_turn(
    state: RustlsState<'_, '_>,
    outgoing: &mut Buffer,
    sink: &mut dyn FnMut(&[u8]),
    plain: &[u8],
) -> Result<Turn, rustls::Error> {
    match state {
        ConnectionState::ReadTraffic(mut records) => {
            // rustls 0.23 reports a record's length in `discard` of the status, so no more is counted.
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
            // The bytes are in the output, which is written in order.
            sent.done();
            Ok(Turn::Again)
        }
        ConnectionState::WriteTraffic(traffic) => {
            let encrypted = encrypt(traffic, plain, outgoing)?;
            Ok(Turn::Writable { encrypted })
        }
        ConnectionState::PeerClosed => Ok(Turn::PeerClosed),
        // `Closed`, and states of later versions of rustls: wait for more input.
        _ => Ok(Turn::Blocked),
    }
}

/// Encodes a message of rustls into the output, with the space that rustls asks for at the second
/// try.
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
    // An estimate that is normally enough; if it is not, rustls says how much it needs.
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

/// Returns the name that the certificate must be valid for, without a trailing dot (RFC 6066 §3).
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
    /// Returns a hint about an invalid setting.
    pub(crate) fn setting_hint(&self) -> Option<&'static str> {
        match self {
            Self::Rustls(error) if matches!(**error, rustls::Error::InconsistentKeys(_)) => Some(
                "the private key does not match the first certificate, which must be the client's \
                own",
            ),
            _ => None,
        }
    }

    /// Adds the source of the roots to the error of a certificate that does not lead to one.
    fn about(self, roots: RootSource) -> Self {
        use CertificateError::{BadSignature, UnknownIssuer};
        match self {
            Self::Rustls(error)
                if matches!(
                    *error,
                    rustls::Error::InvalidCertificate(UnknownIssuer | BadSignature)
                ) =>
            {
                Self::Untrusted(error, roots)
            }
            other => other,
        }
    }

    /// Returns the sentence that explains a refused certificate: about the trusted roots, where they are the
    /// question, or the date that rules it out, which rustls names in seconds.
    pub(crate) fn certificate_note(&self) -> Option<Cow<'static, str>> {
        use CertificateError::{ExpiredContext, NotValidYetContext};
        let error = match self {
            Self::Untrusted(_, roots) => return roots.note().map(Cow::Borrowed),
            Self::Rustls(error) => &**error,
            Self::Uncertified(_) | Self::Other(_) => return None,
        };
        let (verb, limit) = match error {
            rustls::Error::InvalidCertificate(ExpiredContext { not_after, .. }) => {
                ("ended", not_after)
            }
            rustls::Error::InvalidCertificate(NotValidYetContext { not_before, .. }) => {
                ("begins", not_before)
            }
            _ => return None,
        };
        let limit = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(limit.as_secs()))?;
        let date = iso_8601(limit);
        let (day, _) = date.split_once('T')?;
        let note = format!("its validity {verb} on {day}, if the clock of this machine is right");
        Some(note.into())
    }

    /// Returns how sure it is that the peer refuses for want of a client certificate, as a verb: it `requires`, or
    /// `may require` one.
    pub(crate) fn certificate_demand(&self) -> Option<&'static str> {
        let Self::Uncertified(error) = self else { return None };
        Some(match **error {
            rustls::Error::AlertReceived(AlertDescription::HandshakeFailure) => "may require",
            _ => "requires",
        })
    }

    /// Returns a hint about a failed handshake.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        let (Self::Rustls(error) | Self::Untrusted(error, _)) = self else { return None };
        match &**error {
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)
                if matches!(self, Self::Untrusted(_, RootSource::Platform)) =>
            {
                Some("trust its issuer with `add_root_certificate`")
            }
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Some(
                "the server does not seem to speak TLS on this port: does it speak plain HTTP \
                 (`http://`)?",
            ),
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => Some(
                "trust its issuer with `add_root_certificate`, or those of the system with \
                 `tls_platform_verifier` (feature `platform-verifier`)",
            ),
            rustls::Error::InvalidCertificate(CertificateError::Other(word))
                if word.to_string() == "CaUsedAsEndEntity" =>
            {
                Some(
                    "the server uses a CA certificate as its own: to trust it, pass this very \
                     certificate to `add_root_certificate`",
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
            Self::Rustls(error) | Self::Untrusted(error, _) | Self::Uncertified(error) => {
                match &**error {
                    // rustls shows a wrapper around the error of a custom verifier, but not its text.
                    rustls::Error::InvalidCertificate(CertificateError::Other(word)) => {
                        write!(f, "invalid peer certificate: {word}")
                    }
                    error => error.fmt(f),
                }
            }
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// Uses `Display`: a derived one would duplicate rustls' code for its errors in each codegen unit.
impl fmt::Debug for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Without a source: the line shows the error of rustls.
impl std::error::Error for TlsError {}

#[cfg(all(test, feature = "ring"))]
#[path = "tls_tests.rs"]
mod tests;
