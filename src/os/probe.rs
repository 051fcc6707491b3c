//! Whether anything waits to be read on a socket, without waiting for it and without taking it.

use std::io;
use std::mem::MaybeUninit;

use socket2::Socket;

use crate::driver::system::Pending;

/// One system call where the platform has a flag for it.
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

/// There the socket has to be one that does not block.
#[cfg(not(unix))]
fn peek(socket: &Socket) -> io::Result<usize> {
    socket.peek(&mut [MaybeUninit::uninit(); 1])
}
