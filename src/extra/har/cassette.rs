//! A cassette: a HAR file that is recorded by the first run of a test, and replayed by all others.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::recorder::Recorder;
use super::replay::Replay;

/// A HAR file that is recorded once, and replayed from then on: [`open`](Self::open) looks whether the file is there.
///
/// Give it to a client by [`cassette`](crate::client::ClientBuilder::cassette); a clone is the same cassette. See the
/// [guide](crate::guide::cassettes).
///
/// ```no_run
/// use leanhttp::{Client, har::Cassette};
///
/// let cassette = Cassette::open("tests/cassettes/login.har")?;
/// let client = Client::builder().cassette(&cassette).build()?;
/// let text = client.get("https://example.org/").send()?.text()?; // from the network once, then from the file
/// cassette.save()?;
/// assert!(cassette.unused().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Cassette {
    shared: Arc<OpenCassette>,
}

/// A file, and what is done with it.
struct OpenCassette {
    path: PathBuf,
    mode: CassetteMode,
    /// The number of entries that were saved.
    saved: AtomicUsize,
}

pub(crate) enum CassetteMode {
    Record(Recorder),
    Replay(Replay),
}

/// The most bytes of a body that a cassette records.
const LONGEST_BODY: usize = 1024 * 1024;

impl Cassette {
    /// Opens a cassette: replays the file, strictly, if it is there, and records otherwise.
    ///
    /// It records up to 1000 attempts, each with bodies of up to 1 MiB, and without secrets; for other limits see
    /// [`open_with`](Self::open_with).
    ///
    /// # Errors
    ///
    /// If the file is there and cannot be read, or is not a HAR file.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::open_with(path, Recorder::new().bodies(LONGEST_BODY))
    }

    /// Opens a cassette as [`open`](Self::open) does, with this recorder.
    ///
    /// ```no_run
    /// use leanhttp::har::{Cassette, Recorder};
    ///
    /// let cassette = Cassette::open_with("long.har", Recorder::new().bodies(8 << 20))?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, recorder: Recorder) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        let mode = match Replay::open(&path) {
            Ok(replay) => CassetteMode::Replay(replay),
            Err(error) if error.kind() == io::ErrorKind::NotFound => CassetteMode::Record(recorder),
            Err(error) => return Err(error),
        };
        Ok(Self {
            shared: Arc::new(OpenCassette { path, mode, saved: AtomicUsize::new(usize::MAX) }),
        })
    }

    /// Returns whether the file was missing, so that requests are sent and recorded.
    pub fn is_recording(&self) -> bool {
        matches!(self.shared.mode, CassetteMode::Record(_))
    }

    /// Returns the recorded requests that were not made, as lines such as `GET http://example.org/`; empty while it
    /// records.
    pub fn unused(&self) -> Vec<String> {
        match &self.shared.mode {
            CassetteMode::Record(_) => Vec::new(),
            CassetteMode::Replay(replay) => replay.unused(),
        }
    }

    /// Saves what was recorded, as [`Recorder::save`] does; does nothing if the file is replayed.
    ///
    /// The last clone does so too when it is dropped, if there are more entries by then, unless the thread panics, because a test that failed may have
    /// recorded half of its requests. Such an error is lost.
    ///
    /// # Errors
    ///
    /// As for [`Recorder::save`].
    pub fn save(&self) -> io::Result<()> {
        self.shared.save()
    }

    pub(crate) fn mode(&self) -> &CassetteMode {
        &self.shared.mode
    }
}

impl OpenCassette {
    fn save(&self) -> io::Result<()> {
        let CassetteMode::Record(recorder) = &self.mode else { return Ok(()) };
        self.saved.store(recorder.len(), Ordering::Relaxed);
        recorder.save(&self.path)
    }
}

impl Drop for OpenCassette {
    fn drop(&mut self) {
        let CassetteMode::Record(recorder) = &self.mode else { return };
        if self.saved.load(Ordering::Relaxed) != recorder.len() && !thread::panicking() {
            let _ = self.save();
        }
    }
}

/// Shows the file and whether it is recorded.
impl fmt::Debug for Cassette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cassette")
            .field("path", &self.shared.path)
            .field("is_recording", &self.is_recording())
            .finish_non_exhaustive()
    }
}
