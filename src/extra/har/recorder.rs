//! The recorder: a bounded list of entries, written as one HAR file.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::json;

use super::entry::HarEntry;
use super::recording::Recording;
use crate::extra::sent::SentRequest;

/// Records the requests of a client and their responses, to be saved as a [HAR 1.2] file, which browsers and other
/// tools open.
///
/// There is an entry for each attempt: each redirect, each retry and each failure. Give it to a client by
/// [`record`](crate::client::ClientBuilder::record); a clone is the same recorder, and may serve several clients.
/// An answer that middleware makes itself is not recorded.
///
/// ```
/// use leanhttp::har::Recorder;
///
/// let recorder = Recorder::new().bodies(64 * 1024);
/// let client = leanhttp::tokio::Client::builder().record(recorder.clone()).build()?;
/// // ... requests ...
/// let mut file = Vec::new();
/// recorder.write_to(&mut file)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Secrets
///
/// Credentials, cookies, values that are marked sensitive, passwords and parameters of URLs whose names say that
/// they are secrets are replaced by `REDACTED` when they are recorded. Bodies are not searched for secrets, which is
/// one reason why they are off by default.
///
/// [HAR 1.2]: http://www.softwareishard.com/blog/har-12-spec/
#[derive(Clone)]
pub struct Recorder {
    settings: RecorderSettings,
    recorded: Arc<Mutex<Recorded>>,
}

/// The parts of each attempt that a recorder keeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecorderSettings {
    /// The most bytes of a body that are kept.
    pub(super) body: usize,
    pub(super) entries: usize,
    pub(super) with_secrets: bool,
}

#[derive(Default)]
struct Recorded {
    /// In the order in which the attempts began.
    entries: Vec<Arc<Mutex<HarEntry>>>,
    /// The number of attempts that found the list full.
    left_out: u64,
}

/// The default of [`Recorder::max_entries`].
const MOST_ENTRIES: usize = 1000;

impl Recorder {
    /// Creates a recorder that keeps no bodies.
    pub fn new() -> Self {
        let settings = RecorderSettings { body: 0, entries: MOST_ENTRIES, with_secrets: false };
        Self { settings, recorded: Arc::default() }
    }

    /// Sets how many bytes of each body are kept, of requests and of responses; 0 by default. A longer body is cut,
    /// and its entry says so. Bodies of responses are recorded while the program reads them, decoded; bodies of
    /// requests only if they are in memory.
    #[must_use]
    pub fn bodies(mut self, max_bytes: usize) -> Self {
        self.settings.body = max_bytes;
        self
    }

    /// Sets the most entries; 1000 by default. Further attempts are counted by [`left_out`](Self::left_out), and
    /// not recorded.
    #[must_use]
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.settings.entries = entries;
        self
    }

    /// Records secrets too, so that the file must be kept like them.
    #[must_use]
    pub fn with_secrets(mut self) -> Self {
        self.settings.with_secrets = true;
        self
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.recorded().entries.len()
    }

    /// Returns whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of attempts that were not recorded, because of [`max_entries`](Self::max_entries).
    pub fn left_out(&self) -> u64 {
        self.recorded().left_out
    }

    /// Removes all entries.
    pub fn clear(&self) {
        let removed = std::mem::take(&mut *self.recorded());
        drop(removed); // outside the lock
    }

    /// Writes the entries as a HAR file. A body that is still being read has what was read so far.
    ///
    /// ```
    /// let recorder = leanhttp::har::Recorder::new();
    /// let mut file = Vec::new();
    /// recorder.write_to(&mut file)?;
    /// assert!(file.starts_with(br#"{"log":{"#));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_to<W: Write>(&self, mut writer: W) -> io::Result<()> {
        let (entries, left_out) = {
            let recorded = self.recorded();
            (recorded.entries.clone(), recorded.left_out)
        };
        let creator = json!({"name": "leanhttp", "version": env!("CARGO_PKG_VERSION")});
        write!(writer, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"pages\":[]")?;
        if left_out > 0 {
            let comment = format!("{left_out} more attempts were not recorded (max_entries)");
            write!(writer, ",\"comment\":{}", json!(comment))?;
        }
        writer.write_all(b",\"entries\":[")?;
        for (at, entry) in entries.iter().enumerate() {
            let separator = if at == 0 { "\n" } else { ",\n" };
            let entry = entry.lock().unwrap_or_else(PoisonError::into_inner).to_json();
            write!(writer, "{separator}{entry}")?; // with no lock held
        }
        writer.write_all(b"\n]}}\n")?;
        writer.flush()
    }

    /// Saves the entries as [`write_to`](Self::write_to) does. The file is complete or it is not there: it is
    /// written beside its place and renamed. On Unix only its owner can read it.
    ///
    /// # Errors
    ///
    /// If the file cannot be created, written or renamed.
    ///
    /// ```no_run
    /// let recorder = leanhttp::har::Recorder::new();
    /// recorder.save("trace.har")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        let (file, beside) = create_beside(path)?;
        let mut writer = BufWriter::new(file);
        let written = self.write_to(&mut writer).and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            let _ = fs::remove_file(&beside); // the first error is the one that explains
        }
        written
    }

    /// Begins the entry of an attempt, unless there are too many. `length` is that of the request's body.
    pub(crate) fn begin(
        &self,
        started: SystemTime,
        sent: &SentRequest,
        length: Option<u64>,
    ) -> Option<Recording> {
        let entry = HarEntry::new(started, sent, length, self.settings);
        let entry = Arc::new(Mutex::new(entry));
        let mut recorded = self.recorded();
        if recorded.entries.len() >= self.settings.entries {
            recorded.left_out = recorded.left_out.saturating_add(1);
            return None;
        }
        recorded.entries.push(Arc::clone(&entry));
        Some(Recording::new(entry, self.settings))
    }

    /// No foreign code runs under the lock, so a panic elsewhere cannot leave the list inconsistent.
    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Creates a new file beside `path`.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    for number in 0..MOST_NAMES {
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}-{number}.part", std::process::id()));
        match options.open(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return Ok((opened?, beside.into())),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many files of saves that were cut short"))
}

/// The most names that are tried for the file beside its place: each other is of a save at the same time.
const MOST_NAMES: u32 = 100;

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows the number of entries, and nothing of them.
impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("entries", &self.len()).finish_non_exhaustive()
    }
}
