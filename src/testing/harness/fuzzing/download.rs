//! The plan of a download: what it asks, and what it makes of heads and bodies.

use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, Method};

use super::text;
use crate::extra::download::plan::{DownloadPlan, DownloadStep, Settings};
use crate::http1::framing::response_framing;
use crate::http1::head;
use crate::http1::limits::Limits;
use crate::policy::Clock;

/// A download whose target is a number of bytes.
#[derive(Debug)]
pub struct Download {
    plan: DownloadPlan,
}

/// The next step of a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Keep so many bytes, and write the body behind them.
    Write(u64),
    /// The file is complete.
    Complete,
    /// Send another request.
    Again,
    /// An error, as text.
    Fail(String),
}

/// No time passes, and no wait is random.
struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
    }

    fn random(&self) -> u64 {
        0
    }
}

impl Download {
    /// Creates a download with these limits.
    pub fn new(retries: u32, max_size: Option<u64>, sha256: Option<[u8; 32]>) -> Self {
        let settings = Settings { retries, max_size, sha256, ..Settings::default() };
        Self { plan: DownloadPlan::new(settings) }
    }

    /// Returns the fields of the next request.
    pub fn request(&mut self) -> HeaderMap {
        let mut fields = HeaderMap::new();
        self.plan.request().apply(&mut fields);
        fields
    }

    /// Takes the head of an answer; returns `None` if the exchange would refuse it, and a download never see it.
    pub fn answer(&mut self, head: &[u8]) -> Option<Next> {
        let head = head::parse(head, &Limits::default()).ok()?;
        response_framing(&Method::GET, head.status, head.version, &head.headers).ok()?;
        let step = self.plan.answer(&head, &Still);
        Some(self.next(step))
    }

    /// Takes bytes of a body; returns how many of them belong to the file.
    pub fn body(&mut self, bytes: &[u8]) -> Result<usize, String> {
        self.plan.body(bytes).map_err(text)
    }

    /// Returns whether the message has all its bytes.
    pub fn has_message(&self) -> bool {
        self.plan.has_message()
    }

    /// Ends a message, or a request without an answer.
    pub fn ended(&mut self, is_whole: bool) -> Next {
        let step = self.plan.ended(is_whole, &Still);
        self.next(step)
    }

    fn next(&self, step: DownloadStep) -> Next {
        match step {
            DownloadStep::Write => Next::Write(self.plan.length()),
            DownloadStep::Complete => Next::Complete,
            DownloadStep::Again(_) => Next::Again,
            DownloadStep::Fail(failure) => Next::Fail(text(failure)),
        }
    }
}
