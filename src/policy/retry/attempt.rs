//! The facts about an attempt that brought no response.

use http::Method;

#[derive(Debug, Clone, Copy)]
pub(crate) struct FailedAttempt<'a> {
    pub(crate) method: &'a Method,
    pub(crate) loss: Loss,
    pub(crate) connection: ConnectionOrigin,
    pub(crate) sent: Sent,
    pub(crate) answered: Answered,
    pub(crate) body: Replay,
}

/// The kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The connection was lost.
    Connection,
    /// No connection was made, a deadline passed, the protocol was violated, or
    /// the body could not be produced.
    Other,
}

/// The source of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionOrigin {
    Fresh,
    Pooled,
}

/// The amount of the request that may have reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Nothing,
    Something,
}

/// The amount of a response that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    Nothing,
    Something,
}

/// Whether the request can be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replay {
    Possible,
    Impossible,
}
