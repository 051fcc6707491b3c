//! Excerpts of a peer's bytes for error messages.

use std::fmt;

const MAX_EXCERPT: usize = 32;

/// The first bytes of a text from a peer, escaped and bounded: safe to print and to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt(Box<str>);

impl Excerpt {
    /// Shows at most 32 bytes of `bytes`, and `…` if there are more.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self::bounded(bytes, MAX_EXCERPT)
    }

    /// Shows at most `at_most` bytes.
    pub(crate) fn bounded(bytes: &[u8], at_most: usize) -> Self {
        let (shown, more) = match bytes.split_at_checked(at_most) {
            Some((shown, [_, ..])) => (shown, "…"),
            _ => (bytes, ""),
        };
        Self(format!("\"{}\"{more}", shown.escape_ascii()).into())
    }

    /// Shows the first line of `lines` up to its colon: the name of a field without its value.
    pub(crate) fn field_name(lines: &[u8]) -> Self {
        let ends_name = |byte: &u8| matches!(byte, b':' | b'\r' | b'\n');
        Self::new(lines.split(ends_name).next().unwrap_or_default())
    }

    /// Returns whether it starts like a TLS alert, a TLS server's answer to a plain request (RFC 8446
    /// §5.1).
    pub(crate) fn is_tls_alert(&self) -> bool {
        self.0.starts_with(r#""\x15"#)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
