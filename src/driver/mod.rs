//! The driver: carries out what the machines ask for, hop by hop, on pooled or new connections. It
//! is written once for all runtimes:
//!
//! ```text
//! send ──▶ checkout ──▶ connect ──▶ resolve   a connection: an idle one, or a new one
//!   │        │
//!   │        └── waits in the queue if the limit is reached
//!   ├────▶ connection ──▶ socket              moves the bytes of an exchange; the budget limits each wait
//!   └────▶ lease ──▶ reader                   the body; then the connection returns to the pool
//!            └─────▶ upgraded                 after a 101: the connection itself, which is not pooled
//! ```
//!
//! A runtime implements [`System`](system::System): sockets, a clock, a way to wait. If it blocks,
//! as [`blocking`](crate::blocking) does, no future here is ever pending, and
//! [`run`](poll_once::run) is a plain call.
//!
//! Read [`system`] and [`send`] first, then follow the diagram.

pub(crate) mod link;
pub mod runtime;

mod checkout;
pub(crate) mod connect;
mod connection;
mod lease;
mod permit;
pub(crate) mod poll_once;
mod reader;
mod send;
mod shared;
mod socket;
pub(crate) mod system;
mod upgraded;

pub(crate) use connection::Connection;
pub(crate) use lease::Lease;
pub use reader::ResponseBody;
pub(crate) use send::{Answer, send};
pub(crate) use shared::Shared;
pub(crate) use socket::{Addresses, SocketError};
