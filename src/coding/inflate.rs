//! The inflater, as the codings built on it use it.

use flate2::{Decompress, DecompressError, FlushDecompress, Status};

use crate::http1::progress::Progress;

/// One call of the inflater; an error, too, may come with progress.
pub(super) fn inflate_some(
    inflate: &mut Decompress,
    input: &[u8],
    output: &mut [u8],
) -> (Progress, Result<Status, Fault>) {
    let (consumed, produced) = (inflate.total_in(), inflate.total_out());
    let outcome = inflate.decompress(input, output, FlushDecompress::None);
    let progress = Progress {
        consumed: (inflate.total_in() - consumed) as usize,
        produced: (inflate.total_out() - produced) as usize,
    };
    (progress, outcome.map_err(|error| fault(&error)))
}

/// What is wrong with the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Header,
    Other(&'static str),
}

/// What the inflater says of a header and a trailer, in our words. What it says of the data between
/// them depends on how that was split, so that is told in one word.
fn fault(error: &DecompressError) -> Fault {
    match error.message() {
        Some("incorrect header check") => Fault::Header,
        Some("incorrect data check") => Fault::Other("its checksum is wrong"),
        Some("incorrect length check") => Fault::Other("its length is wrong"),
        _ => Fault::Other("malformed"),
    }
}
