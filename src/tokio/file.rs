//! Files as bodies (feature `stream`, as in reqwest).

use std::future::poll_fn;
use std::io::{self, SeekFrom};
use std::pin::Pin;

use ::tokio::fs::File;

use ::tokio::io::AsyncSeek;

use super::{Body, Source};
use crate::body::SourceLength;

/// The rest of the file, of the length that it has when the request is sent, which is its
/// `Content-Length`: if it shrinks meanwhile, that is an error; what is added to it is not sent. What has
/// no length, such as a pipe, or says that it is empty, as those of Linux' `/proc`, is sent in chunks. A
/// request that has to be sent again reads it again.
impl From<File> for Body {
    fn from(file: File) -> Self {
        Self::from_source(Source::of_file(file), SourceLength::Unknown)
    }
}

/// Asks each file of a body for its length, which takes a wait.
pub(super) async fn measure(body: &mut Body) {
    for unmeasured in body.unmeasured() {
        let Some(file) = unmeasured.source.file() else { continue };
        if let Some(left @ 1..) = rest_of(file).await {
            unmeasured.has(left);
        }
    }
}

/// How much of a file is left to read; none, if it cannot say.
async fn rest_of(file: &mut File) -> Option<u64> {
    let metadata = file.metadata().await.ok().filter(|metadata| metadata.is_file())?;
    let position = position(file).await.ok()?;
    metadata.len().checked_sub(position)
}

/// Where the next read begins, what the file has read ahead considered.
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
        /// A file, under its own name and with the type that its extension says.
        ///
        /// It is opened at once and read when the request is sent, up to the length that it has now:
        /// if it shrinks until then, that is an error. A request that has to be sent again reads it
        /// again.
        ///
        /// # Errors
        ///
        /// The file cannot be opened, or is a directory; the error names the path.
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
        /// # Errors
        ///
        /// The file cannot be opened, or is a directory; the error names the path.
        pub async fn file<T, U>(self, name: T, path: U) -> io::Result<Self>
        where
            T: Into<Cow<'static, str>>,
            U: AsRef<Path>,
        {
            Ok(self.part(name, Part::file(path).await?))
        }
    }
}
