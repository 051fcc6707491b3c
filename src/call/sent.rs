//! The request of the current attempt, as a command of curl and to be kept (feature `export`).

use std::sync::Arc;

use super::{Call, RequestParts};
use crate::base::buffer::Buffer;
use crate::body::{Body, Source};
use crate::error::Result;
use crate::extra::curl::{self, Outline, Payload};
use crate::extra::sent::{MOST_KEPT, SentBody, SentRequest};
use crate::http1::exchange::Outgoing;

impl<S: Source> Call<'_, S> {
    /// Returns the request as a command of curl. Its body is shown if the request has all of it.
    pub(crate) fn as_curl(&self, is_whole: bool, with_secrets: bool) -> Result<String> {
        let RequestParts { method, url, version, body, .. } = &*self.request;
        let headers = self.final_fields();
        let body = match body.as_ref().map(Body::as_bytes) {
            None if is_whole => Payload::None,
            Some(Some(bytes)) => Payload::Bytes(bytes),
            _ => Payload::Source,
        };
        let outline = Outline { method, url, version: *version, headers: &headers, body };
        Ok(curl::command(&outline, with_secrets))
    }

    /// Returns the most attempts that the retry policy makes.
    pub(crate) fn max_attempts(&self) -> u32 {
        self.retry_policy().map_or(1, |policy| policy.attempts)
    }

    /// Keeps the head of this attempt as it was written: cookies and signatures are others later.
    pub(crate) fn keep_head(&mut self, head: &[u8]) {
        self.head.clear();
        self.head.extend_from_slice(head);
    }

    /// Returns the request of this attempt. If it did not get as far as a head, that is written now.
    pub(crate) fn sent(&self) -> Arc<SentRequest> {
        let RequestParts { method, url, version, body, .. } = &*self.request;
        let head = if self.head.is_empty() {
            let mut head = Buffer::default();
            self.write_head(&mut head);
            head.data().to_vec()
        } else {
            self.head.clone()
        };
        let body = match body.as_ref().map(Body::shared_bytes) {
            _ if self.outgoing == Outgoing::None => SentBody::None,
            None => SentBody::None,
            Some(Some(bytes)) if bytes.len() <= MOST_KEPT => SentBody::Bytes(bytes),
            Some(_) => SentBody::NotKept,
        };
        Arc::new(SentRequest {
            method: method.clone(),
            url: url.clone(),
            version: *version,
            head,
            marked: self.marked_values().cloned().collect(),
            body,
        })
    }
}
