use std::net::TcpListener;
use std::time::Instant;

use super::*;

fn new_socket(address: SocketAddr) -> Socket {
    socket(address, &SocketOptions::default()).unwrap()
}

#[test]
fn a_listener_accepts_and_a_closed_port_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let limit = Duration::from_secs(5);
    assert_eq!(connect(&new_socket(address), address, limit).unwrap(), Connecting::Done);
    drop(listener);
    let refused = connect(&new_socket(address), address, limit).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
}

/// A full accept queue does not answer; the client's system tries again after a second.
#[test]
fn the_wait_ends_and_the_system_continues_to_connect() {
    let listener = new_socket("127.0.0.1:0".parse().unwrap());
    listener.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let limit = Duration::from_millis(30);
    let begun = Instant::now();
    let attempts: Vec<_> = (0..4)
        .map(|_| {
            let socket = new_socket(address);
            let state = connect(&socket, address, limit).unwrap();
            (socket, state)
        })
        .collect();
    let waiting: Vec<_> =
        attempts.iter().filter(|(_, state)| *state == Connecting::GoesOn).collect();
    assert!(!waiting.is_empty() && begun.elapsed() >= limit);
    for _ in &attempts {
        listener.accept().unwrap(); // makes room in the queue
    }
    for (socket, _) in &waiting {
        assert!(socket.peer_addr().is_ok());
    }
}
