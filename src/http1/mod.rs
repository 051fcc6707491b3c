//! HTTP/1.1 as bytes and events.

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
