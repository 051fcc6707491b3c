//! HTTP/1.1 (RFC 9112) as bytes and events. This folder uses no socket, clock or URL: bytes and "the connection
//! has ended" go in, the next [`Step`](exchange::Step) comes out.
//!
//! ```text
//!            request                                     response
//!   call ──▶ request_head ──▶ output ──▶ socket ──▶ input ──▶ head ──▶ header_section
//!   body ──▶ chunked ────────▶   │                    │         ├────▶ framing: where the body ends
//!                                └───── exchange ─────┘         └────▶ close: can the connection be reused?
//!                                                     └──▶ chunked, or a length ──▶ the caller's slice
//! ```
//!
//! Read [`exchange`] first: one request and its response on one connection, with all states and transitions of
//! both. It is built from
//!
//! - [`request_head`]: writes the request line and the fields;
//! - [`head`]: finds the end of a response head and parses it with `httparse`; [`header_section`] keeps its lines as
//!   received, and reads the fields that control a connection (`Connection`, `Content-Length`,
//!   `Transfer-Encoding`, `Keep-Alive`);
//! - [`framing`]: the eight rules of RFC 9112 §6.3 for the end of a response body; [`chunked`]: the only transfer
//!   coding (§7.1), in both directions;
//! - [`close`]: the reasons why a connection cannot be reused, and the time for which it can (§9.3);
//! - [`upgrade`]: switching to another protocol (RFC 9110 §7.8);
//! - [`limits`]: the amount of data accepted from a peer; [`error`]: the peer's violations.
//!
//! Three rules hold everywhere, because request smuggling and response splitting begin where they do not:
//!
//! 1. The same bytes mean the same, however they are split into reads. Decisions are made on whole heads and by the
//!    decoders. The split tests of each file and the fuzz targets `exchange` and `chunked` check it.
//! 2. What two recipients could interpret differently is an error, or at least ends the connection
//!    (`CloseReason::FramingDoubt`). The conformance vectors and `tests/hostile_framing.rs` check it.
//! 3. Nothing grows without one of the [`limits`], and a limit is checked before the memory is allocated.
//!    `tests/hostile_size.rs` checks it.
//!
//! # One exchange, as bytes
//!
//! A request with a small body, answered with 200 and a chunked body; on the right, the states of
//! [`exchange`] that change:
//!
//! ```text
//! POST /items HTTP/1.1\r\n            sending: Head(Length(3)), waits for the first piece of the body
//! host: example.org\r\n
//! content-length: 3\r\n
//! \r\n
//! abc                                 sending: Done; head and body leave in one write
//!
//! HTTP/1.1 102 Processing\r\n\r\n      receiving: Head, one interim response counted
//! HTTP/1.1 200 OK\r\n                 receiving: Body(Chunked); the head is delivered
//! transfer-encoding: chunked\r\n
//! \r\n
//! 5\r\nhello\r\n                       five bytes for the caller
//! 0\r\n                              the last chunk
//! checksum: 1234\r\n                  a trailer, kept apart from the head
//! \r\n                               receiving: Complete; the connection can be reused
//! ```
//!
//! # Why a machine and not a reader over a socket
//!
//! A reader and a writer over a socket would be shorter, but then every test needs a socket, a
//! split of the input is an accident of the network, and the async API needs a second copy. A
//! machine over bytes is tested at every split (`any_bytes_at_any_splits`), fuzzed without threads,
//! and used three times: by both APIs, and by [`transport::connect`](crate::transport::connect) for
//! CONNECT. What it costs is the table of steps in [`exchange`], which the driver must carry out
//! literally.
//!
//! `httparse` splits a head into lines and checks their bytes, and that is all. The limits, what
//! two recipients could understand differently, and which field frames the body are decided here.

pub(crate) mod limits;

pub(crate) mod chunked;
pub(crate) mod close;
pub(crate) mod error;
pub(crate) mod exchange;
pub(crate) mod framing;
pub(crate) mod head;
pub(crate) mod header_section;
pub(crate) mod progress;
pub(crate) mod request_head;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod upgrade;
