//! A connection without its socket: the part that is the same on every runtime, and the meaning of
//! its failures.

use std::io;
use std::net::IpAddr;

use http::Version;

use crate::base::buffer::BufferPool;
use crate::body::{BodyError, Source};
use crate::call::{Call, Failure};
use crate::config::Config;
use crate::error::{Cause, Error, Kind, Phase, Result};
use crate::http1::close::CloseReason;
use crate::http1::exchange::{Missing, Outgoing};
use crate::policy::deadline::Expired;
use crate::policy::proxy::{Protocol, ProxyServer, SocksVersion};
use crate::policy::route::{Route, Security, Target};
use crate::transport::connect::Connect;
use crate::transport::layers::{Layers, Setup};
use crate::transport::session::{Session, SessionError};
use crate::transport::socks::{Destination, Socks};
use crate::transport::tls::{Tls, TlsInfo};
use crate::transport::tunnel::Tunnel;

/// The machine of a connection, its route, and the fact that it is new or from the pool.
#[derive(Debug)]
pub(crate) struct ConnectionMachine {
    pub(crate) session: Session,
    route: Route,
    is_pooled: bool,
}

/// The reason why an exchange cannot continue.
#[derive(Debug)]
pub(crate) enum ExchangeFailure {
    /// A time limit of the call is over, or the call was canceled.
    Expired(Expired),
    /// The socket failed.
    Io(io::Error),
    Session(SessionError),
    /// The request's body could not be produced.
    Body(Error),
}

impl ConnectionMachine {
    /// Creates the machine of a new connection. `found` is the address of the origin, if it was
    /// [looked up](Route::looked_up_here).
    pub(crate) fn new(config: &Config, route: Route, found: Option<IpAddr>) -> Result<Self> {
        let session = Session::new(&config.limits, layers(config, &route, found)?);
        Ok(Self::over(session, route))
    }

    /// Creates the machine of a new connection over any session.
    pub(crate) fn over(session: Session, route: Route) -> Self {
        Self { session, route, is_pooled: false }
    }

    pub(crate) fn route(&self) -> &Route {
        &self.route
    }

    /// Returns information about the TLS connection to the origin.
    pub(crate) fn tls_info(&mut self) -> Option<TlsInfo> {
        match self.route {
            Route::Direct(_) | Route::Tunnel(..) => self.session.tls_info(),
            Route::Forward(_) => None, // its TLS is the proxy's
        }
    }

    pub(crate) fn is_fresh(&self) -> bool {
        !self.is_pooled
    }

    /// Takes the connection out of the pool and gives it buffers.
    pub(crate) fn wake(&mut self, shelf: &mut BufferPool) {
        self.is_pooled = true;
        self.session.wake(shelf);
    }

    /// Begins the call's current hop.
    pub(crate) fn start<B: Source>(
        &mut self,
        call: &mut Call<'_, B>,
    ) -> std::result::Result<(), ExchangeFailure> {
        call.begin_attempt(self.is_pooled);
        // RFC 9112 §6.1: no chunked coding for a peer that is known to be older than HTTP/1.1.
        if call.outgoing() == Outgoing::Chunked && self.session.peer_version() < Version::HTTP_11 {
            return Err(ExchangeFailure::body(
                "the server speaks HTTP/1.0, which requires a body of known length",
            ));
        }
        let (method, outgoing) = (call.method().clone(), call.outgoing());
        self.session.start(method, outgoing, call.expectation(), |out| call.write_head(out));
        if call.body_may_stall() {
            self.session.send_head_first();
        }
        if call.says_close() {
            self.session.close_after(CloseReason::WeSaidClose);
        }
        if let Some(offer) = call.offer() {
            self.session.offer(offer);
        }
        Ok(())
    }

    /// Returns the failure of an attempt that got no response.
    pub(crate) fn failure(&self, halt: ExchangeFailure) -> Failure {
        // The proxy's refusal explains more than the error that followed it.
        let halt = match self.session.refusal() {
            Some(refusal) if !halt.is_cancelled() => ExchangeFailure::Session(refusal),
            _ => halt,
        };
        let lost_connection = match &halt {
            ExchangeFailure::Io(_) => true,
            ExchangeFailure::Session(error) => error.is_loss(),
            _ => false,
        };
        Failure {
            error: self.error(halt, self.phase()),
            lost_connection,
            is_pooled: self.is_pooled,
            has_sent: self.session.has_sent(),
            has_heard: self.session.has_heard(),
        }
    }

    /// Returns the error for a body that cannot be read further. The connection is not reused.
    pub(crate) fn body_error(&mut self, halt: ExchangeFailure) -> Error {
        self.session.close_after(halt.close_reason());
        self.error(halt, Phase::Body)
    }

    /// Returns the error for an upgraded connection that failed.
    pub(crate) fn upgraded_error(&self, halt: ExchangeFailure) -> Error {
        self.error(halt, Phase::Upgrade)
    }

    /// Returns the phase of an exchange whose response has not begun.
    fn phase(&self) -> Phase {
        match self.session.setup() {
            Some(Setup::Tunnel) => Phase::Proxy,
            Some(Setup::Tls | Setup::ProxyTls) => Phase::Handshake,
            None if !self.session.has_sent() => Phase::Send,
            None if self.session.is_sent() || self.session.is_answered() => Phase::Head,
            None => Phase::Send,
        }
    }

    fn error(&self, halt: ExchangeFailure, phase: Phase) -> Error {
        let error = match halt {
            ExchangeFailure::Body(error) => return error,
            ExchangeFailure::Session(error) => error.into_error(phase),
            ExchangeFailure::Expired(expired) => Error::new(expired.kind(), phase).cause(expired),
            ExchangeFailure::Io(error) => Error::new(Kind::Io, phase).cause(error),
        };
        match self.route.proxy() {
            Some(proxy) if self.session.setup() == Some(Setup::ProxyTls) => {
                error.peer(proxy.authority()).via(proxy)
            }
            Some(proxy) => error.peer(self.route.authority()).via(proxy),
            None => error.peer(self.route.authority()),
        }
    }
}

/// Returns the layers that a connection of that route needs.
fn layers(config: &Config, route: &Route, found: Option<IpAddr>) -> Result<Option<Layers>> {
    match route {
        Route::Direct(target) => Ok(tls(config, target)?.map(Layers::tls)),
        Route::Forward(hop) => Ok(proxy_tls(config, hop)?.map(Layers::tls)),
        Route::Tunnel(hop, target) => {
            let tunnel = tunnel(config, hop, target, found)?;
            Ok(Some(Layers::tunnel(proxy_tls(config, hop)?, tunnel, tls(config, target)?)))
        }
    }
}

fn tls(config: &Config, target: &Target) -> Result<Option<Tls>> {
    if target.security == Security::Plain {
        return Ok(None);
    }
    config
        .tls
        .stage(target.host(), target.identity)
        .map(Some)
        .map_err(|error| error.peer(target.authority()))
}

/// Returns the TLS of a connection to a proxy, which is verified by the proxy's own name.
fn proxy_tls(config: &Config, hop: &ProxyServer) -> Result<Option<Tls>> {
    let Protocol::Http { security: Security::Tls, .. } = hop.protocol else { return Ok(None) };
    config.tls.proxy_stage(&hop.host).map(Some).map_err(|error| error.peer(hop.authority()))
}

fn tunnel(
    config: &Config,
    hop: &ProxyServer,
    target: &Target,
    found: Option<IpAddr>,
) -> Result<Box<dyn Tunnel>> {
    let (version, login) = match &hop.protocol {
        Protocol::Http { fields, .. } => {
            return Ok(Box::new(Connect::new(
                &config.limits,
                &target.authority(),
                fields,
                config.user_agent(),
            )));
        }
        Protocol::Socks { version, login, .. } => (version, login.as_ref()),
    };
    let destination = match found.or(target.address()) {
        Some(address) => Destination::Address(address),
        None => Destination::Name(target.host().to_owned()),
    };
    let socks = match version {
        SocksVersion::Four => Socks::four(login, &destination, target.port),
        SocksVersion::Five => Socks::five(login, &destination, target.port),
    };
    match socks {
        Ok(socks) => Ok(Box::new(socks)),
        Err(error) => {
            Err(Error::new(Kind::Proxy, Phase::Proxy).peer(target.authority()).cause(error))
        }
    }
}

impl ExchangeFailure {
    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(self, Self::Expired(expired) if expired.kind() == Kind::Cancelled)
    }

    /// Returns whether it was caused by bytes from the peer, such as a TLS alert.
    pub(crate) fn is_word_of_peer(&self) -> bool {
        matches!(self, Self::Session(error) if !error.is_loss())
    }

    pub(crate) fn close_reason(&self) -> CloseReason {
        match self {
            Self::Expired(_) => CloseReason::TimeOver,
            Self::Io(_) => CloseReason::Io,
            Self::Session(error) if error.is_loss() => CloseReason::EarlyEof,
            Self::Session(_) => CloseReason::ProtocolError,
            Self::Body(_) => CloseReason::RequestIncomplete,
        }
    }

    /// Returns the error for a request body that the caller's source could not produce.
    pub(crate) fn body(cause: impl Into<Cause>) -> Self {
        Self::Body(Error::new(Kind::Body, Phase::Send).detail("request body").cause(cause))
    }
}

impl From<Missing> for ExchangeFailure {
    fn from(missing: Missing) -> Self {
        Self::body(BodyError::TooShort { missing: missing.0 })
    }
}

impl From<SessionError> for ExchangeFailure {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}
