//! The calls to the operating system that all runtimes share: this file opens a socket, connects it,
//! writes on it and looks at its input; [`lookups`] bounds the name lookups of a client, and
//! `download` writes the file of a download.
//!
//! Each function is one operation, with what differs between platforms. None of them waits longer
//! than its argument says. A name lookup has no limit, and so runs on a thread of its own.
//!
//! | | blocking | tokio | the user's |
//! | --- | --- | --- | --- |
//! | [`socket`]: a new socket with its options | yes | yes | in `start_connect` |
//! | `connect`: within a limit | yes | the runtime's own | `SocketOptions::start_connect` |
//! | [`send`]: without `SIGPIPE` | yes | yes | that of std |
//! | [`pending`]: is there input, without reading it | yes | yes | in `Pending::of` |
//! | [`lookups`]: on threads of its own, or on blocking threads of the runtime | yes | yes | yes |
//!
//! System calls are counted: a plain request on an idle connection takes three (a look, a write, a
//! read). What a platform lacks is replaced by more calls, never by `unsafe` code.
//!
//! # A connect with a limit
//!
//! | platform | how | cost |
//! | --- | --- | --- |
//! | Linux, Android | the write timeout of the socket bounds `connect` (socket(7)) | one call more than without a limit |
//! | others | `connect_timeout` of `socket2`: non-blocking connect, poll, back to blocking | five calls more |
//!
//! Either way an attempt whose limit has passed is not lost: the system continues to connect, and
//! the race of addresses asks again ([`Connecting::GoesOn`]). On Linux the write timeout stays set,
//! which the runtime has to know ([`CONNECT_SETS_WRITE_LIMIT`]).
//!
//! # A look at the input
//!
//! Before a request is sent on an idle connection, the client looks whether its peer has closed it.
//! `peek` with `MSG_DONTWAIT` answers without a change of the socket: bytes, the end, or nothing.
//! An error counts as the end, since the connection is of no use either way. Where the flag does
//! not exist, the socket must be non-blocking for the look.
//!
//! # Signals
//!
//! A write to a connection that the peer has closed raises `SIGPIPE`, which ends a program that did
//! not ask for it. std ignores the signal in programs whose `main` is in Rust, but not in a library
//! that C code loads. So each write has `MSG_NOSIGNAL`, or the socket has the option where the flag
//! is missing.
//!
//! # Names of settings in errors
//!
//! A local address or an interface that does not exist makes `bind` fail with "cannot assign
//! requested address", which reads like an error of the peer. So each option that the program set
//! is named in front of the system's text (`named`).
//!
//! | platform | what differs here |
//! | --- | --- |
//! | Linux, Android | a connect bounded by the write timeout; device binding and `TCP_USER_TIMEOUT` |
//! | Fuchsia | device binding and `TCP_USER_TIMEOUT` |
//! | Apple | no `MSG_NOSIGNAL`: an option of the socket instead |
//! | Windows | no `MSG_DONTWAIT`: the socket is switched to non-blocking for a look and for a short write |

#[cfg(feature = "download")]
pub(crate) mod download;
pub(crate) mod lookups;

use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
#[cfg(feature = "runtime")]
use std::net::TcpStream;
#[cfg(any(feature = "blocking", test))]
use std::time::Duration;

#[cfg(feature = "runtime")]
use socket2::SockRef;
use socket2::{Domain, Socket, TcpKeepalive, Type};

use crate::config::{Keepalive, SocketOptions};
use crate::driver::runtime::Pending;

/// Creates a socket with the options set, ready to connect to this address.
pub(crate) fn socket(address: SocketAddr, options: &SocketOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    set_options(&socket, options)?;
    Ok(socket)
}

#[cfg(feature = "runtime")]
impl SocketOptions {
    /// Opens a TCP socket with these options and begins to connect it to an address. Does not wait: the socket is
    /// non-blocking, and writable as soon as the attempt has ended. Then
    /// [`take_error`](TcpStream::take_error) returns its failure; without one it is connected.
    ///
    /// ```
    /// use std::io;
    /// use std::net::{SocketAddr, TcpStream};
    /// use leanhttp::runtime::SocketOptions;
    ///
    /// fn dial(address: SocketAddr, options: &SocketOptions) -> io::Result<TcpStream> {
    ///     let socket = options.start_connect(address)?;
    ///     // Wait until it is writable, then:
    ///     match socket.take_error()? {
    ///         None => Ok(socket),
    ///         Some(error) => Err(error),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no such local address or interface, or if the attempt fails at once.
    pub fn start_connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = socket(address, self)?;
        socket.set_nonblocking(true)?;
        match socket.connect(&address.into()) {
            Err(error) if !is_in_progress(&error) => Err(error),
            _ => Ok(socket.into()),
        }
    }
}

/// Returns whether the system continues to connect a non-blocking socket.
#[cfg(feature = "runtime")]
fn is_in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(libc::EINPROGRESS);
    #[cfg(not(unix))]
    return error.kind() == io::ErrorKind::WouldBlock;
}

/// Sets the options, as far as the platform supports them.
fn set_options(socket: &Socket, options: &SocketOptions) -> io::Result<()> {
    if options.nodelay {
        socket.set_tcp_nodelay(true)?;
    }
    if options.keepalive.idle.is_some() {
        socket.set_tcp_keepalive(&keepalive(options.keepalive))?;
    }
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    set_for_linux(socket, options)?;
    let Some(local) = options.local else { return Ok(()) };
    let bound = socket.bind(&SocketAddr::new(local, 0).into());
    bound.map_err(|error| named(&format_args!("local address {local}"), &error))
}

/// Returns the TCP keepalive with what the program has set; the system has defaults for the rest.
fn keepalive(options: Keepalive) -> TcpKeepalive {
    let mut keepalive = TcpKeepalive::new();
    if let Some(idle) = options.idle {
        keepalive = keepalive.with_time(idle);
    }
    if let Some(interval) = options.interval {
        keepalive = keepalive.with_interval(interval);
    }
    match options.retries {
        Some(retries) => keepalive.with_retries(retries),
        None => keepalive,
    }
}

/// Sets the options that the builder offers on these platforms only.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
fn set_for_linux(socket: &Socket, options: &SocketOptions) -> io::Result<()> {
    if let Some(interface) = &options.interface {
        let bound = socket.bind_device(Some(interface.as_bytes()));
        bound.map_err(|error| named(&format_args!("interface {interface:?}"), &error))?;
    }
    match options.user_timeout {
        Some(timeout) => socket.set_tcp_user_timeout(Some(timeout)),
        None => Ok(()),
    }
}

/// Adds the name of the setting to the system's error, which alone would look like an error of the
/// peer.
fn named(setting: &dyn fmt::Display, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{setting}: {error}"))
}

/// The state of a connection attempt.
#[cfg(any(feature = "blocking", test))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connecting {
    Done,
    /// The limit or a signal ended the wait; the system continues to connect.
    GoesOn,
}

/// True if [`connect`] leaves its limit set as the write timeout of the socket.
#[cfg(any(feature = "blocking", test))]
pub(crate) const CONNECT_SETS_WRITE_LIMIT: bool =
    cfg!(any(target_os = "linux", target_os = "android"));

/// Connects, and waits for at most `limit`.
///
/// On Linux the write timeout limits this wait (socket(7)). This saves five system calls: the four
/// that switch the socket to non-blocking and back, and the poll.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[cfg(any(feature = "blocking", test))]
pub(crate) fn connect(
    socket: &Socket,
    address: SocketAddr,
    limit: Duration,
) -> io::Result<Connecting> {
    socket.set_write_timeout(Some(limit))?;
    match socket.connect(&address.into()) {
        Ok(()) => Ok(Connecting::Done),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => {
            Ok(Connecting::GoesOn)
        }
        Err(error) => Err(error),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[cfg(any(feature = "blocking", test))]
pub(crate) fn connect(
    socket: &Socket,
    address: SocketAddr,
    limit: Duration,
) -> io::Result<Connecting> {
    match socket.connect_timeout(&address.into(), limit) {
        Ok(()) => Ok(Connecting::Done),
        Err(error) if is_impatience(&error) => Ok(Connecting::GoesOn),
        Err(error) => Err(error),
    }
}

/// Returns whether `connect_timeout` ended by its limit and not by the system's own timeout.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[cfg(any(feature = "blocking", test))]
fn is_impatience(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none()
}

/// Writes once. A closed connection is an error and never a `SIGPIPE`.
pub(crate) fn send(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    socket.send_with_flags(bytes, NO_SIGNAL)
}

/// Writes as much as the socket accepts without blocking.
#[cfg(all(feature = "blocking", unix))]
pub(crate) fn try_send(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    socket.send_with_flags(bytes, NO_SIGNAL | libc::MSG_DONTWAIT)
}

/// Such platforms have no flag for it, so the socket is switched to non-blocking.
#[cfg(all(feature = "blocking", not(unix)))]
pub(crate) fn try_send(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    socket.set_nonblocking(true)?;
    let sent = send(socket, bytes);
    socket.set_nonblocking(false)?;
    sent
}

#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
/// Such platforms have an option on the socket instead, which is set, or no signals.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const NO_SIGNAL: i32 = 0;

#[cfg(feature = "runtime")]
impl Pending {
    /// Returns the state of a socket's input with one system call. The socket must be non-blocking.
    pub fn of(socket: &TcpStream) -> Self {
        pending(&SockRef::from(socket))
    }
}

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

#[cfg(test)]
mod tests;
