//! Bodies as lines and as events: which bytes are a line or an event of `text/event-stream`, and when an event
//! source connects again. Values only: bytes and outcomes in, lines, events and the next step out.
//!
//! ```text
//! bytes ──▶ LineBuffer ──▶ lines of a body (client/streams.rs: Lines, JsonLines)
//!                 │
//!                 └──────▶ sse::Parser ──▶ sse::Event
//!                               │ last event ID, retry time
//! heads, failures ──▶ Subscription ──▶ ask again (with which fields) · wait · give up · end
//! ```
//!
//! Read `line_buffer`, then `sse`, then `reconnect`. What reads the body and waits is in
//! `client/streams.rs` and `client/event_source.rs`.
//!
//! # What must hold, and what guards it
//!
//! | rule | guarded by |
//! | --- | --- |
//! | the same bytes give the same lines and events, however they are split | the tests of each file run each case whole, byte by byte and cut at every place; `testing/harness/vectors/streams.rs`; fuzz targets `lines`, `sse` |
//! | the time is linear in the bytes | `no_byte_is_scanned_twice` |
//! | memory is bounded by the limits | `a_line_that_never_ends_is_an_error`, `an_event_of_many_lines_is_an_error` |
//! | an event costs one allocation | `tests/streams.rs`, `an_event_costs_at_most_two_allocations` |
//! | an unfinished line or event is never handed out as a whole one | tests of `sse`; `tests/streams.rs` |
//! | no reconnect sooner than the server asks | tests of `reconnect` |

pub(crate) mod line_buffer;
#[cfg(feature = "sse")]
pub(crate) mod reconnect;
#[cfg(feature = "sse")]
pub(crate) mod sse;
