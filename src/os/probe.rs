//! Checks whether a socket has input, without waiting and without consuming it.

use std::io;
use std::mem::MaybeUninit;

use socket2::Socket;

use crate::driver::system::Pending;

/// Returns the state of the input: one system call on platforms that have a flag for it.
pub(crate) fn pending(socket: &Socket) -> Pending {
    match peek(socket) {
        Ok(0) => Pending::End,
        Ok(_) => Pending::Bytes,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Pending::Nothing,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => pending(socket),
        Err(_) => Pending::End,
    }
}

#[cfg(unix)]
fn peek(socket: &Socket) -> io::Result<usize> {
    let mut byte = [MaybeUninit::uninit(); 1];
    socket.recv_with_flags(&mut byte, libc::MSG_PEEK | libc::MSG_DONTWAIT)
}

/// Such platforms have no flag for it, so the socket has to be non-blocking.
#[cfg(not(unix))]
fn peek(socket: &Socket) -> io::Result<usize> {
    socket.peek(&mut [MaybeUninit::uninit(); 1])
}
