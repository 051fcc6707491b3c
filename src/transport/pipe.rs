//! The layers between an exchange and its socket:
//!
//! ```text
//! Exchange
//!   tls        to the origin, or to a proxy that is sent absolute-form requests
//!   tunnel     the handshake with a proxy; removed when the tunnel is open
//!   proxy tls  to that proxy
//! socket
//! ```
//!
//! Each layer may be absent; plain HTTP has none. The pipe owns no exchange: it moves bytes between the
//! exchange's two buffers and the connection side of the lowest layer, where the driver reads and writes.
//! The driver asks the exchange directly for all that concerns one request and response, and asks the pipe
//! where a layer makes a difference:
//!
//! - the next step: a handshake has messages of its own to send and to wait for, and ciphertext is written
//!   before more is encrypted;
//! - what was sent: plaintext counts only when its ciphertext has been written;
//! - the end: an end of the socket proves nothing under TLS, since an attacker can cut a connection. Only
//!   `close_notify` ends a body that is delimited by the end of the connection.
//!
//! For maintainers: an error of a layer is reported after all plaintext before it was delivered, so that
//! the result does not depend on how the bytes were split into reads.
//!
//! # How a step is made
//!
//! The driver asks for one step at a time; this is the path of a request over TLS:
//!
//! ```text
//! Pipe::step
//!   receive        what has arrived: decrypt, and append the plaintext to the exchange's input
//!   Exchange::step what the exchange wants: Write, Fill, Read, Await, Look, Head
//!   Layers::step   what the layers make of it:
//!                    Write      encrypt the exchange's output; then write ciphertext, or wait for the
//!                               handshake if nothing was taken
//!                    Read, ...  unless ciphertext is pending: that is written first
//!                    Head       as it is; a refusal abandons the ciphertext that is still pending
//! ```
//!
//! A plain connection skips all of it: `layers` is `None`, and each method forwards to the
//! exchange. The same holds for plain HTTP through a proxy once its tunnel is open, because
//! [`Pipe::receive`] drops the empty layers then.
//!
//! # How the layers are stacked
//!
//! `Layers` holds the origin's TLS and, below it, a `ProxyLeg` with the proxy's TLS and tunnel.
//! Bytes move in these ways only:
//!
//! ```text
//!           down                                  up
//! exchange ──encrypt──▶ tls                tls ──decrypt──▶ exchange (or the caller's slice)
//! tls      ──send_down─▶ proxy tls         proxy tls ──decrypt──▶ tunnel, then tls
//! tunnel   ──pass_down─▶ proxy tls         tunnel ──leftover──▶ tls, or the exchange
//! lowest layer ──output──▶ socket          socket ──read_space──▶ lowest layer
//! ```
//!
//! The lowest layer is the proxy's TLS, else the tunnel, else the origin's TLS. It faces the
//! socket, so only its buffers are filled by reads and drained by writes.
//!
//! # Three kinds of end
//!
//! | what ended | what the exchange hears |
//! | --- | --- |
//! | the socket, without layers | `Ending::Clean`, or `Ending::Broken` after a failed write |
//! | the socket, under TLS | `Ending::Cut`: an attacker can send a FIN |
//! | TLS, by `close_notify` | `Ending::Clean` |
//! | the proxy's TLS, by `close_notify`, below the origin's | `Ending::Cut` |
//! | anything, during a handshake | an error: `ClosedInHandshake`, or the tunnel's own |
//!
//! # Guarded by
//!
//! `ciphertext_is_written_before_more_is_encrypted`,
//! `a_refusal_ends_a_request_with_pending_ciphertext` and
//! `an_alert_after_an_interim_response_is_reported_before_the_body_is_read` below; the simulation,
//! whose plans cover each stack of layers; `tests/duplex.rs` (`s15_an_echo_over_tls`,
//! `s16_an_alert_precedes_the_error_of_the_write`, `s09_*`) and `tests/tls.rs`
//! (`late_tls_messages_keep_the_connection`).
//!
//! # An https origin through an https proxy
//!
//! The first exchange on the deepest stack. `Step` is what the driver sees, the bytes are those on
//! the socket, and everything right of an arrow is inside TLS of the proxy once that is open:
//!
//! ```text
//! setup     step    bytes
//! ProxyTls  Write   ClientHello to the proxy            the exchange's head waits: encrypt takes 0 bytes
//!           Read    ServerHello ... Finished
//!           Write   Finished, and CONNECT host:443      the tunnel's output goes down as plaintext
//! Tunnel    Read    HTTP/1.1 200                        leftover goes up, the tunnel is dropped
//! Tls       Write   ClientHello to the origin           the ciphertext of one TLS is plaintext of the other
//!           Read    ServerHello ... Finished
//! none      Look    nothing yet                         the origin has not sent data unasked
//!           Write   Finished, GET / HTTP/1.1 ...        now encrypt takes the head
//!           Read    HTTP/1.1 200 ...                    decrypted twice
//!           Head    delivered
//! ```
//!
//! The driver does the same for each line: it writes what is pending and reads what arrives. Only
//! the stage of its clock and the phase of an error depend on `setup`.
//!
//! # Errors
//!
//! | error | kind | counts as a lost connection |
//! | --- | --- | --- |
//! | `Protocol` | by the violation | only `EofBeforeResponse` |
//! | `Tls` | `Tls`, with a hint in a handshake | no: the peer, or a setting, has refused |
//! | `ClosedInHandshake` | `Tls`, with `UnexpectedEof` among the sources | yes |
//! | `Tunnel` | `Proxy`, or by the violation of HTTP | no |
//!
//! A lost connection is what [`policy::retry`](crate::policy::retry) may repeat.

use std::fmt;
use std::io;

use http::StatusCode;

use super::tls::{Received, Tls, TlsError, TlsInfo};
use super::tunnel::{Need, Tunnel, TunnelError};
use crate::base::buffer::BufferPool;
use crate::error::{Error, Kind, Phase};
use crate::http1::close::CloseReason;
use crate::http1::error::ProtocolError;
use crate::http1::exchange::{BodyStep, Ending, Exchange, SendStep, Step};

/// The layers of one connection.
#[derive(Debug)]
pub(crate) struct Pipe {
    /// `None` for plain HTTP.
    layers: Option<Box<Layers>>,
    /// The number of bytes written to the socket since the exchange began.
    written: u64,
}

/// At least one layer.
#[derive(Debug)]
struct Layers {
    tls: Option<Tls>,
    proxy: Option<Box<ProxyLeg>>,
}

/// The layers to a proxy, below the TLS to the origin.
#[derive(Debug)]
struct ProxyLeg {
    tunnel: Option<Box<dyn Tunnel>>,
    need: Need,
    tls: Option<Tls>,
}

/// The handshake in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    ProxyTls,
    Tunnel,
    Tls,
}

/// The reason why a connection failed.
#[derive(Debug)]
pub(crate) enum PipeError {
    Protocol(ProtocolError),
    Tls(TlsError),
    /// The peer closed the connection before the end of the TLS handshake.
    ClosedInHandshake,
    Tunnel(TunnelError),
}

/// The number of bytes of an upgraded protocol that are encrypted in one step.
const PIECE: usize = 64 * 1024;

impl Pipe {
    /// Creates the pipe of a connection without TLS to the origin and without a proxy's tunnel. `tls` is the TLS
    /// to the origin, or to a proxy that forwards requests.
    pub(crate) fn new(tls: Option<Tls>) -> Self {
        let layers = tls.map(|tls| Box::new(Layers { tls: Some(tls), proxy: None }));
        Self { layers, written: 0 }
    }

    /// Creates a tunnel, optionally over TLS to the proxy, and optionally with TLS to the origin through it.
    pub(crate) fn tunnel(proxy: Option<Tls>, tunnel: Box<dyn Tunnel>, tls: Option<Tls>) -> Self {
        let proxy = ProxyLeg { tunnel: Some(tunnel), need: Need::More, tls: proxy };
        Self { layers: Some(Box::new(Layers { tls, proxy: Some(Box::new(proxy)) })), written: 0 }
    }

    /// Returns whether bytes go unchanged between the exchange and the socket.
    pub(crate) fn is_plain(&self) -> bool {
        self.layers.is_none()
    }

    /// Returns the handshake that must complete before the exchange can send its first byte.
    pub(crate) fn setup(&self) -> Option<Setup> {
        self.layers.as_ref()?.setup()
    }

    /// Counts the bytes of the next exchange from zero.
    pub(crate) fn start(&mut self) {
        self.written = 0;
    }

    /// Returns the next operation for the driver, until the final head has been received.
    pub(crate) fn step(&mut self, exchange: &mut Exchange) -> Result<Step, PipeError> {
        if self.layers.is_some() {
            self.receive(exchange, &mut [])?;
        }
        let step = exchange.step()?;
        match &mut self.layers {
            Some(layers) => layers.step(exchange, step),
            None => Ok(step),
        }
    }

    // Sending.

    /// Returns the next operation for sending the rest of the request while the response is read.
    ///
    /// The layers add one case to the exchange's own steps: all of the request is encrypted, but
    /// its ciphertext is not written yet. Then the exchange says `Done`, and the pipe says `Write`.
    pub(crate) fn send_step(&mut self, exchange: &mut Exchange) -> Result<SendStep, PipeError> {
        self.receive(exchange, &mut [])?;
        let step = exchange.send_step();
        let Some(layers) = &mut self.layers else { return Ok(step) };
        if step == SendStep::Write {
            let taken = layers.encrypt(exchange.output())?;
            exchange.wrote(taken);
        }
        if layers.output().is_empty() || exchange.is_abandoned() {
            return Ok(step);
        }
        if exchange.has_ended() {
            // The exchange may have finished sending, while ciphertext is pending for a peer that is gone.
            exchange.stop_sending();
            return Ok(SendStep::Done);
        }
        Ok(SendStep::Write)
    }

    /// Returns whether more of the request is to be written.
    pub(crate) fn is_sending(&self, exchange: &Exchange) -> bool {
        match &self.layers {
            Some(layers) if !layers.output().is_empty() => {
                !exchange.is_abandoned() && !layers.have_failed()
            }
            _ => exchange.is_sending(),
        }
    }

    /// Abandons the rest of the request, including pending ciphertext.
    pub(crate) fn stop_sending(&self, exchange: &mut Exchange) {
        match &self.layers {
            Some(layers) => layers.stop_sending(exchange),
            None => exchange.stop_sending(),
        }
    }

    /// Returns the bytes to write to the socket.
    pub(crate) fn output<'a>(&'a self, exchange: &'a Exchange) -> &'a [u8] {
        match &self.layers {
            Some(layers) => layers.output(),
            None => exchange.output(),
        }
    }

    pub(crate) fn wrote(&mut self, exchange: &mut Exchange, count: usize) {
        self.written += count as u64;
        match &mut self.layers {
            Some(layers) => layers.wrote(count),
            None => exchange.wrote(count),
        }
    }

    /// Reports that a write failed. The response is still read, because it may have been sent before the
    /// connection broke.
    pub(crate) fn write_failed(&mut self, exchange: &mut Exchange) {
        exchange.write_failed();
        if let Some(layers) = &mut self.layers {
            layers.discard_output();
        }
    }

    /// Reports that nothing was received for a short time. The exchange continues without 100
    /// (Continue); the refusal of a proxy counts as complete.
    pub(crate) fn go_ahead(&self, exchange: &mut Exchange) -> Result<(), PipeError> {
        if let Some(refusal) = self.refusal() {
            return Err(refusal);
        }
        exchange.go_ahead();
        Ok(())
    }

    /// Returns the proxy's refusal, while more of it may be received.
    pub(crate) fn refusal(&self) -> Option<PipeError> {
        let tunnel = self.layers.as_ref()?.proxy.as_ref()?.tunnel.as_ref()?;
        tunnel.refusal().map(PipeError::Tunnel)
    }

    /// Returns whether a byte of the request may have reached the peer. Pending ciphertext has not.
    ///
    /// A retry rule depends on this answer: what has not been written has not been carried out.
    /// During a handshake the exchange has handed nothing over, whatever TLS or the proxy have been
    /// sent; after it, plaintext that only lies in the output as ciphertext has not left either.
    /// Hence both conditions.
    pub(crate) fn has_sent(&self, exchange: &Exchange) -> bool {
        exchange.has_sent() && self.written > 0
    }

    /// Returns whether the whole request has been written.
    pub(crate) fn is_sent(&self, exchange: &Exchange) -> bool {
        exchange.is_sent() && self.output(exchange).is_empty() && !exchange.is_broken()
    }

    /// Encrypts bytes of an upgraded protocol into the output and returns their number; `None` if they can
    /// be written to the socket unchanged.
    ///
    /// One step takes at most 64 KiB, so that a large write does not double in memory as
    /// ciphertext.
    pub(crate) fn encrypt(&mut self, plain: &[u8]) -> Result<Option<usize>, PipeError> {
        let Some(layers) = &mut self.layers else { return Ok(None) };
        layers.encrypt(plain.get(..PIECE).unwrap_or(plain)).map(Some)
    }

    // Receiving.

    /// Returns space to read from the socket.
    pub(crate) fn read_space<'a>(&'a mut self, exchange: &'a mut Exchange) -> &'a mut [u8] {
        match &mut self.layers {
            Some(layers) => layers.read_space(),
            None => exchange.read_space(),
        }
    }

    /// Reports that `count` bytes were read into the space; 0 is the end of the socket.
    pub(crate) fn read(&mut self, exchange: &mut Exchange, count: usize) -> Result<(), PipeError> {
        match &mut self.layers {
            _ if count == 0 => return self.read_eof(exchange),
            Some(layers) => layers.read(count),
            None => exchange.read(count),
        }
        Ok(())
    }

    /// During a handshake the end of the socket is the end of the handshake; afterwards it is news
    /// for the exchange, which decides whether its body may end here.
    fn read_eof(&mut self, exchange: &mut Exchange) -> Result<(), PipeError> {
        if let Some(layers) = &mut self.layers {
            if let Some(setup) = layers.setup() {
                return layers.cut(setup);
            }
        }
        exchange.read_eof(match &self.layers {
            Some(_) => Ending::Cut,
            None if exchange.is_broken() => Ending::Broken,
            None => Ending::Clean,
        });
        Ok(())
    }

    /// Returns the next step of reading the response's body. `into` must not be empty.
    ///
    /// Under TLS the exchange is asked twice. The first question tells where plaintext may go: into
    /// the caller's slice (`Direct`), which saves a copy, or into the exchange's buffer (`Read`).
    /// Then the layers decrypt what has arrived, and the second question asks for the bytes. An
    /// error that was held back behind plaintext is fetched only when no byte is left to deliver.
    pub(crate) fn read_body<'a>(
        &mut self,
        exchange: &mut Exchange,
        into: &'a mut [u8],
    ) -> Result<BodyStep<'a>, PipeError> {
        if self.layers.is_none() {
            return Ok(exchange.read_body(into)?);
        }
        match exchange.read_body(&mut *into)? {
            BodyStep::Direct(room) => {
                let count = self.receive(exchange, room)?;
                if count > 0 {
                    exchange.read_direct(count);
                    return Ok(BodyStep::Data(count));
                }
            }
            BodyStep::Read => {
                self.receive(exchange, &mut [])?;
            }
            BodyStep::Data(count) => return Ok(BodyStep::Data(count)),
            BodyStep::End => return Ok(BodyStep::End),
        }
        // The bytes that were just decrypted, or a request for more ciphertext.
        match exchange.read_body(into)? {
            BodyStep::Direct(_) | BodyStep::Read => {
                if self.layers.as_ref().is_some_and(|layers| layers.have_failed()) {
                    self.receive(exchange, &mut [])?;
                }
                Ok(BodyStep::Read)
            }
            step => Ok(step),
        }
    }

    /// Decrypts into `into` as long as it has space, then into the exchange. Returns the number of bytes
    /// written to `into`.
    fn receive(&mut self, exchange: &mut Exchange, into: &mut [u8]) -> Result<usize, PipeError> {
        let Some(layers) = &mut self.layers else { return Ok(0) };
        let filled = layers.receive_for(exchange, into)?;
        if layers.tls.is_none() && layers.proxy.is_none() {
            self.layers = None; // the tunnel is open, and carries plain HTTP
        }
        Ok(filled)
    }

    // After the exchange.

    /// Checks that the connection can be reused, or returns the reason why not.
    ///
    /// A connection with a partial record in its input, or ciphertext in its output, is in the
    /// middle of a message: the next response could not be distinguished from the rest of this one.
    pub(crate) fn reusable(&self, exchange: &Exchange) -> Result<(), CloseReason> {
        exchange.reusable()?;
        match &self.layers {
            Some(layers) if !layers.all_tls().all(Tls::is_at_rest) => {
                Err(CloseReason::LeftoverBytes)
            }
            _ => Ok(()),
        }
    }

    /// Processes bytes received while the connection was idle. TLS may send messages at any time, for
    /// instance a session ticket (RFC 8446 §4.6); any other bytes prevent reuse.
    pub(crate) fn receive_idle(&mut self) -> Result<(), CloseReason> {
        let Some(layers) = &mut self.layers else { return Err(CloseReason::LeftoverBytes) };
        let mut plain = 0;
        let ending =
            layers.receive(|bytes| plain += bytes.len()).map_err(|_| CloseReason::ProtocolError)?;
        let is_whole = layers.all_tls().all(Tls::is_between_records);
        if plain > 0 || !is_whole {
            return Err(CloseReason::LeftoverBytes);
        }
        if ending.is_some() { Err(CloseReason::NotAlive) } else { Ok(()) }
    }

    /// Returns information about the TLS connection that carries the exchange.
    pub(crate) fn tls_info(&mut self) -> Option<TlsInfo> {
        self.layers.as_mut()?.tls.as_mut()?.info()
    }

    /// Returns the last bytes to write before the connection is closed: `close_notify` (RFC 8446 §6.1), or
    /// an alert with the reason of a failure.
    pub(crate) fn farewell(&mut self) -> &[u8] {
        let Some(layers) = &mut self.layers else { return &[] };
        // The origin's last record goes through the proxy's TLS, and that one's own after it.
        let last = layers.tls.as_mut().map(|tls| tls.farewell(&[])).unwrap_or_default();
        match &mut layers.proxy {
            Some(proxy) => proxy.tls.as_mut().map(|tls| tls.farewell(last)).unwrap_or_default(),
            None => last,
        }
    }

    /// Gives its buffers back to the buffer pool while the connection is idle.
    pub(crate) fn rest(&mut self, shelf: &mut BufferPool) {
        if let Some(layers) = &mut self.layers {
            layers.each_tls().for_each(|tls| tls.rest(shelf));
        }
    }

    /// Takes buffers for the next exchange.
    pub(crate) fn wake(&mut self, shelf: &mut BufferPool) {
        if let Some(layers) = &mut self.layers {
            layers.each_tls().for_each(|tls| tls.wake(shelf));
        }
    }
}

/// Returns whether a final response with this status means that the rest of the request is unwanted.
fn is_refusal(status: StatusCode) -> bool {
    !status.is_success() && status != StatusCode::SWITCHING_PROTOCOLS
}

impl Layers {
    fn setup(&self) -> Option<Setup> {
        let of_proxy = self.proxy.as_ref().and_then(|proxy| match &proxy.tls {
            Some(tls) if tls.is_handshaking() => Some(Setup::ProxyTls),
            _ => proxy.tunnel.as_ref().map(|_| Setup::Tunnel),
        });
        of_proxy.or_else(|| {
            self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()).then_some(Setup::Tls)
        })
    }

    /// Turns the exchange's step into that of the layers: what they have to send goes first.
    fn step(&mut self, exchange: &mut Exchange, step: Step) -> Result<Step, PipeError> {
        let step = match step {
            Step::Look if self.setup().is_none() => step,
            Step::Look | Step::Write => {
                let taken = self.encrypt(exchange.output())?;
                exchange.wrote(taken);
                if self.output().is_empty() { self.waiting() } else { Step::Write }
            }
            // A layer has a message of its own to send, or ciphertext is pending: it is written before
            // more of the body is encrypted.
            Step::Read | Step::Await | Step::Fill if !self.output().is_empty() => Step::Write,
            // Pending ciphertext belongs to the part of the request that is not sent, like pending plaintext.
            Step::Head(ref head) if is_refusal(head.status) && !self.output().is_empty() => {
                self.stop_sending(exchange);
                step
            }
            Step::Read | Step::Await | Step::Fill | Step::Interim(_) | Step::Head(_) => step,
        };
        if matches!(step, Step::Read | Step::Await | Step::Fill) && self.have_failed() {
            self.receive_for(exchange, &mut [])?; // returns the failure
        }
        Ok(step)
    }

    fn stop_sending(&self, exchange: &mut Exchange) {
        if self.output().is_empty() {
            exchange.stop_sending();
        } else {
            exchange.stop_writing(); // pending ciphertext is not sent either
        }
    }

    /// Returns the step of an exchange that waits to send its bytes.
    fn waiting(&self) -> Step {
        match &self.proxy {
            Some(proxy) if proxy.need == Need::Reason => Step::Await,
            _ => Step::Read,
        }
    }

    /// See [`Pipe::receive`].
    fn receive_for(
        &mut self,
        exchange: &mut Exchange,
        into: &mut [u8],
    ) -> Result<usize, PipeError> {
        let mut filled = 0;
        let ending = self.receive(|plain| {
            let (_, room) = into.split_at_mut(filled);
            let (direct, rest) = plain.split_at(room.len().min(plain.len()));
            room.split_at_mut(direct.len()).0.copy_from_slice(direct);
            filled += direct.len();
            exchange.received(rest);
        })?;
        if let Some(ending) = ending {
            match self.setup() {
                Some(setup) => self.cut(setup)?, // the lower layer ended during a handshake
                None => exchange.read_eof(ending),
            }
        }
        Ok(filled)
    }

    /// Processes the input as far as possible and passes plaintext to `sink`. Returns the end of the
    /// plaintext, if it was reached.
    fn receive(&mut self, mut sink: impl FnMut(&[u8])) -> Result<Option<Ending>, PipeError> {
        let Some(proxy) = &mut self.proxy else { return decrypt(self.tls.as_mut(), sink) };
        let below = match &mut self.tls {
            Some(tls) => proxy.receive(&mut |bytes| tls.received(bytes))?,
            None => proxy.receive(&mut sink)?,
        };
        // Until the tunnel is open, the origin's TLS has nothing to read: its first bytes are the
        // leftover that the tunnel hands up.
        if proxy.tunnel.is_some() {
            return Ok(None);
        }
        if proxy.tls.is_none() {
            self.proxy = None;
        }
        let ending = decrypt(self.tls.as_mut(), sink)?;
        self.send_down()?;
        // The end of a lower layer is not an orderly end of the layer above it.
        Ok(ending.or(below.map(|_| Ending::Cut)))
    }

    /// Takes bytes of the exchange; returns the number taken, which is 0 until all handshakes are done.
    fn encrypt(&mut self, plain: &[u8]) -> Result<usize, PipeError> {
        let is_open = self.proxy.as_ref().is_none_or(|proxy| proxy.tunnel.is_none());
        let Some(tls) = self.tls.as_mut().filter(|_| is_open) else { return Ok(0) };
        let taken = tls.encrypt(plain)?;
        self.send_down()?;
        Ok(taken)
    }

    /// Passes the ciphertext of the origin's TLS to the proxy's TLS.
    fn send_down(&mut self) -> Result<(), PipeError> {
        let proxy = self.proxy.as_mut().and_then(|proxy| proxy.tls.as_mut());
        if let (Some(tls), Some(proxy)) = (&mut self.tls, proxy) {
            let count = pass_down(proxy, tls.output())?;
            tls.wrote(count);
        }
        Ok(())
    }

    // The socket faces the lowest layer: the TLS to the proxy or, without a proxy, to the origin; else the tunnel.

    fn output(&self) -> &[u8] {
        match (self.lowest_tls(), &self.proxy) {
            (Some(tls), _) => tls.output(),
            (None, Some(proxy)) => proxy.tunnel.as_ref().map_or(&[], |tunnel| tunnel.output()),
            (None, None) => &[],
        }
    }

    fn wrote(&mut self, count: usize) {
        if let Some(tls) = self.lowest_tls_mut() {
            tls.wrote(count);
        } else if let Some(tunnel) = self.tunnel_mut() {
            tunnel.wrote(count);
        }
    }

    fn read_space(&mut self) -> &mut [u8] {
        match &mut self.proxy {
            None => self.tls.as_mut().map_or(&mut [], Tls::read_space),
            Some(proxy) => match (&mut proxy.tls, &mut proxy.tunnel) {
                (Some(tls), _) => tls.read_space(),
                (None, Some(tunnel)) => tunnel.read_space(),
                (None, None) => &mut [],
            },
        }
    }

    fn read(&mut self, count: usize) {
        if let Some(tls) = self.lowest_tls_mut() {
            tls.read(count);
        } else if let Some(tunnel) = self.tunnel_mut() {
            tunnel.read(count);
        }
    }

    fn lowest_tls(&self) -> Option<&Tls> {
        match &self.proxy {
            Some(proxy) => proxy.tls.as_ref(),
            None => self.tls.as_ref(),
        }
    }

    fn lowest_tls_mut(&mut self) -> Option<&mut Tls> {
        match &mut self.proxy {
            Some(proxy) => proxy.tls.as_mut(),
            None => self.tls.as_mut(),
        }
    }

    fn tunnel_mut(&mut self) -> Option<&mut Box<dyn Tunnel>> {
        self.proxy.as_mut()?.tunnel.as_mut()
    }

    fn discard_output(&mut self) {
        if let Some(tunnel) = self.tunnel_mut() {
            tunnel.discard_output();
        }
        self.each_tls().for_each(Tls::discard_output);
    }

    /// Handles the end of the socket during a handshake.
    fn cut(&mut self, setup: Setup) -> Result<(), PipeError> {
        match (setup, self.tunnel_mut()) {
            (Setup::Tunnel, Some(tunnel)) => {
                tunnel.read_eof(Ending::Clean);
                Ok(())
            }
            _ => Err(PipeError::ClosedInHandshake),
        }
    }

    /// Returns whether a layer has failed; [`receive`](Self::receive) returns the error after the plaintext.
    fn have_failed(&self) -> bool {
        self.all_tls().any(Tls::has_failed)
    }

    fn all_tls(&self) -> impl Iterator<Item = &Tls> {
        let of_proxy = self.proxy.as_ref().and_then(|proxy| proxy.tls.as_ref());
        of_proxy.into_iter().chain(&self.tls)
    }

    fn each_tls(&mut self) -> impl Iterator<Item = &mut Tls> {
        let of_proxy = self.proxy.as_mut().and_then(|proxy| proxy.tls.as_mut());
        of_proxy.into_iter().chain(&mut self.tls)
    }
}

impl ProxyLeg {
    /// Continues the handshake; passes bytes that do not belong to it to `up`.
    fn receive(&mut self, up: &mut dyn FnMut(&[u8])) -> Result<Option<Ending>, PipeError> {
        let Some(tunnel) = &mut self.tunnel else { return decrypt(self.tls.as_mut(), up) };
        let ending = decrypt(self.tls.as_mut(), |bytes| tunnel.received(bytes))?;
        if let Some(ending) = ending {
            tunnel.read_eof(ending);
        }
        self.need = tunnel.advance()?;
        if let Some(tls) = &mut self.tls {
            let count = pass_down(tls, tunnel.output())?;
            tunnel.wrote(count);
        }
        if self.need == Need::Nothing {
            up(tunnel.leftover());
            self.tunnel = None;
        }
        Ok(ending)
    }
}

/// Decrypts the input, if there is TLS.
fn decrypt(tls: Option<&mut Tls>, sink: impl FnMut(&[u8])) -> Result<Option<Ending>, PipeError> {
    let Some(tls) = tls else { return Ok(None) };
    Ok(match tls.receive(sink)? {
        Received::More => None,
        Received::Closed => Some(Ending::Clean),
    })
}

/// Encrypts the output of a higher layer.
fn pass_down(tls: &mut Tls, output: &[u8]) -> Result<usize, PipeError> {
    if output.is_empty() { Ok(0) } else { Ok(tls.encrypt(output)?) }
}

impl PipeError {
    /// Returns whether the connection was lost before any byte of a response was received.
    ///
    /// Such a loss on a reused connection usually means that it was stale, which is no fault of the
    /// request.
    pub(crate) fn is_loss(&self) -> bool {
        let is_eof = matches!(self, Self::Protocol(ProtocolError::EofBeforeResponse));
        is_eof || matches!(self, Self::ClosedInHandshake)
    }

    /// A lost connection becomes an `io::Error` with the matching kind among the sources, whichever
    /// layer lost it, so that programs that look for one find it. The status of a refusing proxy
    /// becomes that of the error.
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
        if let Self::Tls(cause) = &self {
            error = cause.certificate_note().into_iter().fold(error, Error::note);
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

    /// See [`TlsError::certificate_demand`].
    pub(crate) fn certificate_demand(&self) -> Option<&'static str> {
        match self {
            Self::Tls(error) => error.certificate_demand(),
            _ => None,
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

impl From<ProtocolError> for PipeError {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<TlsError> for PipeError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

impl From<TunnelError> for PipeError {
    fn from(error: TunnelError) -> Self {
        Self::Tunnel(error)
    }
}

impl fmt::Display for PipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
            Self::Tunnel(error) => error.fmt(f),
            Self::ClosedInHandshake => f.write_str("connection closed during the handshake"),
        }
    }
}

impl std::error::Error for PipeError {}

#[cfg(test)]
#[cfg(feature = "ring")]
mod tests;
