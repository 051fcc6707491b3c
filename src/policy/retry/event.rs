//! The description of a retry for observers.

use std::fmt;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::error::Kind;
use crate::url::Url;

/// A retry about to happen, for [`Policy::on_retry`](super::Policy::on_retry).
#[derive(Clone, Copy)]
pub struct Retry<'a> {
    pub(crate) attempt: u32,
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) reason: Reason,
    pub(crate) delay: Duration,
}

/// The reason for a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The server responded with this status.
    Status(StatusCode),
    /// No response was received; this is the kind of the error.
    Failure(Kind),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the response status was {status}"),
            Self::Failure(kind) => write!(f, "the attempt failed ({kind:?})"),
        }
    }
}

impl Retry<'_> {
    /// Returns the number of the next attempt, counted over all hops of the call: the first retry
    /// is attempt 2.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns the method.
    pub fn method(&self) -> &Method {
        self.method
    }

    /// Returns the URL for display; `***` replaces a user name and password.
    pub fn url(&self) -> impl fmt::Display + '_ {
        self.url.redacted()
    }

    /// Returns why the previous attempt failed.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns the delay before the retry.
    pub fn delay(&self) -> Duration {
        self.delay
    }
}

impl fmt::Debug for Retry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("attempt", &self.attempt)
            .field("method", &self.method)
            .field("url", &format_args!("{}", self.url()))
            .field("reason", &self.reason)
            .field("delay", &self.delay)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let url = Url::parse("http://u:secret@a.example/p").unwrap();
        let reason = Reason::Failure(Kind::Connect);
        let delay = Duration::from_millis(7);
        let retry = Retry { attempt: 2, method: &Method::GET, url: &url, reason, delay };
        let shown = format!("{retry:?} {}", retry.url());
        assert!(!shown.contains("secret") && shown.contains("a.example/p"), "{shown}");
    }
}
