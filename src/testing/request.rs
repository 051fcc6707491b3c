//! A request as the in-memory server has received it, and its parser.

use std::fmt;
use std::str;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::url::Url;

/// A request as it was sent: after redirects, cookies and credentials, with all fields that the client adds.
///
/// `Debug` shows method, URL, field names and the length of the body, no values.
#[derive(Clone)]
pub struct ReceivedRequest {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl ReceivedRequest {
    /// Returns the method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the URL: after a redirect, its target.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns all fields that were sent.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the first value of a field, if it is text.
    ///
    /// ```
    /// use leanhttp::Client;
    /// use leanhttp::testing::Reply;
    ///
    /// let client = Client::builder()
    ///     .answer_with(|request| Reply::ok(request.header("accept").unwrap_or("none").to_owned()))
    ///     .build()?;
    /// let text = client.get("http://api.example/").header("accept", "text/plain").send()?.text()?;
    /// assert_eq!(text, "text/plain");
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the body, without its transfer coding.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the body as text; invalid UTF-8 becomes U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Parses the body as JSON.
    ///
    /// # Errors
    ///
    /// If the body is not JSON, or not of this type.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("method", &self.method)
            .field("url", &self.url.redacted().to_string())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// The largest request that is received; a larger one ends its connection.
pub(super) const MAX_REQUEST_BYTES: usize = 256 * 1024 * 1024;

/// The most fields of a request.
const MAX_FIELDS: usize = 256;

/// The state of a request of which these bytes have come.
pub(super) enum Parsed {
    /// The beginning of a request.
    Partial {
        /// True if the client waits for `100 Continue`.
        expects_continue: bool,
    },
    /// A request, and how many bytes it takes.
    Whole { method: Method, headers: HeaderMap, body: Bytes, length: usize },
    /// Not a request.
    Malformed,
}

/// Parses the request at the beginning of `bytes`.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    let head_length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Parsed::Partial { expects_continue: false },
        Err(_) => return Parsed::Malformed,
    };
    let Some((method, headers)) = head_of(&head) else { return Parsed::Malformed };
    let rest = bytes.get(head_length..).unwrap_or_default();
    let has = |name: HeaderName, token: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.eq_ignore_ascii_case(token))
    };
    let body = if has(header::TRANSFER_ENCODING, "chunked") {
        unchunk(rest)
    } else {
        sized(rest, headers.get(header::CONTENT_LENGTH))
    };
    match body {
        Ok(Some((body, taken))) => {
            Parsed::Whole { method, headers, body, length: head_length + taken }
        }
        Ok(None) => Parsed::Partial { expects_continue: has(header::EXPECT, "100-continue") },
        Err(Malformed) => Parsed::Malformed,
    }
}

struct Malformed;

/// A body and the bytes that it takes; `None` if it is not complete.
type BodyOf = Result<Option<(Bytes, usize)>, Malformed>;

fn head_of(head: &httparse::Request<'_, '_>) -> Option<(Method, HeaderMap)> {
    let method = Method::from_bytes(head.method?.as_bytes()).ok()?;
    let mut headers = HeaderMap::new();
    for field in head.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(field.value).ok()?);
    }
    Some((method, headers))
}

/// RFC 9112 §6.3: without a length a request has no body.
fn sized(rest: &[u8], length: Option<&HeaderValue>) -> BodyOf {
    let Some(length) = length else { return Ok(Some((Bytes::new(), 0))) };
    let length: usize = length.to_str().ok().and_then(|text| text.parse().ok()).ok_or(Malformed)?;
    Ok(rest.get(..length).map(|body| (Bytes::copy_from_slice(body), length)))
}

/// Decodes the chunked transfer coding (RFC 9112 §7.1).
fn unchunk(rest: &[u8]) -> BodyOf {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let Some((line, next)) = line(rest, at) else { return Ok(None) };
        let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let size = str::from_utf8(size).ok().map(str::trim);
        let size = size.and_then(|size| usize::from_str_radix(size, 16).ok()).ok_or(Malformed)?;
        if size == 0 {
            return Ok(trailers_end(rest, next).map(|end| (body.into(), end)));
        }
        let end = next.checked_add(size).ok_or(Malformed)?;
        let Some(chunk) = rest.get(next..end) else { return Ok(None) };
        body.extend_from_slice(chunk);
        match rest.get(end..end + 2) {
            None => return Ok(None),
            Some(b"\r\n") => at = end + 2,
            Some(_) => return Err(Malformed),
        }
    }
}

/// Returns the end of the trailer section that begins there.
fn trailers_end(rest: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let (line, next) = line(rest, at)?;
        if line.is_empty() {
            return Some(next);
        }
        at = next;
    }
}

/// Returns the line that begins there without its end, and the beginning of the next one.
fn line(rest: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let tail = rest.get(at..)?;
    let length = tail.windows(2).position(|pair| pair == b"\r\n")?;
    Some((tail.get(..length)?, at + length + 2))
}

#[cfg(test)]
mod tests;
