//! The programs of `programs/`: each has one client and nothing else, so that the cost of building,
//! starting and running it can be measured.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;

pub struct Program {
    /// Its name, its feature, and that of its client.
    pub name: &'static str,
    pub speaks: Speaks,
    /// True if it is built without `all-peers` too.
    is_usual: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    Nothing,
    /// No TLS, or none that can trust a given certificate.
    Plain,
    /// As above, and only bodies with a length.
    PlainAndTls(Chunks),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Chunks {
    Read,
    Unknown,
}

const BOTH: Speaks = Speaks::PlainAndTls(Chunks::Read);

/// The empty program, which all clients are compared with.
pub const HELLO: &str = "hello";

const PROGRAMS: &[Program] = &[
    Program { name: HELLO, speaks: Speaks::Nothing, is_usual: true },
    Program { name: "raw", speaks: Speaks::PlainAndTls(Chunks::Unknown), is_usual: true },
    Program { name: "leanhttp", speaks: BOTH, is_usual: true },
    Program { name: "leanhttp-plain", speaks: Speaks::Plain, is_usual: true },
    Program { name: "ureq", speaks: BOTH, is_usual: true },
    Program { name: "reqwest-blocking", speaks: BOTH, is_usual: false },
    Program { name: "hyper", speaks: BOTH, is_usual: false },
    Program { name: "attohttpc", speaks: BOTH, is_usual: false },
    Program { name: "minreq", speaks: Speaks::Plain, is_usual: false },
    Program { name: "curl", speaks: BOTH, is_usual: false },
];

/// The programs whose clients are compared here.
pub fn chosen() -> impl Iterator<Item = &'static Program> {
    PROGRAMS.iter().filter(|program| program.is_usual || cfg!(feature = "all-peers"))
}

/// The program of that name.
pub fn named(name: &str) -> Outcome<&'static Program> {
    let found = PROGRAMS.iter().find(|program| program.name == name);
    found.ok_or_else(|| format!("no program is called {name}").into())
}

/// Builds all of them, so that nothing is built during a measurement.
pub fn build_all() -> Outcome<()> {
    let folder = folder()?;
    chosen().try_for_each(|program| program.build(&folder).map(drop))
}

/// The folder of this program.
pub fn folder() -> Outcome<PathBuf> {
    let here = env::current_exe()?;
    let target = here.parent().and_then(Path::parent).ok_or("no folder to build in")?;
    Ok(target.join("programs"))
}

impl Program {
    /// Builds it in that folder, unless that was done, and returns its path.
    pub fn build(&self, folder: &Path) -> Outcome<PathBuf> {
        let mut cargo = self.cargo("build");
        cargo.args(["--release", "--quiet", "--bin", self.name, "--target-dir"]).arg(folder);
        let status = cargo.status()?;
        if !status.success() {
            return Err(format!("cargo build of {}: {status}", self.name).into());
        }
        Ok(folder.join("release").join(self.name))
    }

    /// Number of crates that are linked to it, besides itself.
    pub fn crates(&self) -> Outcome<usize> {
        let mut cargo = self.cargo("tree");
        let output =
            cargo.args(["-e", "normal", "--prefix", "none", "--format", "{p}"]).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let tree = String::from_utf8(output.stdout)?;
        let mut crates: Vec<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        crates.sort_unstable();
        crates.dedup();
        Ok(crates.iter().filter(|line| !line.is_empty()).count() - 1)
    }

    fn cargo(&self, what: &str) -> Command {
        let mut cargo = Command::new("cargo");
        // Settings for faster builds make larger programs.
        cargo.arg(what).args(["--manifest-path", MANIFEST]).env("CARGO_INCREMENTAL", "0");
        if self.name != HELLO {
            cargo.args(["--features", self.name]);
        }
        cargo
    }
}

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/programs/Cargo.toml");
