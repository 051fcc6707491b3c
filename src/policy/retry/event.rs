//! What an observer is told of a retry.

use std::fmt;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::error::Kind;
use crate::url::Url;

/// A request about to be sent again, for [`Policy::on_retry`](super::Policy::on_retry).
#[derive(Clone, Copy)]
pub struct Retry<'a> {
    pub(crate) attempt: u32,
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) reason: Reason,
    pub(crate) delay: Duration,
}

/// Why a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The server answered with this status.
    Status(StatusCode),
    /// There was no answer; this is what the error would have been.
    Failure(Kind),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the answer was {status}"),
            Self::Failure(kind) => write!(f, "it failed ({kind:?})"),
        }
    }
}

impl Retry<'_> {
    /// The number of the attempt to come, over all hops of the call: the first retry is the second
    /// attempt.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The method.
    pub fn method(&self) -> &Method {
        self.method
    }

    /// The URL, to be shown; `***` stands for a user name and a password.
    pub fn url(&self) -> impl fmt::Display + '_ {
        self.url.redacted()
    }

    /// What came of the attempt before.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// How long it is waited now.
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
