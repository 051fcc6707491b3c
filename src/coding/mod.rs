//! Content codings (RFC 9110 §8.4) and charsets: what lies between the bytes of a body on the wire and the
//! bytes or the text that the caller reads.
//!
//! Read this file top-down, then `inflate` (gzip and deflate), `brotli` and `zstd`; `charset` turns decoded
//! bytes into text, and `json` into values.
//!
//! ```text
//!             Content-Encoding: gzip, deflate
//!                        plan
//!                          │ makes
//!                       Decoder
//!   socket ─▶ coded ─▶ [deflate] ─▶ output ─▶ [gzip] ─▶ caller's buffer
//!                     CodingStage           CodingStage
//! ```
//!
//! [`CODINGS`] has one row for each coding of this build; [`Codings`] is the subset that a client or a
//! request offers in `Accept-Encoding` and decodes. [`plan`] reads the `Content-Encoding` of a response: if
//! all of its codings are in the subset, it returns a [`Decoder`] with one [`CodingStage`] for each, in the reverse
//! of the order in which they were applied. A body with any other coding is passed on unchanged.
//!
//! A decoder is a machine: coded bytes go in, decoded bytes come out, as far as both buffers allow. Each
//! stage bounds what a hostile body can cost: the output relative to the coded bytes that entered the
//! chain (a bomb), and the coded bytes that decode to nothing ([`Idling`]). The memory of a chain is one
//! decoder and one small buffer for each coding, and the number of codings is limited. A decoder's memory
//! is 32 KiB for gzip and deflate, and grows with what was decoded to at most 16 MiB for brotli and zstd.
//!
//! To add a coding: a machine that implements [`Codec`], a row in [`CODINGS`], and a feature.
//!
//! The invariants, and what guards each:
//!
//! - The output and the error do not depend on how the input is split or on the room for the output:
//!   `assert_split_makes_no_difference` in the tests here, and the fuzz targets `gzip`, `brotli` and `zstd`.
//! - An error is returned only after all bytes before it, and returned again by later calls: `run_through`.
//! - A body that ends before its coding does is an error (`every_cut_is_an_error`,
//!   `truncated_data_is_an_error`).
//! - Neither bombs nor endless nothing get through (`a_bomb_...`, `coded_bytes_without_output_...`).

#[cfg(feature = "charset")]
pub(crate) mod charset;
#[cfg(not(feature = "charset"))]
pub(crate) use crate::off::charset;
#[cfg(feature = "json")]
pub(crate) mod json;

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(any(feature = "gzip", feature = "deflate"))]
mod inflate;
#[cfg(feature = "zstd")]
mod zstd;

use std::error::Error;
use std::fmt;

use http::HeaderValue;
use http::header::CONTENT_ENCODING;

use crate::base::buffer::Buffer;
use crate::error::{self, Kind, Phase};
use crate::http1::header_section::{Fields, members};
use crate::http1::limits::Limits;
use crate::http1::progress::DecodeProgress;

/// The codings of the enabled features, in order of preference.
const CODINGS: &[Coding] = &[
    #[cfg(feature = "zstd")]
    Coding { name: "zstd", alias: "", start: || Box::new(zstd::Zstd::new()) },
    #[cfg(feature = "brotli")]
    Coding { name: "br", alias: "", start: || Box::new(brotli::Brotli::new()) },
    #[cfg(feature = "gzip")]
    Coding { name: "gzip", alias: "x-gzip", start: || Box::new(inflate::Inflate::gzip()) },
    #[cfg(feature = "deflate")]
    Coding { name: "deflate", alias: "", start: || Box::new(inflate::Inflate::deflate()) },
];

/// A coding: its registered name, which is offered, another name that servers send, and its decoder.
struct Coding {
    name: &'static str,
    alias: &'static str,
    start: fn() -> Box<dyn Codec>,
}

/// A decoder for one coding.
trait Codec: fmt::Debug + Send + Sync {
    /// See [`Decoder::decode`]. The error describes the fault in the data.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<DecodeProgress, &'static str>;

    /// Returns whether the data may end here.
    fn is_complete(&self) -> bool;
}

/// The set of codings to offer and decode: by default all that this build supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Codings {
    /// True if the coding of the same place in [`CODINGS`] is in the set.
    enabled: [bool; CODINGS.len()],
}

impl Default for Codings {
    fn default() -> Self {
        Self { enabled: [true; CODINGS.len()] }
    }
}

impl Codings {
    /// Returns the empty set: the body is what the server sent.
    #[cfg(feature = "download")]
    pub(crate) fn none() -> Self {
        Self { enabled: [false; CODINGS.len()] }
    }

    /// Adds or removes the coding of this name. Returns an error when adding a coding that this build does
    /// not support.
    pub(crate) fn switch(&mut self, name: &str, enable: bool) -> error::Result<()> {
        let mut known = self.enabled.iter_mut().zip(CODINGS);
        match known.find(|(_, coding)| coding.name == name) {
            Some((enabled, _)) => *enabled = enable,
            None if enable => {
                let feature = if name == "br" { "brotli" } else { name };
                let line = format!("{feature}: it needs the feature `{feature}` of leanhttp");
                return Err(error::Error::builder(line));
            }
            None => {}
        }
        Ok(())
    }

    /// Returns the value of `Accept-Encoding`, or `None` if the set is empty.
    pub(crate) fn accept_encoding(self) -> Option<HeaderValue> {
        let names: Vec<_> = self.iter().map(|coding| coding.name).collect();
        HeaderValue::try_from(names.join(", ")).ok().filter(|names| !names.is_empty())
    }

    fn iter(self) -> impl Iterator<Item = &'static Coding> {
        let known = self.enabled.into_iter().zip(CODINGS);
        known.filter_map(|(enabled, coding)| enabled.then_some(coding))
    }
}

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
        let is_named = |coding: &&Coding| {
            let mut own = [coding.name, coding.alias].into_iter();
            own.any(|own| name.eq_ignore_ascii_case(own.as_bytes()))
        };
        let Some(coding) = codings.iter().find(is_named) else { return Ok(None) };
        if stages.len() == limits.max_content_codings {
            return Err(CodingError::TooManyCodings(limits.max_content_codings));
        }
        stages.push(CodingStage {
            name: coding.name,
            codec: (coding.start)(),
            decoded: 0,
            max_ratio: limits.max_decompression_ratio,
            always_allowed: limits.decompressed_ratio_threshold,
            idling: Idling::new(limits.max_coded_bytes_without_output),
            output: Buffer::default(),
        });
    }
    if stages.is_empty() {
        return Ok(None);
    }
    stages.reverse(); // the coding that was applied last is decoded first
    Ok(Some(Decoder { stages, encoded: 0, coded: Buffer::default(), piece: FIRST_PIECE }))
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
    /// Coded bytes that were read and not yet decoded.
    coded: Buffer,
    /// The size of the next read of coded bytes.
    piece: usize,
}

/// The first read size for coded bytes: small bodies are usual and need no more.
const FIRST_PIECE: usize = 8 * 1024;

/// The read size once the first buffer was filled: larger reads decode large bodies faster.
const PIECE: usize = 64 * 1024;

impl Decoder {
    /// Returns the number of coded bytes consumed.
    pub(crate) fn consumed(&self) -> u64 {
        self.encoded
    }

    /// Returns the space for coded bytes that are read.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        self.coded.space(self.piece)
    }

    /// Reports that `count` bytes were written into the space; zero reports the end of the body.
    pub(crate) fn filled(&mut self, count: usize) -> Result<(), CodingError> {
        if count == 0 {
            return self.eof();
        }
        self.coded.filled(count);
        if count >= FIRST_PIECE {
            self.piece = PIECE;
        }
        Ok(())
    }

    /// Decodes the bytes that were read. Returns the number of decoded bytes; zero if more input is
    /// needed first.
    pub(crate) fn decode_read(&mut self, into: &mut [u8]) -> Result<usize, CodingError> {
        let coded = std::mem::take(&mut self.coded);
        let progress = self.decode(coded.data(), into);
        self.coded = coded;
        let DecodeProgress { consumed, produced } = progress?;
        self.coded.consume(consumed);
        Ok(produced)
    }

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
        let progress = decode_through(&mut self.stages, encoded, input, output)?;
        self.encoded += progress.consumed as u64;
        Ok(progress)
    }

    /// Checks that the body is complete, after it ended and [`decode`](Self::decode) was called to
    /// its end. An empty body is complete: servers send `Content-Encoding` without a body.
    pub(crate) fn eof(&mut self) -> Result<(), CodingError> {
        self.decode(&[], &mut [])?; // returns an error that is pending
        match self.stages.iter().find(|stage| !stage.codec.is_complete()) {
            Some(stage) => Err(CodingError::Cut { coding: stage.name }),
            None => Ok(()),
        }
    }
}

/// Like [`Decoder::decode`], through all of `stages`. `encoded` is the number of coded bytes that entered
/// the chain. It limits every stage: an expansion between two stages costs as much as one at the end.
fn decode_through(
    stages: &mut [CodingStage],
    encoded: u64,
    input: &[u8],
    output: &mut [u8],
) -> Result<DecodeProgress, CodingError> {
    let mut progress = DecodeProgress::default();
    let outcome = match stages {
        [] => Ok(()),
        [last] => return last.decode(encoded, input, output),
        [first, rest @ ..] => pump(first, rest, encoded, input, output, &mut progress),
    };
    match outcome {
        Err(error) if progress.produced == 0 => Err(error),
        _ => Ok(progress), // an error is returned by the next call
    }
}

/// Alternately drains and fills the buffer between `first` and `rest`, until `output` is full or
/// `input` is consumed.
fn pump(
    first: &mut CodingStage,
    rest: &mut [CodingStage],
    encoded: u64,
    input: &[u8],
    output: &mut [u8],
    progress: &mut DecodeProgress,
) -> Result<(), CodingError> {
    loop {
        let (input, output) = progress.rest(input, output);
        let step = decode_through(rest, encoded, first.output.data(), output)?;
        first.output.consume(step.consumed);
        progress.produced += step.produced;
        if !first.output.is_empty() {
            return Ok(());
        }
        let mut between = std::mem::take(&mut first.output);
        let step = first.decode(encoded, input, between.space(STAGE_OUTPUT))?;
        between.filled(step.produced);
        first.output = between;
        progress.consumed += step.consumed;
        if step.produced == 0 {
            return Ok(());
        }
    }
}

/// One coding of a chain.
#[derive(Debug)]
struct CodingStage {
    name: &'static str,
    codec: Box<dyn Codec>,
    /// The number of bytes produced so far.
    decoded: u64,
    /// The maximum of decoded bytes for each coded byte that entered the chain.
    max_ratio: u64,
    /// The number of decoded bytes that is allowed at any ratio.
    always_allowed: u64,
    idling: Idling,
    /// The latest output, if another stage follows.
    output: Buffer,
}

/// The size of the buffer between two stages.
const STAGE_OUTPUT: usize = 8 * 1024;

impl CodingStage {
    /// Decodes window by window, see [`Idling`].
    fn decode(
        &mut self,
        encoded: u64,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<DecodeProgress, CodingError> {
        let mut progress = DecodeProgress::default();
        loop {
            let (input, output) = progress.rest(input, output);
            let step = match self.decode_window(encoded, input, output) {
                Err(error) if progress.produced == 0 => return Err(error),
                Err(_) => return Ok(progress), // returned by the next call
                Ok(step) => step,
            };
            progress += step;
            let is_over = self.idling.count(step, output.len());
            if !is_over || step.consumed == input.len() {
                return Ok(progress);
            }
        }
    }

    /// Decodes at most to the end of the current window.
    fn decode_window(
        &mut self,
        encoded: u64,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<DecodeProgress, CodingError> {
        if self.idling.unpaid > self.idling.limit {
            return Err(CodingError::Idle(self.idling.limit));
        }
        if self.decoded > encoded.saturating_mul(self.max_ratio).max(self.always_allowed) {
            return Err(CodingError::RatioExceeded(self.max_ratio));
        }
        let window = input.get(..self.idling.left).unwrap_or(input);
        let corrupt = |detail| CodingError::Corrupt { coding: self.name, detail };
        let progress = self.codec.decode(window, output).map_err(corrupt)?;
        self.decoded += progress.produced as u64;
        Ok(progress)
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
            Self::TooManyCodings(limit) => {
                write!(f, "more than {limit} content codings (max_content_codings)")
            }
            Self::Corrupt { coding, detail } => write!(f, "invalid {coding} data: {detail}"),
            Self::Cut { coding } => write!(f, "the {coding} data ends too early"),
            Self::RatioExceeded(ratio) => {
                write!(
                    f,
                    "the body grows to more than {ratio} times its size (max_decompression_ratio)"
                )
            }
            Self::Idle(limit) => {
                write!(
                    f,
                    "more than {limit} coded bytes decode to (almost) nothing (max_coded_bytes_without_output)"
                )
            }
        }
    }
}

impl Error for CodingError {}

#[cfg(test)]
mod tests;
