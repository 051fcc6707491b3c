//! The place where the bytes of a download go, as the client sees it: a file of the runtime, a writer of the
//! caller, or in tests a vector.

use std::path::PathBuf;

use super::hashes::Hashes;
use super::kept::Facts;
use crate::error::{Error, Kind, Phase, Result};

/// A place for the bytes of one download. Dropping it before [`finish`](Self::finish) leaves nothing, except a part
/// that is to be kept.
pub(crate) trait DownloadTarget {
    /// Returns the part that an earlier run kept for the request with this [key](super::kept::key). A file is
    /// created here, so that a path that cannot be written is known before anything is sent.
    async fn kept(&mut self, key: &str) -> Result<Option<Kept>>;

    /// Prepares for the body of an answer.
    async fn begin(&mut self, beginning: Beginning) -> Result<()>;

    /// Writes the first `count` bytes of a piece, and returns it.
    async fn write(&mut self, piece: Vec<u8>, count: usize) -> Result<Vec<u8>>;

    /// Gives the complete file its name.
    async fn finish(&mut self) -> Result<Option<PathBuf>>;

    /// Does not keep the part: it is not of the file.
    fn discard(&mut self);
}

/// A part that an earlier run kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) length: u64,
    pub(crate) hashes: Hashes,
    pub(crate) facts: Facts,
}

/// The facts that are known when the body of an answer begins.
#[derive(Debug)]
pub(crate) struct Beginning {
    /// The bytes that stay; those behind them are of another version.
    pub(crate) length: u64,
    /// A safe name, for a target in a directory.
    pub(crate) name: String,
    pub(crate) facts: Facts,
}

impl Beginning {
    /// Returns an error unless what was written to a writer, which cannot go back, stays as it is.
    pub(crate) fn continues(&self, written: u64) -> Result<()> {
        if self.length == written {
            return Ok(());
        }
        let detail = format!(
            "after {written} bytes the server changed the file, or gives no parts, and a writer cannot go back"
        );
        Err(Error::new(Kind::Checksum, Phase::Body).detail(detail).note("`to_file` begins again"))
    }
}
