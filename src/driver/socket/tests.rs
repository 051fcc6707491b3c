use std::sync::{Arc, Mutex};
use std::thread;

use super::*;
use crate::policy::retry;
use crate::testing::harness::fuzzing::call::{self, Client, Network, Patience, Reading};

/// A connection on which nothing happens, in a program that gets signal after signal.
struct Signals;

impl Network for Signals {
    fn dial(&mut self, _: (&str, u16)) -> Option<usize> {
        Some(0)
    }

    fn begin(&mut self, _: usize, _: &Method, _: &Url) {}

    fn write(&mut self, _: usize, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn read(&mut self, _: usize, _: &mut [u8], _: Patience) -> io::Result<usize> {
        thread::sleep(Duration::from_millis(1));
        Err(io::ErrorKind::Interrupted.into())
    }

    fn pending(&self, _: usize) -> Pending {
        Pending::Nothing
    }

    fn keep(&mut self, _: usize) {}
}

/// A connection that accepts everything late and never answers.
#[derive(Default)]
struct Late {
    requests: usize,
}

impl Network for Late {
    fn dial(&mut self, _: (&str, u16)) -> Option<usize> {
        Some(0)
    }

    fn begin(&mut self, _: usize, _: &Method, _: &Url) {
        self.requests += 1;
    }

    fn write(&mut self, _: usize, bytes: &[u8]) -> io::Result<usize> {
        thread::sleep(Duration::from_millis(20));
        Ok(bytes.len())
    }

    fn read(&mut self, _: usize, _: &mut [u8], _: Patience) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn pending(&self, _: usize) -> Pending {
        Pending::Nothing
    }

    fn keep(&mut self, _: usize) {}
}

/// RFC 9110 §9.2.2: bytes that were written too slowly were written nevertheless.
#[test]
fn a_request_written_too_slowly_may_have_been_carried_out() {
    let at_once = retry::Policy::new().backoff(Duration::ZERO, Duration::ZERO);
    let builder = Client::builder().retry(at_once);
    let builder = builder.min_throughput(1_000_000, Duration::from_millis(10));
    let network = Arc::new(Mutex::new(Late::default()));
    let client = call::client(builder, network.clone()).unwrap();
    let request = client.post("http://a.test/").body("an order").build().unwrap();
    let reading = Reading { sizes: [].into_iter(), at_most: 0 };
    assert_eq!(call::call(&client, request, reading).end, Err("Timeout".to_owned()));
    assert_eq!(network.lock().unwrap().requests, 1);
}

#[test]
fn a_signal_does_not_restart_a_wait() {
    let builder = Client::builder().read_timeout(Duration::from_millis(50));
    let client = call::client(builder, Arc::new(Mutex::new(Signals))).unwrap();
    let request = client.get("http://a.test/").build().unwrap();
    let reading = Reading { sizes: [].into_iter(), at_most: 0 };
    assert_eq!(call::call(&client, request, reading).end, Err("Timeout".to_owned()));
}

/// The wait of one call does not count against the throughput of the next call on the
/// connection, nor does the wait before a new limit against that limit.
#[test]
fn another_call_restarts_the_throughput_wait() {
    let world = call::Fuzzed::default();
    world.set_network(Arc::new(Mutex::new(Signals)));
    let options = crate::config::SocketOptions::default();
    let stream = world.connect("[::1]:80".parse().unwrap(), &options).unwrap();
    let mut socket = Socket::new(stream, &world, None);
    let url = Url::parse("http://a.test/").unwrap();
    type Change<'s> = &'s dyn Fn(&mut Socket<call::Fuzzed>);
    let changes: [Change<'_>; 2] =
        [&|socket| socket.begin(&Method::GET, &url), &|socket| socket.forget_waits()];
    for change in changes {
        let before = socket.begin_waiting();
        assert_eq!(socket.begin_waiting(), before, "the same wait goes on");
        thread::sleep(Duration::from_millis(1));
        change(&mut socket);
        assert!(socket.begin_waiting() > before);
    }
}
