//! The end of a complete response, straight from RFC 9112 §6.3.

use std::ops::Range;

use leanhttp::Method;
use leanhttp::fuzzing::Head;
use leanhttp::header::{CONTENT_LENGTH, TRANSFER_ENCODING};

use crate::chunked;

/// The body after `head`, and its length in `rest`; `None` if it is truncated.
pub fn body(method: &Method, head: &Head, rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    if method == Method::HEAD || [204, 304].contains(&head.status.as_u16()) {
        return Some((Vec::new(), 0));
    }
    if head.headers.contains_key(TRANSFER_ENCODING) {
        let body = chunked::decode(rest);
        return body.length.map(|length| (body.data, length));
    }
    let length = match head.headers.get(CONTENT_LENGTH) {
        Some(value) => {
            let first = value.to_str().ok()?.split(',').next()?.trim();
            first.parse().ok()?
        }
        None => rest.len(),
    };
    Some((rest.get(..length)?.to_vec(), length))
}

/// The position of the first head that is not an interim one.
pub fn final_head(stream: &[u8]) -> Option<Range<usize>> {
    let mut start = 0;
    loop {
        // RFC 9112 §2.2 allows empty lines before the head.
        while let Some(line) =
            [&b"\r\n"[..], b"\n"].iter().find(|it| stream[start..].starts_with(it))
        {
            start += line.len();
        }
        let mut end = start;
        while !matches!(line(&stream[end..])?, b"\n" | b"\r\n") {
            end += line(&stream[end..])?.len();
        }
        end += line(&stream[end..])?.len();
        // `HTTP/1.1 1xx`
        if stream.get(start + 9) != Some(&b'1') {
            return Some(start..end);
        }
        start = end;
    }
}

/// The line with its LF.
fn line(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    Some(&text[..=end])
}
