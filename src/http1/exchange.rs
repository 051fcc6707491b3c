//! One request and its response on one connection: the HTTP/1.1 machine.
//!
//! Every transition stands in this file. The two halves are independent and move at the same time,
//! because a server may answer before it has read the request (RFC 9112 §9.5):
//!
//! ```text
//! sending     Expecting ──100, go_ahead──▶ Body
//!             Head ──first piece of the body──▶ Body ──last piece──▶ Done
//!                                             └──stop_sending, write_failed──▶ Abandoned
//!             Done, when there is no body
//!
//! receiving   Head ──1xx──▶ Head (counted)
//!                └──final head──▶ Body ──end of body──▶ Complete
//!                ├──final head without body──▶ Complete
//!                └──101 to what was offered──▶ Switched ──upgrade──▶ Body, until the connection ends
//! ```
//!
//! What the final head means for a request that is not sent to its end:
//!
//! | head | the rest of the request |
//! | --- | --- |
//! | 2xx | is sent while the response is read |
//! | 2xx instead of 100 | is not sent: the server did not ask for the body |
//! | 101 | is sent before the head is delivered: what follows is another protocol |
//! | 101, and the server does not wait for the rest | is not sent, and there is no upgrade |
//! | any other | is not sent, and the connection is closed after the response |
//!
//! How to drive it: [`start`](Exchange::start), then [`step`](Exchange::step) until it gives the
//! [`Step::Head`], then [`read_body`](Exchange::read_body) until [`BodyStep::End`] and beside it
//! [`send_step`](Exchange::send_step) until [`SendStep::Done`], then
//! [`reusable`](Exchange::reusable). A step asks for something and may be asked for again until it
//! is answered. The answers are inputs: bytes written, bytes read, the end of either.
//!
//! Advice for the maintainer: nothing here may depend on how the input is split. What is decided
//! on input is decided on whole heads and by the decoders, never on one read.

use http::{HeaderMap, Method, StatusCode, Version};

use super::chunked::{self, CHUNK_END, LAST_CHUNK, SIZE_LINE, Trailers};
use super::close::{CloseReason, keep_alive};
use super::error::ProtocolError;
use super::framing::{Framing, response_framing};
use super::head::{self, HeadScanner, ResponseHead};
use super::upgrade::Offer;
use crate::base::buffer::{Buffer, Shelf};
use crate::http1::body_decoder::Incoming;
use crate::http1::limits::Limits;

/// What is read at once, until that is found to be too little.
const HEAD_READ: usize = 8 * 1024;

/// What is read of a body at once; larger pieces gain nothing measurable.
const READ_PIECE: usize = 64 * 1024;

/// What is written of a body at once: half as much again a second as by 64 KiB. With the head it
/// stays below 128 KiB, from where on allocators ask the system for each block and give it back.
pub(crate) const SENT_PIECE: usize = 120 * 1024;

/// One request and its response.
#[derive(Debug)]
pub(crate) struct Exchange {
    limits: Limits,
    method: Method,
    /// The version of the last response.
    peer: Version,
    sending: Sending,
    receiving: Receiving,
    /// What the server may go over to.
    offer: Option<Offer>,
    /// A final head that waits until the request is sent.
    answer: Option<Box<ResponseHead>>,
    /// Why the connection cannot be used again, as soon as that is known.
    close: Option<CloseReason>,
    /// To be written.
    output: Buffer,
    /// Read, not yet looked at.
    input: Buffer,
    trailers: Option<Trailers>,
    /// The connection has ended: what is in the input is all that there is.
    ended: Option<Ending>,
    /// How much to read at once.
    read_size: usize,
    written: u64,
    heard: bool,
    /// Something came after the last byte of the request was written.
    heard_since: bool,
    /// See [`look_first`](Self::look_first).
    looks_first: bool,
}

/// How the request's body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outgoing {
    /// No body, and no field that speaks of one.
    None,
    Length(u64),
    Chunked,
}

/// Whether the body waits for a word of the server (RFC 9110 §10.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expectation {
    None,
    /// The request says `Expect: 100-continue`.
    Continue,
}

/// What the machine wants next.
#[derive(Debug)]
pub(crate) enum Step {
    /// The first byte of the request is about to be written: look whether anything can be read. If so,
    /// read it into [`read_space`](Exchange::read_space); if not, call [`looked`](Exchange::looked).
    Look,
    /// Write some of [`output`](Exchange::output).
    Write,
    /// Put bytes of the body into [`body_space`](Exchange::body_space).
    Fill,
    /// Read into [`read_space`](Exchange::read_space).
    Read,
    /// The same, but only for a short while: then [`go_ahead`](Exchange::go_ahead).
    Await,
    /// The response has begun.
    Head(Box<ResponseHead>),
}

/// What [`Exchange::send_step`] wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendStep {
    /// Write some of [`output`](Exchange::output).
    Write,
    /// Put bytes of the body into [`body_space`](Exchange::body_space).
    Fill,
    /// Nothing more is sent.
    Done,
}

/// What [`Exchange::read_body`] did or wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyStep {
    /// So many bytes of the body stand in the caller's slice.
    Data(usize),
    /// Up to so many bytes may be read from the connection straight into the caller's slice.
    Direct(usize),
    /// Read into [`read_space`](Exchange::read_space).
    Read,
    End,
}

/// The request's body ended so many bytes too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing(pub(crate) u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    /// The head goes out, the body waits for a word of the server.
    Expecting(Outgoing),
    /// The head waits for the first piece of the body: a small body leaves together with it.
    Head(Outgoing),
    /// What is left of the body.
    Body(Outgoing),
    Done,
    /// The rest of the request is not sent.
    Abandoned,
}

#[derive(Debug)]
enum Receiving {
    Head(Awaited),
    Body(Incoming),
    Complete,
    /// What follows is no longer HTTP.
    Switched,
}

/// The state of waiting for the final head.
#[derive(Debug, Default)]
struct Awaited {
    scanner: HeadScanner,
    interim: usize,
    /// Bytes of the heads before this one.
    bytes: usize,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The peer said that it has sent everything: FIN, or `close_notify` over TLS.
    Clean,
    /// A TLS stream without `close_notify`: anyone on the way may have cut it.
    Cut,
    /// It was found broken while writing, which takes the news away from whoever reads: what looks
    /// like FIN may be a reset.
    Broken,
}

impl Exchange {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            method: Method::GET,
            peer: Version::HTTP_11,
            sending: Sending::Done,
            receiving: Receiving::Complete,
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
        }
    }

    /// Begins the next exchange on this connection. `write_head` writes the head, with the fields
    /// that announce `outgoing`.
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
            (Outgoing::None, _) => Sending::Done,
            (body, Expectation::None) => Sending::Head(body),
            (body, Expectation::Continue) => Sending::Expecting(body),
        };
        self.receiving = Receiving::Head(Awaited::default());
        self.offer = None;
        self.trailers = None;
        self.read_size = HEAD_READ;
        self.written = 0;
        self.heard = false;
        self.heard_since = false;
        self.looks_first = false;
    }

    /// Asks for a look at the connection before the first byte of the request is written: bytes that
    /// are there by then are no answer to it (RFC 9112 §9.2), but an error.
    pub(crate) fn look_first(&mut self) {
        self.looks_first = true;
    }

    /// There was nothing to read.
    pub(crate) fn looked(&mut self) {
        self.looks_first = false;
    }

    /// The request that was just begun offers to go over to another protocol.
    pub(crate) fn offer(&mut self, offer: Offer) {
        self.offer = Some(offer);
    }

    /// The head does not wait for the first piece of the body, which may take its time. A body of no
    /// bytes has nothing else to wait for.
    pub(crate) fn send_head_first(&mut self) {
        if let Sending::Head(body) = self.sending {
            if body != Outgoing::Length(0) {
                self.sending = Sending::Body(body);
            }
        }
    }

    /// What to do next, until the response has begun.
    pub(crate) fn step(&mut self) -> Result<Step, ProtocolError> {
        if self.looks_first && !self.input.is_empty() {
            return Err(self.broken(ProtocolError::Unsolicited));
        }
        self.receive_heads()?;
        if let Some(head) = self.deliver_answer() {
            return Ok(Step::Head(head));
        }
        Ok(match self.sending {
            // No response can come any more, so there is no use in sending on.
            _ if self.ended.is_some() && self.awaits_head() => return Err(self.cut_off()),
            Sending::Head(_) => Step::Fill,
            _ if !self.output.is_empty() && self.looks_first => Step::Look,
            _ if !self.output.is_empty() => Step::Write,
            Sending::Body(_) => Step::Fill,
            Sending::Expecting(_) => Step::Await,
            Sending::Done | Sending::Abandoned => Step::Read,
        })
    }

    // Sending.

    /// What waits to be written.
    pub(crate) fn output(&self) -> &[u8] {
        self.output.data()
    }

    /// So many bytes of the output were written.
    pub(crate) fn wrote(&mut self, count: usize) {
        self.output.consume(count);
        self.written += count as u64;
    }

    /// What is left to do for the request while the response is read.
    pub(crate) fn send_step(&mut self) -> SendStep {
        if self.ended.is_some() && self.is_sending() {
            self.stop_sending(); // the peer is gone
        }
        match self.sending {
            _ if !self.output.is_empty() => SendStep::Write,
            Sending::Head(_) | Sending::Body(_) => SendStep::Fill,
            Sending::Expecting(_) | Sending::Done | Sending::Abandoned => SendStep::Done,
        }
    }

    /// Whether more of the request is to be sent.
    pub(crate) fn is_sending(&self) -> bool {
        !self.output.is_empty() || !matches!(self.sending, Sending::Done | Sending::Abandoned)
    }

    /// Whether the rest of the request is not sent.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.sending == Sending::Abandoned
    }

    /// Whether the peer sends nothing more.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// The rest of the request is not sent.
    pub(crate) fn stop_sending(&mut self) {
        self.abandon(CloseReason::RequestIncomplete);
    }

    /// The same, where all of it was taken, but not all of what was taken was written.
    pub(crate) fn stop_writing(&mut self) {
        self.sending = Sending::Abandoned;
        self.stop_sending();
    }

    /// The connection takes no more. A response may have been sent before it broke, so that is
    /// waited for all the same.
    pub(crate) fn write_failed(&mut self) {
        self.close = Some(CloseReason::Io);
        self.abandon(CloseReason::Io);
    }

    /// The server has been silent for long enough: many do not know the expectation.
    pub(crate) fn go_ahead(&mut self) {
        if let Sending::Expecting(body) = self.sending {
            self.sending = Sending::Body(body);
        }
    }

    /// Room for the next piece of the request's body, at least two bytes of it.
    pub(crate) fn body_space(&mut self) -> &mut [u8] {
        match self.sending {
            Sending::Head(Outgoing::Length(left)) | Sending::Body(Outgoing::Length(left)) => {
                // Whole pages, but for the last piece one byte more than there is to come, in which a
                // source shows that it has ended.
                let left = usize::try_from(left).unwrap_or(usize::MAX);
                let piece = if left > SENT_PIECE { SENT_PIECE } else { left + 1 };
                let space = self.output.space(left.min(SENT_PIECE) + 1);
                space.get_mut(..piece).unwrap_or_default()
            }
            _ => {
                let around = SIZE_LINE + CHUNK_END.len() + LAST_CHUNK.len();
                let space = self.output.space(around + SENT_PIECE);
                let end = space.len() - CHUNK_END.len() - LAST_CHUNK.len();
                space.get_mut(SIZE_LINE..end).unwrap_or_default()
            }
        }
    }

    /// So many bytes of the space are part of the body.
    pub(crate) fn body_filled(&mut self, count: usize) {
        self.sending = match self.sending {
            Sending::Head(Outgoing::Length(left)) | Sending::Body(Outgoing::Length(left)) => {
                self.output.filled(count);
                match left.saturating_sub(count as u64) {
                    0 => Sending::Done,
                    left => Sending::Body(Outgoing::Length(left)),
                }
            }
            Sending::Head(body) | Sending::Body(body) => {
                self.chunk_filled(count);
                Sending::Body(body)
            }
            sent => sent,
        }
    }

    /// The body has ended; `trailers` come after it if it is chunked.
    pub(crate) fn body_end(&mut self, trailers: &HeaderMap) -> Result<(), Missing> {
        match self.sending {
            // A body of no bytes has a first piece too: its source may have more than announced.
            Sending::Head(Outgoing::Length(0)) => {}
            Sending::Head(Outgoing::Length(missing)) | Sending::Body(Outgoing::Length(missing)) => {
                return Err(Missing(missing));
            }
            Sending::Head(_) | Sending::Body(_) => chunked::write_end(trailers, &mut self.output),
            Sending::Expecting(_) | Sending::Done | Sending::Abandoned => return Ok(()),
        }
        self.sending = Sending::Done;
        Ok(())
    }

    /// Whether any byte of the request may have reached the peer.
    pub(crate) fn has_sent(&self) -> bool {
        self.written > 0
    }

    /// Whether all of the request is written.
    pub(crate) fn is_sent(&self) -> bool {
        self.sending == Sending::Done && self.output.is_empty()
    }

    /// The HTTP version of the peer, as far as it is known.
    pub(crate) fn peer_version(&self) -> Version {
        self.peer
    }

    /// Whether the final head is still to come.
    pub(crate) fn awaits_head(&self) -> bool {
        matches!(self.receiving, Receiving::Head(_))
    }

    /// Whether what comes may still be a part of a head: nothing is behind the end of a connection.
    pub(crate) fn may_be_answered(&self) -> bool {
        self.awaits_head() && self.ended.is_none()
    }

    /// Whether the final response has begun, or what was meant to be one.
    pub(crate) fn is_answered(&self) -> bool {
        let is_broken_answer = self.close == Some(CloseReason::ProtocolError);
        !self.awaits_head() || !self.input.is_empty() || is_broken_answer
    }

    /// Whether a write failed.
    pub(crate) fn is_broken(&self) -> bool {
        self.close == Some(CloseReason::Io)
    }

    /// Whether any byte of a response came, interim ones included.
    pub(crate) fn has_heard(&self) -> bool {
        self.heard
    }

    /// Whether the answer to the whole of the request has begun. What came before the end of the
    /// request and is over, such as 100, was none.
    pub(crate) fn is_being_answered(&self) -> bool {
        self.heard_since || !self.input.is_empty() || !self.awaits_head()
    }

    /// Whether the final head is still to come, and nothing of it or of an interim one is there.
    pub(crate) fn is_between_heads(&self) -> bool {
        self.awaits_head() && self.input.is_empty()
    }

    /// Puts the size line before the chunk, right behind what waits, and the line end after it.
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
        if self.sending != Sending::Done || !self.output.is_empty() {
            self.sending = Sending::Abandoned;
            self.output.clear();
        }
        self.close.get_or_insert(reason);
    }

    // Receiving.

    /// Room for what is read from the connection.
    pub(crate) fn read_space(&mut self) -> &mut [u8] {
        let least = if self.input.is_empty() { self.read_size } else { self.read_size / 4 };
        self.input.space(least)
    }

    /// So many bytes came into the space.
    pub(crate) fn read(&mut self, count: usize) {
        self.hear(count);
        self.input.filled(count);
        if self.input.is_full() {
            self.read_size = READ_PIECE; // there is more where that came from
        }
    }

    /// These bytes came by another way: decrypted.
    pub(crate) fn received(&mut self, bytes: &[u8]) {
        self.hear(bytes.len());
        self.input.push(bytes);
    }

    fn hear(&mut self, count: usize) {
        self.heard |= count > 0;
        self.heard_since |= count > 0 && self.is_sent();
    }

    /// The connection ended. That is an error when more is needed than has come, unless only the
    /// connection's end could end the body.
    pub(crate) fn read_eof(&mut self, ending: Ending) {
        self.ended.get_or_insert(ending);
    }

    /// The next bytes of the response's body. `into` is not empty.
    pub(crate) fn read_body(&mut self, into: &mut [u8]) -> Result<BodyStep, ProtocolError> {
        let Receiving::Body(body) = &mut self.receiving else { return Ok(BodyStep::End) };
        let step = body.step(&mut self.input, into).map_err(|error| self.broken(error))?;
        match step {
            BodyStep::Data(count) => self.body_came(count),
            BodyStep::End => self.complete(),
            BodyStep::Direct(_) | BodyStep::Read if self.ended.is_some() => {
                return self.at_the_end();
            }
            BodyStep::Direct(_) | BodyStep::Read => {}
        }
        Ok(step)
    }

    /// More of the body is wanted than there is.
    fn at_the_end(&mut self) -> Result<BodyStep, ProtocolError> {
        let until_close = matches!(self.receiving, Receiving::Body(Incoming::UntilClose));
        if until_close && self.ended == Some(Ending::Clean) {
            self.complete();
            return Ok(BodyStep::End);
        }
        Err(self.cut_off())
    }

    /// What is missing now that the connection has ended.
    fn cut_off(&mut self) -> ProtocolError {
        self.close.get_or_insert(CloseReason::EarlyEof);
        match &self.receiving {
            Receiving::Body(Incoming::UntilClose) if self.ended == Some(Ending::Broken) => {
                ProtocolError::BrokenBody
            }
            Receiving::Body(body) => body.cut_off(),
            _ if !self.heard => ProtocolError::EofBeforeResponse,
            _ => ProtocolError::EofInHead,
        }
    }

    /// The driver read so many bytes straight into the caller's slice, as [`BodyStep::Direct`]
    /// allowed.
    pub(crate) fn read_direct(&mut self, count: usize) {
        if let Receiving::Body(body) = &mut self.receiving {
            body.passed_by(count);
        }
        self.body_came(count);
    }

    /// What came behind the response: the first bytes of a tunnel (RFC 9110 §9.3.6).
    pub(crate) fn leftover(&self) -> &[u8] {
        self.input.data()
    }

    /// How many bytes of the response's body are still to come, if that is known.
    pub(crate) fn body_left(&self) -> Option<u64> {
        match &self.receiving {
            Receiving::Body(body) => body.left(),
            Receiving::Head(_) | Receiving::Complete | Receiving::Switched => Some(0),
        }
    }

    /// The trailer fields of a chunked body, once it has ended.
    pub(crate) fn take_trailers(&mut self) -> Option<HeaderMap> {
        self.trailers.take().map(|trailers| trailers.0)
    }

    /// Takes heads from the input until the final one.
    fn receive_heads(&mut self) -> Result<(), ProtocolError> {
        while let Some(head) = self.next_head().map_err(|error| self.broken(error))? {
            self.head_came(head).map_err(|error| self.broken(error))?;
        }
        Ok(())
    }

    fn next_head(&mut self) -> Result<Option<Box<ResponseHead>>, ProtocolError> {
        let Receiving::Head(awaited) = &mut self.receiving else { return Ok(None) };
        let skipped = head::empty_lines(self.input.data());
        self.input.consume(skipped);
        awaited.bytes += skipped;
        let too_large = || ProtocolError::HeadTooLarge(self.limits.head_bytes);
        let room = self.limits.head_bytes.checked_sub(awaited.bytes).ok_or_else(too_large)?;
        // What is beyond the limit is not looked at: it may come later as well.
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
            return self.interim_came(head.status);
        }
        let (framing, doubt) =
            response_framing(&self.method, head.status, head.version, &head.headers)?;
        self.receiving = match framing {
            Framing::Empty | Framing::Length(0) | Framing::Tunnel => Receiving::Complete,
            Framing::Length(length) => Receiving::Body(Incoming::Length(length)),
            Framing::Close => Receiving::Body(Incoming::UntilClose),
            Framing::Chunked => {
                let decoder = chunked::Decoder::new(&self.limits);
                Receiving::Body(Incoming::Chunked(Box::new(decoder)))
            }
        };
        self.peer = head.version;
        let close = doubt.or(keep_alive(head.version, &head.headers).err());
        self.close = self.close.or(close);
        self.answer = Some(head);
        Ok(())
    }

    /// A 101 is the last word of HTTP on this connection. It also says that the body is wanted: the
    /// request is sent to its end before anything else (RFC 9110 §7.8).
    fn switch_came(&mut self, head: Box<ResponseHead>) -> Result<(), ProtocolError> {
        if !self.offer.as_ref().is_some_and(|offer| offer.is_taken_up(&head.headers)) {
            return Err(ProtocolError::UnexpectedUpgrade);
        }
        self.go_ahead();
        self.receiving = Receiving::Switched;
        self.peer = head.version;
        self.close.get_or_insert(CloseReason::Upgraded);
        self.answer = Some(head);
        Ok(())
    }

    /// Of the interim responses only 100 says something that may be waited for (RFC 9110 §15.2).
    fn interim_came(&mut self, status: StatusCode) -> Result<(), ProtocolError> {
        if status == StatusCode::CONTINUE {
            self.go_ahead();
        }
        let Receiving::Head(awaited) = &mut self.receiving else { return Ok(()) };
        awaited.interim += 1;
        awaited.scanner = HeadScanner::default();
        if awaited.interim > self.limits.interim_responses {
            return Err(ProtocolError::TooManyInterim(self.limits.interim_responses));
        }
        Ok(())
    }

    /// The final head, and what it means for the rest of the request: see the table above.
    fn deliver_answer(&mut self) -> Option<Box<ResponseHead>> {
        let head = self.answer.take()?;
        if !self.is_sending() {
            return Some(head);
        }
        let waits = matches!(self.sending, Sending::Expecting(_));
        match &self.receiving {
            // A server that ends the connection, or says ever more, does not wait for the request.
            Receiving::Switched
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
        let Receiving::Body(body) = &mut self.receiving else { return };
        body.delivered(count);
        if body.is_done() {
            self.complete();
        }
    }

    fn complete(&mut self) {
        if let Receiving::Body(body) = &mut self.receiving {
            self.trailers = body.take_trailers();
        }
        self.receiving = Receiving::Complete;
    }

    fn broken(&mut self, error: ProtocolError) -> ProtocolError {
        self.close = Some(CloseReason::ProtocolError);
        error
    }

    // Afterwards.

    /// Goes over to the protocol of a 101. What comes of it is read like a body that ends with the
    /// connection; what is written to it is no affair of this machine's.
    pub(crate) fn upgrade(&mut self) -> Result<(), CloseReason> {
        if !matches!(self.receiving, Receiving::Switched) || !self.is_sent() {
            return Err(self.close.unwrap_or(CloseReason::RequestIncomplete));
        }
        self.receiving = Receiving::Body(Incoming::UntilClose);
        Ok(())
    }

    /// The connection must not be used again after this exchange.
    pub(crate) fn close_after(&mut self, reason: CloseReason) {
        self.close.get_or_insert(reason);
    }

    /// Whether the connection may serve another request once this exchange is complete, as far as
    /// that is known by now.
    pub(crate) fn may_be_reused(&self) -> Result<(), CloseReason> {
        self.close.map_or(Ok(()), Err)
    }

    /// Whether the connection may serve another request, or why not.
    pub(crate) fn reusable(&self) -> Result<(), CloseReason> {
        self.may_be_reused()?;
        match (&self.receiving, self.sending) {
            (Receiving::Head(_) | Receiving::Body(_), _) => Err(CloseReason::BodyUnread),
            (_, sent) if sent != Sending::Done => Err(CloseReason::RequestIncomplete),
            _ if !self.output.is_empty() => Err(CloseReason::RequestIncomplete),
            _ if !self.input.is_empty() => Err(CloseReason::LeftoverBytes),
            _ if self.ended.is_some() => Err(CloseReason::NotAlive),
            _ => Ok(()),
        }
    }

    /// Gives its memory away while the connection idles.
    pub(crate) fn rest(&mut self, shelf: &mut Shelf) {
        self.input.rest(shelf);
        self.output.rest(shelf);
    }

    /// Takes memory for the next exchange.
    pub(crate) fn wake(&mut self, shelf: &mut Shelf) {
        self.output.wake(shelf);
        self.input.wake(shelf);
    }
}

#[cfg(test)]
mod tests;
