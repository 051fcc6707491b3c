//! Limits: on the time of each part of a call, and on the size of a response; and the leniency towards
//! malformed responses.

use std::sync::Arc;
use std::time::Duration;

use super::ClientBuilder;
use crate::driver::runtime::Runtime;
use crate::http1::limits::Limits;
use crate::policy::deadline::{Pace, Timeouts};

/// Time limits.
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Sets the time from `send` to the last byte of the body, with lookups, connections and redirects
    /// included: a deadline, not a limit that starts again at each step. None by default.
    ///
    /// It takes the place of the default limit on the wait for a response to begin, which the blocking client
    /// has: with a timeout of two minutes, the server may take two minutes to answer. The
    /// [`connect_timeout`](Self::connect_timeout) of 10 seconds, and the 30 seconds of
    /// [`read_timeout`](Self::read_timeout) and [`write_timeout`](Self::write_timeout) hold beside it, and whatever
    /// you set.
    ///
    /// After the deadline the call waits for nothing. Only a final head that arrived while the
    /// request was being sent is still delivered. The limits on the peer (connect, handshake and
    /// first byte timeout) are reported only if a last check of the socket finds nothing.
    pub fn timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().set_total(timeout.into());
        self
    }

    /// Sets the time to make a connection: lookup, TCP, the proxy's handshake and TLS together. 10
    /// seconds by default. It begins with the lookup; waiting for a free connection has a limit of its
    /// own, the [`pool_wait_timeout`](Self::pool_wait_timeout).
    ///
    /// If a host has several addresses, the next one is tried after 0.25 s without an answer
    /// (RFC 8305), or sooner: the addresses share the time that is left, so that a short limit reaches
    /// the second address too.
    pub fn connect_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().set_connect(timeout.into());
        self
    }

    /// Sets the time for a name lookup, within the connect timeout. No separate limit by default.
    pub fn resolve_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().resolve = timeout.into();
        self
    }

    /// Sets the time for the handshakes on a new connection, within the connect timeout: TLS, and a
    /// tunnel through a proxy. No separate limit by default.
    pub fn handshake_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().handshake = timeout.into();
        self
    }

    /// Sets the time from the last byte of a request to the first byte of its response: the time
    /// that the server takes to answer. By default 30 seconds on the blocking client, unless a
    /// [`timeout`](Self::timeout) is set; no limit on the async one, which is used for long polling, reports and
    /// language models.
    ///
    /// A [`read_timeout`](Self::read_timeout) that is set, to a limit or to none, applies to the first
    /// byte too and replaces this default. If both are set, both apply.
    pub fn first_byte_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().set_first_byte(timeout.into());
        self
    }

    /// Sets the lowest transfer rate of a body, sent or received: a call fails when its average over
    /// `over` is below `bytes_per_second`, even if the peer is never silent for as long as the read or
    /// write timeout. None by default.
    ///
    /// Only time spent waiting for the peer counts, so a program that reads slowly does not cause the
    /// error.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// // As curl's --speed-limit 1000 --speed-time 30.
    /// let client = leanhttp::Client::builder().min_throughput(1000, Duration::from_secs(30));
    /// ```
    pub fn min_throughput(mut self, bytes_per_second: u64, over: Duration) -> Self {
        self.timeouts().pace = Some(Pace { bytes_per_second, over });
        self
    }

    /// Sets the time between two bytes of a response. By default 30 seconds once the response has
    /// begun; before that the [`first_byte_timeout`](Self::first_byte_timeout) applies.
    ///
    /// A limit that is set here applies to every read, the wait for the first byte included, as in
    /// reqwest; `None` removes the defaults of both.
    pub fn read_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().set_read(timeout.into());
        self
    }

    /// Sets the time within which the connection has to accept at least one byte of the request. 30
    /// seconds by default.
    pub fn write_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().set_write(timeout.into());
        self
    }

    /// Returns the timeouts, which calls share once the client is built.
    pub(super) fn timeouts(&mut self) -> &mut Timeouts {
        Arc::make_mut(&mut self.config.timeouts)
    }
}

/// Sizes of a response, and leniency towards malformed ones.
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Sets the limits on one response; [`Limits`] lists them with their defaults.
    pub fn limits(mut self, limits: Limits) -> Self {
        let lenience = self.config.limits.lenience;
        self.config.limits = Limits { lenience, ..limits.within_reason() };
        self
    }

    /// Sets the maximum number of bytes, after decoding, that `bytes`, `text` and `json` read into
    /// memory; 256 MiB by default. Reading a response in pieces has no limit.
    pub fn body_limit(mut self, bytes: u64) -> Self {
        self.config.limits.max_body_bytes = bytes;
        self
    }

    /// Sets the maximum number of fields of a response; 128 by default, and never more than 16384.
    pub fn http1_max_headers(mut self, max: usize) -> Self {
        self.config.limits.max_headers = max;
        self.config.limits = self.config.limits.clone().within_reason();
        self
    }

    /// Skips lines of a response's head that are not fields, such as one without a colon, instead of
    /// refusing the response; off by default.
    ///
    /// # Danger
    ///
    /// Another reader may accept what this one skips: with a proxy or a cache in between, a server (or
    /// anyone who can write into its fields) may make two readers see different responses. Use it for a
    /// device that is known to need it, with a separate client. A line that looks like
    /// `Content-Length` or `Transfer-Encoding` is always refused.
    ///
    /// ```
    /// let camera = leanhttp::Client::builder()
    ///     .http1_ignore_invalid_headers_in_responses(true)
    ///     .build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn http1_ignore_invalid_headers_in_responses(mut self, enabled: bool) -> Self {
        self.config.limits.lenience.invalid_fields = enabled;
        self
    }

    /// Accepts whitespace between the name of a field and its colon, which RFC 9112 §5.1 forbids
    /// because it has been used for request smuggling; off by default.
    ///
    /// # Danger
    ///
    /// As for [`http1_ignore_invalid_headers_in_responses`](Self::http1_ignore_invalid_headers_in_responses):
    /// another reader may not see such a field. `Content-Length` and `Transfer-Encoding` with whitespace
    /// there are always refused.
    pub fn http1_allow_spaces_after_header_name_in_responses(mut self, enabled: bool) -> Self {
        self.config.limits.lenience.spaces_after_name = enabled;
        self
    }

    /// Accepts values that continue on the next line, which begins with whitespace (`obs-fold`,
    /// RFC 9112 §5.2): each line break in them becomes spaces. Off by default.
    ///
    /// # Danger
    ///
    /// As for [`http1_ignore_invalid_headers_in_responses`](Self::http1_ignore_invalid_headers_in_responses):
    /// another reader may take the next line for a separate field. `Content-Length` and
    /// `Transfer-Encoding` cannot be continued, and no continuation line may look like them.
    pub fn http1_allow_obsolete_multiline_headers_in_responses(mut self, enabled: bool) -> Self {
        self.config.limits.lenience.folds = enabled;
        self
    }
}
