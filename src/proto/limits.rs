/// How much of a body that nobody wants is read away to save the connection, if it is there
/// already. A new connection costs less than to wait for more.
pub(crate) const DRAIN_BYTES: usize = 16 * 1024;

/// What one exchange may cost at most. Past a limit the response is an error and the connection
/// is closed; every limit is reached by hostile servers only.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Bytes of all heads of one exchange, interim (1xx) ones counted in.
    ///
    /// 64 KiB: large cookies and security policies stay below 32 KiB.
    /// Others: ureq 64 KiB, h11 16 KiB, curl 300 KiB, hyper 408 KiB, Go 10 MiB.
    pub(crate) head_bytes: usize,

    /// Field lines of one head.
    ///
    /// 128. Others: hyper and Python's http.client 100, curl 5000.
    pub(crate) fields: usize,

    /// Interim (1xx) responses before the final one.
    ///
    /// 16: a 100 and a few 103 are usual; a server that reports progress with 102 needs more, but
    /// an endless row must end. Others: Go bounds the bytes of all interim heads together.
    pub(crate) interim: usize,

    /// Bytes of chunk extensions in one body, with leading zeros of chunk sizes and whitespace
    /// counted in: all that a chunked body can cost beyond its data.
    ///
    /// 16 KiB. Others: hyper 16 KiB; Go measures the overhead against the data.
    pub(crate) chunk_extension_bytes: usize,

    /// Bytes of the trailer section.
    ///
    /// 16 KiB: checksums and signatures. Others: hyper 16 KiB.
    pub(crate) trailer_bytes: usize,

    /// Field lines of the trailer section.
    ///
    /// 64. Others: hyper 100.
    pub(crate) trailer_fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 64 * 1024,
            fields: 128,
            interim: 16,
            chunk_extension_bytes: 16 * 1024,
            trailer_bytes: 16 * 1024,
            trailer_fields: 64,
        }
    }
}
