//! A file for the multipart rows, deleted with the process that made it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::{env, fs, process};

pub struct ScratchFile(PathBuf);

impl ScratchFile {
    pub fn new(size: u64) -> io::Result<Self> {
        let file = Self(env::temp_dir().join(format!("leanhttp-benches-{}.bin", process::id())));
        io::copy(&mut io::repeat(b'x').take(size), &mut File::create(file.path())?)?;
        Ok(file)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        // A file that is left in the temporary folder does no harm.
        let _ = fs::remove_file(&self.0);
    }
}
