//! The driver: carries out what the machines ask for, hop by hop, on connections of the pool or on
//! fresh ones. It is written once, for all fronts:
//!
//! ```text
//! send ──▶ turn ──▶ dial ──▶ resolve          a connection: one that idles, or a new one
//!   │        │
//!   │        └── is waited for where there may be only so many
//!   ├────▶ connection ──▶ socket              the bytes of an exchange, each wait within the budget
//!   └────▶ lease ──▶ reader                   the body; then the connection goes back to the pool
//!            └─────▶ upgraded                 after a 101: the connection itself, which does not
//! ```
//!
//! What a front adds is a [`System`](system::System): sockets, a clock, a way to wait. Where that
//! blocks, as in [`blocking`](crate::blocking), no future here is ever pending, and
//! [`run`](poll_once::run) is a plain call.

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
pub(crate) use reader::Reader;
pub(crate) use send::{Answer, send};
pub(crate) use shared::Shared;
pub(crate) use socket::{Addresses, SocketError};
