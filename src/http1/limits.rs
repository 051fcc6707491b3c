//! What one response may cost at most.

/// What one response may cost at most. Past a limit the response is an error of
/// [`Kind::Limit`](crate::error::Kind::Limit) and its connection is closed; every limit is far
/// beyond what honest servers send.
///
/// The fields are sizes in bytes unless they say otherwise. See
/// [`ClientBuilder::limits`](crate::client::ClientBuilder::limits).
///
/// ```
/// use leanhttp::{Client, Limits};
///
/// let mut limits = Limits::default();
/// limits.head_bytes = 1024 * 1024; // a server with very large cookies
/// limits.interim_responses = 1000; // which reports its progress with 102
/// let client = Client::builder().limits(limits).build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// All heads of one response together, interim (1xx) ones counted in.
    ///
    /// 64 KiB: large cookies and security policies stay below 32 KiB.
    /// Others: ureq 64 KiB, h11 16 KiB, curl 300 KiB, hyper 408 KiB, Go 10 MiB.
    pub head_bytes: usize,

    /// One line of a head, its end counted in.
    ///
    /// 64 KiB: by default only the whole head is bounded. Others: Python's http.client 64 KiB.
    pub line_bytes: usize,

    /// Field lines of one head; a number, never more than 16384.
    ///
    /// 128. Others: hyper and Python's http.client 100, curl 5000.
    pub fields: usize,

    /// Interim (1xx) responses before the final one; a number.
    ///
    /// 16: a 100 and a few 103 are usual; a server that reports progress with 102 needs more, but
    /// an endless row must end. Others: Go bounds the bytes of all interim heads together.
    pub interim_responses: usize,

    /// Chunk extensions of one body, with leading zeros of chunk sizes and whitespace counted in:
    /// all that a chunked body can cost beyond its data.
    ///
    /// 16 KiB. Others: hyper 16 KiB; Go measures the overhead against the data.
    pub chunk_extension_bytes: usize,

    /// The trailer section.
    ///
    /// 16 KiB: checksums and signatures. Others: hyper 16 KiB.
    pub trailer_bytes: usize,

    /// Field lines of the trailer section; a number, never more than 16384.
    ///
    /// 64. Others: hyper 100.
    pub trailer_fields: usize,

    /// Content codings that a body went through; a number.
    ///
    /// 4: one is usual, two happen by mistake; a chain of a thousand is an attack. Others: curl 5,
    /// urllib3 5.
    pub codings: usize,

    /// How many bytes a body may decode to for each of its bytes, asked once it has decoded to more
    /// than [`decoded_freely`](Self::decoded_freely); a number.
    ///
    /// 250: deflate reaches 1032, but large bodies of use to anybody stay far below 250.
    pub decoded_ratio: u64,

    /// What a body may decode to whatever its ratio is.
    ///
    /// 16 MiB, so that no honest body meets the ratio.
    pub decoded_freely: u64,

    /// Coded bytes that decode to nothing, such as headers, padding and empty blocks. The count falls
    /// by 64 for each byte that comes out, and is looked at after every sixteenth of the limit (64 KiB
    /// at most).
    ///
    /// 1 MiB: a gzip header takes some 30 bytes, and each flush of an event stream 5.
    pub coded_without_output: u64,

    /// What is read away of a body that nobody wants, to save its connection.
    ///
    /// 16 KiB: a new connection costs less than to wait for more.
    pub drained_bytes: usize,

    /// What `bytes`, `text` and `json` put into memory, after decoding; also set by
    /// [`ClientBuilder::body_limit`](crate::client::ClientBuilder::body_limit).
    ///
    /// 256 MiB: more is streamed, or a mistake. Reading piece by piece has no limit.
    pub body_bytes: u64,

    /// What is taken in a head although it is not allowed. No limit, but it goes where they go.
    pub(crate) lenience: Lenience,
}

/// What devices do to the fields of their responses, and is let pass if the program says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lenience {
    /// Lines that are no field are left out.
    pub(crate) invalid_fields: bool,
    /// Blanks between the name and the colon.
    pub(crate) spaces_after_name: bool,
    /// Values that go on in the next line (RFC 9112 §5.2).
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
            head_bytes: 64 * KIB,
            line_bytes: 64 * KIB,
            fields: 128,
            interim_responses: 16,
            chunk_extension_bytes: 16 * KIB,
            trailer_bytes: 16 * KIB,
            trailer_fields: 64,
            codings: 4,
            decoded_ratio: 250,
            decoded_freely: 16 * MIB,
            coded_without_output: MIB,
            drained_bytes: 16 * KIB,
            body_bytes: 256 * MIB,
            lenience: Lenience::default(),
        }
    }
}

impl Limits {
    /// As many fields as a `HeaderMap` can hold.
    pub(crate) fn within_reason(mut self) -> Self {
        self.fields = self.fields.min(MAX_FIELDS);
        self.trailer_fields = self.trailer_fields.min(MAX_FIELDS);
        self
    }
}

const KIB: usize = 1024;
const MIB: u64 = 1024 * 1024;

/// A `HeaderMap` panics when it is asked to hold much more than this.
const MAX_FIELDS: usize = 16 * 1024;
