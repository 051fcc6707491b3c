//! Parsers for the fields that concern the caller and not the connection. Each accepts any bytes and reads
//! them in one pass.
//!
//! Read [`cursor`] first: it reads the lexical elements that most of the other files parse.

#[cfg(feature = "digest")]
pub(crate) mod challenge;
pub(crate) mod date;
pub(crate) mod disposition;
pub(crate) mod link;
#[cfg(any(feature = "charset", feature = "multipart"))]
pub(crate) mod media_type;
pub(crate) mod retry_after;
pub(crate) mod singleton;
pub(crate) mod token;

mod cursor;
#[cfg(any(test, fuzzing))]
pub(crate) use cursor::text;
mod ext_value;
