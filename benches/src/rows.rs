//! The rows of the tables. A new row is a new entry in [`ROWS`].

/// One situation that every client is put in.
#[derive(Clone)]
pub struct Row {
    /// Its name on the command line and in the JSON.
    pub name: &'static str,
    pub title: &'static str,
    pub shape: Shape,
    pub scheme: Scheme,
    pub senders: Senders,
    /// Number of other hosts with an idle connection.
    pub other_hosts: u64,
    /// Number of entries in the list of hosts that bypass the proxy; none: no proxy.
    pub no_proxy: u64,
    /// Number of requests in a round.
    pub round: u64,
    /// Number of requests that the counts are the difference of; none if the row is not counted.
    pub counted: Option<u64>,
    /// True if `--quick` includes it.
    pub quick: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Plain,
    Tls,
    /// TLS with a server that resumes no session.
    TlsUnresumed,
}

/// The senders of a row's requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Senders {
    One,
    /// So many threads that share one client.
    Threads(u64),
    /// So many tasks on one thread that share one client.
    Tasks(u64),
    /// So many tasks on one thread that wait for one connection.
    Queue(u64),
}

/// The kind of request, and the handling of its response.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// GET, the body read into one buffer of 64 KiB.
    Read(Answer),
    /// GET of so many bytes, collected in memory.
    Bytes(Wire, u64),
    /// GET of so many bytes, collected as text.
    Text(Wire, u64),
    /// GET of so many bytes of JSON, made [`Points`].
    Json(Wire, u64),
    /// GET of so many bytes, taken as they come.
    Stream(Way, Wire, u64),
    /// POST from a reader.
    Upload(Framing, u64),
    /// POST of [`FORM`].
    Form,
    /// POST of a file as `multipart/form-data`.
    Multipart(u64),
    /// POST of so many text fields as `multipart/form-data`.
    Parts(u64),
    /// GET of [`SMALL`] after so many redirects.
    Redirects(u64),
    /// GET of [`SMALL`], which sends a cookie and gets one, with so many of other hosts in the jar.
    Cookies(u64),
    /// GET of [`SMALL`] with so many more fields in the head, which make so many bytes together.
    Head { fields: u64, bytes: u64 },
    /// GET of [`SMALL`] from one port after the other, so that each has an idle connection then.
    Idle,
}

/// The response of the server to a GET.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// [`SMALL`], with eight fields.
    Small,
    /// The same, and the connection is closed.
    Close,
    Large(Wire, u64),
}

/// The framing or coding of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Sized,
    /// In chunks of so many bytes.
    Chunked(u64),
    /// With its length, in the gzip coding.
    Gzip,
}

/// The chunks of a streaming server.
pub const CHUNKED: Wire = Wire::Chunked(16 * KIB);

/// A way of reading a body in pieces, other than reading into a buffer of the caller.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `chunk().await`, or the counterpart of a peer.
    Chunks,
    /// `bytes_stream()`.
    Stream,
    /// `AsyncRead` into one buffer of 64 KiB.
    AsyncRead,
    /// `copy_to` a writer that discards its input.
    Copy,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Sized,
    Chunked,
}

/// The content of the JSON: an array of these, each of [`POINT_SIZE`] bytes with its comma.
pub type Points = Vec<(u64, f64, f64, bool)>;
pub const POINT_SIZE: u64 = 32;

/// Number of idle connections in the rows of memory, after a few that are not counted.
pub const IDLE: u64 = 1_000;
pub const IDLE_BEFORE: u64 = 8;

pub const SMALL: &[u8] = b"Hello, world!";
pub const FORM: [(&str, &str); 5] = [
    ("name", "Ada Lovelace"),
    ("address", "12 St James's Square, London"),
    ("subject", "notes on the analytical engine"),
    ("page", "691"),
    ("comment", "100 % sure & signed = A.A.L."),
];
pub const MULTIPART_NAME: &str = "file";

pub const KIB: u64 = 1 << 10;
pub const MIB: u64 = 1 << 20;

impl Row {
    pub fn path(&self) -> String {
        match self.shape {
            Shape::Read(Answer::Small) | Shape::Idle => "/small".to_owned(),
            Shape::Read(Answer::Close) => "/close".to_owned(),
            Shape::Read(Answer::Large(wire, size))
            | Shape::Bytes(wire, size)
            | Shape::Text(wire, size)
            | Shape::Stream(_, wire, size) => format!("/text/{size}/{}", wire.word()),
            Shape::Json(wire, size) => format!("/json/{size}/{}", wire.word()),
            Shape::Upload(_, size) | Shape::Multipart(size) => format!("/sink/{size}"),
            Shape::Form | Shape::Parts(_) => "/sink/1".to_owned(),
            Shape::Redirects(count) => format!("/redirect/{count}"),
            Shape::Cookies(_) => "/cookie".to_owned(),
            Shape::Head { fields, bytes } => format!("/head/{fields}/{bytes}"),
        }
    }

    /// The length of the decoded response body; for JSON, the number of points.
    pub fn expected(&self) -> u64 {
        match self.shape {
            Shape::Json(_, size) => size / POINT_SIZE,
            _ => self.body().unwrap_or(SMALL.len() as u64),
        }
    }

    /// The length of the decoded response body, if the row is about that.
    pub fn body(&self) -> Option<u64> {
        match self.shape {
            Shape::Read(Answer::Large(_, size))
            | Shape::Bytes(_, size)
            | Shape::Text(_, size)
            | Shape::Json(_, size)
            | Shape::Stream(_, _, size) => Some(size),
            _ => None,
        }
    }

    /// The framing or coding of the response body.
    pub fn wire(&self) -> Wire {
        match self.shape {
            Shape::Read(Answer::Large(wire, _))
            | Shape::Bytes(wire, _)
            | Shape::Text(wire, _)
            | Shape::Json(wire, _)
            | Shape::Stream(_, wire, _) => wire,
            _ => Wire::Sized,
        }
    }

    /// Returns whether the body is collected before it is used.
    pub fn is_whole(&self) -> bool {
        matches!(self.shape, Shape::Bytes(..) | Shape::Text(..) | Shape::Json(..))
    }

    /// The MiB that one request moves, if the row is about throughput.
    pub fn volume(&self) -> Option<u64> {
        match self.shape {
            Shape::Read(Answer::Large(Wire::Sized | CHUNKED, size))
            | Shape::Stream(_, _, size)
            | Shape::Upload(_, size) => Some(size / MIB),
            Shape::Multipart(size) if size > MIB => Some(size / MIB),
            _ => None,
        }
    }

    pub fn is_plain(&self) -> bool {
        self.scheme == Scheme::Plain
    }

    /// Returns whether it is about the memory of idle connections.
    pub fn is_idle(&self) -> bool {
        self.shape == Shape::Idle
    }

    pub fn is_coded(&self) -> bool {
        self.wire() == Wire::Gzip
    }

    pub fn has_tasks(&self) -> bool {
        matches!(self.senders, Senders::Tasks(_) | Senders::Queue(_))
    }

    pub fn has_queue(&self) -> bool {
        matches!(self.senders, Senders::Queue(_))
    }

    pub fn has_threads(&self) -> bool {
        matches!(self.senders, Senders::Threads(_))
    }

    /// Number of concurrent senders, if the row is about that.
    pub fn crowd(&self) -> Option<u64> {
        match self.senders {
            Senders::One => None,
            Senders::Threads(count) | Senders::Tasks(count) | Senders::Queue(count) => Some(count),
        }
    }

    /// Returns whether it needs thousands of connections.
    pub fn needs_crowd(&self) -> bool {
        self.other_hosts > 0 || matches!(self.senders, Senders::Tasks(1_000..))
    }

    pub fn closes(&self) -> bool {
        self.shape == Shape::Read(Answer::Close)
    }

    /// Returns whether it needs no more than a GET, or a body with its length, in chunks or coded.
    #[cfg(feature = "all-peers")]
    pub fn is_basic(&self) -> bool {
        let is_basic = match self.shape {
            Shape::Read(_) => true,
            Shape::Parts(_) | Shape::Redirects(_) | Shape::Cookies(_) | Shape::Head { .. } => false,
            Shape::Stream(way, ..) => way == Way::Copy,
            _ => true,
        };
        is_basic && self.other_hosts == 0 && self.no_proxy == 0
    }
}

impl Wire {
    fn word(self) -> String {
        match self {
            Wire::Sized => "sized".to_owned(),
            Wire::Chunked(size) => size.to_string(),
            Wire::Gzip => "gzip".to_owned(),
        }
    }
}

/// The defaults of most rows.
pub const USUAL: Row = Row {
    name: "",
    title: "",
    shape: Shape::Read(Answer::Small),
    scheme: Scheme::Plain,
    senders: Senders::One,
    other_hosts: 0,
    no_proxy: 0,
    round: 1,
    counted: None,
    quick: false,
};

const fn whole(name: &'static str, title: &'static str, shape: Shape) -> Row {
    Row { name, title, shape, round: 20, counted: Some(5), ..USUAL }
}

const fn stream(name: &'static str, title: &'static str, way: Way, wire: Wire) -> Row {
    Row { name, title, shape: Shape::Stream(way, wire, 64 * MIB), counted: Some(1), ..USUAL }
}

/// A round has at least two requests of each sender.
const fn crowd(name: &'static str, title: &'static str, senders: Senders) -> Row {
    let round = match senders {
        Senders::Tasks(count) if count > 4_000 => 2 * count,
        _ => 8_000,
    };
    Row { name, title, senders, round, ..USUAL }
}

pub const ROWS: &[Row] = &[
    Row {
        name: "get",
        title: "GET of 13 bytes, one after the other",
        round: 2_000,
        counted: Some(500),
        quick: true,
        ..USUAL
    },
    Row {
        name: "get-tls",
        title: "GET of 13 bytes over TLS, one after the other",
        scheme: Scheme::Tls,
        round: 2_000,
        counted: Some(500),
        quick: true,
        ..USUAL
    },
    Row {
        name: "connect",
        title: "GET of 13 bytes, a connection each",
        shape: Shape::Read(Answer::Close),
        round: 500,
        counted: Some(100),
        quick: true,
        ..USUAL
    },
    Row {
        name: "connect-tls",
        title: "GET of 13 bytes over TLS, a connection each, the session resumed",
        shape: Shape::Read(Answer::Close),
        scheme: Scheme::Tls,
        round: 200,
        counted: Some(20),
        ..USUAL
    },
    Row {
        name: "connect-tls-full",
        title: "GET of 13 bytes over TLS, a connection each, none resumed",
        shape: Shape::Read(Answer::Close),
        scheme: Scheme::TlsUnresumed,
        round: 50,
        counted: Some(20),
        ..USUAL
    },
    Row {
        name: "threads",
        title: "GET of 13 bytes, 16 threads on one client",
        senders: Senders::Threads(16),
        round: 8_000,
        quick: true,
        ..USUAL
    },
    Row {
        name: "tasks",
        title: "GET of 13 bytes, 64 tasks on one client",
        senders: Senders::Tasks(64),
        round: 8_000,
        counted: Some(1_280),
        ..USUAL
    },
    Row {
        name: "download",
        title: "Download of 256 MiB, Content-Length",
        shape: Shape::Read(Answer::Large(Wire::Sized, 256 * MIB)),
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "download-chunked",
        title: "Download of 256 MiB, chunked",
        shape: Shape::Read(Answer::Large(CHUNKED, 256 * MIB)),
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "download-tls",
        title: "Download of 64 MiB over TLS, Content-Length",
        shape: Shape::Read(Answer::Large(Wire::Sized, 64 * MIB)),
        scheme: Scheme::Tls,
        round: 4,
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "download-tls-chunked",
        title: "Download of 64 MiB over TLS, chunked",
        shape: Shape::Read(Answer::Large(CHUNKED, 64 * MIB)),
        scheme: Scheme::Tls,
        round: 4,
        ..USUAL
    },
    Row {
        name: "upload",
        title: "Upload of 64 MiB from a reader, Content-Length",
        shape: Shape::Upload(Framing::Sized, 64 * MIB),
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "upload-chunked",
        title: "Upload of 64 MiB from a reader, chunked",
        shape: Shape::Upload(Framing::Chunked, 64 * MIB),
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "upload-tls",
        title: "Upload of 64 MiB from a reader over TLS, Content-Length",
        shape: Shape::Upload(Framing::Sized, 64 * MIB),
        scheme: Scheme::Tls,
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "upload-tls-chunked",
        title: "Upload of 64 MiB from a reader over TLS, chunked",
        shape: Shape::Upload(Framing::Chunked, 64 * MIB),
        scheme: Scheme::Tls,
        ..USUAL
    },
    Row {
        name: "form",
        title: "POST of a form of 5 fields",
        shape: Shape::Form,
        round: 1_000,
        counted: Some(500),
        ..USUAL
    },
    Row {
        name: "multipart",
        title: "POST of a 1 MiB file, multipart",
        shape: Shape::Multipart(MIB),
        round: 50,
        counted: Some(5),
        ..USUAL
    },
    Row {
        name: "multipart-64m",
        title: "POST of a 64 MiB file, multipart",
        shape: Shape::Multipart(64 * MIB),
        ..USUAL
    },
    Row {
        name: "gzip",
        title: "GET of 1 MiB of text, gzip",
        shape: Shape::Read(Answer::Large(Wire::Gzip, MIB)),
        round: 20,
        counted: Some(2),
        ..USUAL
    },
    Row {
        name: "bytes-2k",
        title: "bytes() of 2 KiB",
        shape: Shape::Bytes(Wire::Sized, 2 * KIB),
        round: 1_000,
        counted: Some(500),
        ..USUAL
    },
    Row {
        name: "bytes-1m",
        title: "bytes() of 1 MiB",
        shape: Shape::Bytes(Wire::Sized, MIB),
        round: 50,
        counted: Some(20),
        ..USUAL
    },
    Row {
        name: "bytes-100m",
        title: "bytes() of 100 MiB",
        shape: Shape::Bytes(Wire::Sized, 100 * MIB),
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "text-2k",
        title: "text() of 2 KiB",
        shape: Shape::Text(Wire::Sized, 2 * KIB),
        round: 1_000,
        counted: Some(500),
        ..USUAL
    },
    Row {
        name: "text-1m",
        title: "text() of 1 MiB",
        shape: Shape::Text(Wire::Sized, MIB),
        round: 50,
        counted: Some(20),
        ..USUAL
    },
    Row {
        name: "text-100m",
        title: "text() of 100 MiB",
        shape: Shape::Text(Wire::Sized, 100 * MIB),
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "json-2k",
        title: "json() of 2 KiB",
        shape: Shape::Json(Wire::Sized, 2 * KIB),
        round: 1_000,
        counted: Some(500),
        ..USUAL
    },
    Row {
        name: "json-1m",
        title: "json() of 1 MiB",
        shape: Shape::Json(Wire::Sized, MIB),
        round: 50,
        counted: Some(2),
        ..USUAL
    },
    Row {
        name: "json-100m",
        title: "json() of 100 MiB",
        shape: Shape::Json(Wire::Sized, 100 * MIB),
        ..USUAL
    },
    whole("text-chunked-1m", "text() of 1 MiB, chunked", Shape::Text(CHUNKED, MIB)),
    whole("json-chunked-1m", "json() of 1 MiB, chunked", Shape::Json(CHUNKED, MIB)),
    whole("bytes-gzip-1m", "bytes() of 1 MiB, gzip", Shape::Bytes(Wire::Gzip, MIB)),
    whole("text-gzip-1m", "text() of 1 MiB, gzip", Shape::Text(Wire::Gzip, MIB)),
    whole("json-gzip-1m", "json() of 1 MiB, gzip", Shape::Json(Wire::Gzip, MIB)),
    whole("bytes-chunked-1m", "bytes() of 1 MiB, chunked", Shape::Bytes(CHUNKED, MIB)),
    stream("chunk", "chunk() of 64 MiB, Content-Length", Way::Chunks, Wire::Sized),
    stream("chunk-chunked", "chunk() of 64 MiB, chunked", Way::Chunks, CHUNKED),
    stream("bytes-stream", "bytes_stream() of 64 MiB, Content-Length", Way::Stream, Wire::Sized),
    stream("bytes-stream-chunked", "bytes_stream() of 64 MiB, chunked", Way::Stream, CHUNKED),
    stream("async-read", "AsyncRead of 64 MiB, Content-Length", Way::AsyncRead, Wire::Sized),
    stream("async-read-chunked", "AsyncRead of 64 MiB, chunked", Way::AsyncRead, CHUNKED),
    stream("copy-to", "copy_to of 64 MiB, Content-Length", Way::Copy, Wire::Sized),
    stream("copy-to-chunked", "copy_to of 64 MiB, chunked", Way::Copy, CHUNKED),
    crowd("threads-1", "GET of 13 bytes, 1 thread", Senders::Threads(1)),
    crowd("threads-4", "GET of 13 bytes, 4 threads on one client", Senders::Threads(4)),
    crowd("threads-64", "GET of 13 bytes, 64 threads on one client", Senders::Threads(64)),
    crowd("tasks-1", "GET of 13 bytes, 1 task", Senders::Tasks(1)),
    crowd("tasks-1000", "GET of 13 bytes, 1,000 tasks on one client", Senders::Tasks(1_000)),
    crowd("tasks-10000", "GET of 13 bytes, 10,000 tasks on one client", Senders::Tasks(10_000)),
    Row { name: "idle", title: "1,000 idle connections", shape: Shape::Idle, ..USUAL },
    Row {
        name: "idle-tls",
        title: "1,000 idle connections, TLS",
        shape: Shape::Idle,
        scheme: Scheme::Tls,
        ..USUAL
    },
];
