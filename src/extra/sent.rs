//! A request as it was sent, kept beside its response or its error, so that either can be shown as a command of
//! curl (feature `export`).

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Version};

use crate::error::Error;
use crate::extra::curl::{self, Outline, Payload};
use crate::policy::auth::mark_sensitive;
use crate::url::Url;

/// The length of a body up to which a request that was sent keeps it: it would otherwise stay in memory for as
/// long as the response.
pub(crate) const MOST_KEPT: usize = 1024 * 1024;

/// The request of an attempt.
#[derive(Clone)]
pub(crate) struct SentRequest {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) version: Version,
    /// The head as it was written: request line and fields.
    pub(crate) head: Vec<u8>,
    /// The values that the program has marked as sensitive.
    pub(crate) marked: Vec<HeaderValue>,
    pub(crate) body: SentBody,
}

/// The body of a [`SentRequest`].
#[derive(Clone)]
pub(crate) enum SentBody {
    None,
    Bytes(Bytes),
    /// It was read from a source, or is longer than [`MOST_KEPT`].
    NotKept,
}

impl SentRequest {
    /// Returns the request as a command of curl.
    pub(crate) fn to_curl(&self, with_secrets: bool) -> String {
        let mut headers: HeaderMap = self.fields().map(|(_, name, value)| (name, value)).collect();
        mark_sensitive(&mut headers);
        let body = match &self.body {
            SentBody::None => Payload::None,
            SentBody::Bytes(bytes) => Payload::Bytes(bytes),
            SentBody::NotKept => Payload::Source,
        };
        let (method, url, version) = (&self.method, &self.url, self.version);
        curl::command(&Outline { method, url, version, headers: &headers, body }, with_secrets)
    }

    /// Returns the fields in their order, each with its name as it was spelled.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&[u8], HeaderName, HeaderValue)> {
        fields(&self.head).map(|(spelled, name, mut value)| {
            value.set_sensitive(self.marked.contains(&value));
            (spelled, name, value)
        })
    }
}

/// Returns the fields of a head, whose first line is skipped: the name as it is spelled, name and value.
pub(crate) fn fields(head: &[u8]) -> impl Iterator<Item = (&[u8], HeaderName, HeaderValue)> {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or_default().trim_ascii();
        Some((name, HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
    })
}

impl Error {
    /// Returns the request of the last attempt as a command of curl for a POSIX shell, as
    /// [`RequestBuilder::to_curl`](crate::client::request::RequestBuilder::to_curl) does, with its secrets replaced
    /// by `REDACTED`; `None` if the call failed before its request was known, as it does with an invalid one.
    ///
    /// A body over 1 MiB is not shown.
    ///
    /// ```
    /// # fn main() -> leanhttp::Result<()> {
    /// # #[cfg(feature = "blocking")] {
    /// let request = leanhttp::Client::new().get("http://host.invalid/?token=s3cret");
    /// let error = request.send().unwrap_err();
    /// assert!(error.to_curl().is_some_and(|command| command.ends_with("/?token=REDACTED'")));
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "export")))]
    pub fn to_curl(&self) -> Option<String> {
        Some(self.sent()?.downcast_ref::<SentRequest>()?.to_curl(false))
    }

    /// Returns the request of the last attempt as [`to_curl`](Self::to_curl) does, with all of its secrets.
    #[cfg_attr(docsrs, doc(cfg(feature = "export")))]
    pub fn to_curl_with_secrets(&self) -> Option<String> {
        Some(self.sent()?.downcast_ref::<SentRequest>()?.to_curl(true))
    }
}
