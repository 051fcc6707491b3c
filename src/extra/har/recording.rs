//! The life of one entry: the request is known when its attempt begins, then comes a head or an error, and
//! the body while the program reads it.
//!
//! ```text
//! begin ──▶ Recording ──answered──▶ of_body ──▶ BodyRecording ──read──▶ the end, an error, or dropped
//!               └──failed──▶ dropped
//! ```
//!
//! An attempt that is dropped, because its future was or its response is not delivered, leaves an entry that says
//! that its body was not read.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::content::ContentEnd;
use super::entry::HarEntry;
use super::recorder::RecorderSettings;
use crate::base::timings::Attempt;
use crate::error::Error;
use crate::extra::redact;
use crate::extra::sent::SentRequest;
use crate::http1::head::ResponseHead;

/// The entry of an attempt that has not ended.
pub(crate) struct Recording {
    entry: Arc<Mutex<HarEntry>>,
    settings: RecorderSettings,
}

/// The entry of a response whose body is being read.
pub(crate) struct BodyRecording(Box<OpenBody>);

struct OpenBody {
    entry: Arc<Mutex<HarEntry>>,
    settings: RecorderSettings,
    /// The time at which the head had arrived.
    since: Instant,
    is_over: bool,
}

impl Recording {
    pub(super) fn new(entry: Arc<Mutex<HarEntry>>, settings: RecorderSettings) -> Self {
        Self { entry, settings }
    }

    /// Sets the request as it was sent, with what the attempt has added.
    pub(crate) fn sent(&mut self, sent: &SentRequest, length: Option<u64>) {
        let settings = self.settings;
        locked(&self.entry).set_request(sent, length, settings);
    }

    /// Sets the head of the response.
    pub(crate) fn answered(
        &mut self,
        head: &ResponseHead,
        remote: Option<SocketAddr>,
        local: Option<SocketAddr>,
        attempt: Attempt,
    ) {
        let settings = self.settings;
        let mut entry = locked(&self.entry);
        entry.set_response(head, settings);
        entry.remote = remote.map(|remote| remote.ip());
        entry.connection = local.map(|local| local.port());
        entry.attempt = attempt;
    }

    /// Sets the reason why there is no response.
    pub(crate) fn failed(&mut self, error: &Error, attempt: Attempt) {
        let mut entry = locked(&self.entry);
        entry.error = Some(shown(error, self.settings));
        entry.attempt = attempt;
    }

    /// Returns the recording of the body, which begins now. `is_decoded`: whether a content coding is undone.
    pub(crate) fn of_body(self, is_decoded: bool, now: Instant) -> BodyRecording {
        locked(&self.entry).content.begin(is_decoded);
        let Self { entry, settings } = self;
        BodyRecording(Box::new(OpenBody { entry, settings, since: now, is_over: false }))
    }
}

impl BodyRecording {
    /// Adds what was read, until `now`: bytes of the decoded body, or an error. `received` is the number of bytes that
    /// were received so far, if that is not the number of bytes read.
    pub(crate) fn read(
        &mut self,
        read: Result<&[u8], &Error>,
        received: Option<u64>,
        now: Instant,
    ) {
        let settings = self.0.settings;
        let mut entry = locked(&self.0.entry);
        entry.receive = Some(now.saturating_duration_since(self.0.since));
        match read {
            Ok(bytes) => entry.content.push(bytes, received, settings.body),
            Err(error) => {
                entry.error = Some(shown(error, settings));
                entry.content.end(ContentEnd::Failed);
                self.0.is_over = true;
            }
        }
    }

    /// Ends the body: it was read as a whole.
    pub(crate) fn end(&mut self) {
        locked(&self.0.entry).content.end(ContentEnd::Whole);
        self.0.is_over = true;
    }
}

impl Drop for OpenBody {
    fn drop(&mut self) {
        if !self.is_over {
            locked(&self.entry).content.end(ContentEnd::Unread);
        }
    }
}

/// Returns the line of an error, without the secrets of the URLs in it.
fn shown(error: &Error, settings: RecorderSettings) -> String {
    let line = error.to_string();
    if settings.with_secrets { line } else { redact::text(&line) }
}

fn locked(entry: &Mutex<HarEntry>) -> MutexGuard<'_, HarEntry> {
    entry.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for BodyRecording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyRecording").finish_non_exhaustive()
    }
}
