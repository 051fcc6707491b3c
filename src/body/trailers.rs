//! Fields after the body (RFC 9110 §6.5).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// What is known of a body only when all of it was sent: checksums, signatures.
#[derive(Clone)]
pub(super) enum Trailers {
    Known(HeaderMap),
    /// Asked for once the body has ended.
    Computed(Arc<dyn Fn() -> HeaderMap + Send + Sync>),
}

/// A field that must not come after the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForbiddenTrailer(HeaderName);

impl Trailers {
    pub(super) fn may_be_any(&self) -> bool {
        match self {
            Self::Known(fields) => !fields.is_empty(),
            Self::Computed(_) => true,
        }
    }

    pub(super) fn fields(&self) -> Result<Cow<'_, HeaderMap>, ForbiddenTrailer> {
        let fields = match self {
            Self::Known(fields) => Cow::Borrowed(fields),
            Self::Computed(compute) => Cow::Owned(compute()),
        };
        match fields.keys().find(|name| FORBIDDEN.contains(name)) {
            Some(name) => Err(ForbiddenTrailer(name.clone())),
            None => Ok(fields),
        }
    }

    /// The field `Trailer` for those that are known (RFC 9110 §6.6.2).
    pub(super) fn announcement(&self) -> Option<HeaderValue> {
        let Self::Known(fields) = self else { return None };
        let names: Vec<_> = fields.keys().map(HeaderName::as_str).collect();
        HeaderValue::try_from(names.join(", ")).ok()
    }
}

/// RFC 9110 §6.5.1: what a recipient needs to know before the body comes, for framing, routing,
/// authentication, or to make sense of it; and what speaks about one connection.
const FORBIDDEN: [HeaderName; 24] = [
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::EXPECT,
    header::HOST,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::MAX_FORWARDS,
    header::PRAGMA,
    header::PROXY_AUTHORIZATION,
    header::RANGE,
    header::SET_COOKIE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

impl fmt::Display for ForbiddenTrailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the field {} cannot come after the body", self.0)
    }
}

impl std::error::Error for ForbiddenTrailer {}
