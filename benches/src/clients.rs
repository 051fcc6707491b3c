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

use std::future::poll_fn;
use std::io::{self, Read};
use std::net::SocketAddrV4;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use tokio::task::JoinSet;

use crate::Outcome;
use crate::latency::Watch;
#[cfg(feature = "all-peers")]
use crate::rows::Senders;
use crate::rows::{Points, Row, Shape, Way};
use crate::scratch::ScratchFile;
use crate::target::Target;

/// One client, ready to send one row's request again and again.
pub trait Client: Send {
    /// Sends the request, reads the whole response, and returns the length of its decoded body.
    fn perform(&mut self) -> Outcome<u64>;

    /// The same client for another thread: a clone that shares the pool, if it has one.
    fn sibling(&self) -> Outcome<Box<dyn Client>>;

    /// Sends so many requests, one after the other.
    fn repeat(&mut self, times: u64, job: &Job) -> Outcome<()> {
        (0..times).try_for_each(|_| {
            let watch = Watch::start();
            job.check(self.perform()?)?;
            watch.stop();
            Ok(())
        })
    }

    /// Sends this many requests by each of this many concurrent tasks.
    fn perform_in_tasks(&mut self, _tasks: u64, _each: u64) -> Outcome<()> {
        Err("it has no tasks".into())
    }

    /// Switches to another address of the server; connections that are open stay open and idle.
    fn turn_to(&mut self, _address: SocketAddrV4) -> Outcome<()> {
        Err("it keeps no connections".into())
    }
}

pub struct Entry {
    pub name: &'static str,
    /// The name of the package in Cargo.lock; none for the raw loops.
    pub package: Option<&'static str>,
    pub can: fn(&Row) -> bool,
    pub prepare: fn(&Job) -> Outcome<Box<dyn Client>>,
}

impl Entry {
    pub fn is_ours(&self) -> bool {
        self.package == Some(OURS)
    }
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
/// The same where only tasks are compared.
pub const OURS_ASYNC: &str = "leanhttp-tokio";

/// The raw loops come first: the first client of a row is the reference for the others.
pub const CLIENTS: &[Entry] = &[
    Entry { name: "raw", package: None, can: raw::can, prepare: raw::prepare },
    Entry { name: "raw-tls", package: None, can: is_tls, prepare: raw_tls::prepare },
    Entry { name: OURS, package: Some(OURS), can: blocks, prepare: leanhttp::prepare },
    Entry {
        name: OURS_ASYNC,
        package: Some(OURS),
        can: is_async,
        prepare: leanhttp_tokio::prepare,
    },
    Entry { name: "ureq", package: Some("ureq"), can: is_for_ureq, prepare: ureq::prepare },
    Entry {
        name: "reqwest-blocking",
        package: Some("reqwest"),
        can: blocks,
        prepare: reqwest_blocking::prepare,
    },
    #[cfg(feature = "all-peers")]
    Entry {
        name: "reqwest-async",
        package: Some("reqwest"),
        can: is_async_peer,
        prepare: reqwest_async::prepare,
    },
    #[cfg(feature = "all-peers")]
    Entry { name: "hyper", package: Some("hyper"), can: hyper::can, prepare: hyper::prepare },
    #[cfg(feature = "all-peers")]
    Entry {
        name: "attohttpc",
        package: Some("attohttpc"),
        can: has_no_pool,
        prepare: attohttpc::prepare,
    },
    #[cfg(feature = "all-peers")]
    Entry { name: "minreq", package: Some("minreq"), can: minreq::can, prepare: minreq::prepare },
    #[cfg(feature = "all-peers")]
    Entry { name: "curl", package: Some("curl"), can: has_one_handle, prepare: curl::prepare },
];

fn is_tls(row: &Row) -> bool {
    !row.is_plain()
}

/// Its only way to read a body is `Read`.
fn blocks(row: &Row) -> bool {
    !row.has_tasks() && !matches!(row.shape, Shape::Stream(way, ..) if way != Way::Copy)
}

/// A current-thread runtime belongs to one thread.
fn is_async(row: &Row) -> bool {
    !row.has_threads()
}

/// It has no limit on connections, so no request waits for one, and no `AsyncRead` of its own.
#[cfg(feature = "all-peers")]
fn is_async_peer(row: &Row) -> bool {
    is_async(row) && !row.has_queue() && !matches!(row.shape, Shape::Stream(Way::AsyncRead, ..))
}

/// Its parser accepts 128 fields; and each request walks through all idle connections, 17,000
/// instructions for each, so that counting with 1,000 hosts would take hours.
fn is_for_ureq(row: &Row) -> bool {
    blocks(row)
        && row.other_hosts < 1_000 - 1
        && !matches!(row.shape, Shape::Head { fields: 120.., .. })
}

#[cfg(feature = "all-peers")]
fn has_no_pool(row: &Row) -> bool {
    blocks(row) && row.is_basic() && !row.is_idle()
}

/// It belongs to one thread, and keeps one connection.
#[cfg(feature = "all-peers")]
fn has_one_handle(row: &Row) -> bool {
    row.senders == Senders::One && row.is_basic() && !row.is_idle()
}

impl Job {
    pub fn new(row: &'static Row, target: Target) -> Outcome<Self> {
        let url = target.url(row);
        let file = match row.shape {
            Shape::Multipart(size) => Some(Arc::new(ScratchFile::new(size)?)),
            _ => None,
        };
        Ok(Self { row, target, url, file })
    }

    pub fn turn_to(&mut self, address: SocketAddrV4) -> Outcome<()> {
        self.target.turn_to(address);
        self.url = self.target.url(self.row);
        Ok(())
    }

    pub fn shape(&self) -> Shape {
        self.row.shape
    }

    /// Returns an error unless the count is the expected one.
    pub fn check(&self, got: u64) -> Outcome<()> {
        let expected = self.row.expected();
        if got == expected {
            return Ok(());
        }
        Err(format!("{got} bytes where {expected} were to come").into())
    }

    /// The list of hosts that bypass the proxy, the server last; none if there is no proxy.
    pub fn no_proxy(&self) -> Option<String> {
        let count = self.row.no_proxy.checked_sub(1)?;
        let others = (0..count).map(|number| match number % 2 {
            0 => format!("host-{number}.example.org,"),
            _ => format!("10.{}.{}.0/24,", number >> 8, number & 255),
        });
        Some(others.collect::<String>() + &self.target.host.to_string())
    }

    /// The hosts whose cookies are in the jar, each with one.
    pub fn cookie_hosts(&self) -> Option<impl Iterator<Item = String>> {
        let Shape::Cookies(count) = self.shape() else { return None };
        Some((0..count).map(|number| format!("http://host-{number}.example{number}.org/")))
    }

    /// The names of the text fields of a form.
    pub fn parts(count: u64) -> impl Iterator<Item = String> {
        (0..count).map(|number| format!("field-{number}"))
    }

    /// The file of a multipart row.
    pub fn file(&self) -> Outcome<&Path> {
        let file = self.file.as_ref().ok_or("not a multipart row")?;
        Ok(file.path())
    }
}

/// The source of an upload.
fn source(size: u64) -> io::Take<io::Repeat> {
    io::repeat(b'x').take(size)
}

/// More connections than any row has open.
const POOL: usize = 20_000;

/// Long enough for a busy machine, under a counter, to open all idle connections of a row.
const IDLE_AGE: Duration = Duration::from_secs(900);

/// More fields than any head has.
const MAX_FIELDS: usize = 1_100;

/// An address without a listener: the proxy of the rows that must not use it.
const DEAD_PROXY: &str = "http://127.0.0.1:9";

const COOKIE: &str = "id=c9f0f895fb98ab91; Path=/; Max-Age=86400";

/// The value of each text field of a form.
const PART: &str = "a line of text";

/// The next piece of a stream, which need not be pinned.
async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}

/// Runs so many tasks, each made by `start`, to their end.
async fn in_tasks<F>(count: u64, start: impl Fn() -> F) -> Outcome<()>
where
    F: Future<Output = Outcome<()>> + Send + 'static,
{
    let mut tasks: JoinSet<_> = (0..count).map(|_| start()).collect();
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

fn points(json: &[u8]) -> Outcome<u64> {
    Ok(serde_json::from_slice::<Points>(json)?.len() as u64)
}

/// The buffer that bodies are read into.
const SPACE: usize = 64 << 10;

/// The buffer of one of many tasks, whose bodies are short.
const SPACE_OF_TASK: usize = 1 << 10;

fn space() -> Vec<u8> {
    vec![0; SPACE]
}

/// Reads to the end and counts the bytes.
fn drain(mut body: impl Read, space: &mut [u8]) -> Outcome<u64> {
    let mut total = 0;
    loop {
        match body.read(space)? {
            0 => return Ok(total),
            count => total += count as u64,
        }
    }
}
