//! The unbuffered connection of rustls, and the one buffer that it works on.
//!
//! rustls keeps no ciphertext, but positions in the ciphertext that it was shown: of a message that
//! came in several records it remembers where the fragments stand, and of a record that it has looked
//! at how far that was. So the two are one value, and nothing else can touch the buffer:
//!
//! 1. rustls is shown the bytes that have come and were not discarded, from the first one on, and never
//!    fewer whole records than before;
//! 2. what rustls says to discard is discarded before the next call, also after an error;
//! 3. nothing but that takes bytes away, and they are appended at the end only;
//! 4. memory is given away and taken while there are no bytes, and then there are no positions;
//! 5. after an error rustls is asked for the alert that it has queued, and for nothing else.
//!
//! Records are shown one by one: what is known of each of them then does not depend on how the bytes
//! were cut on their way. Of a record that is not complete rustls judges the header.
//!
//! # Why unbuffered
//!
//! rustls' other interface, `ClientConnection`, has a buffer of its own. On an open connection a GET costs
//! the same with both, within 1 % (17,100 instructions, 9 allocations). A download costs 21 % more
//! instructions with the buffered one (40.0 or 48.6 million for 8 MiB) and at least twice the time of the
//! client's thread, because it takes 4 KiB at a time, clears and grows its memory for each record, and
//! copies each byte once more. An idle connection keeps 4 KiB of it.

use std::fmt;
use std::sync::Arc;

use rustls::CommonState;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};

use crate::base::buffer::{Buffer, Shelf};
use crate::base::erased_box::Apart;

/// The size of a first read: a handshake fits.
const FIRST_READ: usize = 8 * 1024;

/// The size of a read of a large body: four records of 16 KiB. No read is larger, whatever waits: the
/// time that it takes to process one is bounded by this.
pub(super) const LARGE_READ: usize = 68 * 1024;

/// The header of a record: type, version, length (RFC 8446 §5.1).
const HEADER: usize = 5;

/// A state of rustls.
pub(super) type State<'c, 'i> = ConnectionState<'c, 'i, ClientConnectionData>;

/// See the [module](self).
pub(super) struct Unbuffered {
    connection: Apart<UnbufferedClientConnection>,
    /// Ciphertext that has come and was not discarded.
    incoming: Buffer,
    /// How many of these bytes were shown in whole records.
    shown: usize,
    /// The same with the part of a record that was shown last.
    visible: usize,
    /// Whether rustls has looked at all of them.
    is_dry: bool,
    read_size: usize,
    /// Whether what comes is of no use any more.
    is_deaf: bool,
}

impl Unbuffered {
    /// A connection that has not begun its handshake.
    pub(super) fn new(
        config: Arc<rustls::ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, rustls::Error> {
        Ok(Self {
            connection: Apart::new(UnbufferedClientConnection::new(config, name)?),
            incoming: Buffer::default(),
            shown: 0,
            visible: 0,
            is_dry: true,
            read_size: FIRST_READ,
            is_deaf: false,
        })
    }

    /// Lets rustls go on to its next state, which `act` handles, and shows it the next record if it has
    /// looked at all others. Returns the size of that record, and what came of it.
    #[inline]
    pub(super) fn step<T>(
        &mut self,
        act: impl FnOnce(State<'_, '_>) -> Result<T, rustls::Error>,
    ) -> (usize, Result<T, rustls::Error>) {
        let may_show = self.has_more() && (self.is_dry || self.shown == 0);
        let record = if may_show { self.next_record() } else { 0 };
        self.shown += record;
        let bytes = self.incoming.data_mut();
        // Of the next record there is only a part.
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

    /// Whether there is something that was not shown and may be.
    pub(super) fn has_more(&self) -> bool {
        !self.is_deaf && self.visible < self.incoming.len()
    }

    /// Whether another step would tell nothing: rustls has looked at all that has come.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_dry && !self.has_more()
    }

    /// The size of the next record to be shown, if it is complete.
    fn next_record(&self) -> usize {
        let rest = self.incoming.data().get(self.shown..).unwrap_or_default();
        let Some([_, _, _, high, low]) = rest.first_chunk() else { return 0 };
        let size = HEADER + usize::from(u16::from_be_bytes([*high, *low]));
        if size <= rest.len() { size } else { 0 }
    }

    /// Space for ciphertext, never none of it.
    pub(super) fn space(&mut self) -> &mut [u8] {
        let least = if self.incoming.is_empty() { self.read_size } else { self.read_size / 4 };
        let space = self.incoming.space(least);
        let size = space.len().min(LARGE_READ);
        space.split_at_mut(size).0
    }

    /// The first `count` bytes of the space are ciphertext now.
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

    /// From now on, what comes is dropped.
    pub(super) fn stop_listening(&mut self) {
        self.is_deaf = true;
    }

    /// How many bytes rustls has not discarded: part of a record, or of a message in several.
    pub(super) fn pending(&self) -> usize {
        self.incoming.len()
    }

    /// Gives the memory away. Where bytes wait, they are kept.
    pub(super) fn rest(&mut self, shelf: &mut Shelf) {
        self.read_size = FIRST_READ;
        if self.incoming.is_empty() {
            self.incoming.rest(shelf);
        }
    }

    /// Takes memory to work in. Where bytes wait, there is some.
    pub(super) fn wake(&mut self, shelf: &mut Shelf) {
        if self.incoming.is_empty() {
            self.incoming.wake(shelf);
        }
    }

    /// What rustls tells about the connection.
    pub(super) fn common(&self) -> &CommonState {
        &self.connection
    }
}

impl fmt::Debug for Unbuffered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unbuffered").field("incoming", &self.incoming).finish_non_exhaustive()
    }
}
