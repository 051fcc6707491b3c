//! The machines, for the fuzz targets in `fuzz/` only: `cargo fuzz` sets `cfg(fuzzing)`, and
//! nothing here is part of the public API. Errors are returned as their `Debug` text, to be
//! compared.
//!
//! Tests compile it too, so that it stays up to date.
//!
//! Each function has the same shape: bytes in, in pieces whose sizes the target chooses; a plain
//! value out, with errors as text. So a target can run the same input twice, whole and in pieces,
//! and compare. The texts leave out what may depend on the pieces, which is the excerpt of a status
//! line and nothing else (`http1/error.rs` says why).

use std::fmt::Debug;
use std::io::Read;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};

pub mod call;
#[cfg(feature = "export")]
pub mod curl;
#[cfg(feature = "download")]
pub mod download;
#[cfg(all(feature = "charset", feature = "digest"))]
pub mod fields;
pub mod proxy;
#[cfg(feature = "ring")]
pub mod tls;

use crate::coding;
use crate::http1::chunked;
use crate::http1::error::ProtocolError;
use crate::http1::exchange::{self, BodyStep, Expectation, Outgoing, Step};
use crate::http1::head::{self, HeadScanner, ResponseHead};
use crate::http1::limits::Limits;
use crate::http1::request_head::HeadWriter;

/// Makes a response with this body.
#[cfg(feature = "blocking")]
pub fn made_response(body: crate::blocking::Body) -> crate::blocking::Response {
    http::Response::new(body).into()
}

fn text(error: impl Debug) -> String {
    format!("{error:?}")
}

/// Returns the error as text, without the status line that it shows: that depends on how the bytes
/// were split.
fn protocol(error: ProtocolError) -> String {
    match error {
        ProtocolError::InvalidStatusLine(_) => "InvalidStatusLine".to_owned(),
        ProtocolError::UnsupportedVersion(_) => "UnsupportedVersion".to_owned(),
        error => text(error),
    }
}

/// The head of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// The status code.
    pub status: StatusCode,
    /// The fields; their values should be slices of `raw`.
    pub headers: HeaderMap,
    /// The bytes of the head.
    pub raw: Bytes,
}

impl From<Box<ResponseHead>> for Head {
    fn from(head: Box<ResponseHead>) -> Self {
        let ResponseHead { version, status, headers } = *head;
        Self { version, status, headers: headers.map().clone(), raw: headers.raw().clone() }
    }
}

/// Parses a head from `input`, which arrives in pieces of these sizes.
pub fn head(input: &[u8], sizes: impl IntoIterator<Item = usize>) -> Result<Option<Head>, String> {
    let mut scanner = HeadScanner::default();
    let mut come = 0;
    for size in sizes {
        come = input.len().min(come + size);
        let end = scanner
            .find_end(input.get(..come).unwrap_or_default(), usize::MAX)
            .map_err(protocol)?;
        if let Some(raw) = end.and_then(|end| input.get(..end)) {
            let head = head::parse(raw, &Limits::default());
            return head.map(|head| Some(head.into())).map_err(protocol);
        }
        if come == input.len() {
            break;
        }
    }
    Ok(None)
}

/// The decoder of the chunked coding.
#[derive(Debug)]
pub struct Chunked(chunked::ChunkedDecoder);

impl Chunked {
    /// Creates a decoder with the default limits.
    #[expect(clippy::new_without_default, reason = "named like the machine's own constructor")]
    pub fn new() -> Self {
        Self(chunked::ChunkedDecoder::new(&Limits::default()))
    }

    /// Decodes; returns the numbers of consumed and produced bytes.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), String> {
        let progress = self.0.decode(input, output).map_err(text)?;
        Ok((progress.consumed, progress.produced))
    }

    /// Returns the number of plain data bytes that come next.
    pub fn plain(&self) -> u64 {
        self.0.remaining_in_chunk()
    }

    /// Advances past plain data that was read without the decoder.
    pub fn advance(&mut self, count: usize) {
        self.0.advance(count);
    }

    /// Returns whether the body is complete.
    pub fn is_done(&self) -> bool {
        self.0.is_done()
    }

    /// Returns the trailer fields.
    pub fn take_trailers(&mut self) -> HeaderMap {
        self.0.take_trailers().0
    }
}

/// The decoder of a content coding.
#[derive(Debug)]
pub struct Coding(coding::Decoder);

impl Coding {
    /// Creates the decoder for `Content-Encoding: {codings}`.
    pub fn new(codings: &'static str) -> Option<Self> {
        Self::limited(codings, Limits::default().max_coded_bytes_without_output)
    }

    /// Creates a decoder with another limit on coded bytes that decode to nothing.
    pub fn limited(codings: &'static str, coded_without_output: u64) -> Option<Self> {
        let value = HeaderValue::from_static(codings);
        let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, value)]);
        let limits =
            Limits { max_coded_bytes_without_output: coded_without_output, ..Limits::default() };
        coding::plan(&headers, coding::Codings::default(), &limits).ok().flatten().map(Self)
    }

    /// Decodes; returns the numbers of consumed and produced bytes.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), String> {
        let progress = self.0.decode(input, output).map_err(text)?;
        Ok((progress.consumed, progress.produced))
    }

    /// Returns whether the body may end here.
    pub fn eof(&mut self) -> Result<(), String> {
        self.0.eof().map_err(text)
    }
}

/// The end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// FIN, or `close_notify` over TLS.
    Clean,
    /// FIN without `close_notify` over TLS.
    Cut,
}

impl From<Ending> for exchange::Ending {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Clean => Self::Clean,
            Ending::Cut => Self::Cut,
        }
    }
}

/// The outcome of an exchange, as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The final head, if one arrived.
    pub head: Option<Head>,
    /// The body, as far as it arrived.
    pub body: Vec<u8>,
    /// The trailer fields of a complete chunked body.
    pub trailers: Option<HeaderMap>,
    /// `Ok` if the response is complete.
    pub end: Result<(), String>,
    /// `Ok` if the connection may be reused.
    pub reusable: Result<(), String>,
}

/// The maximum space that a machine may offer for one read.
const LARGEST_SPACE: usize = 512 * 1024;

/// Runs the exchange of a request without a body. The peer sends everything that `peer` reads and
/// then ends the connection. The caller reads the body into slices of these `sizes`.
pub fn exchange(
    method: Method,
    peer: &mut impl Read,
    ending: Ending,
    sizes: impl Iterator<Item = usize>,
) -> Outcome {
    let mut exchange = exchange::Exchange::new(&Limits::default());
    exchange.start(method.clone(), Outgoing::None, Expectation::None, |out| {
        HeadWriter::start(out, &method, "/", Version::HTTP_11).end();
    });
    let mut conversation = Conversation { exchange, peer, ending };
    let (mut head, mut body) = (None, Vec::new());
    let end = conversation.head().and_then(|came| {
        head = Some(came);
        conversation.body(&mut body, sizes)
    });
    let Conversation { mut exchange, .. } = conversation;
    let trailers = exchange.take_trailers();
    Outcome { head, body, trailers, end, reusable: exchange.reusable().map_err(text) }
}

struct Conversation<'p, P> {
    exchange: exchange::Exchange,
    peer: &'p mut P,
    ending: Ending,
}

impl<P: Read> Conversation<'_, P> {
    fn head(&mut self) -> Result<Head, String> {
        loop {
            match self.exchange.step().map_err(protocol)? {
                Step::Write => self.exchange.wrote(self.exchange.output().len()),
                Step::Look | Step::Fill | Step::Await | Step::Interim(_) => {
                    return Err("it was not asked for".to_owned());
                }
                Step::Read => self.read(),
                Step::Head(head) => return Ok(head.into()),
            }
        }
    }

    fn body(
        &mut self,
        body: &mut Vec<u8>,
        mut sizes: impl Iterator<Item = usize>,
    ) -> Result<(), String> {
        let mut memory = [0; 16 * 1024];
        loop {
            let size = sizes.next().unwrap_or(1).min(memory.len());
            let slice = memory.get_mut(..size).unwrap_or_default();
            let count = match self.exchange.read_body(slice).map_err(text)? {
                BodyStep::End => return Ok(()),
                BodyStep::Data(count) => count,
                BodyStep::Direct(room) => {
                    let count = self.peer.read(room).unwrap_or_default();
                    match count {
                        0 => self.exchange.read_eof(self.ending.into()),
                        count => self.exchange.read_direct(count),
                    }
                    count
                }
                BodyStep::Read => {
                    self.read();
                    0
                }
            };
            body.extend_from_slice(slice.get(..count).unwrap_or_default());
        }
    }

    fn read(&mut self) {
        let space = self.exchange.read_space();
        assert!(space.len() <= LARGEST_SPACE, "space for {} bytes", space.len());
        match self.peer.read(space).unwrap_or_default() {
            0 => self.exchange.read_eof(self.ending.into()),
            count => self.exchange.read(count),
        }
    }
}
