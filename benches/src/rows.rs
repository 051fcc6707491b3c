//! The rows of the tables: what is measured. A new row is a new entry in [`ROWS`].

/// One situation that every client is put in.
pub struct Row {
    /// Its name on the command line and in the JSON.
    pub name: &'static str,
    pub title: &'static str,
    pub shape: Shape,
    pub scheme: Scheme,
    pub threads: u64,
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
    /// GET of 1 MiB of text in the gzip coding, decoded into one buffer of 64 KiB.
    Gzip,
    /// POST from a reader.
    Upload(Framing, u64),
    /// POST of [`FORM`].
    Form,
    /// POST of a file as `multipart/form-data`.
    Multipart(u64),
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
            Shape::Read(Answer::Small) => "/small".to_owned(),
            Shape::Read(Answer::Close) => "/close".to_owned(),
            Shape::Read(Answer::Large(Framing::Sized, size)) => format!("/bytes/{size}"),
            Shape::Read(Answer::Large(Framing::Chunked, size)) => format!("/chunked/{size}"),
            Shape::Bytes(size) | Shape::Text(size) => format!("/bytes/{size}"),
            Shape::Gzip => "/gzip".to_owned(),
            Shape::Upload(_, size) | Shape::Multipart(size) => format!("/sink/{size}"),
            Shape::Form => "/sink/1".to_owned(),
        }
    }

    /// How many bytes the body of the answer has, decoded.
    pub fn expected(&self) -> u64 {
        match self.shape {
            Shape::Read(Answer::Large(_, size)) | Shape::Bytes(size) | Shape::Text(size) => size,
            Shape::Gzip => TEXT_SIZE,
            _ => SMALL.len() as u64,
        }
    }

    /// The MiB that one request moves, where the throughput matters and not the request.
    pub fn volume(&self) -> Option<u64> {
        match self.shape {
            Shape::Read(Answer::Large(_, size)) | Shape::Upload(_, size) => Some(size / MIB),
            _ => None,
        }
    }

    pub fn is_plain(&self) -> bool {
        self.scheme == Scheme::Plain
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
    threads: 1,
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
        name: "threads",
        title: "GET of 13 bytes, 16 threads on one client",
        threads: 16,
        round: 8_000,
        quick: true,
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
        title: "Download of 256 MiB over TLS, Content-Length",
        shape: Shape::Read(Answer::Large(Framing::Sized, 256 * MIB)),
        scheme: Scheme::Tls,
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
];
