//! The end of a body, computed from its bytes: judges the client's result without the client's
//! decoders.

use std::fmt;

/// The framing of a body (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// No body, whatever the fields say.
    Nothing,
    Length(usize),
    Chunked,
    UntilClose,
}

/// The extent of a body in its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Complete; the next message begins at this position.
    Complete(usize),
    Partial,
    Broken,
}

/// The end of the connection after the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    Orderly,
    Not,
}

impl Framing {
    /// The content so far, and whether it is complete.
    pub(super) fn judge(self, raw: &[u8], close: Close) -> (Vec<u8>, Extent) {
        match self {
            Self::Nothing => (Vec::new(), Extent::Complete(0)),
            Self::Length(length) if raw.len() >= length => {
                (raw[..length].to_vec(), Extent::Complete(length))
            }
            Self::Length(_) => (raw.to_vec(), Extent::Partial),
            Self::Chunked => chunks(raw),
            Self::UntilClose if close == Close::Orderly => {
                (raw.to_vec(), Extent::Complete(raw.len()))
            }
            Self::UntilClose => (raw.to_vec(), Extent::Partial),
        }
    }
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing | Self::UntilClose => Ok(()),
            Self::Length(length) => write!(f, "content-length: {length}\r\n"),
            Self::Chunked => f.write_str("transfer-encoding: chunked\r\n"),
        }
    }
}

/// Parses the chunks of RFC 9112 §7.1.
pub(super) fn chunks(raw: &[u8]) -> (Vec<u8>, Extent) {
    let mut content = Vec::new();
    let mut at = 0;
    loop {
        let Some(line) = line_at(raw, at) else { return (content, Extent::Partial) };
        let Some(size) = size(line) else { return (content, Extent::Broken) };
        at += line.len() + 2;
        if size == 0 {
            return (content, after_trailers(raw, at));
        }
        let data = &raw[at..raw.len().min(at + size)];
        content.extend_from_slice(data);
        at += size;
        match raw.get(at..at + 2) {
            Some(b"\r\n") => at += 2,
            Some(_) => return (content, Extent::Broken),
            None => return (content, Extent::Partial),
        }
    }
}

fn after_trailers(raw: &[u8], mut at: usize) -> Extent {
    loop {
        match line_at(raw, at) {
            None => return Extent::Partial,
            Some(b"") => return Extent::Complete(at + 2),
            Some(line) if line.contains(&b':') && !line.contains(&b'\n') => at += line.len() + 2,
            Some(_) => return Extent::Broken,
        }
    }
}

/// The bytes before the next CRLF.
fn line_at(raw: &[u8], at: usize) -> Option<&[u8]> {
    let rest = raw.get(at..)?;
    let length = rest.windows(2).position(|pair| pair == b"\r\n")?;
    Some(&rest[..length])
}

fn size(line: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(line).ok().filter(|text| !text.contains('\n'))?;
    let digits = text.split(';').next()?;
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    usize::from_str_radix(digits, 16).ok().filter(|_| is_plain)
}

#[test]
fn chunks_are_judged() {
    let rows: [(&[u8], &[u8], Extent); 8] = [
        (b"3\r\nabc\r\n0\r\n\r\nx", b"abc", Extent::Complete(13)),
        (b"3;e=1\r\nabc\r\n0\r\na: b\r\n\r\n", b"abc", Extent::Complete(23)),
        (b"3\r\nab", b"ab", Extent::Partial),
        (b"3\r\nabc\r\n", b"abc", Extent::Partial),
        (b"3\r\nabc\r\n0\r\n", b"abc", Extent::Partial),
        (b"3\r\nabcd\r\n", b"abc", Extent::Broken),
        (b"z\r\n", b"", Extent::Broken),
        (b"3;\n\r\nabc", b"", Extent::Broken),
    ];
    for (raw, content, extent) in rows {
        assert_eq!(chunks(raw), (content.to_vec(), extent), "{raw:?}");
    }
}
