//! `multipart/form-data` bodies (RFC 7578).
//!
//! Read `form` first, then `part` for the fields and content of one part, and `boundary` for the
//! delimiter between parts.

pub(crate) mod boundary;
mod disposition;
pub(crate) mod form;
mod media_type;
pub(crate) mod part;

#[cfg(test)]
mod tests;

pub use form::Form;
pub use part::Part;
