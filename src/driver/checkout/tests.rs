use std::io;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use http::Method;

use crate::client::send;
use crate::driver::runtime::{Pending, run};
use crate::testing::harness::fuzzing::call::{self, Client, Network, Patience};
use crate::url::Url;

/// Servers that answer with one byte, and a process that can become another one.
#[derive(Default)]
struct Forks {
    process: u32,
    /// The process that dialed each connection, and those that used it.
    dialled: Vec<(u32, Vec<u32>)>,
}

impl Network for Forks {
    fn dial(&mut self, _: (&str, u16)) -> Option<usize> {
        self.dialled.push((self.process, Vec::new()));
        Some(self.dialled.len() - 1)
    }

    fn begin(&mut self, connection: usize, _: &Method, _: &Url) {
        self.dialled[connection].1.push(self.process);
    }

    fn write(&mut self, _: usize, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn read(&mut self, _: usize, into: &mut [u8], _: Patience) -> io::Result<usize> {
        let response = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx";
        into[..response.len()].copy_from_slice(response);
        Ok(response.len())
    }

    fn pending(&self, _: usize) -> Pending {
        Pending::Nothing
    }

    fn keep(&mut self, _: usize) {}

    fn process(&self) -> u32 {
        self.process
    }
}

fn client(network: &Arc<Mutex<Forks>>) -> Client {
    let builder = Client::builder().pool_max_open_per_host(1);
    call::client(builder, network.clone()).unwrap()
}

fn fork(network: &Mutex<Forks>) {
    thread::sleep(Duration::from_millis(1)); // no fork is faster
    network.lock().unwrap().process += 1;
}

/// Runs requests with a fork between them; returns the use of each connection.
fn used(network: &Mutex<Forks>) -> Vec<(u32, Vec<u32>)> {
    network.lock().unwrap().dialled.clone()
}

#[test]
fn parent_and_child_share_no_idle_connection() {
    let network = Arc::<Mutex<Forks>>::default();
    let client = client(&network);
    let get = || {
        let request = client.get("http://a.test/").build().unwrap();
        run(|| send(&client, request.parts)).unwrap()
    };
    drop(get());
    drop(get());
    assert_eq!(used(&network), [(0, vec![0, 0])]);
    fork(&network);
    drop(get());
    drop(get());
    assert_eq!(used(&network), [(0, vec![0, 0]), (1, vec![1, 1])]);
    assert_eq!((client.pool_stats().idle, client.pool_stats().open), (1, 1));
}

/// Connections in use in the parent hold no permit in the child either.
#[test]
fn permits_of_the_parent_are_not_the_childs() {
    let network = Arc::<Mutex<Forks>>::default();
    let client = client(&network);
    let get = || {
        let request = client.get("http://a.test/").build().unwrap();
        run(|| send(&client, request.parts)).unwrap()
    };
    let parents = get();
    fork(&network);
    drop(get());
    drop(parents); // closes its connection, which must not free a permit of the child
    assert_eq!(client.pool_stats().open, 1);
    drop(get());
    assert_eq!(used(&network), [(0, vec![0]), (1, vec![1, 1])]);
}

/// Servers that keep each connection open, and send a byte too many a while after each response.
#[derive(Default)]
struct Chatty {
    dialed: usize,
    answered: Option<usize>,
}

impl Network for Chatty {
    fn dial(&mut self, _: (&str, u16)) -> Option<usize> {
        self.dialed += 1;
        Some(self.dialed)
    }

    fn begin(&mut self, _: usize, _: &Method, _: &Url) {}

    fn write(&mut self, _: usize, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn read(&mut self, connection: usize, into: &mut [u8], _: Patience) -> io::Result<usize> {
        let bytes: &[u8] = match self.answered.replace(connection) {
            Some(answered) if answered == connection => b"x",
            _ => b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        };
        into[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn pending(&self, connection: usize) -> Pending {
        if self.answered == Some(connection) { Pending::Bytes } else { Pending::Nothing }
    }

    fn keep(&mut self, _: usize) {}
}

/// Surplus bytes condemn one connection; they are no sign that the peer closes all of them after
/// each response. When such bytes arrive is chance, and must not change what is pooled later.
#[test]
fn surplus_bytes_are_no_early_close() {
    let network = Arc::<Mutex<Chatty>>::default();
    let client: Client = call::client(Client::builder(), network.clone()).unwrap();
    for _ in 0..3 {
        let request = client.get("http://a.test/").build().unwrap();
        drop(run(|| send(&client, request.parts)).unwrap());
        assert_eq!(client.pool_stats().idle, 1);
    }
    assert_eq!(network.lock().unwrap().dialed, 3);
}
