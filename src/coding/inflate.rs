//! Wraps the inflater for the codings built on it.

use flate2::{Decompress, DecompressError, FlushDecompress, Status};

use crate::http1::progress::DecodeProgress;

/// Runs the inflater once. An error may come with progress.
pub(super) fn inflate_some(
    inflate: &mut Decompress,
    input: &[u8],
    output: &mut [u8],
) -> (DecodeProgress, Result<Status, InflateError>) {
    let (consumed, produced) = (inflate.total_in(), inflate.total_out());
    let outcome = inflate.decompress(input, output, FlushDecompress::None);
    let progress = DecodeProgress {
        consumed: (inflate.total_in() - consumed) as usize,
        produced: (inflate.total_out() - produced) as usize,
    };
    (progress, outcome.map_err(|error| fault(&error)))
}

/// An error in the compressed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InflateError {
    Header,
    Other(&'static str),
}

/// Translates the inflater's errors about headers and trailers. Its errors about the data between
/// them depend on how the input was split, so they all become one text.
fn fault(error: &DecompressError) -> InflateError {
    match error.message() {
        Some("incorrect header check") => InflateError::Header,
        Some("incorrect data check") => InflateError::Other("its checksum is wrong"),
        Some("incorrect length check") => InflateError::Other("its length is wrong"),
        _ => InflateError::Other("malformed"),
    }
}
