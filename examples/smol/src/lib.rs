//! leanhttp on async-io, the reactor of smol: everything that the client needs of a runtime.
//!
//! ```no_run
//! # async fn example() -> leanhttp::Result<()> {
//! let client = leanhttp_smol::Client::new();
//! let text = client.get("https://example.org/").send().await?.text().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Futures of the client run on any executor: on smol's, or with `async_io::block_on`.

mod reader;
mod stream;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use async_io::{Async, Timer};
use leanhttp::runtime::{AsyncRuntime, NameLookup, NameLookups, SocketOptions};

pub use reader::Reader;
pub use stream::Stream;

/// The runtime of async-io.
#[derive(Debug, Clone, Default)]
pub struct Smol {
    lookups: NameLookups<Smol>,
}

/// A client on async-io.
pub type Client = leanhttp::client::Client<Smol>;
/// The body of a request.
pub type Body = leanhttp::body::Body<Reader>;

impl AsyncRuntime for Smol {
    type Source = Reader;
    type Stream = Stream;
    type Connecting = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    async fn sleep(time: Duration) {
        Timer::after(time).await;
    }

    fn connect(&self, to: SocketAddr, options: &SocketOptions) -> io::Result<Self::Connecting> {
        let socket = Async::new_nonblocking(options.start_connect(to)?)?;
        Ok(Box::pin(async {
            // The socket itself is asked first: the reactor may not have looked at it for a while.
            while socket.get_ref().peer_addr().is_err() {
                if let Some(error) = socket.get_ref().take_error()? {
                    return Err(error);
                }
                socket.writable().await?;
            }
            Ok(Stream::new(socket))
        }))
    }

    fn look_up(&self, lookup: NameLookup<Self>) {
        self.lookups.begin(lookup);
    }

    fn lookup_obstacle(&self, host: &str) -> Option<String> {
        self.lookups.obstacle(host)
    }

    async fn read(source: &mut Reader, into: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| source.poll_read(cx, into)).await
    }
}
