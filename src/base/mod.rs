//! Building blocks that know nothing of HTTP.
//!
//! Read [`buffer`] first: the byte queue that every connection uses. The other files are independent of
//! each other: digit-exact numbers, percent-encoding, the calendar, excerpts of a peer's bytes for error
//! messages, the cancel token, and the timings of a call.

pub(crate) mod buffer;
pub(crate) mod calendar;
pub(crate) mod cancel;
pub(crate) mod excerpt;
pub(crate) mod number;
pub(crate) mod percent;
pub mod timings;
