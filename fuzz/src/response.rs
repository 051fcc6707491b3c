//! Where a complete response ends, as plainly as RFC 9112 §6.3 can be read.

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
