//! The clients under measurement: one small trait, one file each, one table.

mod leanhttp;
mod leanhttp_tokio;
mod raw;
mod raw_tls;
mod reqwest_blocking;
mod ureq;

#[cfg(feature = "all-peers")]
mod attohttpc;
#[cfg(feature = "all-peers")]
mod curl;
#[cfg(feature = "all-peers")]
mod hyper;
#[cfg(feature = "all-peers")]
mod minreq;
#[cfg(feature = "all-peers")]
mod reader_body;
#[cfg(feature = "all-peers")]
mod reqwest_async;

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use crate::Outcome;
use crate::rows::{Row, Scheme, Shape};
use crate::scratch::ScratchFile;
use crate::target::Target;

/// One client, ready to send one row's request again and again.
pub trait Client: Send {
    /// Sends the request, takes the whole answer, and says how many bytes its decoded body had.
    fn perform(&mut self) -> Outcome<u64>;

    /// The same for another thread: a clone that shares the pool, where there is one.
    fn sibling(&self) -> Outcome<Box<dyn Client>>;
}

pub struct Entry {
    pub name: &'static str,
    /// The name in Cargo.lock of what is measured; none for the raw loops.
    pub package: Option<&'static str>,
    pub can: fn(&Row) -> bool,
    pub prepare: fn(&Job) -> Outcome<Box<dyn Client>>,
}

/// A row and the server to run it against.
#[derive(Clone)]
pub struct Job {
    pub row: &'static Row,
    pub target: Target,
    pub url: String,
    file: Option<Arc<ScratchFile>>,
}

/// The name of the client that the others are compared with, on the right-hand side of the tables.
pub const OURS: &str = "leanhttp";

/// The raw loops come first: the first client of a row is what the others are measured by.
pub const CLIENTS: &[Entry] = &[
    Entry { name: "raw", package: None, can: Row::is_plain, prepare: raw::prepare },
    Entry { name: "raw-tls", package: None, can: is_tls, prepare: raw_tls::prepare },
    Entry { name: OURS, package: Some(OURS), can: any, prepare: leanhttp::prepare },
    Entry {
        name: "leanhttp-tokio",
        package: Some(OURS),
        can: is_single,
        prepare: leanhttp_tokio::prepare,
    },
    Entry { name: "ureq", package: Some("ureq"), can: any, prepare: ureq::prepare },
    Entry {
        name: "reqwest-blocking",
        package: Some("reqwest"),
        can: any,
        prepare: reqwest_blocking::prepare,
    },
    #[cfg(feature = "all-peers")]
    Entry {
        name: "reqwest-async",
        package: Some("reqwest"),
        can: is_single,
        prepare: reqwest_async::prepare,
    },
    #[cfg(feature = "all-peers")]
    Entry { name: "hyper", package: Some("hyper"), can: hyper::can, prepare: hyper::prepare },
    #[cfg(feature = "all-peers")]
    Entry { name: "attohttpc", package: Some("attohttpc"), can: any, prepare: attohttpc::prepare },
    #[cfg(feature = "all-peers")]
    Entry { name: "minreq", package: Some("minreq"), can: minreq::can, prepare: minreq::prepare },
    #[cfg(feature = "all-peers")]
    Entry { name: "curl", package: Some("curl"), can: is_single, prepare: curl::prepare },
];

fn any(_: &Row) -> bool {
    true
}

fn is_tls(row: &Row) -> bool {
    row.scheme == Scheme::Tls
}

/// An easy handle or a current-thread runtime belongs to one thread.
fn is_single(row: &Row) -> bool {
    row.threads == 1
}

impl Job {
    pub fn new(row: &'static Row, target: Target) -> Outcome<Self> {
        let url = target.url(row);
        let file = match row.shape {
            Shape::Multipart(size) => Some(Arc::new(ScratchFile::new(usize::try_from(size)?)?)),
            _ => None,
        };
        Ok(Self { row, target, url, file })
    }

    pub fn shape(&self) -> Shape {
        self.row.shape
    }

    /// The file of a multipart row.
    pub fn file(&self) -> Outcome<&Path> {
        let file = self.file.as_ref().ok_or("not a multipart row")?;
        Ok(file.path())
    }
}

/// What uploads read from.
fn source(size: u64) -> io::Take<io::Repeat> {
    io::repeat(b'x').take(size)
}

/// The buffer that bodies are read into.
const SPACE: usize = 64 << 10;

fn space() -> Vec<u8> {
    vec![0; SPACE]
}

/// Reads to the end and counts.
fn drain(mut body: impl Read, space: &mut [u8]) -> Outcome<u64> {
    let mut total = 0;
    loop {
        match body.read(space)? {
            0 => return Ok(total),
            count => total += count as u64,
        }
    }
}
