//! HTTP/1.1 (RFC 9112) as bytes and events: nothing here knows a socket, a clock or a URL.
//!
//! Read [`exchange`] first: one request and its response, with every state that they can be in. It is made of
//!
//! - [`head`]: status lines and header fields are found, parsed (by `httparse`) and written; [`header_section`]
//!   keeps them as they came, [`field_lines`] reads what steers a connection, over all lines of a name;
//! - [`framing`]: how the body of a response ends; `body_decoder` and [`chunked`] take it apart;
//! - [`close`]: why a connection cannot be used again; [`keep_alive`]: for how long it can;
//! - [`upgrade`]: going over to another protocol;
//! - [`limits`]: how much a peer may send; [`error`]: what it did wrong.

pub(crate) mod limits;

mod body_decoder;
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
