//! HTTP/1.1 as bytes and events.

pub(crate) mod buffer;
mod chunk_line;
pub(crate) mod chunked;
pub(crate) mod close;
pub(crate) mod error;
pub(crate) mod exchange;
pub(crate) mod fields;
pub(crate) mod framing;
pub(crate) mod head;
mod incoming;
pub(crate) mod keep_alive;
mod lenient;
pub(crate) mod number;
pub(crate) mod progress;
pub(crate) mod section;
pub(crate) mod spelling;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod upgrade;
