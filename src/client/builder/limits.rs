//! Limits on the size of a response, and leniency towards malformed ones.

use super::ClientBuilder;
use crate::driver::runtime::Runtime;
use crate::http1::limits::Limits;

impl<F: Runtime> ClientBuilder<F> {
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
