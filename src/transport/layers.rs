//! The stack of layers between an exchange and its connection:
//!
//! ```text
//! exchange
//!   tls        to the origin, or to a proxy that is sent absolute-form requests
//!   tunnel     the handshake with a proxy; removed when the tunnel is open
//!   proxy tls  to that proxy
//! connection
//! ```
//!
//! Each layer may be absent. The plaintext side faces the exchange; bytes are read and written on the
//! connection side of the lowest layer.

use super::session::SessionError;
use super::tls::{Received, Tls, TlsInfo};
use super::tunnel::{Need, Tunnel, TunnelError};
use crate::base::buffer::BufferPool;
use crate::http1::exchange::{Ending, Step};

/// At least one layer. A stack without layers is removed.
#[derive(Debug)]
pub(crate) struct Layers {
    tls: Option<Tls>,
    passage: Option<Box<Passage>>,
}

/// The layers to a proxy, below the tunnel to the origin.
#[derive(Debug)]
struct Passage {
    tunnel: Option<Box<dyn Tunnel>>,
    need: Need,
    tls: Option<Tls>,
}

/// The handshake that is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    ProxyTls,
    Tunnel,
    Tls,
}

impl Layers {
    /// Creates a stack of TLS alone.
    pub(crate) fn tls(tls: Tls) -> Self {
        Self { tls: Some(tls), passage: None }
    }

    /// Creates a tunnel, optionally over TLS to the proxy, and optionally with TLS to the origin through it.
    pub(crate) fn tunnel(proxy: Option<Tls>, tunnel: Box<dyn Tunnel>, tls: Option<Tls>) -> Self {
        let passage = Passage { tunnel: Some(tunnel), need: Need::More, tls: proxy };
        Self { tls, passage: Some(Box::new(passage)) }
    }

    /// Returns the handshake in progress, if any.
    pub(crate) fn setup(&self) -> Option<Setup> {
        let passage = self.passage.as_ref().and_then(|passage| passage.setup());
        let tls =
            || self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()).then_some(Setup::Tls);
        passage.or_else(tls)
    }

    /// Returns whether no layer is left.
    pub(crate) fn are_gone(&self) -> bool {
        self.tls.is_none() && self.passage.is_none()
    }

    /// Processes the input as far as possible and passes plaintext to `sink`. Returns the end of the
    /// plaintext, if it was reached.
    pub(crate) fn receive(
        &mut self,
        mut sink: impl FnMut(&[u8]),
    ) -> Result<Option<Ending>, SessionError> {
        let Some(passage) = &mut self.passage else { return receive(self.tls.as_mut(), sink) };
        let below = match &mut self.tls {
            Some(tls) => passage.receive(&mut |bytes| tls.received(bytes))?,
            None => passage.receive(&mut sink)?,
        };
        if passage.tunnel.is_some() {
            return Ok(None);
        }
        if passage.tls.is_none() {
            self.passage = None;
        }
        let ending = receive(self.tls.as_mut(), sink)?;
        self.send_down()?;
        // The end of a lower layer is not an orderly end of the layer above it.
        Ok(ending.or(below.map(|_| Ending::Cut)))
    }

    /// Takes bytes of the exchange; returns the number taken, which is 0 until all handshakes are done.
    pub(crate) fn send(&mut self, plain: &[u8]) -> Result<usize, SessionError> {
        let is_open = self.passage.as_ref().is_none_or(|passage| passage.tunnel.is_none());
        let Some(tls) = self.tls.as_mut().filter(|_| is_open) else { return Ok(0) };
        let taken = tls.encrypt(plain)?;
        self.send_down()?;
        Ok(taken)
    }

    /// Returns the step of an exchange that waits to send its bytes.
    pub(crate) fn waiting(&self) -> Step {
        match &self.passage {
            Some(passage) if passage.need == Need::Reason => Step::Await,
            _ => Step::Read,
        }
    }

    pub(crate) fn output(&self) -> &[u8] {
        match (&self.passage, &self.tls) {
            (Some(passage), _) => passage.output(),
            (None, Some(tls)) => tls.output(),
            (None, None) => &[],
        }
    }

    pub(crate) fn wrote(&mut self, count: usize) {
        match (&mut self.passage, &mut self.tls) {
            (Some(passage), _) => passage.wrote(count),
            (None, Some(tls)) => tls.wrote(count),
            (None, None) => {}
        }
    }

    pub(crate) fn discard_output(&mut self) {
        if let Some(passage) = &mut self.passage {
            passage.discard_output();
        }
        if let Some(tls) = &mut self.tls {
            tls.discard_output();
        }
    }

    pub(crate) fn read_space(&mut self) -> &mut [u8] {
        match (&mut self.passage, &mut self.tls) {
            (Some(passage), _) => passage.read_space(),
            (None, Some(tls)) => tls.read_space(),
            (None, None) => &mut [],
        }
    }

    pub(crate) fn read(&mut self, count: usize) {
        match (&mut self.passage, &mut self.tls) {
            (Some(passage), _) => passage.read(count),
            (None, Some(tls)) => tls.read(count),
            (None, None) => {}
        }
    }

    /// Handles the end of the connection during a handshake.
    pub(crate) fn cut(&mut self, setup: Setup) -> Result<(), SessionError> {
        let tunnel = self.passage.as_mut().and_then(|passage| passage.tunnel.as_mut());
        match (setup, tunnel) {
            (Setup::Tunnel, Some(tunnel)) => {
                tunnel.read_eof(Ending::Clean);
                Ok(())
            }
            _ => Err(SessionError::ClosedInHandshake),
        }
    }

    /// Returns the proxy's refusal, as far as it was received.
    pub(crate) fn refusal(&self) -> Option<TunnelError> {
        self.passage.as_ref()?.tunnel.as_ref()?.refusal()
    }

    /// Returns whether no message is partly received or partly sent.
    pub(crate) fn are_at_rest(&self) -> bool {
        self.all_tls().all(Tls::is_at_rest)
    }

    /// Returns whether a layer has failed; [`receive`](Self::receive) returns the error after the plaintext.
    pub(crate) fn have_failed(&self) -> bool {
        self.all_tls().any(Tls::has_failed)
    }

    /// Processes bytes received while the connection was idle. Returns whether they were only complete
    /// messages of TLS itself.
    pub(crate) fn receive_idle(&mut self) -> Result<bool, SessionError> {
        let mut plain = 0;
        let ending = self.receive(|bytes| plain += bytes.len())?;
        let is_whole = self.all_tls().all(Tls::is_between_records);
        Ok(ending.is_none() && plain == 0 && is_whole)
    }

    /// Returns information about the TLS connection that carries the exchange.
    pub(crate) fn tls_info(&mut self) -> Option<TlsInfo> {
        self.tls.as_mut()?.info()
    }

    /// Returns the last bytes to write before the connection is closed.
    pub(crate) fn farewell(&mut self) -> &[u8] {
        let last_words = self.tls.as_mut().map(|tls| tls.farewell(&[])).unwrap_or_default();
        match &mut self.passage {
            Some(passage) => passage.farewell(last_words),
            None => last_words,
        }
    }

    /// Returns its buffers to the store while the connection is idle.
    pub(crate) fn rest(&mut self, shelf: &mut BufferPool) {
        self.each_tls().for_each(|tls| tls.rest(shelf));
    }

    /// Takes buffers for the next exchange.
    pub(crate) fn wake(&mut self, shelf: &mut BufferPool) {
        self.each_tls().for_each(|tls| tls.wake(shelf));
    }

    fn all_tls(&self) -> impl Iterator<Item = &Tls> {
        let of_passage = self.passage.as_ref().and_then(|passage| passage.tls.as_ref());
        of_passage.into_iter().chain(&self.tls)
    }

    fn each_tls(&mut self) -> impl Iterator<Item = &mut Tls> {
        let of_passage = self.passage.as_mut().and_then(|passage| passage.tls.as_mut());
        of_passage.into_iter().chain(&mut self.tls)
    }

    /// Passes the ciphertext of the origin's TLS to the proxy's TLS.
    fn send_down(&mut self) -> Result<(), SessionError> {
        let proxy = self.passage.as_mut().and_then(|passage| passage.tls.as_mut());
        if let (Some(tls), Some(proxy)) = (&mut self.tls, proxy) {
            hand_down(proxy, tls.output()).map(|count| tls.wrote(count))?;
        }
        Ok(())
    }
}

impl Passage {
    fn setup(&self) -> Option<Setup> {
        match &self.tls {
            Some(tls) if tls.is_handshaking() => Some(Setup::ProxyTls),
            _ => self.tunnel.as_ref().map(|_| Setup::Tunnel),
        }
    }

    /// Continues the handshake; passes bytes that do not belong to it to `up`.
    fn receive(&mut self, up: &mut dyn FnMut(&[u8])) -> Result<Option<Ending>, SessionError> {
        let Some(tunnel) = &mut self.tunnel else { return receive(self.tls.as_mut(), up) };
        let ending = receive(self.tls.as_mut(), |bytes| tunnel.received(bytes))?;
        if let Some(ending) = ending {
            tunnel.read_eof(ending);
        }
        self.need = tunnel.advance()?;
        if let Some(tls) = &mut self.tls {
            hand_down(tls, tunnel.output()).map(|count| tunnel.wrote(count))?;
        }
        if self.need == Need::Nothing {
            up(tunnel.leftover());
            self.tunnel = None;
        }
        Ok(ending)
    }

    fn output(&self) -> &[u8] {
        match (&self.tls, &self.tunnel) {
            (Some(tls), _) => tls.output(),
            (None, Some(tunnel)) => tunnel.output(),
            (None, None) => &[],
        }
    }

    fn wrote(&mut self, count: usize) {
        match (&mut self.tls, &mut self.tunnel) {
            (Some(tls), _) => tls.wrote(count),
            (None, Some(tunnel)) => tunnel.wrote(count),
            (None, None) => {}
        }
    }

    fn discard_output(&mut self) {
        if let Some(tunnel) = &mut self.tunnel {
            tunnel.discard_output();
        }
        if let Some(tls) = &mut self.tls {
            tls.discard_output();
        }
    }

    fn read_space(&mut self) -> &mut [u8] {
        match (&mut self.tls, &mut self.tunnel) {
            (Some(tls), _) => tls.read_space(),
            (None, Some(tunnel)) => tunnel.read_space(),
            (None, None) => &mut [],
        }
    }

    fn read(&mut self, count: usize) {
        match (&mut self.tls, &mut self.tunnel) {
            (Some(tls), _) => tls.read(count),
            (None, Some(tunnel)) => tunnel.read(count),
            (None, None) => {}
        }
    }

    fn farewell(&mut self, last_words: &[u8]) -> &[u8] {
        self.tls.as_mut().map(|tls| tls.farewell(last_words)).unwrap_or_default()
    }
}

/// Decrypts the input, if there is TLS.
fn receive(tls: Option<&mut Tls>, sink: impl FnMut(&[u8])) -> Result<Option<Ending>, SessionError> {
    let Some(tls) = tls else { return Ok(None) };
    Ok(match tls.receive(sink)? {
        Received::More => None,
        Received::Closed => Some(Ending::Clean),
    })
}

/// Encrypts the output of a higher layer.
fn hand_down(tls: &mut Tls, output: &[u8]) -> Result<usize, SessionError> {
    if output.is_empty() { Ok(0) } else { Ok(tls.encrypt(output)?) }
}
