//! The validator that a range request is bound to (RFC 9110 §13.1.5), so that parts of two versions of a file are never joined.

use std::time::{Duration, SystemTime};

use http::HeaderValue;
use http::header::{DATE, ETAG, HeaderName, LAST_MODIFIED};

use crate::fields::date;
use crate::http1::header_section::Fields;

/// RFC 9110 §8.8.2.2: a date this much older than the response is as good as a strong validator. (A file may
/// change twice in one second, and clocks of a cluster differ.)
const SETTLED: Duration = Duration::from_secs(60);

/// The version of a file that a message was a part of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Validator {
    /// The value of `If-Range`; `None` if nothing identifies the version well enough.
    pub(crate) if_range: Option<HeaderValue>,
    /// The `ETag` as received, for comparison only: it may be weak or malformed.
    tag: Option<HeaderValue>,
}

impl Validator {
    /// Returns the version of a whole file, by the head of its response. `now` is for dates with a year of two
    /// digits.
    ///
    /// RFC 9110 §13.1.5: `If-Range` carries a strong entity tag, or a date if there is no entity tag at all.
    pub(crate) fn of(headers: &impl Fields, now: SystemTime) -> Self {
        if !headers.has(&ETAG) {
            return Self { if_range: settled_date(headers, now), tag: None };
        }
        let tag = only(headers, &ETAG);
        let strong = tag.clone().filter(|tag| is_strong(tag.as_bytes()));
        Self { if_range: strong, tag }
    }

    /// Returns the version of a part that an earlier run kept, by the `If-Range` that it noted.
    pub(crate) fn kept(if_range: Option<HeaderValue>) -> Self {
        let tag = if_range.clone().filter(|value| is_strong(value.as_bytes()));
        Self { if_range, tag }
    }

    /// Returns whether a part with this head may be of the same version. The server has compared `If-Range`, but
    /// some ignore it: so its entity tag, or its date, must be ours if it sends one.
    pub(crate) fn admits(&self, headers: &impl Fields) -> bool {
        let is_bound_to_date = self.if_range.is_some() && self.tag.is_none();
        match &self.tag {
            Some(tag) => !headers.has(&ETAG) || only(headers, &ETAG).as_ref() == Some(tag),
            None if is_bound_to_date => {
                let same = only(headers, &LAST_MODIFIED) == self.if_range;
                !headers.has(&ETAG) && (same || !headers.has(&LAST_MODIFIED))
            }
            None => true, // a digest will tell
        }
    }
}

/// RFC 9110 §8.8.3: quoted, without the mark of a weak one.
fn is_strong(tag: &[u8]) -> bool {
    let inner = tag.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inner.is_some_and(|inner| inner.iter().all(|byte| *byte > b' ' && !matches!(byte, b'"' | 0x7f)))
}

/// Returns `Last-Modified` as received, if `Date` is late enough for it to be a strong validator.
fn settled_date(headers: &impl Fields, now: SystemTime) -> Option<HeaderValue> {
    let modified = only(headers, &LAST_MODIFIED)?;
    let received = date::parse(only(headers, &DATE)?.as_bytes(), now)?;
    let age = received.duration_since(date::parse(modified.as_bytes(), now)?).ok()?;
    (age >= SETTLED).then_some(modified)
}

/// Returns the value of a field that occurs once.
fn only(headers: &impl Fields, name: &HeaderName) -> Option<HeaderValue> {
    let mut lines = headers.lines(name);
    match (lines.next(), lines.next()) {
        (Some(line), None) => HeaderValue::from_bytes(line).ok(),
        _ => None,
    }
}
