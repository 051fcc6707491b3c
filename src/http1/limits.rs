//! The limits of one response: how much of each element a peer may send.
//!
//! The defaults are a table of numbers with their reasons, at the fields of [`Limits`]. They follow
//! three rules. A limit is far above what legitimate servers send, so that a program rarely has to
//! raise one. It bounds what one response can make the client hold or do. And each thing that a
//! peer can repeat has one: lines, heads, chunks, trailers, codings, empty blocks.
//!
//! Limits are checked before memory is allocated, by the machine that reads the element (`http1/`,
//! `coding/`), and an error names the limit that was exceeded. `tests/hostile_framing.rs`,
//! `tests/hostile_size.rs` and `tests/limits.rs` have a test for each.

/// The limits of one response. Exceeding one is an error of
/// [`Kind::Limit`](crate::error::Kind::Limit), and the connection is closed. Every default is far
/// beyond what legitimate servers send.
///
/// The fields are sizes in bytes unless they say otherwise. See
/// [`ClientBuilder::limits`](crate::client::ClientBuilder::limits).
///
/// ```
/// use leanhttp::{Client, Limits};
///
/// let mut limits = Limits::default();
/// limits.max_head_bytes = 1024 * 1024; // for a server with very large cookies
/// limits.max_informational_responses = 1000; // for one that reports its progress with 102
/// let client = Client::builder().limits(limits).build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The total size of all heads of one response, including interim (1xx) ones.
    ///
    /// 64 KiB: large cookies and security policies stay below 32 KiB.
    /// Others: ureq 64 KiB, h11 16 KiB, curl 300 KiB, hyper 408 KiB, Go 10 MiB.
    pub max_head_bytes: usize,

    /// The size of one line of a head, including its line end.
    ///
    /// 64 KiB: by default only the whole head is bounded. Others: Python's http.client 64 KiB.
    pub max_line_bytes: usize,

    /// The number of field lines of one head, never more than 16384.
    ///
    /// 128. Others: hyper and Python's http.client 100, curl 5000.
    pub max_headers: usize,

    /// The number of interim (1xx) responses before the final one.
    ///
    /// 16: a 100 and a few 103 are usual; a server that reports progress with 102 needs more, but
    /// an endless sequence must be stopped. Others: Go bounds the bytes of all interim heads together.
    pub max_informational_responses: usize,

    /// The total size of the chunk extensions of one body, including leading zeros of chunk sizes and
    /// whitespace: the whole overhead that a chunked body can add to its data.
    ///
    /// 16 KiB. Others: hyper 16 KiB; Go measures the overhead against the data.
    pub max_chunk_extension_bytes: usize,

    /// The size of the trailer section.
    ///
    /// 16 KiB: checksums and signatures. Others: hyper 16 KiB.
    pub max_trailer_bytes: usize,

    /// The number of field lines of the trailer section, never more than 16384.
    ///
    /// 64. Others: hyper 100.
    pub max_trailers: usize,

    /// The number of content codings of a body.
    ///
    /// 4: one is usual, two happen by mistake; a chain of a thousand is an attack. Others: curl 5,
    /// urllib3 5.
    pub max_content_codings: usize,

    /// The maximum number of decoded bytes per received byte of a body. Applies once the body has decoded to
    /// more than [`decompressed_ratio_threshold`](Self::decompressed_ratio_threshold).
    ///
    /// 250: deflate reaches 1032, but large legitimate bodies stay far below 250.
    pub max_decompression_ratio: u64,

    /// The decoded size up to which [`max_decompression_ratio`](Self::max_decompression_ratio) does not apply.
    ///
    /// 16 MiB, so that no legitimate body reaches the ratio.
    pub decompressed_ratio_threshold: u64,

    /// The number of received bytes that decode to nothing, such as headers, padding and empty blocks.
    /// Each decoded byte reduces the count by 64. It is checked after every sixteenth of the limit (64 KiB
    /// at most).
    ///
    /// 1 MiB: a gzip header takes some 30 bytes, and each flush of an event stream 5. A block of zstd is decoded
    /// when it is complete, so up to 128 KiB come before its first byte.
    pub max_coded_bytes_without_output: u64,

    /// The number of bytes of an unwanted body that are drained to keep its connection reusable.
    ///
    /// 16 KiB: a new connection is cheaper than waiting for more.
    pub max_drain_bytes: usize,

    /// The size of the result of `bytes`, `text` and `json`, after decoding; also set by
    /// [`ClientBuilder::body_limit`](crate::client::ClientBuilder::body_limit).
    ///
    /// 256 MiB: larger bodies should be streamed. Reading piece by piece has no limit.
    pub max_body_bytes: u64,

    /// The invalid syntax accepted in heads. Not a limit, but passed along with the limits.
    pub(crate) lenience: Lenience,
}

/// The invalid syntax of devices that is accepted if the program allows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lenience {
    /// Lines that are not fields are ignored.
    pub(crate) invalid_fields: bool,
    /// Blanks between the name and the colon are accepted.
    pub(crate) spaces_after_name: bool,
    /// Values may continue in the next line (RFC 9112 §5.2).
    pub(crate) folds: bool,
}

impl Lenience {
    pub(crate) fn is_any(self) -> bool {
        self != Self::default()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_head_bytes: 64 * KIB,
            max_line_bytes: 64 * KIB,
            max_headers: 128,
            max_informational_responses: 16,
            max_chunk_extension_bytes: 16 * KIB,
            max_trailer_bytes: 16 * KIB,
            max_trailers: 64,
            max_content_codings: 4,
            max_decompression_ratio: 250,
            decompressed_ratio_threshold: 16 * MIB,
            max_coded_bytes_without_output: MIB,
            max_drain_bytes: 16 * KIB,
            max_body_bytes: 256 * MIB,
            lenience: Lenience::default(),
        }
    }
}

impl Limits {
    /// Bounds the numbers of fields by the capacity of a `HeaderMap`.
    pub(crate) fn within_reason(mut self) -> Self {
        self.max_headers = self.max_headers.min(MAX_FIELDS);
        self.max_trailers = self.max_trailers.min(MAX_FIELDS);
        self
    }
}

const KIB: usize = 1024;
const MIB: u64 = 1024 * 1024;

/// A `HeaderMap` panics if it must hold many more fields than this.
const MAX_FIELDS: usize = 16 * 1024;
