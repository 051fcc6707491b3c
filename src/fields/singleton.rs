//! Fields that a message has at most once, because their values are not lists (RFC 9110 §5.3).
//!
//! A second `Host`, `Content-Type` or `Authorization` is not one request with two values: servers
//! and proxies choose different ones, which has been used to pass filters. So the API has three
//! behaviors:
//!
//! | the caller | a field of the list | `Cookie` | any other |
//! | --- | --- | --- | --- |
//! | adds a line with `header` | replaces the earlier one | is appended to its line | adds a line |
//! | passes a map with several lines | the last counts | they are joined | all are kept |
//! | builds a request of its own | several are an error | they are joined | all are kept |
//!
//! The list is short on purpose: a field is in it only if its definition makes it a single value.
//! Fields of which nothing is known may be lists, and stay as the caller set them
//! (`tests/request_fields.rs`, `the_last_value_of_a_singleton_counts`,
//! `two_values_of_a_singleton_in_a_request_are_refused`, `lists_keep_all_their_field_lines`,
//! `cookies_of_the_caller_are_one_field`).

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Result};

/// Returns whether a message must not have two lines with this name, by the field's definition:
///
/// | fields | definition |
/// | --- | --- |
/// | `Host`, `Max-Forwards` | RFC 9110 §7.2, §7.6.2 |
/// | `Content-Type`, `Content-Length`, `Content-Location`, `ETag`, `Last-Modified` | §8.3, §8.6, §8.7, §8.8 |
/// | `Date`, `From`, `Referer`, `User-Agent`, `Location`, `Retry-After` | §6.6.1, §10.1, §10.2 |
/// | `Authorization`, `Proxy-Authorization` | §11.6.2, §11.7.2 |
/// | `If-Modified-Since`, `If-Unmodified-Since`, `If-Range`, `Range`, `Content-Range` | §13.1, §14 |
/// | `Age`, `Expires` | RFC 9111 §5.1, §5.3 |
/// | `Origin` | RFC 6454 §7.3 |
/// | `Content-Disposition` | RFC 6266 §4.1 |
/// | `Sec-WebSocket-Key`, `Sec-WebSocket-Version` (of a request) | RFC 6455 §11.3 |
/// | `Access-Control-Request-Method` | Fetch §3.3.2 |
pub(crate) fn is_singleton(name: &HeaderName) -> bool {
    const SINGLETONS: [HeaderName; 27] = [
        header::CONTENT_TYPE,
        header::AUTHORIZATION,
        header::USER_AGENT,
        header::HOST,
        header::RANGE,
        header::REFERER,
        header::ORIGIN,
        header::CONTENT_LENGTH,
        header::PROXY_AUTHORIZATION,
        header::MAX_FORWARDS,
        header::CONTENT_LOCATION,
        header::CONTENT_RANGE,
        header::CONTENT_DISPOSITION,
        header::DATE,
        header::FROM,
        header::ETAG,
        header::LAST_MODIFIED,
        header::LOCATION,
        header::RETRY_AFTER,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
        header::IF_RANGE,
        header::AGE,
        header::EXPIRES,
        header::SEC_WEBSOCKET_KEY,
        header::SEC_WEBSOCKET_VERSION,
        header::ACCESS_CONTROL_REQUEST_METHOD,
    ];
    SINGLETONS.contains(name)
}

/// Adds a field line; for a field that is allowed only once, replaces the existing line. `Cookie` is
/// allowed only once too (RFC 6265 §5.4), but its value is a list, to which the new value is appended.
pub(crate) fn add(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) -> Result<()> {
    if is_singleton(&name) {
        headers.try_insert(name, value).map_err(Error::too_many_fields)?;
        return Ok(());
    }
    if name == header::COOKIE {
        if let Some(cookies) = headers.get_mut(&name) {
            *cookies = joined([&*cookies, &value])?;
            return Ok(());
        }
    }
    headers.try_append(name, value).map_err(Error::too_many_fields)?;
    Ok(())
}

/// Joins the lines of `Cookie`, and returns an error for two lines of another field that is allowed only
/// once. Cheap if no name has two lines.
pub(crate) fn check(headers: &mut HeaderMap) -> Result<()> {
    if headers.len() == headers.keys_len() {
        return Ok(());
    }
    let mut cookies = headers.get_all(header::COOKIE).iter();
    if let (Some(_), Some(_)) = (cookies.next(), cookies.next()) {
        let all = joined(headers.get_all(header::COOKIE))?;
        headers.insert(header::COOKIE, all);
    }
    let is_repeated =
        |name: &&HeaderName| is_singleton(name) && headers.get_all(*name).iter().nth(1).is_some();
    match headers.keys().find(is_repeated) {
        Some(name) => Err(Error::builder(format!("more than one {name} field"))),
        None => Ok(()),
    }
}

fn joined<'a>(cookies: impl IntoIterator<Item = &'a HeaderValue>) -> Result<HeaderValue> {
    let mut line = Vec::new();
    for cookie in cookies.into_iter().filter(|cookie| !cookie.is_empty()) {
        if !line.is_empty() {
            line.extend_from_slice(b"; ");
        }
        line.extend_from_slice(cookie.as_bytes());
    }
    let mut joined = HeaderValue::from_maybe_shared(bytes::Bytes::from(line))
        .map_err(|error| Error::invalid_field("header cookie", error))?;
    joined.set_sensitive(true);
    Ok(joined)
}
