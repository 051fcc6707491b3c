//! What is set on a socket before it connects, as far as the platform knows it.

use std::io;
use std::net::SocketAddr;

use socket2::{Socket, TcpKeepalive};

use crate::dialling::{Keepalive, SocketOptions};

pub(super) fn set(socket: &Socket, options: &SocketOptions) -> io::Result<()> {
    if options.nodelay {
        socket.set_tcp_nodelay(true)?;
    }
    if options.keepalive.idle.is_some() {
        socket.set_tcp_keepalive(&keepalive(options.keepalive))?;
    }
    bind_to_interface(socket, options)?;
    set_user_timeout(socket, options)?;
    match options.local {
        Some(local) => socket.bind(&SocketAddr::new(local, 0).into()),
        None => Ok(()),
    }
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

#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
fn bind_to_interface(socket: &Socket, options: &SocketOptions) -> io::Result<()> {
    match &options.interface {
        Some(interface) => socket.bind_device(Some(interface.as_bytes())),
        None => Ok(()),
    }
}

#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
fn set_user_timeout(socket: &Socket, options: &SocketOptions) -> io::Result<()> {
    match options.user_timeout {
        Some(timeout) => socket.set_tcp_user_timeout(Some(timeout)),
        None => Ok(()),
    }
}

/// There the builder offers no way to ask for it.
#[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
fn bind_to_interface(_: &Socket, _: &SocketOptions) -> io::Result<()> {
    Ok(())
}

#[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
fn set_user_timeout(_: &Socket, _: &SocketOptions) -> io::Result<()> {
    Ok(())
}
