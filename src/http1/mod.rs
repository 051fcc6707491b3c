//! HTTP/1.1 (RFC 9112) as bytes and events. This folder uses no socket, clock or URL.
//!
//! Read [`exchange`] first: one request and its response, with all of their states. It is built from
//!
//! - [`head`]: finds, parses (with `httparse`) and writes status lines and header fields; [`header_section`]
//!   keeps them as received, [`field_lines`] reads the fields that control a connection;
//! - [`framing`]: determines the end of a response body; `body_decoder` and [`chunked`] decode it;
//! - [`close`]: the reasons why a connection cannot be reused; [`keep_alive`]: the time for which it can;
//! - [`upgrade`]: switching to another protocol;
//! - [`limits`]: the amount of data accepted from a peer; [`error`]: the peer's violations.

pub(crate) mod limits;

mod chunk_line;
pub(crate) mod chunked;
pub(crate) mod close;
pub(crate) mod error;
pub(crate) mod exchange;
pub(crate) mod field_lines;
pub(crate) mod framing;
pub(crate) mod head;
pub(crate) mod header_section;
pub(crate) mod keep_alive;
mod lenient;
pub(crate) mod name_case;
pub(crate) mod progress;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod upgrade;
