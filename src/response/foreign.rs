//! Responses as the crate `http` has them.

use super::Response;
use crate::driver::Reader;
use crate::front::Front;

/// The same response for those who take an `http::Response`. Its body is read as before: it is an
/// `std::io::Read`, or on the async front an `AsyncRead` and, with the feature `tower`, an
/// `http_body::Body`.
///
/// The [`Url`](crate::Url) of the response and its [`Timings`](crate::timings::Timings) are among its
/// extensions.
///
/// ```no_run
/// use leanhttp::{Url, blocking::Reader};
///
/// let response: http::Response<Reader> = leanhttp::get("https://example.org/")?.into();
/// let url = response.extensions().get::<Url>();
/// let text = std::io::read_to_string(response.into_body());
/// # Ok::<(), leanhttp::Error>(())
/// ```
impl<F: Front> From<Response<Reader<F>>> for http::Response<Reader<F>> {
    fn from(response: Response<Reader<F>>) -> Self {
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
