//! A server that does not stop sending.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Waits for a request, sends `start`, and then `again` until the client ends the connection.
pub struct Endless {
    addr: SocketAddr,
    sent: Arc<AtomicU64>,
}

impl Endless {
    pub fn start(start: impl AsRef<[u8]>, again: impl AsRef<[u8]>) -> Endless {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let sent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&sent);
        let (start, again) = (start.as_ref().to_vec(), again.as_ref());
        let again = again.repeat(1 + 2000 / again.len());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.store(0, Ordering::Relaxed);
                flood(stream, &start, &again, &counter);
            }
        });
        Endless { addr, sent }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// Number of bytes that the system accepted for the latest client. Its buffers hold a few
    /// million that the client never receives.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

fn flood(mut stream: TcpStream, start: &[u8], again: &[u8], sent: &AtomicU64) {
    let _ = stream.read(&mut [0; 4096]);
    let mut piece = start;
    while let Ok(count) = stream.write(piece) {
        sent.fetch_add(count as u64, Ordering::Relaxed);
        piece = piece.get(count..).filter(|rest| !rest.is_empty()).unwrap_or(again);
    }
}
