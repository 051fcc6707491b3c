//! gzip (RFC 1952) and deflate (RFC 1950, RFC 1951): one machine around one inflater, in two formats.
//!
//! | | gzip | deflate |
//! | --- | --- | --- |
//! | the data begins with | a gzip header | a zlib header, or none (raw data) |
//! | after its end may come | another member, or zeros as padding | nothing |
//!
//! ```text
//!            first byte              end of the member
//!   Start ───────────────▶ Data ───────────────────────▶ Ended ──── zeros ───▶ Padding
//!                           ▲                              │         (gzip)
//!                           └──────── another member ──────┘
//!                                         (gzip)
//! ```
//!
//! The inflater checks headers, checksums and lengths, and stores no file name or comment of gzip.

use flate2::{Decompress, FlushDecompress, Status};

use super::Codec;
use crate::http1::progress::DecodeProgress;

/// The decoder of gzip or deflate.
#[derive(Debug)]
pub(super) struct Inflate {
    format: Format,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// The gzip file format: any number of concatenated members. Zeros after the last one are padding,
    /// which gzip(1) accepts too; anything else there is an error, because it could hide data.
    #[cfg_attr(not(feature = "gzip"), allow(dead_code))]
    Gzip,
    /// The zlib format (RFC 9110 §8.4.1.2, RFC 1950). Some servers send raw deflate data (RFC 1951)
    /// under this name, so it is accepted too.
    ///
    /// The first byte distinguishes the two. The low four bits of a zlib stream's first byte are 8; in
    /// raw data these bits would be a stored block with a padding bit set, which no encoder writes.
    #[cfg_attr(not(feature = "deflate"), allow(dead_code))]
    Deflate,
}

#[derive(Debug)]
enum State {
    Start,
    Data(Decompress),
    Ended,
    Padding,
    Failed(&'static str),
}

/// The first byte of every gzip member.
const GZIP: u8 = 0x1f;

/// The compression method in the first byte of a zlib stream.
const ZLIB: u8 = 8;

/// The largest window of deflate.
const WINDOW_BITS: u8 = 15;

impl Codec for Inflate {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<DecodeProgress, &'static str> {
        DecodeProgress::repeat(input, output, |input, output| self.step(input, output))
    }

    fn is_complete(&self) -> bool {
        matches!(self.state, State::Start | State::Ended | State::Padding)
    }
}

impl Inflate {
    #[cfg(feature = "gzip")]
    pub(super) fn gzip() -> Self {
        Self { format: Format::Gzip, state: State::Start }
    }

    #[cfg(feature = "deflate")]
    pub(super) fn deflate() -> Self {
        Self { format: Format::Deflate, state: State::Start }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<DecodeProgress, &'static str> {
        let step = match (&mut self.state, input) {
            (State::Failed(detail), _) => return Err(*detail),
            (State::Data(_), _) => self.inflate(input, output),
            (_, []) => return Ok(DecodeProgress::default()),
            (State::Ended | State::Padding, [0, ..]) if self.format == Format::Gzip => {
                self.state = State::Padding;
                let zeros = input.iter().take_while(|byte| **byte == 0).count();
                return Ok(DecodeProgress { consumed: zeros, produced: 0 });
            }
            (State::Start, [first, ..]) => {
                self.begin(*first).and_then(|()| self.inflate(input, output))
            }
            (State::Ended, [GZIP, ..]) if self.format == Format::Gzip => {
                self.begin(GZIP).and_then(|()| self.inflate(input, output))
            }
            _ => Err("unexpected data after its end"),
        };
        step.inspect_err(|detail| self.state = State::Failed(detail))
    }

    /// Begins a member of gzip, or the data of deflate.
    fn begin(&mut self, first: u8) -> Result<(), &'static str> {
        self.state = State::Data(match self.format {
            Format::Gzip if first == GZIP => Decompress::new_gzip(WINDOW_BITS),
            Format::Gzip => return Err(self.format.wrong_header()),
            Format::Deflate => Decompress::new(first & 0x0f == ZLIB),
        });
        Ok(())
    }

    /// Runs the inflater once.
    fn inflate(&mut self, input: &[u8], output: &mut [u8]) -> Result<DecodeProgress, &'static str> {
        let State::Data(inflater) = &mut self.state else { return Ok(DecodeProgress::default()) };
        let (consumed, produced) = (inflater.total_in(), inflater.total_out());
        let outcome = inflater.decompress(input, output, FlushDecompress::None);
        let progress = DecodeProgress {
            consumed: (inflater.total_in() - consumed) as usize,
            produced: (inflater.total_out() - produced) as usize,
        };
        match outcome.map_err(|error| self.format.detail(error.message())) {
            Ok(Status::StreamEnd) => self.state = State::Ended,
            Ok(_) => {}
            // The output produced before the error is returned first.
            Err(detail) if progress.produced > 0 => self.state = State::Failed(detail),
            Err(detail) => return Err(detail),
        }
        Ok(progress)
    }
}

impl Format {
    fn wrong_header(self) -> &'static str {
        match self {
            Self::Gzip => "it does not begin with a gzip header",
            Self::Deflate => "its header is wrong",
        }
    }

    /// Translates the inflater's errors about headers and trailers. Its errors about the data between
    /// them depend on how the input was split, so they all become one text.
    fn detail(self, message: Option<&str>) -> &'static str {
        match message {
            Some("incorrect header check") => self.wrong_header(),
            Some("incorrect data check") => "its checksum is wrong",
            Some("incorrect length check") => "its length is wrong",
            _ => "malformed",
        }
    }
}
