//! Where a complete response ends, as plainly as RFC 9112 §6.3 can be read.

use std::ops::Range;

use leanhttp::Method;
use leanhttp::fuzzing::Head;
use leanhttp::header::{CONTENT_LENGTH, TRANSFER_ENCODING};

use crate::chunked;

/// The body that follows `head`, and how many bytes of `rest` it takes; `None` if it is cut.
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

/// Where the first head that is not an interim one stands.
pub fn final_head(stream: &[u8]) -> Option<Range<usize>> {
    let mut start = 0;
    loop {
        // RFC 9112 §2.2 lets empty lines be skipped.
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

/// With its LF.
fn line(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    Some(&text[..=end])
}
