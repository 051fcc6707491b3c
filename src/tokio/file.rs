//! Files as bodies (feature `stream`, as in reqwest).

use std::future::poll_fn;
use std::io::{self, SeekFrom};
use std::pin::Pin;

use ::tokio::fs::File;

use ::tokio::io::AsyncSeek;

use super::{Body, Source};
use crate::body::SourceLength;

/// Sends the rest of the file. Its `Content-Length` is the length that it has when the request is
/// sent: if it shrinks meanwhile, that is an error; data appended later is not sent. A file without
/// a length, such as a pipe, or with a reported length of 0, as in Linux' `/proc`, is sent in
/// chunks. A request that is sent again reads the file again.
impl From<File> for Body {
    fn from(file: File) -> Self {
        Self::from_source(Source::of_file(file), SourceLength::Unknown)
    }
}

/// Reads the length of each file in a body, which has to wait.
pub(super) async fn measure(body: &mut Body) {
    for unmeasured in body.unmeasured() {
        let Some(file) = unmeasured.source.file() else { continue };
        if let Some(left @ 1..) = rest_of(file).await {
            unmeasured.has(left);
        }
    }
}

/// Returns the number of bytes from the file's position to its end, or `None` if it has no length.
async fn rest_of(file: &mut File) -> Option<u64> {
    let metadata = file.metadata().await.ok().filter(|metadata| metadata.is_file())?;
    let position = position(file).await.ok()?;
    metadata.len().checked_sub(position)
}

/// Returns the position of the next read, corrected for the bytes that the file has read ahead.
async fn position(file: &mut File) -> io::Result<u64> {
    let mut file = Pin::new(file);
    poll_fn(|cx| file.as_mut().poll_complete(cx)).await?; // an earlier seek, if there is one
    file.as_mut().start_seek(SeekFrom::Current(0))?;
    poll_fn(|cx| file.as_mut().poll_complete(cx)).await
}

#[cfg(feature = "multipart")]
mod multipart {
    use std::borrow::Cow;
    use std::io;
    use std::path::Path;

    use super::{File, Source};
    use crate::body::SourceLength;
    use crate::body::multipart::part::{about, length_of};
    use crate::tokio::multipart::{Form, Part};

    impl Part {
        /// Creates a part from a file, with the file's name and the type of its extension.
        ///
        /// The file is opened immediately and read when the request is sent, up to its current
        /// length: if it shrinks until then, that is an error. A request that is sent again reads
        /// it again.
        ///
        /// # Errors
        ///
        /// If the file cannot be opened, or is a directory; the error names the path.
        ///
        /// ```no_run
        /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
        /// use leanhttp::tokio::multipart::{Form, Part};
        ///
        /// let photo = Part::file("photo.raw").await?.mime_str("image/x-raw")?;
        /// let form = Form::new().part("photo", photo);
        /// # Ok(())
        /// # }
        /// ```
        pub async fn file<T: AsRef<Path>>(path: T) -> io::Result<Self> {
            let path = path.as_ref();
            let (file, length) = open(path).await.map_err(|error| about(path, &error))?;
            Ok(Self::of_file(path, Source::rewindable(file), length))
        }
    }

    async fn open(path: &Path) -> io::Result<(File, SourceLength)> {
        let file = File::open(path).await?;
        let length = length_of(&file.metadata().await?)?;
        Ok((file, length))
    }

    impl Form {
        /// Adds a file; see [`Part::file`].
        ///
        /// ```no_run
        /// # async fn example() -> std::io::Result<()> {
        /// use leanhttp::tokio::multipart::Form;
        ///
        /// let form = Form::new().text("title", "My cat").file("photo", "cat.jpg").await?;
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// If the file cannot be opened, or is a directory; the error names the path.
        pub async fn file<T, U>(self, name: T, path: U) -> io::Result<Self>
        where
            T: Into<Cow<'static, str>>,
            U: AsRef<Path>,
        {
            Ok(self.part(name, Part::file(path).await?))
        }
    }
}
