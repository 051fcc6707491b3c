//! Trailers: fields after the body (RFC 9110 §6.5).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "tower")]
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The trailers of a body, such as checksums and signatures. A trait object, so that programs without
/// trailers do not contain the code for them.
pub(super) trait TrailerSource: Send + Sync {
    fn presence(&self) -> Presence;

    fn fields(&self) -> Result<Cow<'_, HeaderMap>, ForbiddenTrailer>;

    /// Returns the value of the field `Trailer`, if the names are known (RFC 9110 §6.6.2).
    fn announcement(&self) -> Result<Option<HeaderValue>, ForbiddenTrailer>;
}

/// The presence of trailers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    No,
    /// It is known only at the end of the body.
    #[cfg_attr(not(feature = "tower"), expect(dead_code, reason = "only for `http_body::Body`"))]
    Perhaps,
    Yes,
}

pub(super) struct Known(pub(super) HeaderMap);

/// Trailers computed by a function when the body has ended.
pub(super) struct Computed<C>(pub(super) C);

/// Trailers received with the chunks of an `http_body::Body`.
#[cfg(feature = "tower")]
#[derive(Default)]
pub(crate) struct AwaitedTrailers(Mutex<HeaderMap>);

/// The trailers of another body, without the fields that `strip` removes.
pub(super) struct Stripped {
    pub(super) trailers: Arc<dyn TrailerSource>,
    pub(super) strip: fn(&mut HeaderMap),
}

/// A field that is not allowed in trailers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForbiddenTrailer(HeaderName);

impl TrailerSource for Known {
    fn presence(&self) -> Presence {
        if self.0.is_empty() { Presence::No } else { Presence::Yes }
    }

    fn fields(&self) -> Result<Cow<'_, HeaderMap>, ForbiddenTrailer> {
        allowed(Cow::Borrowed(&self.0))
    }

    fn announcement(&self) -> Result<Option<HeaderValue>, ForbiddenTrailer> {
        let fields = self.fields()?;
        let names: Vec<_> = fields.keys().map(HeaderName::as_str).collect();
        Ok(HeaderValue::try_from(names.join(", ")).ok())
    }
}

impl<C: Fn() -> HeaderMap + Send + Sync> TrailerSource for Computed<C> {
    fn presence(&self) -> Presence {
        Presence::Yes
    }

    fn fields(&self) -> Result<Cow<'_, HeaderMap>, ForbiddenTrailer> {
        allowed(Cow::Owned((self.0)()))
    }

    fn announcement(&self) -> Result<Option<HeaderValue>, ForbiddenTrailer> {
        Ok(None)
    }
}

#[cfg(feature = "tower")]
impl AwaitedTrailers {
    pub(crate) fn came(&self, fields: HeaderMap) {
        self.lock().extend(fields);
    }

    fn lock(&self) -> MutexGuard<'_, HeaderMap> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "tower")]
impl TrailerSource for AwaitedTrailers {
    fn presence(&self) -> Presence {
        Presence::Perhaps
    }

    fn fields(&self) -> Result<Cow<'_, HeaderMap>, ForbiddenTrailer> {
        allowed(Cow::Owned(self.lock().clone()))
    }

    fn announcement(&self) -> Result<Option<HeaderValue>, ForbiddenTrailer> {
        Ok(None)
    }
}

impl TrailerSource for Stripped {
    fn presence(&self) -> Presence {
        self.trailers.presence()
    }

    fn fields(&self) -> Result<Cow<'_, HeaderMap>, ForbiddenTrailer> {
        let mut fields = self.trailers.fields()?.into_owned();
        (self.strip)(&mut fields);
        Ok(Cow::Owned(fields))
    }

    fn announcement(&self) -> Result<Option<HeaderValue>, ForbiddenTrailer> {
        Ok(None) // the announcement would name the removed fields
    }
}

fn allowed(fields: Cow<'_, HeaderMap>) -> Result<Cow<'_, HeaderMap>, ForbiddenTrailer> {
    match fields.keys().find(|name| FORBIDDEN.contains(name)) {
        Some(name) => Err(ForbiddenTrailer(name.clone())),
        None => Ok(fields),
    }
}

/// Fields that are not allowed in trailers (RFC 9110 §6.5.1): those for framing, routing, authentication
/// or interpretation of the content, which a recipient needs first, and those of one connection.
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
        write!(f, "the field {} is not allowed in trailers", self.0)
    }
}

impl std::error::Error for ForbiddenTrailer {}
