//! Files that exist for one test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, io, process};

/// A file in its own folder, so that its name can be anything; both are deleted at the end.
pub struct TempFile {
    path: PathBuf,
}

impl TempFile {
    pub fn new(name: &str, content: &[u8]) -> io::Result<TempFile> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("leanhttp-{}-{number}", process::id()));
        fs::create_dir(&folder)?;
        let file = TempFile { path: folder.join(name) };
        fs::write(&file.path, content)?;
        Ok(file)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if let Some(folder) = self.path.parent() {
            let _ = fs::remove_dir_all(folder);
        }
    }
}
