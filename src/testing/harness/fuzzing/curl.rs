//! Requests as commands of curl.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Version};

use crate::extra::curl::{self, Outline, Payload};
use crate::url::Url;

/// Returns the command of a request with these fields and this body, secrets included, and its URL; `None` if they
/// are no request.
pub fn command(
    method: &str,
    url: &str,
    fields: &[(&str, &[u8])],
    body: Option<&[u8]>,
) -> Option<(String, String)> {
    let (method, url) = (Method::from_bytes(method.as_bytes()).ok()?, Url::parse(url).ok()?);
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(value).ok()?);
    }
    let body = body.map_or(Payload::None, Payload::Bytes);
    let version = Version::HTTP_11;
    let outline = Outline { method: &method, url: &url, version, headers: &headers, body };
    Some((curl::command(&outline, true), url.to_string()))
}
