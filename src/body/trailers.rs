//! Trailers: fields after the body (RFC 9110 §6.5).
//!
//! | trailers | known | `Trailer` is announced | from |
//! | --- | --- | --- | --- |
//! | fields | at the start | by the client | `Body::with_trailers` |
//! | a function | at the end of the body | by the caller, if at all | `Body::with_trailers_from` |
//! | of another body | perhaps at the end | by the caller, if at all | an `http_body::Body` (feature `tower`) |
//!
//! A field that a recipient needs before the body is an error and not dropped: a server that
//! expects a checksum and gets none would accept what it should refuse. Which fields are forbidden
//! follows RFC 9110 §6.5.1 by class; the list is [`FORBIDDEN`] (`tests/hostile_input.rs`,
//! `i10_forbidden_trailers_are_refused`).
//!
//! A redirect to another origin removes secret trailers as it removes secret fields. They may not
//! be known yet then, so [`Trailers::strip`] keeps the function that removes them until they are
//! sent (`tests/redirects.rs`, `sensitive_trailers_stay_with_their_origin`).
//!
//! They are sent after the last chunk, so a body with trailers is sent in chunks even if its length
//! is known, and HTTP/1.0 cannot have any (`call/head.rs`).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "tower")]
use std::sync::{Mutex, PoisonError};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The trailers of a body, such as checksums and signatures.
#[derive(Clone)]
pub(super) struct Trailers {
    source: TrailerSource,
    /// Removes fields when the trailers are sent.
    strip: Option<fn(&mut HeaderMap)>,
}

/// The source of trailers.
#[derive(Clone)]
enum TrailerSource {
    Known(Arc<HeaderMap>),
    /// Computed when the body has ended.
    Computed(Arc<dyn Fn() -> HeaderMap + Send + Sync>),
    /// Received with the chunks of an `http_body::Body`.
    #[cfg(feature = "tower")]
    Awaited(Arc<AwaitedTrailers>),
}

/// Trailers that may be received with the chunks of an `http_body::Body`.
#[cfg(feature = "tower")]
#[derive(Default)]
pub(crate) struct AwaitedTrailers(Mutex<HeaderMap>);

#[cfg(feature = "tower")]
impl AwaitedTrailers {
    pub(crate) fn came(&self, fields: HeaderMap) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(fields);
    }
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

/// A field that is not allowed in trailers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForbiddenTrailer(HeaderName);

impl Trailers {
    pub(super) fn known(fields: HeaderMap) -> Self {
        Self { source: TrailerSource::Known(Arc::new(fields)), strip: None }
    }

    pub(super) fn computed(compute: impl Fn() -> HeaderMap + Send + Sync + 'static) -> Self {
        Self { source: TrailerSource::Computed(Arc::new(compute)), strip: None }
    }

    #[cfg(feature = "tower")]
    pub(super) fn awaited(trailers: Arc<AwaitedTrailers>) -> Self {
        Self { source: TrailerSource::Awaited(trailers), strip: None }
    }

    /// Removes fields with `strip` when the trailers are sent.
    pub(super) fn strip(&mut self, strip: fn(&mut HeaderMap)) {
        self.strip = Some(strip);
    }

    pub(super) fn presence(&self) -> Presence {
        match &self.source {
            TrailerSource::Known(fields) if fields.is_empty() => Presence::No,
            TrailerSource::Known(_) | TrailerSource::Computed(_) => Presence::Yes,
            #[cfg(feature = "tower")]
            TrailerSource::Awaited(_) => Presence::Perhaps,
        }
    }

    /// Returns the fields. Call it when the body has ended.
    pub(super) fn fields(&self) -> Result<Cow<'_, HeaderMap>, ForbiddenTrailer> {
        let mut fields = match &self.source {
            TrailerSource::Known(fields) => Cow::Borrowed(&**fields),
            TrailerSource::Computed(compute) => Cow::Owned(compute()),
            #[cfg(feature = "tower")]
            TrailerSource::Awaited(fields) => {
                Cow::Owned(fields.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
            }
        };
        if let Some(name) = fields.keys().find(|name| FORBIDDEN.contains(name)) {
            return Err(ForbiddenTrailer(name.clone()));
        }
        if let Some(strip) = self.strip {
            strip(fields.to_mut());
        }
        Ok(fields)
    }

    /// Returns the value of the field `Trailer` (RFC 9110 §6.6.2), if the names are known and all of them
    /// are sent.
    pub(super) fn announcement(&self) -> Result<Option<HeaderValue>, ForbiddenTrailer> {
        if self.strip.is_some() || !matches!(self.source, TrailerSource::Known(_)) {
            return Ok(None);
        }
        let fields = self.fields()?;
        let names: Vec<_> = fields.keys().map(HeaderName::as_str).collect();
        Ok(HeaderValue::try_from(names.join(", ")).ok())
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
