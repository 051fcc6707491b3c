//! The methods `json` without their feature: a call does not compile, and the error says which feature to enable.
//! Without them rustc would say only that there is no such method.

#[cfg(feature = "blocking")]
use crate::blocking;
use crate::client::request::RequestBuilder;
use crate::driver::runtime::Runtime;
#[cfg(any(feature = "blocking", feature = "tokio", feature = "runtime"))]
use crate::error::{Error, Result};
#[cfg(any(feature = "tokio", feature = "runtime"))]
use crate::{
    client::response::Response,
    driver::{ResponseBody, async_runtime::Asynchronous},
};

/// A bound that no type meets.
#[diagnostic::on_unimplemented(
    message = "`json` needs the feature `json` of leanhttp",
    label = "the feature is off",
    note = "`cargo add leanhttp --features json` enables it"
)]
pub trait JsonFeature {}

impl<F: Runtime, D> RequestBuilder<F, D> {
    #[doc(hidden)]
    pub fn json<T: JsonFeature + ?Sized>(self, _json: &T) -> Self {
        self
    }
}

#[cfg(feature = "blocking")]
impl blocking::Response {
    #[doc(hidden)]
    pub fn json<T: JsonFeature>(self) -> Result<T> {
        Err(off())
    }
}

#[cfg(any(feature = "tokio", feature = "runtime"))]
impl<F: Asynchronous> Response<ResponseBody<F>> {
    #[doc(hidden)]
    pub async fn json<T: JsonFeature>(self) -> Result<T> {
        Err(off())
    }
}

#[cfg(any(feature = "blocking", feature = "tokio", feature = "runtime"))]
fn off() -> Error {
    Error::builder("the feature `json` is off")
}
