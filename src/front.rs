//! What the two fronts differ in: where body bytes come from and what a connection is.

/// A way of driving the client: `blocking`, and in time others.
///
/// Sealed: it only names the types that [`Client`](crate::client::Client),
/// [`Request`](crate::request::Request) and [`Body`](crate::body::Body) are generic over.
pub trait Front: sealed::Sealed + Sized + 'static {
    /// Where the bytes of a streamed request body come from.
    type Source: Send + 'static;
    /// An open connection, as the pool keeps it.
    type Connection: Send + 'static;
    /// How somebody who waits for a connection is told.
    type Waiter: Send + 'static;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}
