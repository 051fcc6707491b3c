//! Digest credentials of a client.

use std::fmt;

use super::ClientBuilder;
use crate::driver::runtime::Runtime;
use crate::policy::auth::digest::DigestLogin;

impl<F: Runtime> ClientBuilder<F> {
    /// Sets Digest credentials (RFC 7616) for every request that has no `Authorization` of its own; see
    /// [`RequestBuilder::digest_auth`](crate::client::request::RequestBuilder::digest_auth). They
    /// replace those of `basic_auth`.
    ///
    /// They are sent to the origin that a request names, and not to the target of a redirect.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().digest_auth("user", "passwd").build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn digest_auth<U, P>(self, username: U, password: P) -> Self
    where
        U: fmt::Display,
        P: fmt::Display,
    {
        self.checked(DigestLogin::new(username, password), |config, login| {
            config.digest = Some(login);
        })
    }
}
