//! What can be used as the URL of a request.

use crate::error::{Error, Result};
use crate::url::{Url, shown};

/// What can be used as the URL of a request. Sealed.
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
        Url::parse(self).map_err(|error| Error::builder(shown("URL", self)).cause(error))
    }
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

/// As a program written for reqwest passes it.
#[cfg(feature = "url")]
impl IntoUrl for whatwg_url::Url {
    fn into_url(self) -> Result<Url> {
        self.as_str().into_url()
    }
}
