//! Methods that exist because reqwest has them: other names for settings of this crate, and settings
//! that have only one possible value here. [The guide](crate::guide::compatibility) lists all names of
//! reqwest, and why some are not here.

use std::time::Duration;

use super::ClientBuilder;
use crate::config::dns::IntoResolve;
#[cfg(feature = "tls")]
use crate::config::tls::{Preconfigured, Version};
use crate::driver::runtime::Runtime;
use crate::error::Error;

/// For programs written for reqwest.
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Uses HTTP/1.1 only, which is always the case: has no effect.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().http1_only().build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn http1_only(self) -> Self {
        self
    }

    /// The same as [`dns_resolver`](Self::dns_resolver).
    pub fn dns_resolver2<R: IntoResolve>(self, resolver: R) -> Self {
        self.dns_resolver(resolver)
    }

    /// Sets whether the heads of requests and responses are logged as lines, without their secrets, and the
    /// lengths of what is read and written of bodies: at the level `trace`, for the target `leanhttp::wire`. The
    /// default is false.
    ///
    /// Needs the feature `log`; without it this has no effect. [The guide](crate::guide::logging#the-wire) shows
    /// such lines, and what counts as a secret.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().connection_verbose(true).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[cfg_attr(not(feature = "log"), allow(unused_mut, unused_variables))]
    pub fn connection_verbose(mut self, verbose: bool) -> Self {
        #[cfg(feature = "log")]
        {
            self.config.is_verbose = verbose;
        }
        self
    }

    /// Is an error of [`build`](Self::build): HTTP/0.9, a body without a head, is not supported, because
    /// anything could be taken for a response.
    pub fn http09_responses(self) -> Self {
        self.refused("http09_responses: HTTP/0.9 is not supported")
    }

    /// Has no effect: names are looked up by the system or by [`dns_resolver`](Self::dns_resolver).
    pub fn hickory_dns(self, _enable: bool) -> Self {
        self
    }

    /// Has no effect, see [`hickory_dns`](Self::hickory_dns).
    pub fn no_hickory_dns(self) -> Self {
        self
    }

    /// Has no effect, see [`hickory_dns`](Self::hickory_dns).
    pub fn trust_dns(self, _enable: bool) -> Self {
        self
    }

    /// Has no effect, see [`hickory_dns`](Self::hickory_dns).
    pub fn no_trust_dns(self) -> Self {
        self
    }

    /// The same as [`gzip(false)`](Self::gzip).
    pub fn no_gzip(self) -> Self {
        self.gzip(false)
    }

    /// The same as [`deflate(false)`](Self::deflate).
    pub fn no_deflate(self) -> Self {
        self.deflate(false)
    }

    /// The same as [`brotli(false)`](Self::brotli).
    pub fn no_brotli(self) -> Self {
        self.brotli(false)
    }

    /// The same as [`zstd(false)`](Self::zstd).
    pub fn no_zstd(self) -> Self {
        self.zstd(false)
    }
}

/// HTTP/2, for programs written for reqwest. This client speaks HTTP/1.1 only, so settings that tune HTTP/2
/// have no effect.
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Is an error of [`build`](Self::build): a server that speaks only HTTP/2 cannot be talked to.
    pub fn http2_prior_knowledge(self) -> Self {
        self.refused("http2_prior_knowledge: only HTTP/1.1 is supported")
    }

    /// Tunes HTTP/2: has no effect.
    pub fn http2_initial_stream_window_size(self, _sz: impl Into<Option<u32>>) -> Self {
        self
    }

    /// Tunes HTTP/2: has no effect.
    pub fn http2_initial_connection_window_size(self, _sz: impl Into<Option<u32>>) -> Self {
        self
    }

    /// Tunes HTTP/2: has no effect.
    pub fn http2_adaptive_window(self, _enabled: bool) -> Self {
        self
    }

    /// Tunes HTTP/2: has no effect.
    pub fn http2_max_frame_size(self, _sz: impl Into<Option<u32>>) -> Self {
        self
    }

    /// Tunes HTTP/2: has no effect. [`Limits`](crate::Limits) bounds the heads of responses.
    pub fn http2_max_header_list_size(self, _max_header_size_bytes: u32) -> Self {
        self
    }

    /// Tunes HTTP/2: has no effect. Idle connections are kept alive by [`tcp_keepalive`](Self::tcp_keepalive).
    pub fn http2_keep_alive_interval(self, _interval: impl Into<Option<Duration>>) -> Self {
        self
    }

    /// Tunes HTTP/2: has no effect.
    pub fn http2_keep_alive_timeout(self, _timeout: Duration) -> Self {
        self
    }

    /// Tunes HTTP/2: has no effect.
    pub fn http2_keep_alive_while_idle(self, _enabled: bool) -> Self {
        self
    }

    fn refused(self, detail: &'static str) -> Self {
        self.checked(Err(Error::builder(detail)), |_, ()| {})
    }
}

/// TLS, for programs written for reqwest.
#[cfg(feature = "tls")]
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Uses rustls, which is always the case: has no effect.
    pub fn use_rustls_tls(self) -> Self {
        self
    }

    /// Uses rustls, which is always the case: has no effect.
    pub fn tls_backend_rustls(self) -> Self {
        self
    }

    /// Trusts the built-in root certificates, which is the default, or only those that are added, in any
    /// order of the calls; see also [`tls_certs_only`](Self::tls_certs_only). The built-in ones are those of
    /// [`tls_roots`](Self::tls_roots).
    pub fn tls_built_in_root_certs(self, enable: bool) -> Self {
        self.set_tls(|tls| tls.trust_built_in(enable))
    }

    /// The same as [`tls_built_in_root_certs`](Self::tls_built_in_root_certs).
    pub fn tls_built_in_webpki_certs(self, enabled: bool) -> Self {
        self.tls_built_in_root_certs(enabled)
    }

    /// Trusts whom the operating system trusts: `true` is the same as `tls_platform_verifier`, which needs the
    /// feature `platform-verifier` and is otherwise an error of [`build`](Self::build); `false` uses the bundled
    /// roots instead.
    pub fn tls_built_in_native_certs(self, enabled: bool) -> Self {
        if enabled && !cfg!(feature = "platform-verifier") {
            return self
                .refused("tls_built_in_native_certs: needs the feature `platform-verifier`");
        }
        self.set_tls(|tls| tls.trust_platform(enabled))
    }

    /// The same as [`use_preconfigured_tls`](Self::use_preconfigured_tls).
    pub fn tls_backend_preconfigured(self, tls: impl Into<Preconfigured>) -> Self {
        self.use_preconfigured_tls(tls)
    }

    /// The same as [`tls_version_min`](Self::tls_version_min).
    pub fn min_tls_version(self, version: Version) -> Self {
        self.tls_version_min(version)
    }

    /// The same as [`tls_version_max`](Self::tls_version_max).
    pub fn max_tls_version(self, version: Version) -> Self {
        self.tls_version_max(version)
    }

    /// The same as [`danger_accept_invalid_certs`](Self::danger_accept_invalid_certs).
    pub fn tls_danger_accept_invalid_certs(self, accept_invalid_certs: bool) -> Self {
        self.danger_accept_invalid_certs(accept_invalid_certs)
    }

    /// The same as [`danger_accept_invalid_hostnames`](Self::danger_accept_invalid_hostnames).
    pub fn tls_danger_accept_invalid_hostnames(self, accept_invalid_hostname: bool) -> Self {
        self.danger_accept_invalid_hostnames(accept_invalid_hostname)
    }
}
