//! The file of a download: written under another name beside its target, and renamed when it is complete.
//!
//! ```text
//! .a.zip.1f…c3.part   created new, in the directory of the target: a rename does not copy
//!        │ write, sync
//!        ▼ rename, or a link if no file may be replaced
//! a.zip               exists only complete; until then an older one is untouched
//! ```
//!
//! The file under construction is removed when its value is dropped: on every error, on a panic, and when a task is
//! aborted. With [`keep_partial`](crate::client::download::Download::keep_partial) it is `a.zip.part` instead, stays,
//! and is [locked](lock) while it is used.
//!
//! Everything here blocks: the blocking runtime calls it as it is, tokio on a blocking thread.

mod lock;

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use self::lock::PartLock;
use crate::client::download::FileSettings;
use crate::error::{Error, Kind, Phase, Result};
use crate::extra::download::hashes::Hashes;
use crate::extra::download::kept::{Facts, MAX_TEXT};
use crate::extra::download::target::{Beginning, Kept};

/// The most names that are tried for a file that is numbered.
const MOST_NAMES: u32 = 1000;

/// The longest part of a name that is taken over into that of a temporary file, in bytes. Most file systems allow
/// 255.
const LONGEST_STEM: usize = 200;

/// The size of the pieces in which a part that was kept is read.
const PIECE: usize = 128 * 1024;

/// A file as the target of a download.
#[derive(Debug)]
pub(crate) struct FileTarget {
    place: FilePlace,
    settings: FileSettings,
    /// Makes the name of the temporary file unlikely to exist.
    random: u64,
    part: Option<PartFile>,
}

/// The place of the file.
#[derive(Debug)]
pub(crate) enum FilePlace {
    File(PathBuf),
    /// In a directory, under a name that the server chooses.
    Directory(PathBuf),
}

impl FileTarget {
    pub(crate) fn new(place: FilePlace, settings: FileSettings, random: u64) -> Self {
        Self { place, settings, random, part: None }
    }

    /// See [`DownloadTarget::kept`](crate::extra::download::target::DownloadTarget::kept).
    pub(crate) fn kept(&mut self, key: &str) -> Result<Option<Kept>> {
        let FilePlace::File(path) = &self.place else { return Ok(None) };
        let path = path.clone();
        if !self.settings.keep_partial {
            self.part = Some(self.create(path)?);
            return Ok(None);
        }
        let mut part = self.checked(path).and_then(PartFile::reopen)?;
        let kept = part.kept(key).map_err(|error| failed(&part.path, error))?;
        self.part = Some(part);
        Ok(kept)
    }

    /// See [`DownloadTarget::begin`](crate::extra::download::target::DownloadTarget::begin).
    pub(crate) fn begin(&mut self, beginning: &Beginning) -> Result<()> {
        let mut part = match (self.part.take(), &self.place) {
            (Some(part), _) => part,
            (None, FilePlace::File(path)) => self.create(path.clone())?,
            (None, FilePlace::Directory(directory)) => {
                self.create(directory.join(&beginning.name))?
            }
        };
        let begun = part.begin(beginning).map_err(|error| failed(&part.path, error));
        self.part = Some(part);
        begun
    }

    /// Writes behind what is there.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(part) = &mut self.part else { return Ok(()) };
        part.write(bytes).map_err(|error| failed(&part.path, error))
    }

    /// Gives the file its name, and returns its path.
    pub(crate) fn finish(&mut self) -> Result<Option<PathBuf>> {
        let (replaces, is_numbered) = (self.replaces(), self.settings.numbered);
        let Some(part) = &mut self.part else { return Ok(None) };
        part.finish(replaces, is_numbered).map(Some)
    }

    /// The part is of no use to a later run.
    pub(crate) fn discard(&mut self) {
        if let Some(part) = &mut self.part {
            part.stays = false;
        }
    }

    fn replaces(&self) -> bool {
        let by_default = matches!(self.place, FilePlace::File(_)) && !self.settings.numbered;
        self.settings.overwrite.unwrap_or(by_default)
    }

    fn create(&self, target: PathBuf) -> Result<PartFile> {
        self.checked(target).and_then(|target| PartFile::create(target, self.random))
    }

    /// Checks what exists under the name of the target, before anything is received.
    fn checked(&self, target: PathBuf) -> Result<PathBuf> {
        let Ok(existing) = fs::metadata(&target) else { return Ok(target) };
        let problem = if existing.is_dir() {
            (io::ErrorKind::IsADirectory, "it is a directory: use `to_dir`")
        } else if !existing.is_file() {
            (io::ErrorKind::InvalidInput, "it is no regular file: use `to_writer`")
        } else if !self.replaces() && !self.settings.numbered {
            return Err(exists(&target));
        } else {
            return Ok(target);
        };
        Err(failed(&target, io::Error::new(problem.0, problem.1)))
    }
}

/// A file under construction.
#[derive(Debug)]
struct PartFile {
    /// `None` once the file is complete.
    file: Option<File>,
    path: PathBuf,
    target: PathBuf,
    length: u64,
    /// The file stays when the download fails.
    stays: bool,
    lock: Option<PartLock>,
}

impl PartFile {
    fn create(target: PathBuf, random: u64) -> Result<Self> {
        let path = temporary(&target, random);
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.map_err(|error| failed(&path, error))?;
        Ok(Self { file: Some(file), path, target, length: 0, stays: false, lock: None })
    }

    /// Opens the part that an earlier run kept, or creates it.
    fn reopen(target: PathBuf) -> Result<Self> {
        let path = with_suffix(&target, ".part");
        let (file, lock) = lock::open(&path).map_err(|error| failed(&path, error))?;
        let length = file.metadata().map_err(|error| failed(&path, error))?.len();
        Ok(Self { file: Some(file), path, target, length, stays: true, lock: Some(lock) })
    }

    /// Reads the part and its facts. A part of another request, or without facts, is emptied.
    fn kept(&mut self, key: &str) -> io::Result<Option<Kept>> {
        let facts = self.facts()?.filter(|facts| facts.key == key && self.length > 0);
        let Some(facts) = facts else {
            self.truncate(0)?;
            return Ok(None);
        };
        let Some(file) = &mut self.file else { return Ok(None) };
        let (mut hashes, mut piece) = (Hashes::default(), vec![0; PIECE]);
        file.rewind()?;
        let mut length = 0;
        loop {
            let count = file.read(&mut piece)?;
            if count == 0 {
                break;
            }
            hashes.update(piece.split_at(count).0);
            length += count as u64;
        }
        self.length = length;
        Ok(Some(Kept { length, hashes, facts }))
    }

    fn facts(&self) -> io::Result<Option<Facts>> {
        let file = match File::open(with_suffix(&self.path, ".meta")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut text = Vec::new();
        file.take(MAX_TEXT).read_to_end(&mut text)?;
        Ok(Facts::parse(&text))
    }

    /// Empties the file behind the length, and notes the facts about what follows. In this order: a part never has
    /// the facts of another version.
    fn begin(&mut self, beginning: &Beginning) -> io::Result<()> {
        if self.length != beginning.length {
            self.truncate(beginning.length)?;
        }
        if self.stays {
            fs::write(with_suffix(&self.path, ".meta"), beginning.facts.to_text())?;
        }
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.set_len(length)?;
            file.seek(SeekFrom::Start(length))?;
        }
        self.length = length;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Writes the file to the disk, and renames it.
    fn finish(&mut self, replaces: bool, is_numbered: bool) -> Result<PathBuf> {
        let file = self.file.take();
        if let Some(file) = &file {
            if let Err(error) = file.sync_all() {
                return Err(failed(&self.path, error));
            }
        }
        // Windows renames no file that is locked; elsewhere it stays locked until it has its name.
        #[cfg(windows)]
        drop(file);
        let path = if replaces {
            fs::rename(&self.path, &self.target).map_err(|error| failed(&self.target, error))?;
            self.target.clone()
        } else {
            self.claim(is_numbered)?
        };
        if self.stays {
            let _ = fs::remove_file(with_suffix(&self.path, ".meta")); // facts about nothing
        }
        self.path = PathBuf::new(); // nothing is left to remove
        self.lock = None;
        Ok(path)
    }

    /// Gives the file a name that no other file has.
    fn claim(&self, is_numbered: bool) -> Result<PathBuf> {
        let names = if is_numbered { MOST_NAMES } else { 1 };
        for number in 0..names {
            let path = numbered(&self.target, number);
            match rename_new(&self.path, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(&path, error)),
                Ok(()) => return Ok(path),
            }
        }
        Err(exists(&self.target))
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() || (self.stays && self.length > 0) {
            return;
        }
        if self.lock.is_some() {
            let _ = fs::remove_file(with_suffix(&self.path, ".meta"));
        }
        // A file that is open can be removed, except on Windows if it is locked.
        #[cfg(windows)]
        drop(self.file.take());
        let _ = fs::remove_file(&self.path); // an error could not be reported
    }
}

/// Renames a file, unless one of that name exists. A link says so in one step; where there are no links, an empty
/// file takes the name first.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => return fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) => {}
    }
    OpenOptions::new().write(true).create_new(true).open(to)?;
    fs::rename(from, to).inspect_err(|_| drop(fs::remove_file(to)))
}

/// Returns `a (1).zip` for the number 1, and the path itself for 0.
fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return path.to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(" ({number})"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// Returns a hidden name beside the target.
fn temporary(target: &Path, random: u64) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut stem = name.into_owned();
    while stem.len() > LONGEST_STEM {
        stem.pop();
    }
    target.with_file_name(format!(".{stem}.{random:016x}.part"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::new(Kind::File, Phase::File).detail(path.display().to_string()).cause(error)
}

fn exists(path: &Path) -> Error {
    let cause = io::Error::new(io::ErrorKind::AlreadyExists, "the file exists");
    failed(path, cause).note("`overwrite` replaces it, `numbered` finds another name")
}
