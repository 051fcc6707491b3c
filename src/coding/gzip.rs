//! The gzip format (RFC 1952): headers, members, checksums.

use flate2::{Decompress, Status};

use super::inflate::{InflateError, inflate_some};
use super::{Codec, Coding};
use crate::http1::progress::DecodeProgress;

pub(super) const CODING: Coding =
    Coding { names: &["gzip", "x-gzip"], start: || Box::new(Gzip::Start) };

/// The gzip file format (RFC 1952): any number of concatenated members.
///
/// The inflater checks each member's header, CRC and length, and does not store its file name and
/// comment. Zeros after the last member are padding, which gzip(1) accepts too; anything else there
/// is an error, because it could hide data.
#[derive(Debug)]
enum Gzip {
    Start,
    Member(Decompress),
    Between,
    Padding,
    Failed(&'static str),
}

impl Codec for Gzip {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<DecodeProgress, &'static str> {
        DecodeProgress::repeat(input, output, |input, output| self.step(input, output))
    }

    fn is_complete(&self) -> bool {
        matches!(self, Self::Start | Self::Between | Self::Padding)
    }
}

impl Gzip {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<DecodeProgress, &'static str> {
        match (&mut *self, input) {
            (Self::Failed(detail), _) => Err(*detail),
            (Self::Member(inflate), _) => {
                let (progress, outcome) = inflate_some(inflate, input, output);
                match outcome.map_err(detail) {
                    Ok(Status::StreamEnd) => *self = Self::Between,
                    Ok(_) => {}
                    // The output produced before the error is returned first.
                    Err(detail) if progress.produced > 0 => *self = Self::Failed(detail),
                    Err(detail) => return self.fail(detail),
                }
                Ok(progress)
            }
            (_, []) => Ok(DecodeProgress::default()),
            (Self::Between | Self::Padding, [0, ..]) => {
                *self = Self::Padding;
                let zeros = input.iter().take_while(|byte| **byte == 0).count();
                Ok(DecodeProgress { consumed: zeros, produced: 0 })
            }
            (Self::Start | Self::Between, [MAGIC, ..]) => {
                *self = Self::Member(Decompress::new_gzip(WINDOW_BITS));
                self.step(input, output)
            }
            (Self::Start, _) => self.fail(NO_HEADER),
            _ => self.fail("unexpected data after its end"),
        }
    }

    fn fail(&mut self, detail: &'static str) -> Result<DecodeProgress, &'static str> {
        *self = Self::Failed(detail);
        Err(detail)
    }
}

fn detail(fault: InflateError) -> &'static str {
    match fault {
        InflateError::Header => NO_HEADER,
        InflateError::Other(detail) => detail,
    }
}

const NO_HEADER: &str = "it does not begin with a gzip header";

/// The first byte of every member.
const MAGIC: u8 = 0x1f;

/// The largest window of deflate.
const WINDOW_BITS: u8 = 15;

#[cfg(test)]
mod tests;
