//! The rows of the tables: what is measured. A new row is a new entry in [`ROWS`].

/// One situation that every client is put in.
pub struct Row {
    /// Its name on the command line and in the JSON.
    pub name: &'static str,
    pub title: &'static str,
    pub shape: Shape,
    pub scheme: Scheme,
    pub senders: Senders,
    /// How many requests make a round.
    pub round: u64,
    /// How many requests the counts are the difference of; none where counting makes no sense.
    pub counted: Option<u64>,
    /// Whether `--quick` has time for it.
    pub quick: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Plain,
    Tls,
    /// By a server that resumes no session.
    TlsUnresumed,
}

/// Who sends the requests of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Senders {
    One,
    /// So many threads, all with the same client.
    Threads(u64),
    /// So many tasks on one thread, all with the same client.
    Tasks(u64),
}

/// What one request sends and what is done with its answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// GET, the body read into one buffer of 64 KiB.
    Read(Answer),
    /// GET of so many bytes, collected in memory.
    Bytes(u64),
    /// GET of so many bytes, collected as text.
    Text(u64),
    /// GET of so many bytes of JSON, made [`Points`].
    Json(u64),
    /// GET of 1 MiB of text in the gzip coding, decoded into one buffer of 64 KiB.
    Gzip,
    /// POST from a reader.
    Upload(Framing, u64),
    /// POST of [`FORM`].
    Form,
    /// POST of a file as `multipart/form-data`.
    Multipart(u64),
    /// GET of [`SMALL`] from one port after the other, so that each has an idle connection then.
    Idle,
}

/// What the server answers to a GET.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// [`SMALL`], with eight fields.
    Small,
    /// The same, and the connection is closed.
    Close,
    Large(Framing, u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Sized,
    Chunked,
}

/// What the JSON is made of: an array of these, each of [`POINT_SIZE`] bytes with its comma.
pub type Points = Vec<(u64, f64, f64, bool)>;
pub const POINT_SIZE: u64 = 32;

/// How many connections are left idle in the rows of memory, after a few that are not counted.
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
pub const TEXT_SIZE: u64 = MIB;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

impl Row {
    pub fn path(&self) -> String {
        match self.shape {
            Shape::Read(Answer::Small) | Shape::Idle => "/small".to_owned(),
            Shape::Read(Answer::Close) => "/close".to_owned(),
            Shape::Read(Answer::Large(Framing::Sized, size)) => format!("/bytes/{size}"),
            Shape::Read(Answer::Large(Framing::Chunked, size)) => format!("/chunked/{size}"),
            Shape::Bytes(size) | Shape::Text(size) => format!("/bytes/{size}"),
            Shape::Json(size) => format!("/json/{size}"),
            Shape::Gzip => "/gzip".to_owned(),
            Shape::Upload(_, size) | Shape::Multipart(size) => format!("/sink/{size}"),
            Shape::Form => "/sink/1".to_owned(),
        }
    }

    /// How many bytes the body of the answer has, decoded; of JSON, how many points.
    pub fn expected(&self) -> u64 {
        match self.shape {
            Shape::Read(Answer::Large(_, size)) | Shape::Bytes(size) | Shape::Text(size) => size,
            Shape::Gzip => TEXT_SIZE,
            Shape::Json(size) => size / POINT_SIZE,
            _ => SMALL.len() as u64,
        }
    }

    /// The MiB that one request moves, where the throughput matters and not the request.
    pub fn volume(&self) -> Option<u64> {
        match self.shape {
            Shape::Read(Answer::Large(_, size)) | Shape::Upload(_, size) => Some(size / MIB),
            Shape::Multipart(size) if size > MIB => Some(size / MIB),
            _ => None,
        }
    }

    pub fn is_plain(&self) -> bool {
        self.scheme == Scheme::Plain
    }

    /// Whether it is about the memory of connections that idle.
    pub fn is_idle(&self) -> bool {
        self.shape == Shape::Idle
    }

    pub fn has_tasks(&self) -> bool {
        matches!(self.senders, Senders::Tasks(_))
    }

    pub fn has_threads(&self) -> bool {
        matches!(self.senders, Senders::Threads(_))
    }

    pub fn closes(&self) -> bool {
        self.shape == Shape::Read(Answer::Close)
    }
}

/// What most rows have in common.
const USUAL: Row = Row {
    name: "",
    title: "",
    shape: Shape::Read(Answer::Small),
    scheme: Scheme::Plain,
    senders: Senders::One,
    round: 1,
    counted: None,
    quick: false,
};

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
        shape: Shape::Read(Answer::Large(Framing::Sized, 256 * MIB)),
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "download-chunked",
        title: "Download of 256 MiB, chunked",
        shape: Shape::Read(Answer::Large(Framing::Chunked, 256 * MIB)),
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "download-tls",
        title: "Download of 64 MiB over TLS, Content-Length",
        shape: Shape::Read(Answer::Large(Framing::Sized, 64 * MIB)),
        scheme: Scheme::Tls,
        round: 4,
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "download-tls-chunked",
        title: "Download of 64 MiB over TLS, chunked",
        shape: Shape::Read(Answer::Large(Framing::Chunked, 64 * MIB)),
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
        shape: Shape::Gzip,
        round: 20,
        counted: Some(2),
        ..USUAL
    },
    Row {
        name: "bytes-2k",
        title: "bytes() of 2 KiB",
        shape: Shape::Bytes(2 * KIB),
        round: 1_000,
        counted: Some(500),
        ..USUAL
    },
    Row {
        name: "bytes-1m",
        title: "bytes() of 1 MiB",
        shape: Shape::Bytes(MIB),
        round: 50,
        counted: Some(20),
        ..USUAL
    },
    Row {
        name: "bytes-100m",
        title: "bytes() of 100 MiB",
        shape: Shape::Bytes(100 * MIB),
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "text-2k",
        title: "text() of 2 KiB",
        shape: Shape::Text(2 * KIB),
        round: 1_000,
        counted: Some(500),
        ..USUAL
    },
    Row {
        name: "text-1m",
        title: "text() of 1 MiB",
        shape: Shape::Text(MIB),
        round: 50,
        counted: Some(20),
        ..USUAL
    },
    Row {
        name: "text-100m",
        title: "text() of 100 MiB",
        shape: Shape::Text(100 * MIB),
        counted: Some(1),
        ..USUAL
    },
    Row {
        name: "json-2k",
        title: "json() of 2 KiB",
        shape: Shape::Json(2 * KIB),
        round: 1_000,
        counted: Some(500),
        ..USUAL
    },
    Row {
        name: "json-1m",
        title: "json() of 1 MiB",
        shape: Shape::Json(MIB),
        round: 50,
        counted: Some(2),
        ..USUAL
    },
    Row { name: "json-100m", title: "json() of 100 MiB", shape: Shape::Json(100 * MIB), ..USUAL },
    Row { name: "idle", title: "1,000 idle connections", shape: Shape::Idle, ..USUAL },
    Row {
        name: "idle-tls",
        title: "1,000 idle connections, TLS",
        shape: Shape::Idle,
        scheme: Scheme::Tls,
        ..USUAL
    },
];
