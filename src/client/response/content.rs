//! The body of a response in one piece: as bytes, text or JSON.

use std::io;

use http::{HeaderMap, header};

use crate::client::response::Response;
use crate::coding::charset;
use crate::driver::ResponseBody;
use crate::driver::runtime::Runtime;
use crate::error::{Error, Kind, Phase, Result};

impl<F: Runtime> Response<ResponseBody<F>> {
    /// Returns the trailer fields of a chunked body (RFC 9110 §6.5) once it was read to its end, or
    /// `None` if it has none. They are never merged into the head.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.body.trailers()
    }

    /// Reads the next decoded bytes; 0 means the end.
    pub(crate) async fn next_bytes(&mut self, into: &mut [u8]) -> Result<usize> {
        self.body.next_bytes(into).await.map_err(|error| error.for_url(&self.head.url))
    }

    pub(crate) async fn collect(&mut self) -> Result<Vec<u8>> {
        self.body.collect().await.map_err(|error| error.for_url(&self.head.url))
    }

    pub(crate) async fn collect_text(mut self, default_encoding: &str) -> Result<String> {
        let body = self.collect().await?;
        let content_type = self.head.received.headers.first(&header::CONTENT_TYPE);
        Ok(charset::decode(body, content_type, default_encoding))
    }

    #[cfg(feature = "json")]
    pub(crate) async fn collect_json<T: serde::de::DeserializeOwned>(mut self) -> Result<T> {
        let body = self.collect().await?;
        let content_type = self.head.received.headers.first(&header::CONTENT_TYPE);
        super::json::read(&body, content_type).map_err(|error| error.for_url(&self.head.url))
    }

    /// Returns the error for a failure of the caller's writer.
    pub(crate) fn writer_error(&self, error: io::Error) -> Error {
        let error = Error::new(Kind::Io, Phase::Body)
            .detail("writing the body to the caller's writer")
            .cause(error);
        error.for_url(&self.head.url)
    }
}
