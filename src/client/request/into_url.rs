//! The values that can be used as the URL of a request.

use crate::error::{Error, Result};
use crate::url::{ParseError, Url, may_hold_userinfo, shown};

/// A value that can be used as the URL of a request: a [`Url`], text, and with the feature `url`
/// the `Url` of the crate `url`. Sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as a URL of leanhttp",
    note = "with the feature `url` of leanhttp, the `Url` of the crate `url` can be used"
)]
pub trait IntoUrl: sealed::Sealed {
    #[doc(hidden)]
    fn into_url(self) -> Result<Url>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::url::Url {}
    impl Sealed for &crate::url::Url {}
    impl Sealed for &str {}
    impl Sealed for &String {}
    impl Sealed for String {}
    #[cfg(feature = "url")]
    impl Sealed for whatwg_url::Url {}
}

impl IntoUrl for Url {
    fn into_url(self) -> Result<Url> {
        Ok(self)
    }
}

impl IntoUrl for &Url {
    fn into_url(self) -> Result<Url> {
        Ok(self.clone())
    }
}

impl IntoUrl for &str {
    fn into_url(self) -> Result<Url> {
        Url::parse(self).map_err(|cause| {
            let error = Error::builder(shown("URL", self));
            let error = match (&cause, host_and_port(self)) {
                (ParseError::UnsupportedScheme(_), Some(host_and_port)) => {
                    error.note(format!("did you mean `http://{host_and_port}`?"))
                }
                _ => error,
            };
            error.cause(cause)
        })
    }
}

/// Returns the start of a URL such as `localhost:8080/x`, whose host the URL Standard parses as a
/// scheme, but nothing that may contain a password.
fn host_and_port(text: &str) -> Option<&str> {
    let authority = text.trim().split(['/', '?', '#']).next()?;
    let (host, port) = authority.split_once(':')?;
    port.parse::<u16>().ok()?;
    let is_plain = host.len() < 80 && host.bytes().all(|byte| byte.is_ascii_graphic());
    Some(authority).filter(|_| is_plain && !may_hold_userinfo(text))
}

impl IntoUrl for &String {
    fn into_url(self) -> Result<Url> {
        self.as_str().into_url()
    }
}

impl IntoUrl for String {
    fn into_url(self) -> Result<Url> {
        self.as_str().into_url()
    }
}

/// Accepts the URL type that programs written for reqwest pass.
#[cfg(feature = "url")]
impl IntoUrl for whatwg_url::Url {
    fn into_url(self) -> Result<Url> {
        self.as_str().into_url()
    }
}
