//! Entries of the client's recorder: one for each attempt of the call (feature `har`).

use std::net::SocketAddr;

use super::Call;
use crate::body::{Body, Source};
use crate::error::Error;
use crate::http1::exchange::Outgoing;
use crate::http1::head::ResponseHead;
use crate::policy::Clock;

impl<S: Source> Call<'_, S> {
    /// Begins the entry of an attempt, if the client has a recorder. The one before ends here.
    pub(crate) fn begin_recording(&mut self, clock: &impl Clock) {
        let Some(recorder) = &self.config.recorder else { return };
        self.recording = recorder.begin(clock.date(), &self.sent(), self.sent_length());
    }

    /// Records the head of the response.
    pub(crate) fn record_head(
        &mut self,
        head: &ResponseHead,
        remote: Option<SocketAddr>,
        local: Option<SocketAddr>,
    ) {
        let Some(mut recording) = self.recording.take() else { return };
        recording.sent(&self.sent(), self.sent_length());
        recording.answered(head, remote, local, self.budget.current_attempt());
        self.recording = Some(recording);
    }

    /// Records the failure of the attempt.
    pub(crate) fn record_failure(&mut self, error: &Error) {
        let Some(mut recording) = self.recording.take() else { return };
        recording.sent(&self.sent(), self.sent_length());
        recording.failed(error, self.budget.current_attempt());
    }

    /// Returns the length of the request's body, if it is known.
    fn sent_length(&self) -> Option<u64> {
        match self.outgoing {
            Outgoing::None => Some(0),
            Outgoing::Length(length) => Some(length),
            Outgoing::Chunked => self.request.body.as_ref().and_then(Body::length),
        }
    }
}
