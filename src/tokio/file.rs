//! Files as bodies (feature `stream`, as in reqwest).

use ::tokio::fs::File;

use super::Body;

/// What is left to read of the file, sent in chunks: its length takes a wait. Who has asked for it says
/// it with [`Body::rewindable_sized`]. A request that has to be sent again reads it again.
impl From<File> for Body {
    fn from(file: File) -> Self {
        Self::rewindable(file)
    }
}

#[cfg(feature = "multipart")]
mod multipart {
    use std::borrow::Cow;
    use std::io;
    use std::path::Path;

    use super::File;
    use crate::body::SourceLength;
    use crate::multipart::part::{about, length_of};
    use crate::tokio::Source;
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
