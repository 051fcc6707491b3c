//! The TLS connection of a response.

use super::Response;
use crate::transport::tls_info::TlsInfo;

impl<B> Response<B> {
    /// Returns information about the TLS connection to the server; `None` for `http`.
    ///
    /// ```no_run
    /// let response = leanhttp::get("https://example.org/")?;
    /// if let Some(tls) = response.tls() {
    ///     println!("{:?} {:?}", tls.version(), tls.cipher_suite());
    /// }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.head.tls.as_ref()
    }
}
