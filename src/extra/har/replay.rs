//! HAR files read back, and the entry that answers a request.
//!
//! An entry answers a request with its method, its URL and its body, once, in the order of the file. URLs are
//! compared as they are recorded: without their secrets, if those were redacted. A body is compared if the request
//! has it in memory and the entry has recorded it. Attempts that failed are no answers.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Version};
use serde_json::Value;

use crate::extra::redact;
use crate::http1::head::ResponseHead;
use crate::http1::header_section::HeaderSection;
use crate::url::Url;

/// Answers requests from a HAR file, as [middleware](crate::middleware) of either client.
///
/// Each recorded response answers one request with its method, URL and body, in the order of the file. What the
/// client does with responses happens as over the network: redirects are followed from entry to entry, cookies are
/// stored, challenges are answered, and statuses are retried, without the delays. See the
/// [guide](crate::guide::cassettes).
///
/// ```
/// use leanhttp::har::Replay;
///
/// let file = br#"{"log": {"entries": [{
///     "request": {"method": "GET", "url": "http://a.example/"},
///     "response": {"status": 200, "headers": [], "content": {"size": 5, "text": "hello"}}
/// }]}}"#;
/// let replay = Replay::read(&file[..])?;
/// # #[cfg(feature = "blocking")] {
/// let client = leanhttp::Client::builder().middleware(replay.clone()).build()?;
/// assert_eq!(client.get("http://a.example/").send()?.text()?, "hello");
/// assert!(replay.unused().is_empty());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Replay {
    tape: Arc<Tape>,
    is_strict: bool,
}

/// The entries of a file that have a response.
struct Tape {
    entries: Vec<TapeEntry>,
    /// True for each that has answered a request.
    used: Mutex<Vec<bool>>,
}

struct TapeEntry {
    /// Its place in the file, counted from 1.
    number: usize,
    method: String,
    url: String,
    body: ExpectedBody,
    head: ResponseHead,
    /// The body of the response, or the reason why it cannot be replayed.
    answer: Result<Bytes, String>,
}

/// The body that a request must have.
enum ExpectedBody {
    Any,
    Exactly(Vec<u8>),
    /// It begins with these bytes, and has that length if that is recorded.
    Beginning(Vec<u8>, Option<u64>),
}

/// A request that is to be answered.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    /// `None` if the body is read from a source.
    pub(crate) body: Option<&'a [u8]>,
}

/// A recorded response.
pub(crate) struct Replayed {
    pub(crate) position: usize,
    pub(crate) head: Box<ResponseHead>,
    /// The body, or the reason why it cannot be replayed.
    pub(crate) body: Result<Bytes, String>,
}

/// The largest file that is read.
const LARGEST_FILE: u64 = 256 * 1024 * 1024;

impl Replay {
    /// Reads a HAR file, of at most 256 MiB.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or as for [`read`](Self::read).
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::read(File::open(path)?)
    }

    /// Reads a HAR file, such as one that a browser has saved, from a reader.
    ///
    /// # Errors
    ///
    /// If reading fails, if it is more than 256 MiB, or if it is not a HAR file; the error names the entry.
    pub fn read<R: Read>(reader: R) -> io::Result<Self> {
        let mut file = Vec::new();
        reader.take(LARGEST_FILE + 1).read_to_end(&mut file)?;
        if file.len() as u64 > LARGEST_FILE {
            return Err(invalid(format!("the HAR file is larger than {LARGEST_FILE} bytes")));
        }
        let file: Value = serde_json::from_slice(&file)
            .map_err(|error| invalid(format!("not a HAR file: {error}")))?;
        let entries = file.get("log").and_then(|log| log.get("entries")).and_then(Value::as_array);
        let entries =
            entries.ok_or_else(|| invalid("not a HAR file: it has no log.entries".into()))?;
        let entries = entries.iter().zip(1..).filter_map(|(entry, number)| {
            TapeEntry::parse(entry, number)
                .map_err(|error| invalid(format!("entry {number} of the HAR file: {error}")))
                .transpose()
        });
        let entries = entries.collect::<io::Result<Vec<_>>>()?;
        let used = Mutex::new(vec![false; entries.len()]);
        Ok(Self { tape: Arc::new(Tape { entries, used }), is_strict: true })
    }

    /// Sets what becomes of a request that no entry answers, or no entry any more: an error that says which entry
    /// is nearest (strict, the default), or a request over the network.
    #[must_use]
    pub fn strict(mut self, is_strict: bool) -> Self {
        self.is_strict = is_strict;
        self
    }

    /// Returns the recorded requests that were not made, as lines such as `GET http://example.org/`.
    pub fn unused(&self) -> Vec<String> {
        let used = self.tape.used().clone();
        let unused = self.tape.entries.iter().zip(used).filter(|(_, is_used)| !is_used);
        unused.map(|(entry, _)| format!("{} {}", entry.method, entry.url)).collect()
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// Returns whether an entry would answer this request now.
    pub(crate) fn has(&self, wanted: Wanted<'_>) -> bool {
        let fits = self.tape.fitting(wanted);
        let used = self.tape.used();
        fits.iter().any(|position| used.get(*position) == Some(&false))
    }

    /// Takes the next entry for a request.
    ///
    /// # Errors
    ///
    /// A sentence that says what was asked for, and what is nearest.
    pub(crate) fn take(&self, wanted: Wanted<'_>) -> Result<Replayed, String> {
        let fits = self.tape.fitting(wanted);
        let position = {
            let mut used = self.tape.used();
            let unused = fits.iter().copied().find(|position| used.get(*position) == Some(&false));
            if let Some(is_used) = unused.and_then(|position| used.get_mut(position)) {
                *is_used = true;
            }
            unused
        };
        let entry =
            position.and_then(|position| Some((position, self.tape.entries.get(position)?)));
        let Some((position, entry)) = entry else { return Err(self.tape.miss(wanted, fits.len())) };
        let reason = |reason: &str| {
            let TapeEntry { number, method, url, .. } = entry;
            format!("entry {number} of the HAR file, {method} {url}, has no whole body ({reason})")
        };
        let body = entry.answer.clone().map_err(|why| reason(&why));
        Ok(Replayed { position, head: Box::new(entry.head.clone()), body })
    }

    /// Puts entries back that have answered nothing after all.
    pub(crate) fn put_back(&self, positions: &[usize]) {
        let mut used = self.tape.used();
        for position in positions {
            if let Some(is_used) = used.get_mut(*position) {
                *is_used = false;
            }
        }
    }
}

/// Shows the numbers of entries, and nothing of them.
impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("entries", &self.tape.entries.len())
            .field("is_strict", &self.is_strict)
            .finish_non_exhaustive()
    }
}

impl Tape {
    fn used(&self) -> MutexGuard<'_, Vec<bool>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the positions of the entries for a request, used or not.
    fn fitting(&self, wanted: Wanted<'_>) -> Vec<usize> {
        let urls = [without_fragment(wanted.url.as_str()).to_owned(), shown(wanted.url)];
        let fits = |entry: &TapeEntry| {
            urls.contains(&entry.url)
                && entry.method == wanted.method.as_str()
                && entry.body.fits(wanted.body)
        };
        let entries = self.entries.iter().enumerate();
        entries.filter(|(_, entry)| fits(entry)).map(|(position, _)| position).collect()
    }

    /// Returns what to say of a request that no entry answers. `count` entries fit, and are used.
    fn miss(&self, wanted: Wanted<'_>, count: usize) -> String {
        let url = shown(wanted.url);
        let body = match wanted.body {
            Some([]) => String::new(),
            Some(bytes) => format!(" with a body of {} bytes", bytes.len()),
            None => " with a body from a source".to_owned(),
        };
        let asked = format!("{} {url}{body}", wanted.method);
        if count > 0 {
            let times = if count == 1 { "once" } else { "several times" };
            return format!("{asked} is recorded {times}, and was replayed as often already");
        }
        let nearest = self.entries.iter().max_by_key(|entry| {
            let is_url = entry.url == url;
            let is_method = entry.method == wanted.method.as_str();
            let alike = entry.url.bytes().zip(url.bytes()).take_while(|(a, b)| a == b).count();
            // The first of several that are as near.
            (is_url && is_method, is_url, alike, is_method, std::cmp::Reverse(entry.number))
        });
        match nearest {
            None => format!("{asked} is not recorded: the HAR file has no response"),
            Some(entry) if entry.url == url && entry.method == wanted.method.as_str() => {
                format!("{asked} is not recorded: entry {} has another body", entry.number)
            }
            Some(entry) => format!(
                "{asked} is not recorded: nearest is entry {}, {} {}",
                entry.number, entry.method, entry.url
            ),
        }
    }
}

impl ExpectedBody {
    fn parse(request: &Value) -> Result<Self, String> {
        let Some(data) = request.get("postData").filter(|data| data.is_object()) else {
            let is_empty = request.get("bodySize").and_then(Value::as_i64) == Some(0);
            return Ok(if is_empty { Self::Exactly(Vec::new()) } else { Self::Any });
        };
        let Some(text) = text_of(data, "text") else { return Ok(Self::Any) };
        let bytes = match text_of(data, "_encoding") {
            Some("base64") => decoded(text)?,
            _ => text.as_bytes().to_vec(),
        };
        let is_cut = data.get("_truncated").and_then(Value::as_bool) == Some(true);
        let size = request.get("bodySize").and_then(Value::as_u64);
        Ok(if is_cut { Self::Beginning(bytes, size) } else { Self::Exactly(bytes) })
    }

    fn fits(&self, body: Option<&[u8]>) -> bool {
        let Some(body) = body else { return true };
        match self {
            Self::Any => true,
            Self::Exactly(bytes) => body == bytes,
            Self::Beginning(bytes, size) => {
                body.starts_with(bytes) && size.is_none_or(|size| body.len() as u64 == size)
            }
        }
    }
}

impl TapeEntry {
    /// Parses an entry; `None` if it has no response that could be an answer.
    fn parse(entry: &Value, number: usize) -> Result<Option<Self>, String> {
        let request = entry.get("request").ok_or("it has no request")?;
        let response = entry.get("response").ok_or("it has no response")?;
        let status = response.get("status").and_then(Value::as_u64).unwrap_or_default();
        let Some(status) = u16::try_from(status).ok().filter(|status| *status >= 200) else {
            return Ok(None); // it failed, or became another protocol
        };
        let status = StatusCode::from_u16(status).map_err(|error| error.to_string())?;
        let version = match text_of(response, "httpVersion") {
            Some("HTTP/1.0") => Version::HTTP_10,
            _ => Version::HTTP_11,
        };
        let content = response.get("content").unwrap_or(&Value::Null);
        let answer = content_of(content)?;
        let mut fields = fields_of(response)?;
        drop_stale_fields(&mut fields, content, answer.as_ref().ok());
        let reason = text_of(response, "statusText").unwrap_or_default();
        let reason = reason.replace(char::is_control, " ");
        let status_line = format!("{version:?} {} {reason}", status.as_str());
        let headers = HeaderSection::written(&status_line, fields);
        Ok(Some(Self {
            number,
            method: text_of(request, "method").ok_or("it has no request.method")?.to_owned(),
            url: url_of(request)?,
            body: ExpectedBody::parse(request)?,
            head: ResponseHead { version, status, headers },
            answer,
        }))
    }
}

/// Returns the URL as it is compared.
fn url_of(request: &Value) -> Result<String, String> {
    let url = text_of(request, "url").ok_or("it has no request.url")?;
    let url = Url::parse(url).map_err(|error| format!("request.url: {error}"))?;
    Ok(without_fragment(url.as_str()).to_owned())
}

/// Returns the URL of a request as it is recorded.
fn shown(url: &Url) -> String {
    let url = redact::url(url);
    without_fragment(&url).to_owned()
}

fn without_fragment(url: &str) -> &str {
    url.split('#').next().unwrap_or(url)
}

/// Returns the fields of a response. Browsers join several values of a name by line feeds, and write fields of HTTP/2
/// that begin with a colon.
fn fields_of(response: &Value) -> Result<HeaderMap, String> {
    let mut fields = HeaderMap::new();
    for field in response.get("headers").and_then(Value::as_array).into_iter().flatten() {
        let name = text_of(field, "name").unwrap_or_default();
        if name.starts_with(':') {
            continue;
        }
        let parsed = HeaderName::from_bytes(name.as_bytes());
        let parsed = parsed.map_err(|error| format!("a name in response.headers: {error}"))?;
        for value in text_of(field, "value").unwrap_or_default().split('\n') {
            let value = HeaderValue::from_bytes(value.trim().as_bytes())
                .map_err(|error| format!("{name} in response.headers: {error}"))?;
            fields.try_append(&parsed, value).map_err(|error| error.to_string())?;
        }
    }
    Ok(fields)
}

/// Removes the fields that do not describe the body as it is replayed: whole, and decoded if it was.
fn drop_stale_fields(fields: &mut HeaderMap, content: &Value, body: Option<&Bytes>) {
    fields.remove(header::TRANSFER_ENCODING);
    let is_coded = fields.contains_key(header::CONTENT_ENCODING);
    // This crate says whether it has decoded; browsers always do.
    let is_decoded = match content.get("_decoded").and_then(Value::as_bool) {
        Some(is_decoded) => is_decoded,
        None => is_coded,
    };
    if is_decoded {
        fields.remove(header::CONTENT_ENCODING);
    }
    let length =
        fields.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let is_wrong = body.is_some_and(|body| !body.is_empty() && length != Some(body.len()));
    if is_decoded || is_wrong {
        fields.remove(header::CONTENT_LENGTH);
    }
}

/// Returns the body of a response, or the reason why it cannot be replayed.
fn content_of(content: &Value) -> Result<Result<Bytes, String>, String> {
    let comment = text_of(content, "comment").unwrap_or("it was cut");
    if content.get("_truncated").and_then(Value::as_bool) == Some(true) {
        return Ok(Err(comment.to_owned()));
    }
    if let Some(bytes) = text_of(content, "_base64") {
        return Ok(Ok(decoded(bytes)?.into()));
    }
    let Some(text) = text_of(content, "text") else {
        let is_empty = content.get("size").and_then(Value::as_i64).unwrap_or_default() <= 0;
        let reason = "it was not recorded: see `Recorder::bodies`";
        return Ok(if is_empty { Ok(Bytes::new()) } else { Err(reason.to_owned()) });
    };
    Ok(Ok(match text_of(content, "encoding") {
        Some("base64") => decoded(text)?.into(),
        _ => text.as_bytes().to_vec().into(),
    }))
}

fn decoded(base64: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(base64).map_err(|error| format!("a body is not valid base64: {error}"))
}

fn text_of<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
