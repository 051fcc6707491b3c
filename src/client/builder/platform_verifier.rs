//! Certificate verification by the operating system.

use super::ClientBuilder;
use crate::driver::runtime::Runtime;

impl<F: Runtime> ClientBuilder<F> {
    /// Lets the operating system verify certificates, as its administrator has configured it:
    /// Windows and macOS with their own verifiers, other systems with the root certificates they are
    /// installed with. The Mozilla roots are not used then; certificates that are added are.
    ///
    /// With the feature `platform-verifier`. It cannot be combined with revocation lists. On Android it
    /// cannot be combined with added certificates either, and the program has to initialize the crate
    /// `rustls-platform-verifier` first.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().tls_platform_verifier();
    /// # let _ = client;
    /// ```
    pub fn tls_platform_verifier(self) -> Self {
        self.set_tls(|tls| tls.use_platform_verifier())
    }
}
