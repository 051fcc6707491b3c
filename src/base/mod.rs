//! What the rest of the crate is built from and what knows nothing of HTTP: a [`Buffer`](buffer::Buffer)
//! and the store of free ones, numbers, percent-encoding, the calendar, excerpts of a peer's bytes for
//! error messages, the cancel token, and the timings of a call.

pub(crate) mod buffer;
pub(crate) mod calendar;
pub(crate) mod cancel;
pub(crate) mod erased_box;
pub(crate) mod excerpt;
pub(crate) mod number;
pub(crate) mod percent;
pub mod timings;
