//! Downloads to files, on the blocking threads of the runtime, and to writers.

use std::future::poll_fn;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use ::tokio::io::AsyncWrite;
use ::tokio::task::spawn_blocking;

use super::response::write_all;
use super::{Download, Tokio};
use crate::client::asynchronous::check;
use crate::client::download::Downloaded;
use crate::error::{Error, Kind, Phase, Result};
use crate::extra::download::target::{Beginning, DownloadTarget, Kept};
use crate::os::download::{FilePlace, FileTarget};

impl Download {
    /// Downloads to this file. A file that exists is replaced when the download is complete, and untouched until
    /// then.
    ///
    /// The bytes are written to a hidden file beside it, which is renamed at the end, and removed if the download
    /// fails or the future is dropped. If it is dropped while a blocking thread writes, the file is removed when
    /// that write ends.
    ///
    /// ```no_run
    /// # async fn example() -> leanhttp::Result<()> {
    /// let request = leanhttp::tokio::Client::new().get("https://example.org/large.iso");
    /// let done = request.download().to_file("large.iso").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`send`](crate::client::request::RequestBuilder::send), after the last attempt; for a status that is
    /// none of a download ([`is_status`](Error::is_status)); if the file is not the expected one
    /// ([`is_checksum`](Error::is_checksum)) or too large; or if it cannot be written ([`is_file`](Error::is_file)).
    pub async fn to_file(self, path: impl AsRef<Path>) -> Result<Downloaded> {
        check(&Tokio::default())?; // files need its threads
        let place = FilePlace::File(path.as_ref().to_owned());
        let target = FileTarget::new(place, self.files, self.random());
        self.fetch(Elsewhere(Some(target))).await
    }

    /// Downloads into this directory, which must exist. The server chooses the name, or else the URL; it is made
    /// safe as by [`file_name`](crate::client::response::Response::file_name). A file that exists is an error,
    /// unless [`overwrite`](Self::overwrite) or [`numbered`](Self::numbered) is set.
    ///
    /// ```no_run
    /// # async fn example() -> leanhttp::Result<()> {
    /// let request = leanhttp::tokio::Client::new().get("https://example.org/report");
    /// let done = request.download().numbered(true).to_dir("downloads").await?;
    /// println!("{:?}", done.path());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`to_file`](Self::to_file).
    pub async fn to_dir(mut self, directory: impl AsRef<Path>) -> Result<Downloaded> {
        check(&Tokio::default())?; // files need its threads
        self.refuse_to_keep(
            "`keep_partial` needs `to_file`: the name is not known before the server answers",
        );
        let place = FilePlace::Directory(directory.as_ref().to_owned());
        let target = FileTarget::new(place, self.files, self.random());
        self.fetch(Elsewhere(Some(target))).await
    }

    /// Downloads to a writer, which resumes in the same way.
    ///
    /// Written bytes cannot be taken back, so the download fails if the server changes the file, or gives no
    /// parts, after the first byte; and the caller must not use what was written before the download has succeeded.
    ///
    /// ```no_run
    /// # async fn example(mut writer: impl tokio::io::AsyncWrite + Unpin) -> leanhttp::Result<()> {
    /// let request = leanhttp::tokio::Client::new().get("https://example.org/a.tar");
    /// request.download().max_size(100 << 20).to_writer(&mut writer).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`to_file`](Self::to_file).
    pub async fn to_writer<W: AsyncWrite + Unpin + ?Sized>(
        mut self,
        writer: &mut W,
    ) -> Result<Downloaded> {
        check(&Tokio::default())?; // files need its threads
        self.refuse_to_keep("`keep_partial` needs `to_file`: a writer keeps nothing");
        self.fetch(WriterTarget { writer, written: 0 }).await
    }
}

/// A file that blocking threads work with. It goes there for each operation and comes back, so it is dropped there
/// if no caller waits any more.
struct Elsewhere(Option<FileTarget>);

impl Elsewhere {
    async fn run<V: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut FileTarget) -> Result<V> + Send + 'static,
    ) -> Result<V> {
        let Some(mut target) = self.0.take() else { return Err(lost("the file is gone")) };
        let work = spawn_blocking(move || {
            let outcome = act(&mut target);
            (target, outcome)
        });
        let (target, outcome) = work.await.map_err(lost)?;
        self.0 = Some(target);
        outcome
    }
}

/// The runtime is shut down.
fn lost(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(Kind::File, Phase::File).cause(io::Error::other(cause))
}

impl DownloadTarget for Elsewhere {
    async fn kept(&mut self, key: &str) -> Result<Option<Kept>> {
        let key = key.to_owned();
        self.run(move |target| target.kept(&key)).await
    }

    async fn begin(&mut self, beginning: Beginning) -> Result<()> {
        self.run(move |target| target.begin(&beginning)).await
    }

    async fn write(&mut self, piece: Vec<u8>, count: usize) -> Result<Vec<u8>> {
        self.run(move |target| target.write(piece.split_at(count).0).map(|()| piece)).await
    }

    async fn finish(&mut self) -> Result<Option<PathBuf>> {
        self.run(FileTarget::finish).await
    }

    fn discard(&mut self) {
        if let Some(target) = &mut self.0 {
            target.discard();
        }
    }
}

/// A writer of the caller, which cannot go back.
struct WriterTarget<'w, W: ?Sized> {
    writer: &'w mut W,
    written: u64,
}

impl<W: AsyncWrite + Unpin + ?Sized> DownloadTarget for WriterTarget<'_, W> {
    async fn kept(&mut self, _: &str) -> Result<Option<Kept>> {
        Ok(None)
    }

    async fn begin(&mut self, beginning: Beginning) -> Result<()> {
        beginning.continues(self.written)
    }

    async fn write(&mut self, piece: Vec<u8>, count: usize) -> Result<Vec<u8>> {
        write_all(self.writer, piece.split_at(count).0).await.map_err(writer_error)?;
        self.written += count as u64;
        Ok(piece)
    }

    async fn finish(&mut self) -> Result<Option<PathBuf>> {
        let flushed = poll_fn(|cx| Pin::new(&mut *self.writer).poll_flush(cx)).await;
        flushed.map_err(writer_error)?;
        Ok(None)
    }

    fn discard(&mut self) {}
}

fn writer_error(error: io::Error) -> Error {
    Error::new(Kind::File, Phase::File).detail("the caller's writer").cause(error)
}
