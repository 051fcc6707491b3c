//! A connected socket of async-io.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

use async_io::{Async, Timer};
use futures_lite::future::or;
use leanhttp::runtime::{self, Expired, Meanwhile, Pending, SocketError, Wait};

/// A connected socket.
#[derive(Debug)]
pub struct Stream {
    /// Shared with cancel tokens, which shut the socket down.
    socket: Arc<Async<TcpStream>>,
}

/// The event that a blocked operation waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Readable,
    Writable,
    Either,
}

impl Stream {
    pub(crate) fn new(socket: Async<TcpStream>) -> Self {
        Self { socket: Arc::new(socket) }
    }

    /// Attempts the operation until it does not block: at once, whenever the reactor reports the socket as ready, and
    /// a last time when the wait has reached its limit.
    async fn attempt<T>(
        &self,
        wait: Wait,
        until: Until,
        mut operation: impl FnMut(&TcpStream) -> io::Result<T>,
    ) -> Result<T, SocketError> {
        let mut limit = None;
        let mut is_over = false;
        loop {
            match operation(self.socket.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Ok(outcome?),
            }
            if is_over {
                return Err(wait.expired().into());
            }
            let limit = limit.get_or_insert_with(|| timer(wait));
            let ready = async { self.ready(until).await.map(|()| false) };
            is_over = or(ready, async { Ok(limit.await).map(|_| true) }).await?;
        }
    }

    async fn ready(&self, until: Until) -> io::Result<()> {
        match until {
            Until::Readable => self.socket.readable().await,
            Until::Writable => self.socket.writable().await,
            Until::Either => or(self.socket.readable(), self.socket.writable()).await,
        }
    }
}

fn timer(wait: Wait) -> Timer {
    wait.at_most().map_or_else(Timer::never, Timer::after)
}

impl runtime::Stream for Stream {
    async fn readable(
        &mut self,
        wait: impl FnOnce() -> Result<Wait, Expired> + Send,
    ) -> Result<(), SocketError> {
        // Not by a look: that would take a reset of the peer away from the read.
        let wait = wait()?;
        let limit = async {
            timer(wait).await;
            Err(wait.expired().into())
        };
        or(async { Ok(self.socket.readable().await?) }, limit).await
    }

    async fn read(&mut self, into: &mut [u8], wait: Wait) -> Result<usize, SocketError> {
        self.attempt(wait, Until::Readable, |mut socket| socket.read(into)).await
    }

    async fn write(
        &mut self,
        bytes: &[u8],
        meanwhile: Meanwhile,
        wait: Wait,
    ) -> Result<usize, SocketError> {
        let listens = meanwhile != Meanwhile::Wait;
        let until = if listens { Until::Either } else { Until::Writable };
        let write = |mut socket: &TcpStream| match socket.write(bytes) {
            Err(error)
                if error.kind() == io::ErrorKind::WouldBlock
                    && listens
                    && Pending::of(socket) != Pending::Nothing =>
            {
                Ok(0)
            }
            outcome => outcome,
        };
        self.attempt(wait, until, write).await
    }

    async fn input(&mut self, wait: Wait) -> Result<(), SocketError> {
        let look = |socket: &TcpStream| match Pending::of(socket) {
            Pending::Nothing => Err(io::ErrorKind::WouldBlock.into()),
            Pending::Bytes | Pending::End => Ok(()),
        };
        self.attempt(wait, Until::Readable, look).await
    }

    fn pending(&self) -> Pending {
        Pending::of(self.socket.get_ref())
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.socket.get_ref().local_addr().ok()
    }

    fn end_writing(&mut self) -> io::Result<()> {
        self.socket.get_ref().shutdown(Shutdown::Write)
    }

    fn say_farewell(&mut self, bytes: &[u8]) {
        let _ = self.socket.get_ref().write(bytes); // the peer may be gone
    }

    fn interrupter(&self) -> impl Fn() + Send + 'static {
        let socket = Arc::clone(&self.socket);
        move || drop(socket.get_ref().shutdown(Shutdown::Both)) // fails if it is already closed
    }
}
