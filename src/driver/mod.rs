//! The driver: carries out what the machines ask for, hop by hop, on pooled or new connections. It
//! is written once for all runtimes:
//!
//! ```text
//! send ──▶ checkout ──▶ connect ──▶ resolve   a connection: an idle one, or a new one
//!   │        │
//!   │        └── waits in the queue if the limit is reached
//!   ├────▶ connection ──▶ socket              sends the request and reads the head; the budget limits each wait
//!   └────▶ lease ──▶ response_body            the body; then the connection returns to the pool
//!            └─────▶ upgraded                 after a 101: the connection itself, which is not pooled
//! ```
//!
//! A runtime implements [`System`](system::System): sockets, a clock, a way to wait. If it blocks,
//! as [`blocking`](crate::blocking) does, no future here is ever pending, and
//! [`run`](poll_once::run) is a plain call.
//!
//! Read [`system`] and [`send`] first, then follow the diagram.

pub mod runtime;

mod checkout;
pub(crate) mod connect;
mod connection;
pub(crate) mod failure;
mod lease;
mod permit;
pub(crate) mod poll_once;
mod response_body;
mod send;
mod shared;
mod socket;
pub(crate) mod system;
mod upgraded;

pub(crate) use connection::Connection;
pub(crate) use lease::Lease;
pub use response_body::ResponseBody;
pub(crate) use send::{Answer, send};
pub(crate) use shared::Shared;
pub(crate) use socket::{Addresses, SocketError};
