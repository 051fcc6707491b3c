//! The machine: what is asked next, and what an answer means. The page of the folder says by which rules.

use std::time::Duration;

use http::header::{ACCEPT_RANGES, HeaderValue, RETRY_AFTER, TRANSFER_ENCODING};
use http::{HeaderMap, StatusCode, header};

use super::content_digest::{CONTENT_DIGEST, NamedDigests, REPR_DIGEST};
use super::content_range::{self, ContentRange};
use super::hashes::{Hashes, Mismatch};
use super::validator::Validator;
use crate::fields::date;
use crate::http1::head::ResponseHead;
use crate::http1::header_section::{Fields as _, has_member};
use crate::policy::Clock;
use crate::policy::retry::Delays;

/// The number of new bytes by which an attempt counts as progress. One byte would do for correctness; but a server
/// that gives one byte for each connection would be asked for ever.
pub(crate) const LEAST_PROGRESS: u64 = 1024;

/// The default number of failures in a row that are forgiven.
const RETRIES: u32 = 5;

/// The settings of a download.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) expected_size: Option<u64>,
    pub(crate) max_size: Option<u64>,
    /// The number of failures in a row that are forgiven.
    pub(crate) retries: u32,
    pub(crate) delays: Delays,
}

impl Settings {
    fn check_limit(&self, size: Option<u64>) -> Result<(), DownloadFailure> {
        match (self.max_size, size) {
            (Some(limit), Some(size)) if size > limit => Err(DownloadFailure::TooLarge { limit }),
            _ => Ok(()),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sha256: None,
            expected_size: None,
            max_size: None,
            retries: RETRIES,
            delays: Delays {
                first: Duration::from_millis(500),
                longest: Duration::from_secs(30),
                longest_asked: Duration::from_secs(60),
            },
        }
    }
}

/// A download, between its requests and while it reads an answer.
#[derive(Debug)]
pub(crate) struct DownloadPlan {
    settings: Settings,
    /// The number of bytes of the file that are there.
    length: u64,
    /// The size of the file, if it is known.
    total: Option<u64>,
    validator: Validator,
    /// The server has not said `Accept-Ranges: none`.
    offers_ranges: bool,
    /// No answer to a range has contradicted what is known.
    trusts_ranges: bool,
    /// The last request had a `Range`.
    asked_range: bool,
    /// The bytes came from more than one message.
    is_spliced: bool,
    /// The hashes of the bytes that are there.
    hashes: Hashes,
    /// The digests of the whole file that the server named.
    named: Option<NamedDigests>,
    message: Option<Message>,
    /// The largest number of bytes that were ever there.
    mark: u64,
    /// The number of failures in a row.
    failures: u32,
    /// The number of times that bytes were discarded.
    restarts: u32,
}

/// The message that is being read.
#[derive(Debug)]
struct Message {
    begin: u64,
    /// The offset behind its last byte, if it is known.
    end: Option<u64>,
    /// Its own digests, and the hashes of the file in front of it.
    digests: Option<Box<(NamedDigests, Hashes, Hashes)>>,
}

/// The fields of the next request, besides those of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ask {
    /// The first byte that is asked for; all bytes behind it are too.
    pub(crate) range: Option<u64>,
    pub(crate) if_range: Option<HeaderValue>,
}

/// The next step of a download.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DownloadStep {
    /// Keep the first [`DownloadPlan::length`] bytes of the target, and write the body of this answer behind them.
    Write,
    /// The target holds the file.
    Complete,
    /// Send the next request after this time.
    Again(Duration),
    Fail(DownloadFailure),
}

/// The reason why a download ends without a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DownloadFailure {
    /// The status is none of a download, or one that passes did not pass in time.
    Status(StatusCode),
    /// A server that is busy asked for a longer wait than is allowed.
    AsksToWait {
        status: StatusCode,
        asked: Duration,
        limit: Duration,
    },
    /// A 206 to a request without `Range`.
    UnaskedPart,
    /// The file is larger than the caller allows.
    TooLarge {
        limit: u64,
    },
    /// The file has another size than the caller expects; `None` if it is larger than that.
    Size {
        expected: u64,
        found: Option<u64>,
    },
    Checksum(Mismatch),
    /// Too many attempts failed in a row.
    GaveUp {
        failures: u32,
        length: u64,
        total: Option<u64>,
    },
}

impl Ask {
    /// Sets the fields on a request, and nothing else of an earlier one stays.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.remove(header::RANGE);
        headers.remove(header::IF_RANGE);
        if let Some(first) = self.range {
            // Digits are a valid value.
            let range = HeaderValue::try_from(format!("bytes={first}-"));
            range.into_iter().for_each(|range| drop(headers.insert(header::RANGE, range)));
        }
        if let Some(if_range) = &self.if_range {
            headers.insert(header::IF_RANGE, if_range.clone());
        }
    }
}

impl DownloadPlan {
    /// Creates a download of which nothing is there yet.
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            length: 0,
            total: None,
            validator: Validator::default(),
            offers_ranges: true,
            trusts_ranges: true,
            asked_range: false,
            is_spliced: false,
            hashes: Hashes::default(),
            named: None,
            message: None,
            mark: 0,
            failures: 0,
            restarts: 0,
        }
    }

    /// Continues with a part that an earlier run kept: its length, its hashes, and what it noted of the file.
    pub(crate) fn resume(
        &mut self,
        length: u64,
        hashes: Hashes,
        if_range: Option<HeaderValue>,
        total: Option<u64>,
    ) {
        if length > 0 {
            (self.length, self.total, self.hashes) = (length, total, hashes);
            self.validator = Validator::kept(if_range);
            (self.mark, self.is_spliced) = (length, true);
        }
    }

    /// Returns the first step: a part that was kept may be all.
    pub(crate) fn start(&mut self) -> DownloadStep {
        if self.length > 0 && self.total == Some(self.length) {
            return self.finish();
        }
        DownloadStep::Again(Duration::ZERO)
    }

    /// Returns the fields of the next request.
    pub(crate) fn request(&mut self) -> Ask {
        // A digest of the caller's finds out if the versions differ.
        let is_bound = self.validator.if_range.is_some() || self.settings.sha256.is_some();
        self.asked_range = self.length > 0 && self.offers_ranges && self.trusts_ranges && is_bound;
        Ask {
            range: self.asked_range.then_some(self.length),
            if_range: self.validator.if_range.clone().filter(|_| self.asked_range),
        }
    }

    /// Decides about the head of an answer.
    pub(crate) fn answer(&mut self, head: &ResponseHead, clock: &impl Clock) -> DownloadStep {
        self.message = None;
        match head.status {
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => self.whole(head, clock),
            StatusCode::PARTIAL_CONTENT if self.asked_range => self.part(head),
            StatusCode::PARTIAL_CONTENT => DownloadStep::Fail(DownloadFailure::UnaskedPart),
            StatusCode::RANGE_NOT_SATISFIABLE if self.asked_range => self.unsatisfied(head),
            StatusCode::PRECONDITION_FAILED if self.asked_range => self.restart(),
            status if is_busy(status) => self.busy(head, clock),
            status => DownloadStep::Fail(DownloadFailure::Status(status)),
        }
    }

    /// Takes the next bytes of the body, and returns how many of them belong to the file: a message may be longer
    /// than the range that it names.
    pub(crate) fn body(&mut self, bytes: &[u8]) -> Result<usize, DownloadFailure> {
        let Some(message) = &mut self.message else { return Ok(0) };
        let left = message.end.map_or(u64::MAX, |end| end.saturating_sub(self.length));
        let count = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let kept = bytes.split_at(count).0;
        let length = self.length.saturating_add(count as u64);
        self.settings.check_limit(Some(length))?;
        if let Some(expected) = self.settings.expected_size.filter(|expected| length > *expected) {
            return Err(DownloadFailure::Size { expected, found: None });
        }
        self.hashes.update(kept);
        if let Some(digests) = &mut message.digests {
            digests.1.update(kept);
        }
        self.length = length;
        Ok(count)
    }

    /// Returns whether all bytes of the message are there, so that its end need not be read.
    pub(crate) fn has_message(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.end == Some(self.length))
    }

    /// Decides after a message, or after a request that got none: whether it ended as it should, or failed in a way
    /// that may pass.
    pub(crate) fn ended(&mut self, is_whole: bool, clock: &impl Clock) -> DownloadStep {
        let Some(message) = self.message.take() else { return self.failed(clock) };
        let is_whole = message.end.map_or(is_whole, |end| end == self.length);
        if !is_whole {
            return self.failed(clock);
        }
        if let Some((named, hashes, before)) = message.digests.map(|digests| *digests) {
            if let Err(mismatch) = hashes.compare(&named) {
                if message.begin == 0 {
                    return DownloadStep::Fail(DownloadFailure::Checksum(mismatch));
                }
                // The part is thrown away, and asked for again.
                (self.length, self.hashes) = (message.begin, before);
                return self.failed(clock);
            }
        }
        // A message without a length ends the file, and so does a range without a total, which had no end.
        let total = *self.total.get_or_insert(self.length);
        if total == self.length {
            return self.finish();
        }
        // The server gave less than was asked for, which it may (RFC 9110 §15.3.7).
        let is_enough = self.length - message.begin >= LEAST_PROGRESS;
        match self.has_progressed() || is_enough {
            true => DownloadStep::Again(Duration::ZERO),
            false => self.failed(clock),
        }
    }

    /// Returns the number of bytes of the file that are there.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the size of the file, if it is known.
    pub(crate) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Returns how often bytes were thrown away, because they were not of this version of the file, or because the
    /// server does not give parts.
    pub(crate) fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Returns whether the bytes came from more than one message.
    pub(crate) fn is_spliced(&self) -> bool {
        self.is_spliced
    }

    /// Returns the `If-Range` for this version of the file.
    pub(crate) fn if_range(&self) -> Option<&HeaderValue> {
        self.validator.if_range.as_ref().filter(|_| self.offers_ranges)
    }

    /// Returns the SHA-256 of the bytes that are there.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        self.hashes.sha256()
    }

    /// A 200 or 203: the file from its beginning.
    fn whole(&mut self, head: &ResponseHead, clock: &impl Clock) -> DownloadStep {
        let headers = &head.headers;
        self.restarts += u32::from(self.length > 0);
        self.named = NamedDigests::of(headers, &REPR_DIGEST);
        (self.length, self.is_spliced) = (0, false);
        self.hashes = Hashes::to_check(self.named);
        self.validator = Validator::of(headers, clock.date());
        self.offers_ranges = !has_member(headers, &ACCEPT_RANGES, "none");
        self.total = headers.content_length().filter(|_| !headers.has(&TRANSFER_ENCODING));
        self.begin_message(head, self.total)
    }

    /// A 206, which is appended if it fits.
    fn part(&mut self, head: &ResponseHead) -> DownloadStep {
        let Some(end) = self.end_of_part(head) else { return self.restart() };
        self.is_spliced = true;
        self.offers_ranges &= !has_member(&head.headers, &ACCEPT_RANGES, "none");
        if let Some(named) = NamedDigests::of(&head.headers, &REPR_DIGEST) {
            self.named = Some(named);
        }
        self.begin_message(head, Some(end))
    }

    /// Returns the offset behind a part, and notes the total that it names; `None` if the part does not continue
    /// what is there.
    fn end_of_part(&mut self, head: &ResponseHead) -> Option<u64> {
        let ContentRange::Part { first, last, total } = content_range::of(&head.headers)? else {
            return None;
        };
        let end = last.checked_add(1)?;
        let length = head.headers.content_length();
        let fits = first == self.length
            && length.is_none_or(|length| length == end - first)
            && self.total.is_none_or(|own| end <= own && total.is_none_or(|total| total == own))
            && self.validator.admits(&head.headers);
        self.total = self.total.or(total.filter(|_| fits));
        fits.then_some(end)
    }

    /// Checks the size that a head announces, and begins to read.
    fn begin_message(&mut self, head: &ResponseHead, end: Option<u64>) -> DownloadStep {
        let announced = self.total.or(end);
        if let Err(failure) =
            self.settings.check_limit(announced).and_then(|()| self.check_size(self.total))
        {
            return DownloadStep::Fail(failure);
        }
        let digests = NamedDigests::of(&head.headers, &CONTENT_DIGEST);
        let digests = digests
            .map(|named| Box::new((named, Hashes::to_check(Some(named)), self.hashes.clone())));
        self.message = Some(Message { begin: self.length, end, digests });
        DownloadStep::Write
    }

    fn check_size(&self, size: Option<u64>) -> Result<(), DownloadFailure> {
        match (self.settings.expected_size, size) {
            (Some(expected), Some(size)) if size != expected => {
                Err(DownloadFailure::Size { expected, found: Some(size) })
            }
            _ => Ok(()),
        }
    }

    /// A 416: the file is complete if its total is our length (RFC 9110 §15.5.17).
    fn unsatisfied(&mut self, head: &ResponseHead) -> DownloadStep {
        let range = content_range::of(&head.headers);
        let is_known = |known: u64| known == self.length;
        match range {
            Some(ContentRange::Unsatisfied { total })
                if is_known(total) && self.total.is_none_or(is_known) =>
            {
                self.total = Some(total);
                self.finish()
            }
            _ => self.restart(),
        }
    }

    /// A status that may pass: too many requests, a gateway without its server.
    fn busy(&mut self, head: &ResponseHead, clock: &impl Clock) -> DownloadStep {
        let field = head.headers.first(&RETRY_AFTER);
        let asked = field.and_then(|value| date::retry_after_at_least(value, clock.date()));
        self.failures += 1;
        if self.failures > self.settings.retries {
            return DownloadStep::Fail(DownloadFailure::Status(head.status));
        }
        let (delays, status) = (self.settings.delays, head.status);
        match delays.before(self.failures, asked, clock.random()) {
            Some(wait) => DownloadStep::Again(wait),
            None => DownloadStep::Fail(DownloadFailure::AsksToWait {
                status,
                asked: asked.unwrap_or_default(),
                limit: delays.longest_asked,
            }),
        }
    }

    /// Goes back to zero after an answer that contradicts what is known. No range is asked for any more, so this
    /// happens once.
    fn restart(&mut self) -> DownloadStep {
        (self.length, self.total, self.is_spliced) = (0, None, false);
        (self.hashes, self.named, self.validator) = Default::default();
        self.trusts_ranges = false;
        self.restarts += 1;
        DownloadStep::Again(Duration::ZERO)
    }

    /// Checks the file when all bytes are there, which an earlier run may have left under another limit. The
    /// caller's digest goes before those of the server.
    fn finish(&mut self) -> DownloadStep {
        let size = Some(self.length);
        if let Err(failure) = self.settings.check_limit(size).and_then(|()| self.check_size(size)) {
            return DownloadStep::Fail(failure);
        }
        let compared = match (&self.settings.sha256, &self.named) {
            (Some(expected), _) => self.hashes.compare_sha256(expected),
            (None, Some(named)) => self.hashes.compare(named),
            (None, None) => Ok(()),
        };
        match compared {
            Ok(()) => DownloadStep::Complete,
            Err(_) if self.is_spliced => self.restart(), // perhaps two versions
            Err(mismatch) => DownloadStep::Fail(DownloadFailure::Checksum(mismatch)),
        }
    }

    /// Counts a failure, unless there was progress, and returns the next step.
    fn failed(&mut self, clock: &impl Clock) -> DownloadStep {
        self.has_progressed();
        self.failures += 1;
        if self.failures > self.settings.retries {
            let (failures, length, total) = (self.failures, self.length, self.total);
            return DownloadStep::Fail(DownloadFailure::GaveUp { failures, length, total });
        }
        let wait = self.settings.delays.before(self.failures, None, clock.random());
        DownloadStep::Again(wait.unwrap_or_default())
    }

    /// Returns whether the file is longer than it ever was, by enough to count; then the failures so far are
    /// forgotten.
    fn has_progressed(&mut self) -> bool {
        let gained = self.length.saturating_sub(self.mark);
        let is_small = self.total.unwrap_or(self.length) < LEAST_PROGRESS;
        let has_progressed = gained >= LEAST_PROGRESS || (gained > 0 && is_small);
        self.mark = self.mark.max(self.length);
        if has_progressed {
            self.failures = 0;
        }
        has_progressed
    }
}

/// The statuses that depend on the moment: those of [`retry`](crate::policy::retry), and 408.
fn is_busy(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504)
}
