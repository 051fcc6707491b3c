//! Whether anything waits to be read on a socket, without waiting for it and without taking it.

use std::io;
use std::mem::MaybeUninit;
use std::net::TcpStream;

use socket2::SockRef;

/// What a look at the socket saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pending {
    Nothing,
    Bytes,
    /// The peer has closed the connection, or it is broken.
    End,
}

/// One system call where the platform has a flag for it.
pub(crate) fn pending(stream: &TcpStream) -> Pending {
    match peek(stream) {
        Ok(0) => Pending::End,
        Ok(_) => Pending::Bytes,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Pending::Nothing,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => pending(stream),
        Err(_) => Pending::End,
    }
}

#[cfg(unix)]
fn peek(stream: &TcpStream) -> io::Result<usize> {
    let mut byte = [MaybeUninit::uninit(); 1];
    SockRef::from(stream).recv_with_flags(&mut byte, libc::MSG_PEEK | libc::MSG_DONTWAIT)
}

#[cfg(not(unix))]
fn peek(stream: &TcpStream) -> io::Result<usize> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0; 1]);
    stream.set_nonblocking(false)?;
    peeked
}
