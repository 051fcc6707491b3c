//! Downloads: [`Download`] sets one up, [`Downloaded`] is its result, [`DownloadProgress`] is what a callback is told.

// The loop that carries out what `download/plan.rs` asks for. The place where the bytes go is a `DownloadTarget`: a file
// (`os/download.rs`) or a writer of the caller, in `blocking/download.rs` and `tokio/download.rs`.
//
// Each request is a call of its own, without a retry policy, since the plan does the retries: it alone knows what is
// there already. What calls share is the total timeout, which is that of the whole download.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, StatusCode, header};

use super::request::RequestBuilder;
use super::response::Response;
use super::{Client, send};
use crate::call::{RequestParts, UNLIMITED};
use crate::coding::Codings;
use crate::driver::ResponseBody;
use crate::driver::runtime::{Oneshot, Runtime};
use crate::error::{Error, Kind, Phase, Result};
use crate::extra::download::hashes::{hex, parse_sha256};
use crate::extra::download::kept::{self, Facts};
use crate::extra::download::name::file_name;
use crate::extra::download::plan::{DownloadFailure, DownloadPlan, DownloadStep, Settings};
use crate::extra::download::target::{Beginning, DownloadTarget};
use crate::policy::deadline::Budget;
use crate::policy::retry;

/// The size of the pieces in which a body is read and written.
const PIECE: usize = 128 * 1024;

/// The time between two reports of progress.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// A download under construction: it resumes after failures, checks what it got, and leaves a complete file or none.
///
/// [`RequestBuilder::download`] makes one, and `to_file`, `to_dir` or `to_writer` carries it out. The
/// [guide](crate::guide::downloads) says which rules it follows.
///
/// ```no_run
/// # #[cfg(feature = "blocking")] {
/// let done = leanhttp::Client::new()
///     .get("https://example.org/large.iso")
///     .download()
///     .max_size(4 << 30)
///     .on_progress(|progress| println!("{} of {:?} bytes", progress.received, progress.total))
///     .to_file("large.iso")?;
/// println!("{} bytes, SHA-256 {}", done.size(), done.sha256());
/// # }
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[must_use]
pub struct Download<F: Runtime> {
    client: Client<F>,
    request: Result<Box<RequestParts<F::Source>>>,
    settings: Settings,
    observer: Option<Observer>,
    pub(crate) files: FileSettings,
}

type Observer = Arc<dyn Fn(DownloadProgress) + Send + Sync>;

/// The treatment of files that exist.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FileSettings {
    /// `None`: a file that is named is replaced, one that the server names is not.
    pub(crate) overwrite: Option<bool>,
    pub(crate) numbered: bool,
    pub(crate) keep_partial: bool,
}

impl<F: Runtime> RequestBuilder<F> {
    /// Begins a download of the file at the URL: call `to_file`, `to_dir` or `to_writer` on it.
    ///
    /// The request is a GET, and may be sent several times. See [`Download`].
    ///
    /// ```no_run
    /// # #[cfg(feature = "blocking")] {
    /// let request = leanhttp::Client::new().get("https://example.org/a.zip").bearer_auth("t0ken");
    /// let done = request.download().to_dir("downloads")?;
    /// # }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn download(self) -> Download<F> {
        let (client, request) = self.finish();
        let (settings, files) = (Settings::default(), FileSettings::default());
        Download { client, request: request.and_then(prepared), settings, observer: None, files }
    }
}

/// Checks that a request can be a download, and takes away what the download decides itself.
fn prepared<S: crate::body::Source>(
    mut request: Box<RequestParts<S>>,
) -> Result<Box<RequestParts<S>>> {
    let refused = if request.method != Method::GET {
        Some(format!("a download is a GET, not a {}: use `send` and `copy_to`", request.method))
    } else if [header::RANGE, header::IF_RANGE]
        .iter()
        .any(|name| request.headers.contains_key(name))
    {
        Some("a download sets `Range` and `If-Range` itself".to_owned())
    } else if request.body.as_ref().is_some_and(|body| body.has_source()) {
        Some("a download may send its request again, and its body can be read once".to_owned())
    } else {
        None
    };
    if let Some(reason) = refused {
        return Err(Error::builder(reason).for_url(&request.url));
    }
    request.codings = Some(Codings::none());
    request.retry = Some(Arc::new(retry::Policy::none()));
    Ok(request)
}

impl<F: Runtime> Download<F> {
    /// Sets the SHA-256 that the file must have, as 64 hexadecimal digits. Another one is an
    /// [error](Error::is_checksum), and no file is left. Default: only digests that the server names are checked.
    ///
    /// ```no_run
    /// # #[cfg(feature = "blocking")] {
    /// let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    /// let request = leanhttp::Client::new().get("https://example.org/empty");
    /// request.download().sha256(empty).to_file("empty")?;
    /// # }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn sha256(mut self, digits: impl AsRef<str>) -> Self {
        match parse_sha256(digits.as_ref()) {
            Some(digest) => self.settings.sha256 = Some(digest),
            None => self.refuse("sha256: a SHA-256 has 64 hexadecimal digits"),
        }
        self
    }

    /// Sets the number of bytes that the file must have. Another size is an [error](Error::is_checksum), if the
    /// server announces it before anything is written.
    pub fn expected_size(mut self, bytes: u64) -> Self {
        self.settings.expected_size = Some(bytes);
        self
    }

    /// Sets the largest size of the file, in bytes. A larger one is an error ([`Kind::Limit`]), as soon as it is
    /// known. Default: no limit, since a file is not memory.
    pub fn max_size(mut self, bytes: u64) -> Self {
        self.settings.max_size = Some(bytes);
        self
    }

    /// Sets how many failures in a row are forgiven. Default: 5.
    ///
    /// An attempt that made the file at least 1 KiB longer (one byte, if the file is smaller) ends the row.
    pub fn retries(mut self, retries: u32) -> Self {
        self.settings.retries = retries;
        self
    }

    /// Sets the backoff between attempts, as [`retry::Policy::backoff`] does: a random wait of up to `first` after
    /// the first failure in a row, up to twice that after each further one, and at most `longest`. Default: 0.5 s
    /// and 30 s.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// # #[cfg(feature = "blocking")] {
    /// let download = leanhttp::Client::new().get("https://example.org/a.zip").download();
    /// download.backoff(Duration::from_secs(5), Duration::from_secs(300)).to_file("a.zip")?;
    /// # }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.settings.delays.first = first;
        self.settings.delays.longest = longest;
        self
    }

    /// Sets the longest wait that a busy server may ask for with `Retry-After`. Default: 60 s. If it asks for more,
    /// the download ends with an error that says so.
    pub fn max_retry_after(mut self, longest: Duration) -> Self {
        self.settings.delays.longest_asked = longest;
        self
    }

    /// Sets a callback for the progress: at the first bytes, then at most every 100 ms, and at the end. It is called
    /// with no lock held, on the thread that writes; the download waits for it.
    ///
    /// ```no_run
    /// # #[cfg(feature = "blocking")] {
    /// let download = leanhttp::Client::new().get("https://example.org/a.zip").download();
    /// let download = download.on_progress(|progress| match progress.total {
    ///     Some(total) => eprintln!("{} of {total} bytes", progress.received),
    ///     None => eprintln!("{} bytes", progress.received),
    /// });
    /// download.to_file("a.zip")?;
    /// # }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn on_progress<P: Fn(DownloadProgress) + Send + Sync + 'static>(
        mut self,
        observer: P,
    ) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Sets whether a file that exists is replaced. Default: `to_file` replaces it, `to_dir`, where the server
    /// chooses the name, does not, which is an error.
    ///
    /// Either way it is untouched until the download is complete.
    pub fn overwrite(mut self, replace: bool) -> Self {
        self.files.overwrite = Some(replace);
        self
    }

    /// Sets whether the file gets another name if one exists: `a (1).zip`. Default: off. At most 1000 names are
    /// tried.
    pub fn numbered(mut self, on: bool) -> Self {
        self.files.numbered = on;
        self
    }

    /// Sets whether a part is kept when the download fails, for the next run of the same request to the same path.
    /// Default: off.
    ///
    /// The part of `a.zip` is `a.zip.part`, beside `a.zip.part.meta` with the facts about it, in which there is no
    /// URL. While a download uses them they are locked; another one that wants them gets an error. On Linux the lock
    /// holds between the processes of one network namespace, not between containers. `to_dir` and `to_writer` have no part to keep and
    /// return an error.
    pub fn keep_partial(mut self, keep: bool) -> Self {
        self.files.keep_partial = keep;
        self
    }

    /// Remembers the first error.
    fn refuse(&mut self, reason: &'static str) {
        if let Ok(request) = &self.request {
            self.request = Err(Error::builder(reason).for_url(&request.url));
        }
    }

    /// Remembers an error if a part is to be kept.
    pub(crate) fn refuse_to_keep(&mut self, reason: &'static str) {
        if self.files.keep_partial {
            self.refuse(reason);
        }
    }

    /// Returns a random number for the name of a temporary file.
    pub(crate) fn random(&self) -> u64 {
        self.client.shared().runtime.random()
    }

    /// Carries the download out.
    pub(crate) async fn fetch<T: DownloadTarget>(self, target: T) -> Result<Downloaded> {
        let request = self.request?;
        let url = request.url.clone();
        let runtime = &self.client.shared().runtime;
        let client_limit = self.client.shared().config.timeouts.total;
        let own_limit = request.overrides.as_ref().and_then(|own| own.total);
        let limit = own_limit.or(client_limit).filter(|limit| *limit < UNLIMITED);
        let transfer = Transfer {
            client: &self.client,
            deadline: limit.and_then(|limit| runtime.now().checked_add(limit)),
            key: kept::key(&request.url),
            request,
            plan: DownloadPlan::new(self.settings),
            target,
            observer: self.observer,
            reported: None,
            piece: Vec::new(),
            response: None,
            last: None,
        };
        transfer.run().await.map_err(|error| error.for_url(&url))
    }
}

impl<F: Runtime> fmt::Debug for Download<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("request", &self.request)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// The progress of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadProgress {
    /// The number of bytes that are there, those of an earlier run included. It goes back if the download begins
    /// again.
    pub received: u64,
    /// The size of the file, if the server announced it.
    pub total: Option<u64>,
    /// The number of times that the download began again at zero: the file changed, or the server gives no parts.
    pub restarts: u32,
}

/// A complete download.
#[derive(Debug)]
pub struct Downloaded {
    path: Option<PathBuf>,
    size: u64,
    sha256: [u8; 32],
    is_resumed: bool,
    response: Option<Response<()>>,
}

impl Downloaded {
    /// Returns the path of the file; `None` after `to_writer`.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the SHA-256 of the file, as 64 lower-case hexadecimal digits.
    pub fn sha256(&self) -> String {
        hex(&self.sha256)
    }

    /// Returns whether the file was received in several parts, from this run or an earlier one.
    pub fn resumed(&self) -> bool {
        self.is_resumed
    }

    /// Returns the head of the last response with bytes of the file; `None` if an earlier run had left them all.
    pub fn response(&self) -> Option<&Response<()>> {
        self.response.as_ref()
    }

    /// Returns the content coding of the file, if the server sent one although none was asked for: a file with
    /// `gzip` is compressed. It is written as it was sent, because a digest is of these bytes.
    pub fn content_encoding(&self) -> Option<&str> {
        let value = self.response()?.headers().get(header::CONTENT_ENCODING)?;
        value.to_str().ok()
    }
}

/// A download that is carried out.
struct Transfer<'c, F: Runtime, T> {
    client: &'c Client<F>,
    request: Box<RequestParts<F::Source>>,
    key: String,
    /// The end of the total timeout.
    deadline: Option<Instant>,
    plan: DownloadPlan,
    target: T,
    observer: Option<Observer>,
    /// The time of the last report.
    reported: Option<Instant>,
    piece: Vec<u8>,
    response: Option<Response<()>>,
    /// The error of the last attempt that failed.
    last: Option<Error>,
}

impl<F: Runtime, T: DownloadTarget> Transfer<'_, F, T> {
    async fn run(mut self) -> Result<Downloaded> {
        if let Some(kept) = self.target.kept(&self.key).await? {
            self.plan.resume(kept.length, kept.hashes, kept.facts.if_range, kept.facts.total);
        }
        let mut step = self.plan.start();
        loop {
            step = match step {
                DownloadStep::Again(wait) => {
                    self.pause(wait).await?;
                    self.attempt().await?
                }
                DownloadStep::Complete => break,
                DownloadStep::Fail(failure) => return Err(self.failure(failure)),
                DownloadStep::Write => self.plan.ended(false, &self.client.shared().runtime), // only with an answer
            };
        }
        self.report(true);
        let path = self.target.finish().await?;
        Ok(Downloaded {
            path,
            size: self.plan.length(),
            sha256: self.plan.sha256(),
            is_resumed: self.plan.is_spliced(),
            response: self.response,
        })
    }

    /// Sends one request and reads what it brings.
    async fn attempt(&mut self) -> Result<DownloadStep> {
        let request = self.next_request()?;
        let runtime = &self.client.shared().runtime;
        let response = match send(self.client, request).await {
            Ok(response) => response,
            Err(error) => {
                self.note(error)?;
                return Ok(self.plan.ended(false, runtime));
            }
        };
        match self.plan.answer(&response.head.received, runtime) {
            DownloadStep::Write => self.read(response).await,
            DownloadStep::Fail(
                failure @ (DownloadFailure::Status(_) | DownloadFailure::AsksToWait { .. }),
            ) => Err(refused(response, &failure)),
            step => {
                let is_late =
                    response.status().is_client_error() || response.status().is_server_error();
                self.last = is_late.then(|| Error::from_status(response.status(), b""));
                Ok(step)
            }
        }
    }

    fn next_request(&mut self) -> Result<Box<RequestParts<F::Source>>> {
        // A body that can be read once was refused.
        let request = self.request.try_clone();
        let mut request = request.ok_or_else(|| Error::builder("the body can be read once"))?;
        self.plan.request().apply(&mut request.headers);
        if let Some(deadline) = self.deadline {
            let left = deadline.saturating_duration_since(self.client.shared().runtime.now());
            request.overrides.get_or_insert_default().total = Some(left);
        }
        Ok(Box::new(request))
    }

    /// Reads the body of an answer into the target.
    async fn read(&mut self, mut response: Response<ResponseBody<F>>) -> Result<DownloadStep> {
        let head = &response.head;
        let facts = Facts {
            key: self.key.clone(),
            total: self.plan.total(),
            if_range: self.plan.if_range().cloned(),
        };
        let name = file_name(&head.received.headers, &head.url);
        self.target.begin(Beginning { length: self.plan.length(), name, facts }).await?;
        let mut is_whole = true;
        self.piece.resize(PIECE, 0);
        while !self.plan.has_message() {
            let count = match response.next_bytes(&mut self.piece).await {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    self.note(error)?;
                    is_whole = false;
                    break;
                }
            };
            let kept = self.plan.body(self.piece.split_at(count).0);
            let kept = kept.map_err(|failure| self.failure(failure))?;
            self.piece = self.target.write(std::mem::take(&mut self.piece), kept).await?;
            self.report(false);
        }
        let Response { head, .. } = response;
        self.response = Some(Response { head, body: () });
        Ok(self.plan.ended(is_whole, &self.client.shared().runtime))
    }

    /// Keeps the error of an attempt, if the next one may be better.
    fn note(&mut self, error: Error) -> Result<()> {
        let now = self.client.shared().runtime.now();
        let is_late = self.deadline.is_some_and(|deadline| now >= deadline);
        if is_late || !may_pass(&error) {
            return Err(error);
        }
        self.last = Some(error);
        Ok(())
    }

    /// Waits, or until the download is cancelled, which the next attempt notices.
    async fn pause(&mut self, wait: Duration) -> Result<()> {
        if wait.is_zero() {
            return Ok(());
        }
        let shared = self.client.shared();
        let now = shared.runtime.now();
        let next = now.checked_add(wait);
        if self.deadline.is_some_and(|deadline| next.is_none_or(|next| next >= deadline)) {
            let late = || {
                Error::new(Kind::Timeout, Phase::Body).detail("the total timeout of the download")
            };
            let error = self.last.take().unwrap_or_else(late);
            return Err(error.note("the next attempt would begin after the total timeout"));
        }
        let budget = Budget::start(Arc::clone(&shared.config.timeouts), now);
        let budget = budget.until(self.request.cancel.clone());
        let nothing = Arc::new(Oneshot::<(), F::Event>::default());
        nothing.wait(&shared.runtime, Some(wait), &budget).await;
        Ok(())
    }

    fn report(&mut self, is_end: bool) {
        let Some(observer) = &self.observer else { return };
        let now = self.client.shared().runtime.now();
        let is_due = |last: Instant| now.saturating_duration_since(last) >= REPORT_EVERY;
        if is_end || self.reported.is_none_or(is_due) {
            self.reported = Some(now);
            observer(DownloadProgress {
                received: self.plan.length(),
                total: self.plan.total(),
                restarts: self.plan.restarts(),
            });
        }
    }

    /// Returns the error of a download that failed. A part that is not of the file is not kept.
    fn failure(&mut self, failure: DownloadFailure) -> Error {
        if !matches!(failure, DownloadFailure::GaveUp { .. } | DownloadFailure::UnaskedPart) {
            self.target.discard();
        }
        let last = self.last.take();
        let mismatch = || Error::new(Kind::Checksum, Phase::Body);
        match failure {
            DownloadFailure::Status(status) | DownloadFailure::AsksToWait { status, .. } => {
                Error::from_status(status, b"")
            }
            DownloadFailure::UnaskedPart => Error::new(Kind::Protocol, Phase::Head)
                .detail("206 Partial Content, but no range was asked for"),
            DownloadFailure::TooLarge { limit } => Error::new(Kind::Limit, Phase::Body)
                .detail(format!("the file is larger than `max_size`, {limit} bytes")),
            DownloadFailure::Size { expected, found: Some(found) } => {
                mismatch().detail(format!("the file has {found} bytes, expected {expected}"))
            }
            DownloadFailure::Size { expected, found: None } => {
                mismatch().detail(format!("the file has more than the expected {expected} bytes"))
            }
            DownloadFailure::Checksum(digests) => mismatch().detail(format!(
                "the {} of the file is {}, expected {}",
                digests.algorithm, digests.found, digests.expected
            )),
            DownloadFailure::GaveUp { failures, length, total } => {
                let cut = || Error::new(Kind::Truncated, Phase::Body);
                let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
                let rows = if failures == 1 { "failure" } else { "failures in a row" };
                let note =
                    format!("the download gave up after {failures} {rows}, at {length}{of} bytes");
                last.unwrap_or_else(cut).note(note)
            }
        }
    }
}

/// Returns the error for a status that ends the download; it holds the response, whose body may explain it.
fn refused<F: Runtime>(response: Response<ResponseBody<F>>, failure: &DownloadFailure) -> Error {
    let status = response.status();
    let error =
        Error::from_status(status, response.reason().as_bytes()).with_url(response.url().clone());
    let error = match failure {
        DownloadFailure::AsksToWait { asked, limit, .. } => error.note(format!(
            "the server asks to wait {} s, the limit is {} s (`max_retry_after`)",
            asked.as_secs(),
            limit.as_secs()
        )),
        _ if status.as_u16() < 400 => error.note("a download needs 200, 203 or 206"),
        _ => error,
    };
    error.keeping(Box::new(response))
}

/// Returns whether a failure may pass: the network, and not a certificate, a policy or the protocol.
fn may_pass(error: &Error) -> bool {
    match error.kind() {
        Kind::Resolve | Kind::Connect | Kind::Io | Kind::Truncated => true,
        Kind::Timeout => error.phase() != Phase::Queue,
        Kind::Proxy => error.status().is_some_and(|status: StatusCode| status.is_server_error()),
        _ => false,
    }
}
