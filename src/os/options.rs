//! Sets socket options before the connect, as far as the platform supports them.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use socket2::{Socket, TcpKeepalive};

use crate::config::{Keepalive, SocketOptions};

pub(super) fn set(socket: &Socket, options: &SocketOptions) -> io::Result<()> {
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
