//! Checks that a call is made in a runtime that has what it needs.

use std::cell::Cell;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use ::tokio::net;
use ::tokio::runtime::{Handle, Id, TryCurrentError};
use ::tokio::time::sleep;

thread_local! {
    /// The last runtime that this thread has checked.
    static FIT: Cell<Option<Id>> = const { Cell::new(None) };
}

/// Returns the current runtime, or an error if there is none, or if it has no timers or no I/O.
///
/// A thread checks each runtime once.
pub(super) fn current() -> io::Result<Id> {
    let runtime = Handle::try_current().map_err(outside)?.id();
    if FIT.get() != Some(runtime) {
        check()?;
        FIT.set(Some(runtime));
    }
    Ok(runtime)
}

fn outside(error: TryCurrentError) -> io::Error {
    io::Error::other(format!("the call is not made in a runtime of tokio: {error}"))
}

/// Tries both out, because tokio has no way to ask: it panics when the first timer is created or
/// the first socket is registered. Nothing else happens within `catch_unwind`, so no state can be
/// left inconsistent.
#[cold]
fn check() -> io::Result<()> {
    let timer = panic::catch_unwind(|| drop(sleep(Duration::ZERO)));
    if timer.is_err() {
        return Err(io::Error::other(
            "the runtime of tokio has no timers (enable_time, or enable_all)",
        ));
    }
    // If there is no such socket, opening a connection will fail with the reason.
    let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else { return Ok(()) };
    socket.set_nonblocking(true)?;
    let register = AssertUnwindSafe(|| drop(net::UdpSocket::from_std(socket)));
    let registered = panic::catch_unwind(register);
    registered
        .map_err(|_| io::Error::other("the runtime of tokio has no I/O (enable_io, or enable_all)"))
}
