//! JSON bodies of requests.

use http::header::{self, HeaderValue};
use serde::Serialize;

use super::RequestBuilder;
use crate::driver::runtime::Runtime;
use crate::error::Error;

impl<F: Runtime> RequestBuilder<F> {
    /// Sets the body to `json` as JSON, and `Content-Type` to `application/json` unless it is set.
    pub fn json<T: Serialize + ?Sized>(self, json: &T) -> Self {
        self.and(|request| {
            let body = serde_json::to_vec(json).map_err(|error| {
                Error::builder("the value cannot be serialized as JSON").cause(error)
            })?;
            let json = HeaderValue::from_static("application/json");
            request.set_body(body.into());
            request.default_header(header::CONTENT_TYPE, json)
        })
    }
}
