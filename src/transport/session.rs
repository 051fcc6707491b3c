//! The byte machine of one connection: an exchange and the layers under it, such as TLS.
//!
//! It is driven like the [`Exchange`], whose steps it returns; the driver reads and writes the bytes of
//! the lowest layer.

use std::fmt;
use std::io;

use http::{HeaderMap, Method, StatusCode, Version};

use super::layers::{Layers, Setup};
use super::tls::{TlsError, TlsInfo};
use super::tunnel::TunnelError;
use crate::base::buffer::{Buffer, BufferPool};
use crate::error::{Error, Kind, Phase};
use crate::http1::close::CloseReason;
use crate::http1::error::ProtocolError;
use crate::http1::exchange::{
    BodyStep, Ending, Exchange, Expectation, Missing, Outgoing, SendStep, Step,
};
use crate::http1::limits::Limits;
use crate::http1::upgrade::Offer;

/// The state of one connection from its first byte to its last, across all its exchanges.
#[derive(Debug)]
pub(crate) struct Session {
    exchange: Exchange,
    /// `None` for plain HTTP.
    layers: Option<Box<Layers>>,
    /// The number of bytes written to the connection since the exchange began.
    written: u64,
}

/// The number of bytes of an upgraded protocol that are encrypted in one step.
const PIECE: usize = 64 * 1024;

/// The reason why a connection failed.
#[derive(Debug)]
pub(crate) enum SessionError {
    Protocol(ProtocolError),
    Tls(TlsError),
    /// The peer closed the connection before the end of the TLS handshake.
    ClosedInHandshake,
    Tunnel(TunnelError),
}

impl Session {
    pub(crate) fn new(limits: &Limits, layers: Option<Layers>) -> Self {
        Self { exchange: Exchange::new(limits), layers: layers.map(Box::new), written: 0 }
    }

    /// Returns whether there are no layers between the exchange and the connection.
    pub(crate) fn is_plain(&self) -> bool {
        self.layers.is_none()
    }

    /// Returns the handshake that must complete before the exchange can send its first byte.
    pub(crate) fn setup(&self) -> Option<Setup> {
        self.layers.as_ref().and_then(|layers| layers.setup())
    }

    /// See [`Exchange::start`].
    pub(crate) fn start(
        &mut self,
        method: Method,
        outgoing: Outgoing,
        expectation: Expectation,
        write_head: impl FnOnce(&mut Buffer),
    ) {
        self.written = 0;
        self.exchange.start(method, outgoing, expectation, write_head);
    }

    /// See [`Exchange::offer`].
    pub(crate) fn offer(&mut self, offer: Offer) {
        self.exchange.offer(offer);
    }

    /// See [`Exchange::send_head_first`].
    pub(crate) fn send_head_first(&mut self) {
        self.exchange.send_head_first();
    }

    /// See [`Exchange::look_first`].
    pub(crate) fn look_first(&mut self) {
        self.exchange.look_first();
    }

    /// See [`Exchange::looked`].
    pub(crate) fn looked(&mut self) {
        self.exchange.looked();
    }

    /// See [`Exchange::step`].
    pub(crate) fn step(&mut self) -> Result<Step, SessionError> {
        self.receive()?;
        let mut step = self.exchange.step()?;
        let Some(layers) = &mut self.layers else { return Ok(step) };
        match step {
            Step::Look if layers.setup().is_none() => {}
            Step::Look | Step::Write => {
                let taken = layers.send(self.exchange.output())?;
                self.exchange.wrote(taken);
                step = if layers.output().is_empty() { layers.waiting() } else { Step::Write };
            }
            // A layer has a message of its own to send, or ciphertext is pending: it is written before
            // more of the body is encrypted.
            Step::Read | Step::Await | Step::Fill if !layers.output().is_empty() => {
                step = Step::Write;
            }
            // Pending ciphertext belongs to the part of the request that is not sent, like pending plaintext.
            Step::Head(ref head) if is_refusal(head.status) && !layers.output().is_empty() => {
                self.stop_sending();
            }
            Step::Read | Step::Await | Step::Fill | Step::Head(_) => {}
        }
        if matches!(step, Step::Read | Step::Await | Step::Fill) {
            self.tell_failure()?;
        }
        Ok(step)
    }

    /// Returns the failure of a layer: it delivers no more bytes, and those before were not enough.
    fn tell_failure(&mut self) -> Result<(), SessionError> {
        match &self.layers {
            Some(layers) if layers.have_failed() => self.receive(),
            _ => Ok(()),
        }
    }

    // Sending.

    /// See [`Exchange::send_step`].
    pub(crate) fn send_step(&mut self) -> Result<SendStep, SessionError> {
        self.receive()?;
        let step = self.exchange.send_step();
        let Some(layers) = &mut self.layers else { return Ok(step) };
        if step == SendStep::Write {
            let taken = layers.send(self.exchange.output())?;
            self.exchange.wrote(taken);
        }
        if !layers.output().is_empty() && self.exchange.has_ended() {
            // The exchange may have finished sending, while ciphertext is pending for a peer that is gone.
            self.exchange.stop_sending();
            return Ok(SendStep::Done);
        }
        let is_waiting = !layers.output().is_empty() && !self.exchange.is_abandoned();
        Ok(if is_waiting { SendStep::Write } else { step })
    }

    /// Returns whether more of the request is to be written.
    pub(crate) fn is_sending(&self) -> bool {
        match &self.layers {
            Some(layers) if !layers.output().is_empty() => {
                !self.exchange.is_abandoned() && !layers.have_failed()
            }
            _ => self.exchange.is_sending(),
        }
    }

    /// See [`Exchange::stop_sending`].
    pub(crate) fn stop_sending(&mut self) {
        match self.output().is_empty() {
            true => self.exchange.stop_sending(),
            false => self.exchange.stop_writing(), // pending ciphertext is not sent either
        }
    }

    /// Returns the bytes to write to the connection.
    pub(crate) fn output(&self) -> &[u8] {
        match &self.layers {
            Some(layers) => layers.output(),
            None => self.exchange.output(),
        }
    }

    pub(crate) fn wrote(&mut self, count: usize) {
        self.written += count as u64;
        match &mut self.layers {
            Some(layers) => layers.wrote(count),
            None => self.exchange.wrote(count),
        }
    }

    /// See [`Exchange::write_failed`].
    pub(crate) fn write_failed(&mut self) {
        self.exchange.write_failed();
        if let Some(layers) = &mut self.layers {
            layers.discard_output();
        }
    }

    /// Reports that nothing was received for a short time. The exchange continues without 100
    /// (Continue); the refusal of a proxy counts as complete.
    pub(crate) fn go_ahead(&mut self) -> Result<(), SessionError> {
        if let Some(refusal) = self.refusal() {
            return Err(refusal);
        }
        self.exchange.go_ahead();
        Ok(())
    }

    /// Returns the proxy's refusal, while more of it may be received.
    pub(crate) fn refusal(&self) -> Option<SessionError> {
        self.layers.as_ref()?.refusal().map(SessionError::Tunnel)
    }

    pub(crate) fn body_space(&mut self) -> &mut [u8] {
        self.exchange.body_space()
    }

    pub(crate) fn body_filled(&mut self, count: usize) {
        self.exchange.body_filled(count);
    }

    /// See [`Exchange::body_end`].
    pub(crate) fn body_end(&mut self, trailers: &HeaderMap) -> Result<(), Missing> {
        self.exchange.body_end(trailers)
    }

    /// Returns whether a byte of the request may have reached the peer. Pending ciphertext has not.
    pub(crate) fn has_sent(&self) -> bool {
        self.exchange.has_sent() && self.written > 0
    }

    /// Returns whether the whole request has been written.
    pub(crate) fn is_sent(&self) -> bool {
        self.exchange.is_sent() && self.output().is_empty() && !self.exchange.is_broken()
    }

    /// See [`Exchange::peer_version`].
    pub(crate) fn peer_version(&self) -> Version {
        self.exchange.peer_version()
    }

    /// See [`Exchange::awaits_head`].
    pub(crate) fn awaits_head(&self) -> bool {
        self.exchange.awaits_head()
    }

    /// See [`Exchange::may_be_answered`].
    pub(crate) fn may_be_answered(&self) -> bool {
        self.exchange.may_be_answered()
    }

    /// See [`Exchange::is_answered`].
    pub(crate) fn is_answered(&self) -> bool {
        self.exchange.is_answered()
    }

    pub(crate) fn has_heard(&self) -> bool {
        self.exchange.has_heard()
    }

    /// See [`Exchange::is_being_answered`].
    pub(crate) fn is_being_answered(&self) -> bool {
        self.exchange.is_being_answered()
    }

    /// See [`Exchange::is_between_heads`].
    pub(crate) fn is_between_heads(&self) -> bool {
        self.exchange.is_between_heads()
    }

    // Receiving.

    /// Returns space to read from the connection.
    pub(crate) fn read_space(&mut self) -> &mut [u8] {
        match &mut self.layers {
            Some(layers) => layers.read_space(),
            None => self.exchange.read_space(),
        }
    }

    pub(crate) fn read(&mut self, count: usize) {
        match &mut self.layers {
            Some(layers) => layers.read(count),
            None => self.exchange.read(count),
        }
    }

    /// Reports the end of the connection. Under TLS it proves nothing: an attacker can cut a connection.
    pub(crate) fn read_eof(&mut self) -> Result<(), SessionError> {
        if let (Some(setup), Some(layers)) = (self.setup(), &mut self.layers) {
            return layers.cut(setup);
        }
        self.exchange.read_eof(match &self.layers {
            Some(_) => Ending::Cut,
            None if self.exchange.is_broken() => Ending::Broken,
            None => Ending::Clean,
        });
        Ok(())
    }

    /// See [`Exchange::read_body`].
    pub(crate) fn read_body(&mut self, into: &mut [u8]) -> Result<BodyStep, SessionError> {
        let step = self.exchange.read_body(into)?;
        match (step, &mut self.layers) {
            (BodyStep::Direct(room), Some(_)) => {
                let count = self.receive_into(into.get_mut(..room).unwrap_or_default())?;
                if count > 0 {
                    self.exchange.read_direct(count);
                    return Ok(BodyStep::Data(count));
                }
                self.or_read(into)
            }
            (BodyStep::Read, Some(_)) => {
                self.receive()?;
                self.or_read(into)
            }
            (step, _) => Ok(step),
        }
    }

    /// Returns the step after decryption: body bytes, the end, or a request for more ciphertext.
    fn or_read(&mut self, into: &mut [u8]) -> Result<BodyStep, SessionError> {
        let step = match self.exchange.read_body(into)? {
            BodyStep::Direct(_) => BodyStep::Read,
            step => step,
        };
        if matches!(step, BodyStep::Read) {
            self.tell_failure()?;
        }
        Ok(step)
    }

    /// See [`Exchange::read_direct`].
    pub(crate) fn read_direct(&mut self, count: usize) {
        self.exchange.read_direct(count);
    }

    pub(crate) fn body_left(&self) -> Option<u64> {
        self.exchange.body_left()
    }

    /// Returns whether bytes were received after the response.
    pub(crate) fn has_leftover(&self) -> bool {
        !self.exchange.leftover().is_empty()
    }

    pub(crate) fn take_trailers(&mut self) -> Option<HeaderMap> {
        self.exchange.take_trailers()
    }

    // After an upgrade.

    /// See [`Exchange::upgrade`]; [`read_body`](Self::read_body) reads it.
    pub(crate) fn upgrade(&mut self) -> Result<(), CloseReason> {
        self.exchange.upgrade()
    }

    /// Encrypts bytes of an upgraded protocol into the output and returns their number; `None` if they can
    /// be written to the connection unchanged.
    pub(crate) fn encrypt(&mut self, plain: &[u8]) -> Result<Option<usize>, SessionError> {
        let Some(layers) = &mut self.layers else { return Ok(None) };
        layers.send(plain.get(..PIECE).unwrap_or(plain)).map(Some)
    }

    // After the exchange.

    pub(crate) fn close_after(&mut self, reason: CloseReason) {
        self.exchange.close_after(reason);
    }

    /// See [`Exchange::may_be_reused`].
    pub(crate) fn may_be_reused(&self) -> Result<(), CloseReason> {
        self.exchange.may_be_reused()
    }

    /// See [`Exchange::reusable`].
    pub(crate) fn reusable(&self) -> Result<(), CloseReason> {
        self.exchange.reusable()?;
        match &self.layers {
            Some(layers) if !layers.are_at_rest() => Err(CloseReason::LeftoverBytes),
            _ => Ok(()),
        }
    }

    /// Processes bytes received while the connection was idle. TLS may send messages at any time, for
    /// instance a session ticket (RFC 8446 §4.6); any other bytes prevent reuse.
    pub(crate) fn receive_idle(&mut self) -> Result<(), CloseReason> {
        let Some(layers) = &mut self.layers else { return Err(CloseReason::LeftoverBytes) };
        match layers.receive_idle() {
            Ok(true) => Ok(()),
            Ok(false) => Err(CloseReason::LeftoverBytes),
            Err(_) => Err(CloseReason::ProtocolError),
        }
    }

    /// Returns information about the TLS connection that carries the exchange.
    pub(crate) fn tls_info(&mut self) -> Option<TlsInfo> {
        self.layers.as_mut()?.tls_info()
    }

    /// Returns the last bytes to write before the connection is closed: `close_notify` (RFC 8446 §6.1), or
    /// an alert with the reason of a failure.
    pub(crate) fn farewell(&mut self) -> &[u8] {
        match &mut self.layers {
            Some(layers) => layers.farewell(),
            None => &[],
        }
    }

    /// Gives its buffers back to the buffer pool while the connection is idle.
    pub(crate) fn rest(&mut self, shelf: &mut BufferPool) {
        self.exchange.rest(shelf);
        if let Some(layers) = &mut self.layers {
            layers.rest(shelf);
        }
    }

    /// Takes buffers for the next exchange.
    pub(crate) fn wake(&mut self, shelf: &mut BufferPool) {
        if let Some(layers) = &mut self.layers {
            layers.wake(shelf);
        }
        self.exchange.wake(shelf);
    }

    fn receive(&mut self) -> Result<(), SessionError> {
        self.receive_into(&mut []).map(|_| ())
    }

    /// Decrypts into `into` as long as it has space, then into the exchange. Returns the number of bytes
    /// written to `into`.
    fn receive_into(&mut self, into: &mut [u8]) -> Result<usize, SessionError> {
        let Self { exchange, layers: Some(layers), .. } = self else { return Ok(0) };
        let mut filled = 0;
        let ending = layers.receive(|plain| {
            let room = into.get_mut(filled..).unwrap_or_default();
            let (direct, rest) = plain.split_at(room.len().min(plain.len()));
            if let Some(room) = room.get_mut(..direct.len()) {
                room.copy_from_slice(direct);
            }
            filled += direct.len();
            exchange.received(rest);
        })?;
        match (ending, layers.setup()) {
            (Some(_), Some(setup)) => layers.cut(setup)?, // the lower layer ended during a handshake
            (Some(ending), None) => exchange.read_eof(ending),
            (None, _) => {}
        }
        if layers.are_gone() {
            self.layers = None;
        }
        Ok(filled)
    }
}

/// Returns whether a final response with this status means that the rest of the request is unwanted.
fn is_refusal(status: StatusCode) -> bool {
    !status.is_success() && status != StatusCode::SWITCHING_PROTOCOLS
}

impl SessionError {
    /// Returns whether the connection was lost before any byte of a response was received.
    pub(crate) fn is_loss(&self) -> bool {
        let is_eof = matches!(self, Self::Protocol(ProtocolError::EofBeforeResponse));
        is_eof || matches!(self, Self::ClosedInHandshake)
    }

    pub(crate) fn into_error(self, phase: Phase) -> Error {
        let kind = match &self {
            Self::Protocol(error) => error.kind(),
            Self::Tls(_) | Self::ClosedInHandshake => Kind::Tls,
            Self::Tunnel(error) => error.kind(),
        };
        let mut error = Error::new(kind, phase);
        if let Some(hint) = self.hint(phase) {
            error = error.note(hint);
        }
        if let Self::Tunnel(refused) = &self {
            error = error.refused_with(refused.status());
        }
        match self.lost() {
            Some(kind) => error.cause(io::Error::new(kind, self)),
            None => error.cause(self),
        }
    }

    /// See [`ProtocolError::lost`].
    fn lost(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Protocol(error) => error.lost(),
            Self::Tunnel(error) => error.lost(),
            Self::ClosedInHandshake => Some(io::ErrorKind::UnexpectedEof),
            Self::Tls(_) => None,
        }
    }

    /// Returns a hint for the user about the cause.
    fn hint(&self, phase: Phase) -> Option<&'static str> {
        match self {
            Self::Tls(error) if phase == Phase::Handshake => error.hint(),
            _ => None,
        }
    }
}

impl From<ProtocolError> for SessionError {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<TlsError> for SessionError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

impl From<TunnelError> for SessionError {
    fn from(error: TunnelError) -> Self {
        Self::Tunnel(error)
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
            Self::Tunnel(error) => error.fmt(f),
            Self::ClosedInHandshake => f.write_str("connection closed during the handshake"),
        }
    }
}

impl std::error::Error for SessionError {}

#[cfg(test)]
#[cfg(feature = "ring")]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::sync::Arc;

    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ServerConfig, ServerConnection};

    use super::*;
    use crate::config::tls::TlsSettings;
    use crate::http1::exchange::SENT_PIECE;
    use crate::policy::route::IdentityUse;

    fn client() -> Session {
        let settings = TlsSettings::trusting_anyone();
        let layers = Layers::tls(settings.stage("localhost", IdentityUse::Shown).unwrap());
        Session::new(&Limits::default(), Some(layers))
    }

    fn server() -> ServerConnection {
        let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![identity.cert.der().clone()], key)
            .unwrap();
        ServerConnection::new(Arc::new(config)).unwrap()
    }

    /// A connection that takes few bytes at a time must not accumulate ciphertext.
    #[test]
    fn ciphertext_is_written_before_more_is_encrypted() {
        const LENGTH: u64 = 1 << 20;
        let (mut client, mut server) = (client(), server());
        client.start(Method::POST, Outgoing::Length(LENGTH), Expectation::None, |_| {});
        let (mut received, mut most, mut left) = (Vec::new(), 0, LENGTH as usize);
        while (received.len() as u64) < LENGTH {
            match client.step().unwrap() {
                Step::Write => {
                    most = most.max(client.output().len());
                    let count = client.output().len().min(1000);
                    server.read_tls(&mut &client.output()[..count]).unwrap();
                    client.wrote(count);
                    server.process_new_packets().unwrap();
                    let _ = server.reader().read_to_end(&mut received);
                }
                Step::Fill => {
                    let count = client.body_space().len().min(left);
                    client.body_filled(count);
                    left -= count;
                }
                Step::Read => {
                    let mut bytes = Vec::new();
                    server.write_tls(&mut bytes).unwrap();
                    client.read_space().write_all(&bytes).unwrap();
                    client.read(bytes.len());
                }
                step => panic!("{step:?}"),
            }
        }
        // One piece, the overhead of its records, and the head.
        assert!(most < SENT_PIECE + SENT_PIECE / 16, "{most} bytes of ciphertext waited");
    }

    /// Pending ciphertext belongs to the request as much as pending plaintext.
    #[test]
    fn a_refusal_ends_a_request_with_pending_ciphertext() {
        for (status, is_sending) in [(413, false), (200, true)] {
            let (mut client, mut server) = (client(), server());
            client.start(Method::POST, Outgoing::Length(50_000), Expectation::None, |head| {
                head.push(b"the head");
            });
            let mut left = 50_000;
            loop {
                match client.step().unwrap() {
                    Step::Write if left == 0 => break,
                    Step::Write => {
                        let count = client.output().len();
                        server.read_tls(&mut client.output()).unwrap();
                        client.wrote(count);
                        server.process_new_packets().unwrap();
                    }
                    Step::Fill => {
                        client.body_space();
                        client.body_filled(left);
                        left = 0;
                    }
                    Step::Read => to_client(&mut server, &mut client),
                    step => panic!("{step:?}"),
                }
                if server.wants_write() {
                    to_client(&mut server, &mut client);
                }
            }
            client.wrote(1000);
            let response = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
            server.writer().write_all(response.as_bytes()).unwrap();
            to_client(&mut server, &mut client);
            assert!(matches!(client.step().unwrap(), Step::Head(_)));
            assert_eq!(client.is_sending(), is_sending, "{status}");
            assert!(client.reusable().is_err(), "half a request");
        }
    }

    /// Nothing more may be readable, and the source may have no data for a long time.
    #[test]
    fn an_alert_after_an_interim_response_is_reported_before_the_body_is_read() {
        let (mut client, mut server) = (client(), server());
        client.start(Method::POST, Outgoing::Length(9), Expectation::None, |head| {
            head.push(b"the head");
        });
        client.send_head_first();
        loop {
            match client.step().unwrap() {
                Step::Write => {
                    let count = client.output().len();
                    server.read_tls(&mut client.output()).unwrap();
                    client.wrote(count);
                    server.process_new_packets().unwrap();
                }
                Step::Fill => break,
                Step::Read => {}
                step => panic!("{step:?}"),
            }
            if server.wants_write() {
                to_client(&mut server, &mut client);
            }
        }
        server.writer().write_all(b"HTTP/1.1 103 X\r\n\r\n").unwrap();
        let garbage = b"\x17\x03\x03\x00\x20 this is no record of TLS at all";
        server.read_tls(&mut garbage.as_slice()).unwrap();
        server.process_new_packets().unwrap_err(); // it queues an alert for the client
        to_client(&mut server, &mut client);
        assert!(client.step().is_err());
    }

    fn to_client(server: &mut ServerConnection, client: &mut Session) {
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        client.read_space().write_all(&bytes).unwrap();
        client.read(bytes.len());
    }
}
