//! A connection without its socket: what both fronts know of it, and what its failures mean.

use std::io;

use http::Version;

use crate::body::BodyError;
use crate::call::{Call, Failure, Loss};
use crate::error::{Cause, Error, Kind, Phase};
use crate::front::Front;
use crate::policy::budget::Expired;
use crate::policy::retry::{Answered, Origin, Sent};
use crate::policy::route::Route;
use crate::proto::close::CloseReason;
use crate::proto::exchange::{Missing, Outgoing};
use crate::wire::session::{Memory, Session, SessionError};

/// The machine of a connection, where it leads, and where it came from.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) session: Session,
    route: Route,
    origin: Origin,
}

/// Why an exchange cannot go on.
#[derive(Debug)]
pub(crate) enum Halt {
    /// A deadline passed.
    Expired(Expired),
    /// The socket failed.
    Io(io::Error),
    Session(SessionError),
    /// The request's body could not be produced.
    Body(Error),
}

impl Link {
    /// A fresh connection.
    pub(crate) fn new(session: Session, route: Route) -> Self {
        Self { session, route, origin: Origin::Fresh }
    }

    pub(crate) fn route(&self) -> &Route {
        &self.route
    }

    /// Back from the pool, with memory to work in.
    pub(crate) fn wake(&mut self, memory: Memory) {
        self.origin = Origin::Pooled;
        self.session.wake(memory);
    }

    /// Begins the call's current hop.
    pub(crate) fn start<F: Front>(&mut self, call: &Call<'_, F>) -> Result<(), Halt> {
        // RFC 9112 §6.1: chunks only for a peer that is not known to be older than them.
        if call.outgoing() == Outgoing::Chunked && self.session.peer_version() < Version::HTTP_11 {
            return Err(Halt::body("HTTP/1.0, which the server speaks, needs to know its length"));
        }
        let (method, outgoing) = (call.method().clone(), call.outgoing());
        self.session.start(method, outgoing, call.expectation(), |out| call.write_head(out));
        if call.says_close() {
            self.session.close_after(CloseReason::WeSaidClose);
        }
        Ok(())
    }

    /// What is known about an attempt that brought no response.
    pub(crate) fn failure(&self, halt: Halt) -> Failure {
        let loss = match &halt {
            Halt::Io(_) => Loss::Connection,
            Halt::Session(error) if error.is_loss() => Loss::Connection,
            _ => Loss::Other,
        };
        let (sent, heard) = (self.session.has_sent(), self.session.has_heard());
        Failure {
            error: self.error(halt, self.phase()),
            loss,
            connection: self.origin,
            sent: if sent { Sent::Something } else { Sent::Nothing },
            answered: if heard { Answered::Something } else { Answered::Nothing },
        }
    }

    /// Why the response's body cannot be read on. The connection is of no more use.
    pub(crate) fn body_error(&mut self, halt: Halt) -> Error {
        self.session.close_after(CloseReason::Io);
        self.error(halt, Phase::Body)
    }

    /// What is being done until the response has begun.
    fn phase(&self) -> Phase {
        if self.session.is_handshaking() {
            Phase::Handshake
        } else if self.session.is_sent() || self.session.is_answered() {
            Phase::Head
        } else {
            Phase::Send
        }
    }

    fn error(&self, halt: Halt, phase: Phase) -> Error {
        let error = match halt {
            Halt::Body(error) => return error,
            Halt::Session(error) => error.into_error(phase),
            Halt::Expired(expired) => Error::new(Kind::Timeout, phase).cause(expired),
            Halt::Io(error) => Error::new(Kind::Io, phase).cause(error),
        };
        error.peer(self.route.authority())
    }
}

impl Halt {
    /// What the caller's reader did.
    pub(crate) fn body(cause: impl Into<Cause>) -> Self {
        Self::Body(Error::new(Kind::Body, Phase::Send).detail("request body").cause(cause))
    }
}

impl From<Missing> for Halt {
    fn from(missing: Missing) -> Self {
        Self::body(BodyError::TooShort { missing: missing.0 })
    }
}

impl From<SessionError> for Halt {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}
