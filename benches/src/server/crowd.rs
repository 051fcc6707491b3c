//! The server of rows with thousands of connections: one thread waits for all of them, because the
//! switches between a thread for each would dominate. It sends the small response to each head.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use super::{bind, replies::Replies};

const DOOR: u64 = 0;
const AT_ONCE: usize = 256;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// Serves on a separate port.
pub fn listen(replies: &Arc<Replies>) -> io::Result<u16> {
    let listener = bind()?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let replies = Arc::clone(replies);
    thread::spawn(move || {
        if let Err(error) = serve(&listener, &replies.small) {
            eprintln!("the server of crowds ended: {error}");
        }
    });
    Ok(port)
}

fn serve(listener: &TcpListener, answer: &[u8]) -> io::Result<()> {
    let readiness = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&readiness, listener.as_fd(), EventData::new_u64(DOOR), EventFlags::IN)?;
    let mut open: HashMap<u64, TcpStream> = HashMap::new();
    let mut number = DOOR;
    let mut events = Vec::with_capacity(AT_ONCE);
    let mut space = vec![0; 64 << 10];
    loop {
        epoll::wait(&readiness, spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            match event.data.u64() {
                DOOR => {
                    while let Ok((socket, peer)) = listener.accept() {
                        if !peer.ip().is_loopback() {
                            continue;
                        }
                        socket.set_nodelay(true)?;
                        socket.set_nonblocking(true)?;
                        number += 1;
                        let data = EventData::new_u64(number);
                        epoll::add(&readiness, socket.as_fd(), data, EventFlags::IN)?;
                        open.insert(number, socket);
                    }
                }
                known => {
                    let answered =
                        open.get_mut(&known).map(|it| answer_once(it, answer, &mut space));
                    // Dropping it removes it from the set too.
                    if !matches!(answered, Some(Ok(true))) {
                        open.remove(&known);
                    }
                }
            }
        }
    }
}

/// Reads what has arrived, which must be whole heads; false when the client is done.
fn answer_once(socket: &mut TcpStream, answer: &[u8], space: &mut [u8]) -> io::Result<bool> {
    let held = match socket.read(space) {
        Ok(0) => return Ok(false),
        Ok(count) => &space[..count],
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
        Err(error) => return Err(error),
    };
    if !held.ends_with(HEAD_END) {
        return Err(ErrorKind::InvalidData.into());
    }
    let heads = held.windows(HEAD_END.len()).filter(|window| *window == HEAD_END).count();
    socket.write_all(&answer.repeat(heads))?;
    Ok(true)
}
