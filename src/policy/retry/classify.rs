//! The facts about an attempt for a function of the caller, and its decision.

use std::error::Error as StdError;

use http::{Method, StatusCode, Uri};

use crate::error::Error;
use crate::url::Url;

/// An attempt that has ended, for [`Policy::classify_fn`](super::Policy::classify_fn): a request, and its response or its error.
#[derive(Debug)]
pub struct ReqRep<'a> {
    method: &'a Method,
    uri: Uri,
    outcome: Result<StatusCode, &'a Error>,
}

/// The decision of [`Policy::classify_fn`](super::Policy::classify_fn), made by [`ReqRep::retryable`] or [`ReqRep::success`].
#[derive(Debug)]
#[must_use]
pub struct Classification {
    is_retryable: bool,
}

impl Classification {
    pub(super) fn is_retryable(&self) -> bool {
        self.is_retryable
    }
}

impl<'a> ReqRep<'a> {
    pub(super) fn new(
        method: &'a Method,
        url: &Url,
        outcome: Result<StatusCode, &'a Error>,
    ) -> Self {
        Self { method, uri: Uri::try_from(url.as_str()).unwrap_or_default(), outcome }
    }
}

impl ReqRep<'_> {
    /// Returns the method of the request.
    pub fn method(&self) -> &Method {
        self.method
    }

    /// Returns the URL of the request, after redirects that of the current hop, without its fragment.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns the status of the response; `None` if there was none.
    pub fn status(&self) -> Option<StatusCode> {
        self.outcome.ok()
    }

    /// Returns the error of an attempt that brought no response. It is an [`Error`], to be downcast.
    pub fn error(&self) -> Option<&(dyn StdError + 'static)> {
        self.outcome.err().map(|error| error as _)
    }

    /// Returns the decision to send the request again, as far as attempts, time and budget allow.
    pub fn retryable(self) -> Classification {
        Classification { is_retryable: true }
    }

    /// Returns the decision that the outcome is final, whether or not it is a success.
    pub fn success(self) -> Classification {
        Classification { is_retryable: false }
    }
}
