//! `text/event-stream`: bytes in, events out (WHATWG HTML §9.2.5 and §9.2.6).
//!
//! ```text
//! event: add       name, until the event is dispatched
//! data: one        data, and an LF for each further data line
//! data: two
//! id: 7            last event ID; counts once the event is dispatched
//! retry: 1000      retry time; counts at once
//! : comment
//!                  a blank line dispatches the event, if it has data
//! ```
//!
//! The parser is the same for one response and for a source that reconnects: [`Parser::finish`] ends a
//! connection. What survives it is the last event ID and the retry time, and nothing else.
//!
//! Memory: the buffers of the parser are used again for each event, and an event is one text of exactly its
//! length; data of more than 64 KiB is not copied into it, but becomes it. The limit bounds one line and the data
//! of one event.

use std::fmt;
use std::mem;
use std::str;
use std::time::Duration;

#[cfg(feature = "json")]
use serde::de::DeserializeOwned;

use super::line_buffer::{LineBuffer, LineTooLong, invalid};
use crate::base::text::decimal;
#[cfg(feature = "json")]
use crate::coding::json;
use crate::error::{Error, Result};

/// The default limit. Answers of language models carry images of several MB in one event.
const MAX_EVENT: usize = 8 * 1024 * 1024;

/// The largest data that is copied into its event, so that its buffer is used again.
const COPIED: usize = 64 * 1024;

/// The name of an event that has no `event` field (WHATWG HTML §9.2.6).
const UNNAMED: &str = "message";

/// Parses `text/event-stream`, without any input or output: for event streams that come by another way than a
/// response of this crate.
///
/// Feed it bytes as they come, and take the events until there is none. How the bytes are split makes no
/// difference. An unfinished event at the end of a stream is never returned.
///
/// ```
/// use leanhttp::sse::Parser;
///
/// let mut parser = Parser::new();
/// parser.feed(b"event: add\ndata: 1\nid: 7\n");
/// assert!(parser.next_event()?.is_none());
/// parser.feed(b"\n");
/// let event = parser.next_event()?.expect("a blank line ends it");
/// assert_eq!((event.name(), event.data(), event.id()), ("add", "1", "7"));
/// parser.finish(); // the connection has ended
/// assert_eq!(parser.last_event_id(), "7");
/// # Ok::<(), leanhttp::Error>(())
/// ```
///
/// The text is UTF-8 whatever its media type says, and invalid sequences become U+FFFD. A byte order mark at
/// the start is skipped.
pub struct Parser {
    lines: LineBuffer,
    data: String,
    /// The event has a `data` field, perhaps an empty one.
    has_data: bool,
    name: String,
    /// The ID that the next event will have.
    id: String,
    /// The ID of the last block that was complete.
    last_event_id: String,
    retry: Option<Duration>,
    /// The line at which a limit was exceeded.
    failed: Option<u64>,
}

impl Parser {
    /// Creates a parser for a new stream.
    pub fn new() -> Self {
        Self {
            lines: LineBuffer::of_events(MAX_EVENT),
            data: String::new(),
            has_data: false,
            name: String::new(),
            id: String::new(),
            last_event_id: String::new(),
            retry: None,
            failed: None,
        }
    }

    /// Sets the limit on the data of an event, and on one line, in bytes. Default: 8 MiB.
    pub fn max_event_bytes(mut self, limit: usize) -> Self {
        self.set_max_event_bytes(limit);
        self
    }

    pub(crate) fn set_max_event_bytes(&mut self, limit: usize) {
        self.lines.set_limit(limit);
    }

    /// Sets the last event ID of an earlier stream, which events without an `id` field have. NUL, CR and LF,
    /// which no ID can contain, are removed.
    pub fn with_last_event_id(mut self, id: &str) -> Self {
        self.set_last_event_id(id);
        self
    }

    pub(crate) fn set_last_event_id(&mut self, id: &str) {
        self.last_event_id = id.replace(['\0', '\r', '\n'], "");
        self.id.clone_from(&self.last_event_id);
    }

    /// Appends received bytes. They are kept until [`next_event`](Self::next_event) has returned all events
    /// that they complete, so take these before more is fed.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.lines.feed(bytes);
    }

    /// Returns the space for the next bytes, which is never empty.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        self.lines.space()
    }

    /// Marks the first `count` bytes of the space as received.
    pub(crate) fn filled(&mut self, count: usize) {
        self.lines.filled(count);
    }

    /// Returns the next event, or `None` if more bytes are needed.
    ///
    /// # Errors
    ///
    /// If a line or the data of an event exceeds the [limit](Self::max_event_bytes); the error
    /// [`is_decode`](crate::Error::is_decode) and names the line. Each further call fails too, until
    /// [`finish`](Self::finish).
    pub fn next_event(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(line) = self.failed {
                return Err(self.too_large(line));
            }
            match self.lines.advance() {
                Ok(false) => return Ok(None),
                Ok(true) if self.lines.line().is_empty() => {
                    if let Some(event) = self.dispatch() {
                        return Ok(Some(event));
                    }
                }
                Ok(true) => self.field(),
                Err(LineTooLong) => self.failed = Some(self.lines.number()),
            }
        }
    }

    /// Ends the stream: everything that was received and is not part of a complete event is discarded, its
    /// `id` included. The parser can be fed another stream then; the last event ID and the retry time remain.
    pub fn finish(&mut self) {
        self.lines.restart();
        self.clear();
        self.id.clone_from(&self.last_event_id);
        self.failed = None;
    }

    /// Returns the last event ID, which a reconnect sends as `Last-Event-ID`; empty if there is none.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// Returns the time before a reconnect that the stream has asked for last, with a `retry` field; one
    /// that is too large for a `Duration` of milliseconds is the largest.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Returns the number of lines that were read so far.
    pub(crate) fn line_number(&self) -> u64 {
        self.lines.number()
    }

    /// Processes a line that is not blank.
    fn field(&mut self) {
        let line = self.lines.line();
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = match colon.and_then(|colon| line.split_at_checked(colon)) {
            Some((name, value)) => (name, value.strip_prefix(b":").unwrap_or(value)),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                push_lossy(&mut self.data, value);
                if self.data.len() > self.lines.limit() {
                    self.failed = Some(self.lines.number());
                }
            }
            b"event" => {
                self.name.clear();
                push_lossy(&mut self.name, value);
            }
            b"id" if !value.contains(&0) => {
                self.id.clear();
                push_lossy(&mut self.id, value);
            }
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.retry = Some(decimal(value).map_or(LONGEST_RETRY, Duration::from_millis));
            }
            _ => {} // a comment, or a field that has no meaning
        }
    }

    /// Ends a block at its blank line; returns its event if it has data.
    fn dispatch(&mut self) -> Option<Event> {
        self.last_event_id.clone_from(&self.id);
        let event = self.has_data.then(|| Event::new(&mut self.data, &self.name, &self.id));
        self.clear();
        event
    }

    /// Clears the buffers of the current event.
    fn clear(&mut self) {
        self.data.clear();
        self.has_data = false;
        self.name.clear();
    }

    #[cold]
    fn too_large(&self, line: u64) -> Error {
        let limit = self.lines.limit();
        let detail = format!("event larger than {limit} bytes (line {line}; max_event_bytes)");
        invalid(detail, line)
    }
}

/// The largest time of a `retry` field.
const LONGEST_RETRY: Duration = Duration::from_millis(u64::MAX);

impl Default for Parser {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows no content.
impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser")
            .field("lines", &self.lines)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// Appends UTF-8; each invalid sequence becomes U+FFFD (Encoding Standard, *UTF-8 decode*). A line end is never
/// part of a sequence, so values can be decoded one by one.
fn push_lossy(text: &mut String, bytes: &[u8]) {
    match str::from_utf8(bytes) {
        Ok(valid) => text.push_str(valid),
        Err(_) => {
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                if !chunk.invalid().is_empty() {
                    text.push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
    }
}

/// An event of a stream.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Event {
    /// Data, name and ID in one allocation.
    text: String,
    data_length: usize,
    name_length: usize,
}

impl Event {
    /// Creates an event; takes large data out of its buffer.
    fn new(data: &mut String, name: &str, id: &str) -> Self {
        let (data_length, name_length) = (data.len(), name.len());
        let mut text = if data_length > COPIED { mem::take(data) } else { String::new() };
        text.reserve_exact(data_length - text.len() + name_length + id.len());
        text.push_str(data);
        text.push_str(name);
        text.push_str(id);
        Self { text, data_length, name_length }
    }

    /// Splits the text into data, name and ID.
    fn parts(&self) -> (&str, &str, &str) {
        let (data, rest) = self.text.split_at_checked(self.data_length).unwrap_or_default();
        let (name, id) = rest.split_at_checked(self.name_length).unwrap_or_default();
        (data, name, id)
    }

    /// Returns the name of the event: its last `event` field, or `message` if it has none or an empty one.
    pub fn name(&self) -> &str {
        match self.parts().1 {
            "" => UNNAMED,
            name => name,
        }
    }

    /// Returns the data: the values of the `data` fields, joined by LF.
    pub fn data(&self) -> &str {
        self.parts().0
    }

    /// Returns the data without a copy.
    pub fn into_data(self) -> String {
        let mut text = self.text;
        text.truncate(self.data_length);
        text
    }

    /// Returns the last event ID: that of this event or, if it has none, of the last event with one. Empty if
    /// there was none.
    pub fn id(&self) -> &str {
        self.parts().2
    }

    /// Parses the data as JSON.
    ///
    /// ```
    /// use leanhttp::sse::Parser;
    ///
    /// let mut parser = Parser::new();
    /// parser.feed(b"data: [1, 2]\n\n");
    /// let event = parser.next_event()?.expect("an event");
    /// assert_eq!(event.json::<Vec<u32>>()?, [1, 2]);
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the data is not JSON or does not have the shape of `T`: the error names the line and the column in
    /// the data, and the text there.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        json::parse(self.data().as_bytes())
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("name", &self.name())
            .field("data", &self.data())
            .field("id", &self.id())
            .finish()
    }
}

#[cfg(test)]
mod tests;
