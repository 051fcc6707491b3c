//! The hook before each attempt: a function of the program that sees the head that is about to be sent, and
//! may change its fields.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName};
use http::{HeaderValue, Method};

use crate::url::Url;

/// The head of an attempt, as it is about to be sent: with the default fields of the client, its cookies and
/// credentials, and the fields that the client writes itself.
///
/// See [`on_attempt`](crate::client::ClientBuilder::on_attempt).
pub struct AttemptHead<'a> {
    method: &'a Method,
    url: &'a Url,
    body: Option<&'a [u8]>,
    headers: HeaderMap,
}

/// The program's hook before each attempt.
#[derive(Clone)]
pub(crate) struct AttemptHook(pub(crate) Arc<AttemptFn>);

pub(crate) type AttemptFn =
    dyn Fn(&mut AttemptHead<'_>) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + Sync;

impl fmt::Debug for AttemptHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptHook")
    }
}

/// The fields that say where the message ends, who it is for and whether the connection goes on. A server must
/// not see others than the client has decided on (RFC 9112 §11.2).
const FIXED: [HeaderName; 8] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::TRAILER,
    header::TE,
    header::EXPECT,
];

impl<'a> AttemptHead<'a> {
    pub(crate) fn new(
        (method, url): (&'a Method, &'a Url),
        body: Option<&'a [u8]>,
        headers: HeaderMap,
    ) -> Self {
        Self { method, url, body, headers }
    }

    /// Returns the method of this attempt, which may differ from that of the call after a redirect.
    pub fn method(&self) -> &Method {
        self.method
    }

    /// Returns the URL of this attempt: after a redirect, its target, which may be another origin. Sign only what
    /// that origin may see.
    pub fn url(&self) -> &Url {
        self.url
    }

    /// Returns the body, if it is in memory in one piece; `None` if it is read from a source, and the empty slice
    /// if there is none.
    pub fn body(&self) -> Option<&[u8]> {
        self.body
    }

    /// Returns all fields that will be sent.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns all fields for modification. They hold for this attempt alone: the next one begins with the fields
    /// of the request again.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// Runs the hook, and returns the fields to send.
    pub(crate) fn run(
        mut self,
        hook: &AttemptHook,
    ) -> Result<HeaderMap, Box<dyn StdError + Send + Sync>> {
        let before = fixed(&self.headers);
        (hook.0)(&mut self)?;
        let after = fixed(&self.headers);
        if before == after {
            return Ok(self.headers);
        }
        let differs = |place: usize| {
            let has_name = |field: &&Fixed| field.0 == place;
            before.iter().filter(has_name).ne(after.iter().filter(has_name))
        };
        let changed = FIXED.iter().enumerate().find(|(place, _)| differs(*place));
        let name = changed.map_or("a field", |(_, name)| name.as_str());
        Err(format!(
            "on_attempt changed {name}, which the client decides (RFC 9112 \u{a7}11.2); set it on the request"
        )
        .into())
    }
}

/// A place in [`FIXED`], and a value of that field.
type Fixed = (usize, HeaderValue);

/// Returns the fields of [`FIXED`], sorted by name, because removing another field reorders the map. One pass over
/// the few fields of a request is cheaper than a lookup of each name.
fn fixed(headers: &HeaderMap) -> Vec<Fixed> {
    let place = |name| FIXED.iter().position(|fixed| fixed == name);
    let fields = headers.iter();
    let mut fields: Vec<Fixed> =
        fields.filter_map(|(name, value)| Some((place(name)?, value.clone()))).collect();
    fields.sort_by_key(|(place, _)| *place);
    fields
}

/// Shows method, URL without secrets, and the names of the fields.
impl fmt::Debug for AttemptHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptHead")
            .field("method", self.method)
            .field("url", &self.url.redacted().to_string())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
