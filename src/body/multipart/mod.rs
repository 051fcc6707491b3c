//! `multipart/form-data` bodies (RFC 7578): a [form](form) of [parts](part), each with its header fields
//! and content, between [boundaries](boundary).

pub(crate) mod boundary;
mod disposition;
pub(crate) mod form;
mod media_type;
pub(crate) mod part;

#[cfg(test)]
mod tests;
