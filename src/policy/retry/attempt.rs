//! What is known of an attempt that brought no response.

use http::Method;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) method: &'a Method,
    pub(crate) loss: Loss,
    pub(crate) connection: Origin,
    pub(crate) sent: Sent,
    pub(crate) answered: Answered,
    pub(crate) body: Replay,
}

/// Whether the connection itself was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    Connection,
    /// There was none, a deadline passed, a rule was broken, a body could not be produced.
    Other,
}

/// Where the connection came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Fresh,
    Pooled,
}

/// How much of the request may have reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Nothing,
    Something,
}

/// How much of a response came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    Nothing,
    Something,
}

/// Whether the request can be produced again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replay {
    Possible,
    Impossible,
}
