//! A file for the multipart rows, gone with the process that made it.

use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

pub struct ScratchFile(PathBuf);

impl ScratchFile {
    pub fn new(size: usize) -> io::Result<Self> {
        let file = Self(env::temp_dir().join(format!("leanhttp-benches-{}.bin", process::id())));
        fs::write(file.path(), vec![b'x'; size])?;
        Ok(file)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        // Left behind in the folder for temporary files, it does no harm.
        let _ = fs::remove_file(&self.0);
    }
}
