//! Credentials of a client: Basic, and the logins of a netrc file.

use std::fmt;
use std::path::Path;

use super::ClientBuilder;
use crate::config;
use crate::driver::runtime::Runtime;
use crate::policy::auth;

impl<F: Runtime> ClientBuilder<F> {
    /// Sets Basic credentials (RFC 7617) for every request that has no `Authorization` of its own.
    ///
    /// They are sent to the origin that a request names, and not to the target of a redirect.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().basic_auth("user", Some("passwd")).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn basic_auth<U, P>(self, username: U, password: Option<P>) -> Self
    where
        U: fmt::Display,
        P: fmt::Display,
    {
        let password = password.map(|password| password.to_string()).unwrap_or_default();
        let value = auth::basic(username.to_string().as_bytes(), password.as_bytes());
        self.checked(value, |config, value| config.credentials = Some(value))
    }

    /// Reads logins as [`netrc_file`](Self::netrc_file) does, from the file that the environment
    /// variable `NETRC` names, or else from `.netrc` in the home folder. A missing file is not an
    /// error.
    pub fn netrc(self) -> Self {
        match config::default_netrc_path() {
            Some(path) => self.netrc_file(path),
            None => self,
        }
    }

    /// Reads logins from this netrc file, immediately: Basic credentials for the host that a request
    /// names, if the file has an entry for it, or one called `default`. Off by default.
    ///
    /// They are not sent to the target of a redirect. Credentials set in the program take
    /// precedence: an `Authorization` field, a password in the URL, the credentials of the request
    /// or of the client. A user in the URL without a password gets the password of that user's
    /// entry.
    ///
    /// A file that is missing or malformed is an error of [`build`](Self::build). The file's
    /// permissions are not checked.
    ///
    /// ```no_run
    /// let client = leanhttp::Client::builder().netrc_file("/etc/backup/netrc").build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn netrc_file(self, path: impl AsRef<Path>) -> Self {
        self.checked(config::read_netrc(path.as_ref()), |config, netrc| config.netrc = Some(netrc))
    }
}
