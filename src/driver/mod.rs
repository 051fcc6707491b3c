//! The driver: carries out what the machines ask for, hop by hop, on pooled or new connections. It
//! is written once for all runtimes:
//!
//! ```text
//! send ──▶ checkout ──▶ connect               a connection: an idle one, or a new one
//!   │        │
//!   │        └── waits in the queue if the limit is reached
//!   ├────▶ connection ──▶ socket              sends the request and reads the head; the budget limits each wait
//!   └────▶ lease ──▶ response_body            the body; then the connection returns to the pool
//!            └─────▶ upgraded                 after a 101: the connection itself, which is not pooled
//! ```
//!
//! A [`Runtime`](runtime::Runtime) supplies sockets, a clock and a way to wait. If it blocks, as
//! [`blocking`](crate::blocking) does, no future here is ever pending, and [`run`](runtime::run) is
//! a plain call.
//!
//! Read [`runtime`] and [`send`] first, then follow the diagram.

mod checkout;
pub(crate) mod connect;
mod connection;
pub(crate) mod failure;
mod lease;
mod response_body;
pub(crate) mod runtime;
mod send;
mod socket;
mod upgraded;

pub(crate) use checkout::Shared;
pub(crate) use connection::Connection;
pub(crate) use lease::Lease;
pub use response_body::ResponseBody;
pub(crate) use send::{Answer, send};
pub(crate) use socket::Addresses;
