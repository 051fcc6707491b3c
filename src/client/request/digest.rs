//! Digest credentials of a request.

use std::fmt;

use super::RequestBuilder;
use crate::driver::runtime::Runtime;
use crate::policy::auth::digest::DigestLogin;

impl<F: Runtime> RequestBuilder<F> {
    /// Sets Digest credentials (RFC 7616): a 401 that asks for them is answered, with MD5, SHA-256 or
    /// SHA-512-256, the strongest that the server offers. They stay with the origin of the URL.
    ///
    /// The first request to an origin is sent twice, so its body has to be replayable; later ones
    /// reuse the server's nonce. If the server refuses the password, its 401 is returned. If the request
    /// has an `Authorization` field, these credentials are not used. A user name with a colon or with
    /// control characters is an error.
    ///
    /// ```no_run
    /// let response = leanhttp::Client::new()
    ///     .get("https://example.org/dir/index.html")
    ///     .digest_auth("Mufasa", "Circle of Life")
    ///     .send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn digest_auth<U, P>(self, username: U, password: P) -> Self
    where
        U: fmt::Display,
        P: fmt::Display,
    {
        self.and(|request| {
            request.digest = Some(DigestLogin::new(username, password)?);
            Ok(())
        })
    }
}
