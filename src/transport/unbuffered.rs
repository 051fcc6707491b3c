//! The unbuffered connection of rustls, and the one buffer that it works on.
//!
//! rustls keeps no ciphertext, only positions in the ciphertext that it was shown: the fragments of a
//! message that spans several records, and its progress within a record. Therefore one type owns both, and
//! no other code can access the buffer:
//!
//! 1. rustls is shown the bytes that were received and not discarded, from the first one on, and never
//!    fewer whole records than before;
//! 2. the bytes that rustls reports as discarded are removed before the next call, also after an error;
//! 3. no other code removes bytes, and bytes are appended only at the end;
//! 4. memory is released and taken only while there are no bytes, and so no positions;
//! 5. after an error rustls is asked only for the alert that it has queued.
//!
//! Records are shown one by one, so that the result of each does not depend on how the bytes were split.
//! Of an incomplete record rustls checks the header.
//!
//! # Why unbuffered
//!
//! rustls' other interface, `ClientConnection`, has a buffer of its own. On an open connection a GET costs
//! the same with both, within 1 % (17,100 instructions, 9 allocations). With the buffered one a download
//! costs 21 % more instructions (48.6 instead of 40.0 million for 8 MiB) and at least twice the CPU time of
//! the client's thread, because it reads 4 KiB at a time, clears and grows its memory for each record, and
//! copies each byte once more. An idle connection keeps 4 KiB of it.
//!
//! # One step
//!
//! ```text
//! incoming:  ███ shown, not discarded ███│ record to show next │ part of a record │ free space
//!                                        shown ─▶              visible            len
//! ```
//!
//! `step` shows rustls the next whole record if it has processed all others, or the part of an
//! incomplete one, whose header it checks. rustls returns a state, which the caller's function
//! handles while it borrows the buffer, and the number of bytes that are no longer needed. Those
//! are removed before the function returns, so no path can leave them there, an error included.
//!
//! `is_dry` remembers whether rustls asked for more bytes. Without it each step of an exchange,
//! most of which come with no new input, would call rustls only to hear that.
//!
//! # Sizes of reads
//!
//! A connection begins with reads of 8 KiB, in which a handshake fits. A read that fills its space
//! is followed by reads of 68 KiB, four records; an idle connection starts small again. The tests
//! `every_split_of_a_handshake_is_the_same_handshake`, `every_state_of_rustls_is_reached` and
//! `a_fragment_survives_idling` in `tls_tests.rs` hold the five rules above.
//!
//! # Example
//!
//! Two records arrive in three reads; the first is a complete handshake message, the second
//! application data:
//!
//! ```text
//! read 1   half of record 1     shown as a part: rustls checks its header, and asks for more
//! read 2   the rest, and 3 bytes of record 2
//!                               record 1 is shown whole; rustls discards it: the buffer begins with record 2
//!                               its 3 bytes are no header yet: shown as a part, rustls asks for more
//! read 3   the rest of record 2 shown whole; its payload goes to the sink, and it is discarded
//! ```
//!
//! A handshake message that spans records is not discarded record by record: rustls remembers where
//! its fragments are, so nothing may move until the message is complete. That is what rule 1 is
//! about.
//!
//! # What each method promises
//!
//! | method | promise |
//! | --- | --- |
//! | `space`, `filled` | bytes come only behind those that are there, and not at all after `stop_listening` |
//! | `step` | rustls sees the first byte that is not discarded, and at least as much as before |
//! | `has_more` | there are bytes that rustls has not seen |
//! | `is_exhausted` | another step would change nothing |
//! | `pending` | 0 only between messages: the test of a connection that is to be pooled |
//! | `rest`, `wake` | memory moves only while there are no bytes |

use std::fmt;
use std::sync::Arc;

use rustls::CommonState;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};

use crate::base::buffer::{Buffer, BufferPool};

/// The size of a first read, into which a handshake fits.
const FIRST_READ: usize = 8 * 1024;

/// The size of a read of a large body: four records of 16 KiB. No read is larger, which bounds the time to
/// process one.
pub(super) const LARGE_READ: usize = 68 * 1024;

/// The header of a record: type, version, length (RFC 8446 §5.1).
const HEADER: usize = 5;

/// A state of rustls.
pub(super) type RustlsState<'c, 'i> = ConnectionState<'c, 'i, ClientConnectionData>;

/// See the [module](self).
pub(super) struct Unbuffered {
    connection: Box<UnbufferedClientConnection>,
    /// Ciphertext that was received and not discarded.
    incoming: Buffer,
    /// The number of these bytes that were shown in whole records.
    shown: usize,
    /// The number of these bytes that were shown, including the part of an incomplete record.
    visible: usize,
    /// True if rustls has processed all shown bytes.
    is_dry: bool,
    read_size: usize,
    /// True if further input is dropped.
    is_deaf: bool,
}

impl Unbuffered {
    /// Creates a connection that has not begun its handshake.
    pub(super) fn new(
        config: Arc<rustls::ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, rustls::Error> {
        Ok(Self {
            connection: Box::new(UnbufferedClientConnection::new(config, name)?),
            incoming: Buffer::default(),
            shown: 0,
            visible: 0,
            is_dry: true,
            read_size: FIRST_READ,
            is_deaf: false,
        })
    }

    /// Advances rustls to its next state, which `act` handles, and shows it the next record if it has
    /// processed all others. Returns the size of that record, and the result of `act`.
    #[inline]
    pub(super) fn step<T>(
        &mut self,
        act: impl FnOnce(RustlsState<'_, '_>) -> Result<T, rustls::Error>,
    ) -> (usize, Result<T, rustls::Error>) {
        let may_show = self.has_more() && (self.is_dry || self.shown == 0);
        let record = if may_show { self.next_record() } else { 0 };
        self.shown += record;
        let bytes = self.incoming.data_mut();
        // The next record is incomplete: its part is shown.
        self.visible =
            if may_show && record == 0 { bytes.len() } else { self.visible.max(self.shown) };
        let (bytes, _) = bytes.split_at_mut(self.visible);
        let UnbufferedStatus { discard, state, .. } = self.connection.process_tls_records(bytes);
        self.is_dry = !matches!(
            state,
            Err(_) | Ok(ConnectionState::ReadTraffic(_) | ConnectionState::EncodeTlsData(_))
        );
        let acted = match state {
            Ok(state) => act(state),
            Err(error) => Err(error),
        };
        self.incoming.consume(discard);
        self.shown = self.shown.saturating_sub(discard);
        self.visible = self.visible.saturating_sub(discard);
        (record, acted)
    }

    /// Returns whether there are bytes that were not shown and may be.
    pub(super) fn has_more(&self) -> bool {
        !self.is_deaf && self.visible < self.incoming.len()
    }

    /// Returns whether another step would do nothing: rustls has processed all received bytes.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_dry && !self.has_more()
    }

    /// Returns the size of the next record to show, or 0 if it is incomplete.
    fn next_record(&self) -> usize {
        let (_, rest) = self.incoming.data().split_at(self.shown);
        let Some([_, _, _, high, low]) = rest.first_chunk() else { return 0 };
        let size = HEADER + usize::from(u16::from_be_bytes([*high, *low]));
        if size <= rest.len() { size } else { 0 }
    }

    /// Returns space for ciphertext, which is never empty.
    pub(super) fn space(&mut self) -> &mut [u8] {
        let least = if self.incoming.is_empty() { self.read_size } else { self.read_size / 4 };
        let space = self.incoming.space(least);
        let size = space.len().min(LARGE_READ);
        space.split_at_mut(size).0
    }

    /// Marks the first `count` bytes of the space as ciphertext.
    pub(super) fn filled(&mut self, count: usize) {
        if self.is_deaf {
            return;
        }
        self.incoming.filled(count);
        if self.incoming.is_full() {
            self.read_size = LARGE_READ;
        }
    }

    /// Appends ciphertext that was not read into the space.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if !self.is_deaf {
            self.incoming.push(bytes);
        }
    }

    /// Drops all further input.
    pub(super) fn stop_listening(&mut self) {
        self.is_deaf = true;
    }

    /// Returns the number of bytes that rustls has not discarded: part of a record, or of a message in
    /// several records.
    pub(super) fn pending(&self) -> usize {
        self.incoming.len()
    }

    /// Releases the memory, unless it holds bytes.
    pub(super) fn rest(&mut self, shelf: &mut BufferPool) {
        self.read_size = FIRST_READ;
        if self.incoming.is_empty() {
            self.incoming.rest(shelf);
        }
    }

    /// Takes memory, unless it has some because of bytes.
    pub(super) fn wake(&mut self, shelf: &mut BufferPool) {
        if self.incoming.is_empty() {
            self.incoming.wake(shelf);
        }
    }

    /// Returns the state that rustls reports about the connection.
    pub(super) fn common(&self) -> &CommonState {
        &self.connection
    }
}

impl fmt::Debug for Unbuffered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unbuffered").field("incoming", &self.incoming).finish_non_exhaustive()
    }
}
