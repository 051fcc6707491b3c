//! Methods that exist because reqwest has them: other names for settings of this crate, and settings
//! that have only one possible value here.

use super::ClientBuilder;
#[cfg(feature = "tls")]
use crate::config::tls::{Preconfigured, Version};
use crate::driver::runtime::Runtime;

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
