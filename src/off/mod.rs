//! Stand-ins for features that are off: each module here takes the place of the one of the same name
//! that the feature gates, with the items that the rest of the crate uses. A type that only the
//! feature can make is uninhabited, so that its methods need no code.
//!
//! # Why stand-ins
//!
//! A feature that is off removes a whole file. Without a stand-in each place that uses the file
//! would need two versions, chosen by `cfg`; with it, only the `mod` lines do:
//!
//! ```text
//! #[cfg(feature = "tls")]      pub(crate) mod tls;
//! #[cfg(not(feature = "tls"))] pub(crate) use crate::off::tls;
//! ```
//!
//! The code above compiles unchanged, and the compiler sees that it cannot be reached: a method of
//! a type without values is `match self.0 {}`, which needs no body and costs no bytes.
//!
//! | feature | stand-in | what it does instead |
//! | --- | --- | --- |
//! | `charset` | `charset` | every text is UTF-8, whatever it declares |
//! | `digest` | `digest` | no login can be made, so no challenge is answered |
//! | `har` | `har` | nothing is recorded |
//! | `json` | `json` | a call does not compile, and rustc says which feature to enable |
//! | `log` | `log`, `wire` | nothing |
//! | `log` and `tracing` | `report` | nothing |
//! | `tracing` | `trace` | a future runs as it is |
//! | `tls` | `tls`, `tls_settings` | no layer can be made; https is an error that names the feature |
//!
//! To gate another file, add a module here with the same items, and the two lines at its `mod`.
//! Items that only tests use are left out. `cargo check --no-default-features` with each single
//! feature shows what is missing.

#[cfg(not(feature = "json"))]
mod json;

/// Decodes text as UTF-8, whatever the response declares: stands in for `coding::charset`.
#[cfg(not(feature = "charset"))]
pub(crate) mod charset {

    /// Decodes UTF-8. Invalid sequences become U+FFFD; a byte order mark is removed.
    pub(crate) fn decode(body: Vec<u8>, _content_type: Option<&[u8]>, _default: &str) -> String {
        let text = String::from_utf8(body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        match text.strip_prefix('\u{feff}') {
            Some(without_mark) => without_mark.to_owned(),
            None => text,
        }
    }

    /// No charset but UTF-8 is known.
    #[cfg(feature = "har")]
    pub(crate) fn decode_exactly(_body: &[u8], _content_type: Option<&[u8]>) -> Option<String> {
        None
    }

    /// Returns the decoded text of a body that begins with a byte order mark; `None` if the body is
    /// already its own text.
    #[cfg(feature = "json")]
    pub(crate) fn recoded(body: &[u8], _content_type: Option<&[u8]>) -> Option<String> {
        let marked = body.strip_prefix(b"\xef\xbb\xbf")?;
        Some(String::from_utf8_lossy(marked).into_owned())
    }
}

/// No Digest authentication: stands in for `policy::auth::digest`.
#[cfg(not(feature = "digest"))]
pub(crate) mod digest {
    use http::{HeaderMap, HeaderValue};

    use crate::policy::auth::Asked;
    use crate::url::Url;

    /// Cannot be constructed.
    #[derive(Debug, Clone)]
    pub(crate) enum DigestLogin {}

    #[derive(Debug, Default)]
    pub(crate) struct Nonces {}

    /// Cannot be constructed.
    #[derive(Debug)]
    pub(crate) enum Authentication {}

    impl Authentication {
        pub(crate) fn new(login: DigestLogin) -> Self {
            match login {}
        }

        pub(crate) fn prepare(&mut self, _: &mut Nonces, _: &Url, _: Asked<'_>) {
            match *self {}
        }

        pub(crate) fn answer(&self) -> Option<&HeaderValue> {
            match *self {}
        }

        pub(crate) fn move_on(&mut self) {
            match *self {}
        }

        pub(crate) fn challenged(
            &mut self,
            _: &mut Nonces,
            _: &Url,
            _: &HeaderMap,
            _: Asked<'_>,
        ) -> bool {
            match *self {}
        }
    }
}

/// No log: stands in for `call::log`.
#[cfg(not(feature = "log"))]
pub(crate) mod log {
    use crate::http1::close::CloseReason;
    use crate::policy::retry::Reason;
    use crate::policy::route::Route;
    use crate::url::Url;
    use http::StatusCode;
    use std::net::SocketAddr;
    use std::time::Duration;

    /// Cannot be constructed.
    #[cfg(feature = "tracing")]
    pub(crate) enum CallLine {}

    #[cfg(feature = "tracing")]
    mod never {
        use std::time::Instant;

        use http::Method;

        use super::CallLine;
        use crate::base::timings::Timings;
        use crate::call::report::{ReportClock, ReportedAnswer};
        use crate::error::Error;
        use crate::url::Url;

        impl CallLine {
            pub(crate) fn begin(
                _: &Method,
                _: &Url,
                _: Instant,
                _: impl FnOnce() -> ReportClock,
            ) -> Option<Self> {
                None
            }

            pub(crate) fn moved(&mut self, _: &Method, _: &Url, _: Option<&Timings>) {
                match *self {}
            }

            pub(crate) fn answered(&mut self, _: &ReportedAnswer<'_>) {
                match *self {}
            }

            pub(crate) fn read(&mut self, _: usize) {
                match *self {}
            }

            pub(crate) fn end(self) {
                match self {}
            }

            pub(crate) fn failed(self, _: &Error) {
                match self {}
            }
        }
    }

    pub(crate) fn connected(_: &Route, _: Option<SocketAddr>) {}

    pub(crate) fn reused(_: &Route) {}

    pub(crate) fn closed(_: &Route, _: CloseReason) {}

    pub(crate) fn redirected(_: StatusCode, _: &Url, _: &Url) {}

    pub(crate) fn sent_again(_: &Url, _: &str) {}

    pub(crate) fn retried(_: &Url, _: Reason, _: Duration) {}
}

/// No lines of the wire: stands in for `call::wire`.
#[cfg(not(feature = "log"))]
pub(crate) mod wire {
    use http::HeaderValue;

    use crate::http1::head::ResponseHead;

    /// Cannot be constructed.
    #[derive(Debug, Clone, Copy)]
    pub(crate) enum WireLog {}

    impl WireLog {
        pub(crate) fn sent_head<'a>(&self, _: &[u8], _: impl Iterator<Item = &'a HeaderValue>) {
            match *self {}
        }

        pub(crate) fn received_head(&self, _: &ResponseHead) {
            match *self {}
        }

        pub(crate) fn sent(&self, _: usize) {
            match *self {}
        }

        pub(crate) fn received(&self, _: usize) {
            match *self {}
        }
    }
}

/// No spans: stands in for `call::trace`.
#[cfg(not(feature = "tracing"))]
pub(crate) mod trace {
    use std::net::SocketAddr;

    use crate::error::Error;

    pub(crate) struct Running;

    /// Returns the future as it is.
    pub(crate) fn within<T: Future>(_: &Running, future: T) -> T {
        future
    }

    impl Running {
        #[cfg(feature = "log")]
        pub(crate) fn none() -> Self {
            Self
        }

        pub(crate) fn connected(&self, _: Result<Option<SocketAddr>, &Error>) {}
    }

    /// Cannot be constructed.
    #[cfg(feature = "log")]
    pub(crate) enum CallSpans {}

    #[cfg(feature = "log")]
    mod never {
        use std::net::SocketAddr;

        use http::{Method, StatusCode};

        use super::{CallSpans, Running};
        use crate::error::Error;
        use crate::http1::head::ResponseHead;
        use crate::policy::route::Route;
        use crate::url::Url;

        impl CallSpans {
            pub(crate) fn open(_: &Method, _: &Url) -> Option<Self> {
                None
            }

            pub(crate) fn request(&self) -> Running {
                match *self {}
            }

            pub(crate) fn attempt(&mut self, _: &Method, _: &Url) -> Running {
                match *self {}
            }

            pub(crate) fn connect(&self, _: &Route) -> Running {
                match *self {}
            }

            pub(crate) fn attempt_answered(&self, _: &ResponseHead, _: Option<SocketAddr>) {
                match *self {}
            }

            pub(crate) fn attempt_failed(&mut self, _: &Error) {
                match *self {}
            }

            pub(crate) fn answered(&self, _: StatusCode) {
                match *self {}
            }

            pub(crate) fn failed(&self, _: &Error) {
                match *self {}
            }
        }
    }
}

/// No report: stands in for `call::report`.
#[cfg(not(any(feature = "log", feature = "tracing")))]
pub(crate) mod report {
    use std::net::SocketAddr;
    use std::time::Instant;

    use http::{Method, StatusCode};

    use crate::base::timings::Timings;
    use crate::error::{Error, Result};
    use crate::http1::head::ResponseHead;
    use crate::off::trace::Running;
    use crate::policy::route::Route;
    use crate::url::Url;

    pub(crate) type ReportClock = Box<dyn Fn() -> Instant + Send + Sync>;

    #[derive(Default)]
    pub(crate) struct Report {}

    #[allow(dead_code, reason = "only a report reads it")]
    pub(crate) struct ReportedAnswer<'a> {
        pub(crate) method: &'a Method,
        pub(crate) url: &'a Url,
        pub(crate) status: StatusCode,
        pub(crate) is_reused: bool,
        pub(crate) timings: Option<&'a Timings>,
    }

    impl Report {
        pub(crate) fn begin(
            _: &Method,
            _: &Url,
            _: Instant,
            _: impl FnOnce() -> ReportClock,
        ) -> Self {
            Self {}
        }

        pub(crate) fn request(&self) -> Running {
            Running
        }

        pub(crate) fn attempt(&mut self, _: &Method, _: &Url) -> Running {
            Running
        }

        pub(crate) fn connect(&self, _: impl FnOnce() -> Route) -> Running {
            Running
        }

        pub(crate) fn attempt_answered(&self, _: &ResponseHead, _: Option<SocketAddr>) {}

        pub(crate) fn attempt_failed(&mut self, _: &Error) {}

        pub(crate) fn answered(&mut self, _: &ReportedAnswer<'_>) {}

        pub(crate) fn read(&mut self, _: &Result<usize>) {}

        pub(crate) fn end(&mut self) {}

        pub(crate) fn failed(&mut self, _: &Error) {}

        pub(crate) fn unanswered(&mut self, _: &Method, _: &Url, _: Option<&Timings>, _: &Error) {}
    }
}

/// No HAR files: stands in for `extra::har` and `call::recording`.
#[cfg(not(feature = "har"))]
pub(crate) mod har {
    use std::net::SocketAddr;

    use crate::body::Source;
    use crate::call::Call;
    use crate::error::Error;
    use crate::http1::head::ResponseHead;
    use crate::policy::Clock;

    pub(crate) mod recording {
        use std::time::Instant;

        use crate::error::Error;

        /// Cannot be constructed.
        pub(crate) enum Recording {}

        /// Cannot be constructed.
        pub(crate) enum BodyRecording {}

        impl Recording {
            pub(crate) fn of_body(self, _: bool, _: Instant) -> BodyRecording {
                match self {}
            }
        }

        impl BodyRecording {
            pub(crate) fn read(&mut self, _: Result<&[u8], &Error>, _: Option<u64>, _: Instant) {
                match *self {}
            }

            pub(crate) fn end(&mut self) {
                match *self {}
            }
        }
    }

    impl<S: Source> Call<'_, S> {
        pub(crate) fn begin_recording(&mut self, _: &impl Clock) {}

        pub(crate) fn record_head(
            &mut self,
            _: &ResponseHead,
            _: Option<SocketAddr>,
            _: Option<SocketAddr>,
        ) {
        }

        pub(crate) fn record_failure(&mut self, _: &Error) {}
    }
}

/// No TLS layer: stands in for `transport::tls`.
#[cfg(not(feature = "tls"))]
pub(crate) mod tls {
    use std::convert::Infallible;
    use std::fmt;

    use crate::base::buffer::BufferPool;

    /// Cannot be constructed.
    #[derive(Debug)]
    pub(crate) struct Tls(Infallible);

    #[derive(Debug)]
    pub(crate) struct TlsError(Infallible);

    impl TlsError {
        pub(crate) fn hint(&self) -> Option<&'static str> {
            match self.0 {}
        }

        pub(crate) fn certificate_note(&self) -> Option<&'static str> {
            match self.0 {}
        }

        pub(crate) fn certificate_demand(&self) -> Option<&'static str> {
            match self.0 {}
        }
    }

    /// The properties of a TLS connection; cannot be constructed.
    #[derive(Debug, Clone)]
    pub(crate) struct TlsInfo(Infallible);

    /// The outcome of processing received TLS records.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    #[allow(dead_code, reason = "only a TLS layer returns one")]
    pub(crate) enum Received {
        More,
        Closed,
    }

    impl Tls {
        pub(crate) fn is_handshaking(&self) -> bool {
            match self.0 {}
        }

        pub(crate) fn received(&mut self, _bytes: &[u8]) {
            match self.0 {}
        }

        pub(crate) fn receive(&mut self, _sink: impl FnMut(&[u8])) -> Result<Received, TlsError> {
            match self.0 {}
        }

        pub(crate) fn encrypt(&mut self, _plain: &[u8]) -> Result<usize, TlsError> {
            match self.0 {}
        }

        pub(crate) fn has_failed(&self) -> bool {
            match self.0 {}
        }

        pub(crate) fn output(&self) -> &[u8] {
            match self.0 {}
        }

        pub(crate) fn wrote(&mut self, _count: usize) {
            match self.0 {}
        }

        pub(crate) fn discard_output(&mut self) {
            match self.0 {}
        }

        pub(crate) fn read_space(&mut self) -> &mut [u8] {
            match self.0 {}
        }

        pub(crate) fn read(&mut self, _count: usize) {
            match self.0 {}
        }

        pub(crate) fn is_between_records(&self) -> bool {
            match self.0 {}
        }

        pub(crate) fn info(&mut self) -> Option<TlsInfo> {
            match self.0 {}
        }

        pub(crate) fn is_at_rest(&self) -> bool {
            match self.0 {}
        }

        pub(crate) fn farewell(&mut self, _plain: &[u8]) -> &[u8] {
            match self.0 {}
        }

        pub(crate) fn rest(&mut self, _: &mut BufferPool) {
            match self.0 {}
        }

        pub(crate) fn wake(&mut self, _: &mut BufferPool) {
            match self.0 {}
        }
    }

    impl fmt::Display for TlsError {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0 {}
        }
    }

    impl std::error::Error for TlsError {}
}

/// No TLS settings: stands in for `config::tls`.
#[cfg(not(feature = "tls"))]
pub mod tls_settings {
    use crate::error::{Error, Result};
    use crate::policy::route::IdentityUse;
    use crate::transport::tls::Tls;

    /// No settings.
    #[derive(Debug, Default)]
    pub(crate) struct TlsSettings {}

    impl TlsSettings {
        pub(crate) fn check(&self) -> Result<()> {
            Ok(())
        }

        pub(crate) fn adds_info(&self) -> bool {
            false
        }

        pub(crate) fn has_identity(&self) -> bool {
            false
        }

        #[cfg(feature = "export")]
        pub(crate) fn roots_in_use(&self) -> String {
            "none: https needs the feature `tls` of leanhttp".to_owned()
        }

        pub(crate) fn stage(&self, _host: &str, _identity: IdentityUse) -> Result<Tls> {
            Err(Error::builder("https needs the feature `tls` of leanhttp"))
        }

        pub(crate) fn proxy_stage(&self, host: &str) -> Result<Tls> {
            self.stage(host, IdentityUse::Withheld)
        }
    }
}

#[cfg(test)]
#[cfg(not(feature = "charset"))]
mod tests;
