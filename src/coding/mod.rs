//! Content codings (RFC 9110 §8.4): decodes a response body with a sans-I/O state machine.
//!
//! Each coding is one file with one [`Coding`] in it, and one line in [`CODINGS`]. Read [`plan`]
//! and [`Decoder`] here first, then `gzip` and `deflate`; `queue` connects a decoder to the body
//! reader, and `charset` turns the decoded bytes into text.

#[cfg(feature = "charset")]
pub(crate) mod charset;
#[cfg(not(feature = "charset"))]
pub(crate) use crate::off::charset;

#[cfg(feature = "deflate")]
mod deflate;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(any(feature = "gzip", feature = "deflate"))]
mod inflate;
#[cfg(test)]
#[cfg(any(feature = "gzip", feature = "deflate"))]
mod testing;

pub(crate) mod queue;

use std::error::Error;
use std::fmt;
use std::sync::LazyLock;

use http::header::CONTENT_ENCODING;

use crate::error::{self, Kind, Phase};
use crate::http1::header_section::{Fields, members};
use crate::http1::limits::Limits;
use crate::http1::progress::DecodeProgress;

/// The codings of the enabled features, in order of preference.
const CODINGS: &[Coding] = &[
    #[cfg(feature = "gzip")]
    gzip::CODING,
    #[cfg(feature = "deflate")]
    deflate::CODING,
];

/// The set of codings to offer and decode: by default all that this build supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Codings {
    /// The positions of these codings in [`CODINGS`], as a bit set.
    places: usize,
}

impl Default for Codings {
    fn default() -> Self {
        Self { places: ALL_PLACES }
    }
}

impl Codings {
    /// Adds or removes the coding of this name, which is the name of its feature. Returns an error
    /// when adding a coding that this build does not support.
    pub(crate) fn switch(&mut self, name: &str, enable: bool) -> error::Result<()> {
        let place = CODINGS.iter().position(|coding| coding.is_called(name.as_bytes()));
        match place {
            Some(place) if enable => self.places |= 1 << place,
            Some(place) => self.places &= !(1 << place),
            None if enable => {
                let line = format!("{name}: it needs the feature `{name}` of leanhttp");
                return Err(error::Error::builder(line));
            }
            None => {}
        }
        Ok(())
    }

    /// Returns the value of `Accept-Encoding`, or `None` if the set is empty.
    pub(crate) fn accept_encoding(self) -> Option<&'static str> {
        /// One value for each set of codings.
        static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
            (0..=ALL_PLACES).map(|places| Codings { places }.names().join(", ")).collect()
        });
        NAMES.get(self.places).map(String::as_str).filter(|names| !names.is_empty())
    }

    fn names(self) -> Vec<&'static str> {
        self.iter().filter_map(|coding| coding.names.first().copied()).collect()
    }

    fn iter(self) -> impl Iterator<Item = &'static Coding> {
        let known = CODINGS.iter().enumerate();
        known.filter(move |(place, _)| self.places & (1 << place) != 0).map(|(_, coding)| coding)
    }
}

const ALL_PLACES: usize = (1 << CODINGS.len()) - 1;

/// Returns the decoder for the codings that `Content-Encoding` names.
///
/// Returns `None` if there is nothing to decode, or if one of the codings is not in `codings`: the
/// body is then passed on unchanged, with its fields. A partly decoded body would be useless.
pub(crate) fn plan(
    headers: &impl Fields,
    codings: Codings,
    limits: &Limits,
) -> Result<Option<Decoder>, CodingError> {
    if !headers.has(&CONTENT_ENCODING) {
        return Ok(None); // the usual case
    }
    let mut stages = Vec::new();
    for name in members(headers, &CONTENT_ENCODING) {
        if name.eq_ignore_ascii_case(b"identity") {
            continue;
        }
        let Some(coding) = codings.iter().find(|coding| coding.is_called(name)) else {
            return Ok(None);
        };
        if stages.len() == limits.max_content_codings {
            return Err(CodingError::TooManyCodings(limits.max_content_codings));
        }
        stages.push(CodingStage::new(coding, limits));
    }
    // The coding that was applied last is decoded first.
    stages.reverse();
    Ok((!stages.is_empty()).then_some(Decoder { stages, encoded: 0 }))
}

/// Decodes a chain of codings. Its memory use is bounded for any input.
///
/// After an error the decoder is unusable; called again with the bytes that it did not consume, it
/// returns the same error.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// The stages in the order in which the bytes pass through them.
    stages: Vec<CodingStage>,
    /// The number of coded bytes consumed.
    encoded: u64,
}

impl Decoder {
    /// Decodes as much of `input` as fits into `output`.
    ///
    /// Call it until the input is consumed and some of the output is left unfilled: if the output
    /// is full, more may be pending even without further input. An error is returned only after all
    /// the bytes before it, so possibly in a call that makes no other progress.
    pub(crate) fn decode(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<DecodeProgress, CodingError> {
        let encoded = self.encoded.saturating_add(input.len() as u64);
        self.stages.iter_mut().for_each(|stage| stage.encoded = encoded);
        let progress = decode_through(&mut self.stages, input, output)?;
        self.encoded += progress.consumed as u64;
        Ok(progress)
    }

    /// Checks that the body is complete, after it ended and [`decode`](Self::decode) was called to
    /// its end. An empty body is complete: servers send `Content-Encoding` without a body.
    pub(crate) fn eof(&mut self) -> Result<(), CodingError> {
        // A pending error is returned by a call that makes no progress.
        self.decode(&[], &mut [])?;
        match self.stages.iter().find(|stage| !stage.codec.is_complete()) {
            Some(stage) => Err(CodingError::Cut { coding: stage.name }),
            None => Ok(()),
        }
    }
}

/// The reason why a body cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CodingError {
    TooManyCodings(usize),
    Corrupt {
        coding: &'static str,
        detail: &'static str,
    },
    Cut {
        coding: &'static str,
    },
    RatioExceeded(u64),
    /// More coded bytes than this limit decoded to almost nothing.
    Idle(u64),
}

impl CodingError {
    /// Converts it to the public error: an exceeded limit, or a body that does not match its
    /// coding.
    pub(crate) fn into_error(self) -> error::Error {
        let kind = match self {
            Self::TooManyCodings(_) | Self::RatioExceeded(_) | Self::Idle(_) => Kind::Limit,
            Self::Corrupt { .. } | Self::Cut { .. } => Kind::Decode,
        };
        error::Error::new(kind, Phase::Decode).cause(self)
    }
}

impl fmt::Display for CodingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyCodings(limit) => write!(f, "more than {limit} content codings"),
            Self::Corrupt { coding, detail } => write!(f, "invalid {coding} data: {detail}"),
            Self::Cut { coding } => write!(f, "the {coding} data ends too early"),
            Self::RatioExceeded(ratio) => {
                write!(f, "the body grows to more than {ratio} times its size")
            }
            Self::Idle(limit) => {
                write!(f, "more than {limit} coded bytes decode to (almost) nothing")
            }
        }
    }
}

impl Error for CodingError {}

/// A coding and its names; the first is the one offered.
struct Coding {
    names: &'static [&'static str],
    start: fn() -> Box<dyn Codec>,
}

impl Coding {
    fn is_called(&self, name: &[u8]) -> bool {
        self.names.iter().any(|own| name.eq_ignore_ascii_case(own.as_bytes()))
    }
}

/// A decoder for one coding.
trait Codec: Send + Sync {
    /// See [`Decoder::decode`]. The error describes the fault in the data.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<DecodeProgress, &'static str>;

    /// Returns whether the data may end here.
    fn is_complete(&self) -> bool;
}

impl fmt::Debug for dyn Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Codec")
    }
}

/// One coding of a chain.
#[derive(Debug)]
struct CodingStage {
    name: &'static str,
    codec: Box<dyn Codec>,
    /// The number of bytes produced so far.
    decoded: u64,
    /// The number of coded bytes that entered the chain. They limit every stage: an expansion
    /// between two stages costs as much as one at the end.
    encoded: u64,
    growth: Growth,
    idling: Idling,
    /// The latest output, if another stage follows.
    output: Vec<u8>,
    /// The number of bytes of `output` that the next stage has consumed.
    start: usize,
}

/// The limits on the output: relative to the input, and an amount that is always allowed.
#[derive(Debug, Clone, Copy)]
struct Growth {
    ratio: u64,
    freely: u64,
}

impl Growth {
    fn of(limits: &Limits) -> Self {
        Self { ratio: limits.max_decompression_ratio, freely: limits.decompressed_ratio_threshold }
    }

    fn limit(self, encoded: u64) -> u64 {
        encoded.saturating_mul(self.ratio).max(self.freely)
    }
}

/// Limits the coded bytes that decode to nothing: headers, padding and empty blocks can be endless.
///
/// The coded bytes are counted in windows at fixed positions of the body, and a window is evaluated
/// when all of its output has been produced. So the result does not depend on how the input is
/// split.
#[derive(Debug)]
struct Idling {
    limit: u64,
    /// Coded bytes without output; each decoded byte pays for [`PAID_BY_A_BYTE`].
    unpaid: u64,
    /// The number of bytes of the current window not yet consumed.
    left: usize,
    /// The number of bytes that the current window decoded to so far.
    decoded: u64,
}

impl Idling {
    fn new(limit: u64) -> Self {
        let mut idling = Self { limit, unpaid: 0, left: 0, decoded: 0 };
        idling.left = idling.window();
        idling
    }

    /// Small relative to the limit, and not so large that a call does unneeded work.
    fn window(&self) -> usize {
        usize::try_from(self.limit / 16).unwrap_or(usize::MAX).clamp(1, LARGEST_WINDOW)
    }

    fn check(&self) -> Result<(), CodingError> {
        if self.unpaid > self.limit { Err(CodingError::Idle(self.limit)) } else { Ok(()) }
    }

    /// Returns the part of `input` that belongs to the current window.
    fn part<'i>(&self, input: &'i [u8]) -> &'i [u8] {
        input.get(..self.left).unwrap_or(input)
    }

    /// Counts the progress, and returns whether the window is over: all of it is consumed, and its
    /// output left some room unfilled.
    fn count(&mut self, progress: DecodeProgress, room: usize) -> bool {
        self.left = self.left.saturating_sub(progress.consumed);
        self.decoded = self.decoded.saturating_add(progress.produced as u64);
        let is_over = self.left == 0 && progress.produced < room;
        if is_over {
            let (window, paid) = (self.window(), self.decoded.saturating_mul(PAID_BY_A_BYTE));
            self.unpaid = self.unpaid.saturating_add(window as u64).saturating_sub(paid);
            (self.left, self.decoded) = (window, 0);
        }
        is_over
    }
}

/// The largest window of coded bytes, equal to the largest read.
const LARGEST_WINDOW: usize = 64 * 1024;

/// The number of coded bytes without output that one decoded byte pays for. A gzip member has an
/// overhead of 18 bytes, a flush one of 5.
const PAID_BY_A_BYTE: u64 = 64;

impl CodingStage {
    fn new(coding: &Coding, limits: &Limits) -> Self {
        Self {
            name: coding.names.first().copied().unwrap_or_default(),
            codec: (coding.start)(),
            decoded: 0,
            encoded: 0,
            growth: Growth::of(limits),
            idling: Idling::new(limits.max_coded_bytes_without_output),
            output: Vec::new(),
            start: 0,
        }
    }

    /// See [`Decoder::decode`].
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<DecodeProgress, CodingError> {
        let mut progress = DecodeProgress::default();
        loop {
            let (input, output) = progress.rest(input, output);
            let (step, is_over) = match self.decode_window(input, output) {
                Err(error) if progress.produced == 0 => return Err(error),
                Err(_) => return Ok(progress), // returned by the next call
                Ok(step) => step,
            };
            progress += step;
            if !is_over || step.consumed == input.len() {
                return Ok(progress);
            }
        }
    }

    /// Like `decode`, but at most to the end of the current window; also returns whether the end
    /// was reached.
    fn decode_window(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(DecodeProgress, bool), CodingError> {
        self.idling.check()?;
        if self.decoded > self.growth.limit(self.encoded) {
            return Err(CodingError::RatioExceeded(self.growth.ratio));
        }
        let corrupt = |detail| CodingError::Corrupt { coding: self.name, detail };
        let progress = self.codec.decode(self.idling.part(input), output).map_err(corrupt)?;
        self.decoded += progress.produced as u64;
        let is_over = self.idling.count(progress, output.len());
        Ok((progress, is_over))
    }

    /// Decodes into the stage's own output, which must have no pending bytes.
    fn fill(&mut self, input: &[u8]) -> Result<usize, CodingError> {
        let mut output = std::mem::take(&mut self.output);
        output.resize(STAGE_OUTPUT, 0);
        let progress = self.decode(input, &mut output)?;
        output.truncate(progress.produced);
        (self.output, self.start) = (output, 0);
        Ok(progress.consumed)
    }

    fn pending(&self) -> &[u8] {
        self.output.get(self.start..).unwrap_or_default()
    }
}

/// Like [`Decoder::decode`], through all of `stages`.
fn decode_through(
    stages: &mut [CodingStage],
    input: &[u8],
    output: &mut [u8],
) -> Result<DecodeProgress, CodingError> {
    match stages {
        [] => Ok(DecodeProgress::default()),
        [last] => last.decode(input, output),
        [first, rest @ ..] => {
            let mut progress = DecodeProgress::default();
            match pump(first, rest, input, output, &mut progress) {
                Err(error) if progress.produced == 0 => Err(error),
                _ => Ok(progress),
            }
        }
    }
}

/// Alternately drains and fills the buffer between `first` and `rest`, until `output` is full or
/// `input` is consumed.
fn pump(
    first: &mut CodingStage,
    rest: &mut [CodingStage],
    input: &[u8],
    output: &mut [u8],
    progress: &mut DecodeProgress,
) -> Result<(), CodingError> {
    loop {
        let (input, output) = progress.rest(input, output);
        let step = decode_through(rest, first.pending(), output)?;
        first.start += step.consumed;
        progress.produced += step.produced;
        if !first.pending().is_empty() {
            return Ok(());
        }
        progress.consumed += first.fill(input)?;
        if first.pending().is_empty() {
            return Ok(());
        }
    }
}

const STAGE_OUTPUT: usize = 8 * 1024;

#[cfg(test)]
mod tests;
