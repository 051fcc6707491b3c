//! Conversions from and to the responses of the crate `http`.

use bytes::Bytes;

use super::{Head, Response};
use crate::base::timings::Timings;
use crate::driver::ResponseBody;
use crate::driver::runtime::Runtime;
use crate::http1::head::ResponseHead;
use crate::http1::header_section::HeaderSection;
use crate::url::Url;

/// Converts a response to an `http::Response`. Its body is read as before: it implements
/// `std::io::Read`, or on the async client `AsyncRead` and, with the feature `tower`,
/// `http_body::Body`.
///
/// The [`Url`] of the response and its [`Timings`] are among its extensions.
///
/// ```no_run
/// use leanhttp::{Url, blocking::ResponseBody};
///
/// let response: http::Response<ResponseBody> = leanhttp::get("https://example.org/")?.into();
/// let url = response.extensions().get::<Url>();
/// let text = std::io::read_to_string(response.into_body());
/// # Ok::<(), leanhttp::Error>(())
/// ```
impl<F: Runtime> From<Response<ResponseBody<F>>> for http::Response<ResponseBody<F>> {
    fn from(response: Response<ResponseBody<F>>) -> Self {
        let Response { mut head, body } = response;
        let mut converted = Self::new(body.of_url(head.url.clone()));
        *converted.status_mut() = head.received.status;
        *converted.version_mut() = head.received.version;
        *converted.headers_mut() = std::mem::take(head.received.headers.map_mut());
        *converted.extensions_mut() = head.extensions;
        converted.extensions_mut().insert(head.url);
        if let Some(timings) = head.timings {
            converted.extensions_mut().insert(*timings);
        }
        converted
    }
}

/// Converts an `http::Response` that was never received, for tests of code that takes a response.
///
/// Its URL and its timings are taken from the extensions; without a URL it is
/// `http://no.url.invalid/`. The body is not decoded, and no limit applies.
///
/// ```
/// use leanhttp::blocking::Response;
///
/// let made = http::Response::builder().status(404).header("x-reason", "gone").body("no such user")?;
/// let response = Response::from(made);
/// assert_eq!(response.headers()["x-reason"], "gone");
/// assert_eq!(response.text()?, "no such user");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<F: Runtime, T: Into<Bytes>> From<http::Response<T>> for Response<ResponseBody<F>> {
    fn from(made: http::Response<T>) -> Self {
        let (mut parts, body) = made.into_parts();
        let reason = parts.status.canonical_reason().unwrap_or_default();
        let status_line = format!("{:?} {} {reason}", parts.version, parts.status.as_str());
        let headers = HeaderSection::written(&status_line, parts.headers);
        let received = ResponseHead { version: parts.version, status: parts.status, headers };
        let url = parts.extensions.remove().unwrap_or_else(Url::nowhere);
        let mut head = Head::new(Box::new(received), url, None);
        head.timings = parts.extensions.remove::<Timings>().map(Box::new);
        head.extensions = parts.extensions;
        Self { head, body: ResponseBody::of_bytes(body.into()) }
    }
}
