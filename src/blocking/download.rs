//! Downloads to files and writers, on this thread.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::Download;
use crate::client::download::Downloaded;
use crate::driver::runtime::run;
use crate::error::{Error, Kind, Phase, Result};
use crate::extra::download::target::{Beginning, DownloadTarget, Kept};
use crate::os::download::{FilePlace, FileTarget};

impl Download {
    /// Downloads to this file. A file that exists is replaced when the download is complete, and untouched until
    /// then.
    ///
    /// The bytes are written to a hidden file beside it, which is renamed at the end, and removed if the download
    /// fails.
    ///
    /// ```no_run
    /// let request = leanhttp::Client::new().get("https://example.org/large.iso");
    /// let done = request.download().to_file("large.iso")?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`send`](crate::client::request::RequestBuilder::send), after the last attempt; for a status that is
    /// none of a download ([`is_status`](Error::is_status)); if the file is not the expected one
    /// ([`is_checksum`](Error::is_checksum)) or too large; or if it cannot be written ([`is_file`](Error::is_file)).
    pub fn to_file(self, path: impl AsRef<Path>) -> Result<Downloaded> {
        let place = FilePlace::File(path.as_ref().to_owned());
        let target = FileTarget::new(place, self.files, self.random());
        run(|| self.fetch(target))
    }

    /// Downloads into this directory, which must exist. The server chooses the name, or else the URL; it is made
    /// safe as by [`file_name`](crate::client::response::Response::file_name). A file that exists is an error,
    /// unless [`overwrite`](Self::overwrite) or [`numbered`](Self::numbered) is set.
    ///
    /// ```no_run
    /// let request = leanhttp::Client::new().get("https://example.org/report");
    /// let done = request.download().numbered(true).to_dir("downloads")?;
    /// println!("{:?}", done.path());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`to_file`](Self::to_file).
    pub fn to_dir(mut self, directory: impl AsRef<Path>) -> Result<Downloaded> {
        self.refuse_to_keep(
            "`keep_partial` needs `to_file`: the name is not known before the server answers",
        );
        let place = FilePlace::Directory(directory.as_ref().to_owned());
        let target = FileTarget::new(place, self.files, self.random());
        run(|| self.fetch(target))
    }

    /// Downloads to a writer, which resumes in the same way.
    ///
    /// Written bytes cannot be taken back, so the download fails if the server changes the file, or gives no
    /// parts, after the first byte; and the caller must not use what was written before the download has succeeded.
    ///
    /// ```no_run
    /// let mut archive = Vec::new();
    /// let request = leanhttp::Client::new().get("https://example.org/a.tar");
    /// request.download().max_size(100 << 20).to_writer(&mut archive)?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`to_file`](Self::to_file).
    pub fn to_writer<W: Write + ?Sized>(mut self, writer: &mut W) -> Result<Downloaded> {
        self.refuse_to_keep("`keep_partial` needs `to_file`: a writer keeps nothing");
        run(|| self.fetch(WriterTarget { writer, written: 0 }))
    }
}

impl DownloadTarget for FileTarget {
    async fn kept(&mut self, key: &str) -> Result<Option<Kept>> {
        FileTarget::kept(self, key)
    }

    async fn begin(&mut self, beginning: Beginning) -> Result<()> {
        FileTarget::begin(self, &beginning)
    }

    async fn write(&mut self, piece: Vec<u8>, count: usize) -> Result<Vec<u8>> {
        FileTarget::write(self, piece.split_at(count).0)?;
        Ok(piece)
    }

    async fn finish(&mut self) -> Result<Option<PathBuf>> {
        FileTarget::finish(self)
    }

    fn discard(&mut self) {
        FileTarget::discard(self);
    }
}

/// A writer of the caller, which cannot go back.
struct WriterTarget<'w, W: ?Sized> {
    writer: &'w mut W,
    written: u64,
}

impl<W: Write + ?Sized> DownloadTarget for WriterTarget<'_, W> {
    async fn kept(&mut self, _: &str) -> Result<Option<Kept>> {
        Ok(None)
    }

    async fn begin(&mut self, beginning: Beginning) -> Result<()> {
        beginning.continues(self.written)
    }

    async fn write(&mut self, piece: Vec<u8>, count: usize) -> Result<Vec<u8>> {
        self.writer.write_all(piece.split_at(count).0).map_err(writer_error)?;
        self.written += count as u64;
        Ok(piece)
    }

    async fn finish(&mut self) -> Result<Option<PathBuf>> {
        self.writer.flush().map_err(writer_error)?;
        Ok(None)
    }

    fn discard(&mut self) {}
}

fn writer_error(error: std::io::Error) -> Error {
    Error::new(Kind::File, Phase::File).detail("the caller's writer").cause(error)
}
