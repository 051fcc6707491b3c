//! The HTTP/1.1 machine: one request and its response on one connection.
//!
//! Every state transition is in this file. The two halves are independent and advance concurrently,
//! because a server may respond before it has read the request (RFC 9112 §9.5):
//!
//! ```text
//! sending     Expecting ──100, go_ahead──▶ Body
//!             Head ──first piece of the body──▶ Body ──last piece──▶ Done
//!                                             └──stop_sending, write_failed──▶ Abandoned
//!             Done, if there is no body
//!
//! receiving   Head ──1xx──▶ Head (counted, and handed over if it is asked for)
//!                └──final head──▶ Body ──end of body──▶ Complete
//!                ├──final head without body──▶ Complete
//!                └──101 for an offered protocol──▶ Switched ──upgrade──▶ Body, until the connection ends
//! ```
//!
//! The final head determines the fate of a request that has not been sent completely:
//!
//! | head | the rest of the request |
//! | --- | --- |
//! | 2xx | is sent while the response is read |
//! | 2xx instead of 100 | is not sent: the server did not ask for the body |
//! | 101 | is sent before the head is delivered: the new protocol begins after it |
//! | 101, and the server does not wait for the rest | is not sent, and there is no upgrade |
//! | any other | is not sent, and the connection is closed after the response |
//!
//! To drive it, call [`start`](Exchange::start), then [`step`](Exchange::step) until it returns
//! [`Step::Head`], then [`read_body`](Exchange::read_body) until [`BodyStep::End`] and concurrently
//! [`send_step`](Exchange::send_step) until [`SendStep::Done`], then
//! [`reusable`](Exchange::reusable). A step requests an operation, and repeats the request until the
//! driver reports the result: bytes written, bytes read, or the end of either.
//!
//! For maintainers: nothing here may depend on how the input is split into reads. Decisions are made on
//! whole heads and by the decoders, never on a single read.

use http::{HeaderMap, Method, StatusCode, Version};

use super::chunked::{self, CHUNK_END, ChunkedDecoder, LAST_CHUNK, ReceivedTrailers, SIZE_LINE};
use super::close::{CloseReason, keep_alive};
use super::error::ProtocolError;
use super::framing::{Framing, response_framing};
use super::head::{self, HeadScanner, ResponseHead};
use super::upgrade::Offer;
use crate::base::buffer::{Buffer, BufferPool, SHELF_PIECE};
use crate::http1::limits::Limits;

/// The size of the first read. It doubles with each read that fills the space, up to [`READ_PIECE`].
const HEAD_READ: usize = 8 * 1024;

/// The size of a read of a body; larger ones are not measurably faster.
const READ_PIECE: usize = 64 * 1024;

/// The minimum size of a read directly into the caller's slice; smaller reads go through the buffer.
const DIRECT_READ: usize = 4 * 1024;

/// The size of a write of a body: 50 % more throughput than 64 KiB. With the head it stays below
/// 128 KiB, above which allocators request each block from the system and return it.
pub(crate) const SENT_PIECE: usize = 120 * 1024;

/// One request and its response.
#[derive(Debug)]
pub(crate) struct Exchange {
    limits: Limits,
    method: Method,
    /// The version of the peer's last response.
    peer: Version,
    sending: RequestState,
    receiving: ResponseState,
    /// The protocols that the server may switch to.
    offer: Option<Offer>,
    /// A final head that is delivered only when the request has been sent.
    answer: Option<Box<ResponseHead>>,
    /// The reason why the connection cannot be reused, once it is known.
    close: Option<CloseReason>,
    /// Bytes to write.
    output: Buffer,
    /// Bytes that were read but not processed yet.
    input: Buffer,
    trailers: Option<ReceivedTrailers>,
    /// Set once the connection has ended: no bytes follow the input.
    ended: Option<Ending>,
    /// The size of the next read.
    read_size: usize,
    written: u64,
    heard: bool,
    /// True if a byte was received after the last byte of the request was written.
    heard_since: bool,
    /// See [`look_first`](Self::look_first).
    looks_first: bool,
    /// See [`report_interim`](Self::report_interim).
    reports_interim: bool,
    /// An interim response that is about to be handed over.
    interim: Option<Box<ResponseHead>>,
}

/// The framing of the request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outgoing {
    /// No body, and no field that describes one.
    None,
    Length(u64),
    Chunked,
}

/// The expectation of the request (RFC 9110 §10.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expectation {
    None,
    /// The request has `Expect: 100-continue`.
    Continue,
}

/// The next operation for the driver.
#[derive(Debug)]
pub(crate) enum Step {
    /// Before the first byte of the request is written, check whether anything can be read. If so,
    /// read it into [`read_space`](Exchange::read_space); if not, call [`looked`](Exchange::looked).
    Look,
    /// Write some of [`output`](Exchange::output).
    Write,
    /// Put bytes of the body into [`body_space`](Exchange::body_space).
    Fill,
    /// Read into [`read_space`](Exchange::read_space).
    Read,
    /// Read, but only for a short time: then call [`go_ahead`](Exchange::go_ahead).
    Await,
    /// An interim response was received, and [was asked for](Exchange::report_interim).
    Interim(Box<ResponseHead>),
    /// The final head was received.
    Head(Box<ResponseHead>),
}

/// The next operation of [`Exchange::send_step`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendStep {
    /// Write some of [`output`](Exchange::output).
    Write,
    /// Put bytes of the body into [`body_space`](Exchange::body_space).
    Fill,
    /// Nothing; no more is sent.
    Done,
}

/// The result of [`Exchange::read_body`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyStep<'a> {
    /// This many bytes of the body are in the caller's slice.
    Data(usize),
    /// The start of the caller's slice, into which the socket may be read directly.
    Direct(&'a mut [u8]),
    /// More input is needed.
    Read,
    End,
}

/// The request's body ended this many bytes too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing(pub(crate) u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestState {
    /// The head is sent; the body waits for 100 (Continue).
    Expecting(Outgoing),
    /// The head waits for the first piece of the body, so that a small body is sent together with it.
    Head(Outgoing),
    /// The unsent part of the body.
    Body(Outgoing),
    Done,
    /// The rest of the request is not sent.
    Abandoned,
}

#[derive(Debug)]
enum ResponseState {
    Head(AwaitedHead),
    Body(Incoming),
    Complete,
    /// The following bytes are of another protocol.
    Switched,
}

/// The part of a body that has not been read yet.
#[derive(Debug)]
enum Incoming {
    Length(u64),
    Chunked(Box<ChunkedDecoder>),
    UntilClose,
}

/// The state of waiting for the final head.
#[derive(Debug, Default)]
struct AwaitedHead {
    scanner: HeadScanner,
    interim: usize,
    /// The length of all heads before this one.
    bytes: usize,
}

/// The way in which a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The peer ended the stream: FIN, or `close_notify` over TLS.
    Clean,
    /// TLS ended without `close_notify`: an attacker on the path may have cut it.
    Cut,
    /// A write failed. The error was consumed by that write, so a reset may look like a FIN to the
    /// next read.
    Broken,
}

impl Exchange {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            method: Method::GET,
            peer: Version::HTTP_11,
            sending: RequestState::Done,
            receiving: ResponseState::Complete,
            offer: None,
            answer: None,
            close: None,
            output: Buffer::default(),
            input: Buffer::default(),
            trailers: None,
            ended: None,
            read_size: HEAD_READ,
            written: 0,
            heard: false,
            heard_since: false,
            looks_first: false,
            reports_interim: false,
            interim: None,
        }
    }

    /// Begins the next exchange on this connection. `write_head` writes the head, including the fields
    /// that describe `outgoing`.
    pub(crate) fn start(
        &mut self,
        method: Method,
        outgoing: Outgoing,
        expectation: Expectation,
        write_head: impl FnOnce(&mut Buffer),
    ) {
        write_head(&mut self.output);
        self.method = method;
        self.sending = match (outgoing, expectation) {
            (Outgoing::None, _) => RequestState::Done,
            (body, Expectation::None) => RequestState::Head(body),
            (body, Expectation::Continue) => RequestState::Expecting(body),
        };
        self.receiving = ResponseState::Head(AwaitedHead::default());
        self.offer = None;
        self.trailers = None;
        self.read_size = HEAD_READ;
        self.written = 0;
        self.heard = false;
        self.heard_since = false;
        self.looks_first = false;
        self.reports_interim = false;
    }

    /// Hands interim responses over in [`Step::Interim`], except a 101, in the exchange that was just started.
    pub(crate) fn report_interim(&mut self) {
        self.reports_interim = true;
    }

    /// Requests [`Step::Look`] before the first byte of the request is written. Bytes that were received
    /// by then cannot be a response to it, and are an error (RFC 9112 §9.2).
    pub(crate) fn look_first(&mut self) {
        self.looks_first = true;
    }

    /// Reports that nothing could be read.
    pub(crate) fn looked(&mut self) {
        self.looks_first = false;
    }

    /// Offers to switch to another protocol in the request that was just started.
    pub(crate) fn offer(&mut self, offer: Offer) {
        self.offer = Some(offer);
    }

    /// Sends the head without waiting for the first piece of the body, which may take time. Keeps
    /// waiting if the body has no bytes, because its end is all there is to wait for.
    pub(crate) fn send_head_first(&mut self) {
        if let RequestState::Head(body) = self.sending {
            if body != Outgoing::Length(0) {
                self.sending = RequestState::Body(body);
            }
        }
    }

    /// Returns the next operation, until the final head has been received.
    pub(crate) fn step(&mut self) -> Result<Step, ProtocolError> {
        if self.looks_first && !self.input.is_empty() {
            return Err(self.broken(ProtocolError::Unsolicited));
        }
        self.receive_heads()?;
        if let Some(head) = self.interim.take() {
            return Ok(Step::Interim(head));
        }
        if let Some(head) = self.deliver_answer() {
            return Ok(Step::Head(head));
        }
        Ok(match self.sending {
            // No response can be received any more, so sending the rest is useless.
            _ if self.ended.is_some() && self.awaits_head() => return Err(self.cut_off()),
            RequestState::Head(_) => Step::Fill,
            _ if !self.output.is_empty() && self.looks_first => Step::Look,
            _ if !self.output.is_empty() => Step::Write,
            RequestState::Body(_) => Step::Fill,
            RequestState::Expecting(_) => Step::Await,
            RequestState::Done | RequestState::Abandoned => Step::Read,
        })
    }

    // Sending.

    /// Returns the bytes to write.
    pub(crate) fn output(&self) -> &[u8] {
        self.output.data()
    }

    /// Reports that `count` bytes of the output were written.
    pub(crate) fn wrote(&mut self, count: usize) {
        self.output.consume(count);
        self.written += count as u64;
    }

    /// Returns the next operation for sending the rest of the request while the response is read.
    pub(crate) fn send_step(&mut self) -> SendStep {
        if self.ended.is_some() && self.is_sending() {
            self.stop_sending(); // the peer is gone
        }
        match self.sending {
            _ if !self.output.is_empty() => SendStep::Write,
            RequestState::Head(_) | RequestState::Body(_) => SendStep::Fill,
            RequestState::Expecting(_) | RequestState::Done | RequestState::Abandoned => {
                SendStep::Done
            }
        }
    }

    /// Returns whether more of the request is to be sent.
    pub(crate) fn is_sending(&self) -> bool {
        !self.output.is_empty()
            || !matches!(self.sending, RequestState::Done | RequestState::Abandoned)
    }

    /// Returns whether the rest of the request is not sent.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.sending == RequestState::Abandoned
    }

    /// Returns whether the peer has ended the connection.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Abandons the rest of the request.
    pub(crate) fn stop_sending(&mut self) {
        self.abandon(CloseReason::RequestIncomplete);
    }

    /// Abandons the request when all of it was taken but not all of it was written.
    pub(crate) fn stop_writing(&mut self) {
        self.sending = RequestState::Abandoned;
        self.stop_sending();
    }

    /// Reports that a write failed. The response is still read, because it may have been sent before
    /// the connection broke.
    pub(crate) fn write_failed(&mut self) {
        self.close = Some(CloseReason::Io);
        self.abandon(CloseReason::Io);
    }

    /// Sends the body without 100 (Continue): many servers do not support the expectation.
    pub(crate) fn go_ahead(&mut self) {
        if let RequestState::Expecting(body) = self.sending {
            self.sending = RequestState::Body(body);
        }
    }

    /// Returns space for the next piece of the request's body, at least two bytes.
    pub(crate) fn body_space(&mut self) -> &mut [u8] {
        match self.sending {
            RequestState::Head(Outgoing::Length(left))
            | RequestState::Body(Outgoing::Length(left)) => {
                // Whole pages. The last piece has one byte more than the announced length, so that a
                // read into it detects the end of the source.
                let left = usize::try_from(left).unwrap_or(usize::MAX);
                let piece = if left > SENT_PIECE { SENT_PIECE } else { left + 1 };
                let space = self.output.space(left.min(SENT_PIECE) + 1);
                space.split_at_mut(piece).0
            }
            _ => {
                let around = SIZE_LINE + CHUNK_END.len() + LAST_CHUNK.len();
                let space = self.output.space(around + SENT_PIECE);
                let end = space.len() - CHUNK_END.len() - LAST_CHUNK.len();
                space.split_at_mut(end).0.split_at_mut(SIZE_LINE).1
            }
        }
    }

    /// Reports that `count` bytes of the space are part of the body.
    pub(crate) fn body_filled(&mut self, count: usize) {
        self.sending = match self.sending {
            RequestState::Head(Outgoing::Length(left))
            | RequestState::Body(Outgoing::Length(left)) => {
                self.output.filled(count);
                match left.saturating_sub(count as u64) {
                    0 => RequestState::Done,
                    left => RequestState::Body(Outgoing::Length(left)),
                }
            }
            RequestState::Head(body) | RequestState::Body(body) => {
                self.chunk_filled(count);
                RequestState::Body(body)
            }
            sent => sent,
        }
    }

    /// Ends the body; sends `trailers` if it is chunked.
    pub(crate) fn body_end(&mut self, trailers: &HeaderMap) -> Result<(), Missing> {
        match self.sending {
            // An empty body also waits for its first piece: its source may have more than announced.
            RequestState::Head(Outgoing::Length(0)) => {}
            RequestState::Head(Outgoing::Length(missing))
            | RequestState::Body(Outgoing::Length(missing)) => {
                return Err(Missing(missing));
            }
            RequestState::Head(_) | RequestState::Body(_) => {
                chunked::write_end(trailers, &mut self.output)
            }
            RequestState::Expecting(_) | RequestState::Done | RequestState::Abandoned => {
                return Ok(());
            }
        }
        self.sending = RequestState::Done;
        Ok(())
    }

    /// Returns whether a byte of the request may have reached the peer.
    pub(crate) fn has_sent(&self) -> bool {
        self.written > 0
    }

    /// Returns whether the whole request has been written.
    pub(crate) fn is_sent(&self) -> bool {
        self.sending == RequestState::Done && self.output.is_empty()
    }

    /// Returns the HTTP version of the peer; HTTP/1.1 before its first response.
    pub(crate) fn peer_version(&self) -> Version {
        self.peer
    }

    /// Returns whether the final head has not been received yet.
    pub(crate) fn awaits_head(&self) -> bool {
        matches!(self.receiving, ResponseState::Head(_))
    }

    /// Returns whether a head can still be received: not after the end of the connection.
    pub(crate) fn may_be_answered(&self) -> bool {
        self.awaits_head() && self.ended.is_none()
    }

    /// Returns whether a final response has begun, even an invalid one.
    pub(crate) fn is_answered(&self) -> bool {
        let is_broken_answer = self.close == Some(CloseReason::ProtocolError);
        !self.awaits_head() || !self.input.is_empty() || is_broken_answer
    }

    /// Returns whether a write failed.
    pub(crate) fn is_broken(&self) -> bool {
        self.close == Some(CloseReason::Io)
    }

    /// Returns whether a byte of a response was received, including interim responses.
    pub(crate) fn has_heard(&self) -> bool {
        self.heard
    }

    /// Returns whether the response to the whole request has begun. Interim responses received
    /// completely before the end of the request, such as 100, do not count.
    pub(crate) fn is_being_answered(&self) -> bool {
        self.heard_since || !self.input.is_empty() || !self.awaits_head()
    }

    /// Returns whether the final head is awaited and no byte of a head is buffered.
    pub(crate) fn is_between_heads(&self) -> bool {
        self.awaits_head() && self.input.is_empty()
    }

    /// Writes the size line before the chunk, directly after the pending output, and CRLF after it.
    fn chunk_filled(&mut self, count: usize) {
        let mut line = [0; SIZE_LINE];
        let gap = chunked::write_size_line(count, &mut line);
        if let Some(space) = self.output.space(SIZE_LINE).get_mut(..SIZE_LINE) {
            space.copy_from_slice(&line);
        }
        self.output.filled_behind(gap, SIZE_LINE - gap + count);
        self.output.push(CHUNK_END);
    }

    fn abandon(&mut self, reason: CloseReason) {
        if self.sending != RequestState::Done || !self.output.is_empty() {
            self.sending = RequestState::Abandoned;
            self.output.clear();
        }
        self.close.get_or_insert(reason);
    }

    // Receiving.

    /// Returns space to read from the connection.
    pub(crate) fn read_space(&mut self) -> &mut [u8] {
        let least = if self.input.is_empty() { self.read_size } else { self.read_size / 4 };
        self.input.space(least)
    }

    /// Reports that `count` bytes were read into the space.
    pub(crate) fn read(&mut self, count: usize) {
        self.hear(count);
        self.input.filled(count);
        if self.input.is_full() {
            self.read_size = READ_PIECE.min(self.read_size * 2); // a full read: more is likely to follow
        }
    }

    /// Appends bytes that were not read into the space, but decrypted.
    pub(crate) fn received(&mut self, bytes: &[u8]) {
        self.hear(bytes.len());
        self.input.push(bytes);
    }

    fn hear(&mut self, count: usize) {
        self.heard |= count > 0;
        self.heard_since |= count > 0 && self.is_sent();
    }

    /// Reports the end of the connection. It is an error if more bytes are needed, unless the body is
    /// delimited by the end of the connection.
    pub(crate) fn read_eof(&mut self, ending: Ending) {
        self.ended.get_or_insert(ending);
    }

    /// Returns the next step of reading the response's body. `into` must not be empty.
    pub(crate) fn read_body<'a>(
        &mut self,
        into: &'a mut [u8],
    ) -> Result<BodyStep<'a>, ProtocolError> {
        let ResponseState::Body(body) = &mut self.receiving else { return Ok(BodyStep::End) };
        let left = match body {
            Incoming::Chunked(_) => return self.read_chunked(into),
            Incoming::Length(left) => *left,
            Incoming::UntilClose => u64::MAX,
        };
        let room = usize::try_from(left).map_or(into.len(), |left| left.min(into.len()));
        let (into, _) = into.split_at_mut(room);
        match self.input.take(into) {
            0 if self.ended.is_some() => self.at_the_end(),
            0 if room >= DIRECT_READ || left == room as u64 => Ok(BodyStep::Direct(into)),
            0 => Ok(BodyStep::Read),
            count => {
                self.body_came(count);
                Ok(BodyStep::Data(count))
            }
        }
    }

    fn read_chunked<'a>(&mut self, into: &'a mut [u8]) -> Result<BodyStep<'a>, ProtocolError> {
        let ResponseState::Body(Incoming::Chunked(decoder)) = &mut self.receiving else {
            return Ok(BodyStep::End);
        };
        let progress = match decoder.decode(self.input.data(), into) {
            Ok(progress) => progress,
            Err(error) => return Err(self.broken(error)),
        };
        self.input.consume(progress.consumed);
        let left = usize::try_from(decoder.remaining_in_chunk()).unwrap_or(usize::MAX);
        if decoder.is_done() {
            self.complete();
        }
        if progress.produced > 0 {
            return Ok(BodyStep::Data(progress.produced));
        }
        let (into, _) = into.split_at_mut(left.min(into.len()));
        match self.receiving {
            ResponseState::Complete => Ok(BodyStep::End),
            _ if self.ended.is_some() => self.at_the_end(),
            // The rest of a small chunk is read through the buffer, together with the next size line.
            _ if into.len() >= DIRECT_READ => Ok(BodyStep::Direct(into)),
            _ => Ok(BodyStep::Read),
        }
    }

    /// Handles a read of the body after the connection has ended.
    fn at_the_end(&mut self) -> Result<BodyStep<'static>, ProtocolError> {
        let until_close = matches!(self.receiving, ResponseState::Body(Incoming::UntilClose));
        if until_close && self.ended == Some(Ending::Clean) {
            self.complete();
            return Ok(BodyStep::End);
        }
        Err(self.cut_off())
    }

    /// Returns the error for a connection that ended too early.
    fn cut_off(&mut self) -> ProtocolError {
        self.close.get_or_insert(CloseReason::EarlyEof);
        match &self.receiving {
            ResponseState::Body(Incoming::Length(left)) => {
                ProtocolError::EofInBody { missing: *left }
            }
            ResponseState::Body(Incoming::Chunked(decoder)) => decoder.eof(),
            ResponseState::Body(Incoming::UntilClose) if self.ended == Some(Ending::Broken) => {
                ProtocolError::BrokenBody
            }
            ResponseState::Body(Incoming::UntilClose) => ProtocolError::TlsCut,
            _ if !self.heard => ProtocolError::EofBeforeResponse,
            _ => ProtocolError::EofInHead,
        }
    }

    /// Reports that `count` bytes were read directly into the caller's slice, as [`BodyStep::Direct`]
    /// allowed.
    pub(crate) fn read_direct(&mut self, count: usize) {
        if let ResponseState::Body(Incoming::Chunked(decoder)) = &mut self.receiving {
            decoder.advance(count);
        }
        self.body_came(count);
    }

    /// Returns the bytes after the response: the first bytes of a tunnel (RFC 9110 §9.3.6).
    pub(crate) fn leftover(&self) -> &[u8] {
        self.input.data()
    }

    /// Returns the number of bytes left of the response's body, if it is known.
    pub(crate) fn body_left(&self) -> Option<u64> {
        match &self.receiving {
            ResponseState::Body(Incoming::Length(left)) => Some(*left),
            ResponseState::Body(Incoming::Chunked(_) | Incoming::UntilClose) => None,
            ResponseState::Head(_) | ResponseState::Complete | ResponseState::Switched => Some(0),
        }
    }

    /// Takes the trailer fields of a chunked body. Call it when the body has ended.
    pub(crate) fn take_trailers(&mut self) -> Option<HeaderMap> {
        self.trailers.take().map(|trailers| trailers.0)
    }

    /// Parses heads from the input until the final one, or one that is handed over.
    fn receive_heads(&mut self) -> Result<(), ProtocolError> {
        while let Some(head) = self.next_head().map_err(|error| self.broken(error))? {
            self.head_came(head).map_err(|error| self.broken(error))?;
            if self.interim.is_some() {
                break;
            }
        }
        Ok(())
    }

    fn next_head(&mut self) -> Result<Option<Box<ResponseHead>>, ProtocolError> {
        let ResponseState::Head(awaited) = &mut self.receiving else { return Ok(None) };
        if self.input.is_empty() {
            return Ok(None);
        }
        let skipped = head::empty_lines(self.input.data());
        self.input.consume(skipped);
        awaited.bytes += skipped;
        let too_large = || ProtocolError::HeadTooLarge(self.limits.max_head_bytes);
        let room = self.limits.max_head_bytes.checked_sub(awaited.bytes).ok_or_else(too_large)?;
        // Bytes beyond the limit are not examined: the result must not depend on when they are received.
        let found = match self.input.data().get(..room).unwrap_or(self.input.data()) {
            b"\r" => None, // half an empty line
            data => awaited.scanner.head(data, &self.limits)?,
        };
        if found.is_none() && self.input.len() > room {
            return Err(too_large());
        }
        let Some(head) = found else { return Ok(None) };
        let length = head.headers.raw().len();
        awaited.bytes += length;
        self.input.consume(length);
        Ok(Some(head))
    }

    fn head_came(&mut self, head: Box<ResponseHead>) -> Result<(), ProtocolError> {
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return self.switch_came(head);
        }
        if head.status.is_informational() {
            return self.interim_came(head);
        }
        let (framing, doubt) =
            response_framing(&self.method, head.status, head.version, &head.headers)?;
        self.receiving = match framing {
            Framing::Empty | Framing::Length(0) | Framing::Tunnel => ResponseState::Complete,
            Framing::Length(length) => ResponseState::Body(Incoming::Length(length)),
            Framing::Close => ResponseState::Body(Incoming::UntilClose),
            Framing::Chunked => {
                let decoder = ChunkedDecoder::new(&self.limits);
                ResponseState::Body(Incoming::Chunked(Box::new(decoder)))
            }
        };
        self.peer = head.version;
        let close = doubt.or(keep_alive(head.version, &head.headers).err());
        self.close = self.close.or(close);
        self.answer = Some(head);
        Ok(())
    }

    /// Handles a 101, the last HTTP message of the server on this connection. It implies that the body
    /// is wanted: the request is sent completely before the new protocol begins (RFC 9110 §7.8).
    fn switch_came(&mut self, head: Box<ResponseHead>) -> Result<(), ProtocolError> {
        if !self.offer.as_ref().is_some_and(|offer| offer.is_taken_up(&head.headers)) {
            return Err(ProtocolError::UnexpectedUpgrade);
        }
        self.go_ahead();
        self.receiving = ResponseState::Switched;
        self.peer = head.version;
        self.close.get_or_insert(CloseReason::Upgraded);
        self.answer = Some(head);
        Ok(())
    }

    /// Handles an interim response. Only 100 affects the request (RFC 9110 §15.2).
    fn interim_came(&mut self, head: Box<ResponseHead>) -> Result<(), ProtocolError> {
        if head.status == StatusCode::CONTINUE {
            self.go_ahead();
        }
        let ResponseState::Head(awaited) = &mut self.receiving else { return Ok(()) };
        awaited.interim += 1;
        awaited.scanner = HeadScanner::default();
        if awaited.interim > self.limits.max_informational_responses {
            return Err(ProtocolError::TooManyInterim(self.limits.max_informational_responses));
        }
        self.interim = Some(head).filter(|_| self.reports_interim);
        Ok(())
    }

    /// Delivers the final head and applies the table above to the rest of the request.
    fn deliver_answer(&mut self) -> Option<Box<ResponseHead>> {
        let head = self.answer.take()?;
        if !self.is_sending() {
            return Some(head);
        }
        let waits = matches!(self.sending, RequestState::Expecting(_));
        match &self.receiving {
            // A server that closes the connection, or keeps sending, does not wait for the request.
            ResponseState::Switched
                if !waits && self.ended.is_none() && self.input.len() <= READ_PIECE =>
            {
                self.answer = Some(head);
                return None;
            }
            _ if head.status.is_success() && !waits => {}
            _ => self.stop_sending(),
        }
        Some(head)
    }

    fn body_came(&mut self, count: usize) {
        if let ResponseState::Body(Incoming::Length(left)) = &mut self.receiving {
            *left = left.saturating_sub(count as u64);
            if *left == 0 {
                self.complete();
            }
        }
    }

    fn complete(&mut self) {
        if let ResponseState::Body(Incoming::Chunked(decoder)) = &mut self.receiving {
            self.trailers = Some(decoder.take_trailers());
        }
        self.receiving = ResponseState::Complete;
    }

    fn broken(&mut self, error: ProtocolError) -> ProtocolError {
        self.close = Some(CloseReason::ProtocolError);
        error
    }

    // After the exchange.

    /// Switches to the protocol of a 101. Its input is read like a body delimited by the end of the
    /// connection; its output does not go through this machine.
    pub(crate) fn upgrade(&mut self) -> Result<(), CloseReason> {
        if !matches!(self.receiving, ResponseState::Switched) || !self.is_sent() {
            return Err(self.close.unwrap_or(CloseReason::RequestIncomplete));
        }
        self.receiving = ResponseState::Body(Incoming::UntilClose);
        Ok(())
    }

    /// Prevents reuse of the connection after this exchange.
    pub(crate) fn close_after(&mut self, reason: CloseReason) {
        self.close.get_or_insert(reason);
    }

    /// Returns the reason, if one is known already, why the connection cannot be reused once this exchange
    /// is complete.
    pub(crate) fn may_be_reused(&self) -> Result<(), CloseReason> {
        self.close.map_or(Ok(()), Err)
    }

    /// Checks that the connection can be reused, or returns the reason why not.
    pub(crate) fn reusable(&self) -> Result<(), CloseReason> {
        self.may_be_reused()?;
        match (&self.receiving, self.sending) {
            (ResponseState::Head(_) | ResponseState::Body(_), _) => Err(CloseReason::BodyUnread),
            (_, sent) if sent != RequestState::Done => Err(CloseReason::RequestIncomplete),
            _ if !self.output.is_empty() => Err(CloseReason::RequestIncomplete),
            _ if !self.input.is_empty() => Err(CloseReason::LeftoverBytes),
            _ if self.ended.is_some() => Err(CloseReason::NotAlive),
            _ => Ok(()),
        }
    }

    /// Gives its buffers back to the buffer pool while the connection is idle.
    pub(crate) fn rest(&mut self, shelf: &mut BufferPool) {
        self.input.rest(shelf);
        self.output.rest(shelf);
    }

    /// Takes buffers for the next exchange, whose request has this framing.
    pub(crate) fn wake(&mut self, shelf: &mut BufferPool, outgoing: Outgoing) {
        match outgoing {
            Outgoing::None => self.output.wake(shelf),
            Outgoing::Length(length) if length < SHELF_PIECE as u64 => self.output.wake(shelf),
            Outgoing::Length(_) | Outgoing::Chunked => self.output.wake_large(shelf),
        }
        self.input.wake(shelf);
    }
}

#[cfg(test)]
mod tests;
