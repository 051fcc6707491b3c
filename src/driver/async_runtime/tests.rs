use std::convert::Infallible;

use super::*;
use crate::client::Client;
use crate::driver::runtime::{Meanwhile, Pending};
use crate::error::{Error, Kind};

/// A runtime without a network, on which nothing takes time; and whether calls can be made on it.
#[derive(Debug, Clone, Default)]
struct Bare<const IS_FIT: bool>;

impl<const IS_FIT: bool> AsyncRuntime for Bare<IS_FIT> {
    type Source = Infallible;
    type Stream = Unconnected;
    type Connecting = std::future::Ready<io::Result<Unconnected>>;

    async fn sleep(_: Duration) {
        std::future::pending().await
    }

    fn connect(&self, _: SocketAddr, _: &SocketOptions) -> io::Result<Self::Connecting> {
        Err(io::ErrorKind::NetworkUnreachable.into())
    }

    fn look_up(&self, lookup: NameLookup<Self>) {
        if lookup.host() == "known.test" {
            lookup.answer(Ok(vec![([192, 0, 2, 1], 0).into()]));
        }
    }

    async fn read(source: &mut Infallible, _: &mut [u8]) -> io::Result<usize> {
        match *source {}
    }

    fn check() -> io::Result<()> {
        IS_FIT.then_some(()).ok_or_else(|| io::Error::other("not today"))
    }
}

#[derive(Debug)]
struct Unconnected;

impl Stream for Unconnected {
    async fn read(&mut self, _: &mut [u8], _: Wait) -> std::result::Result<usize, SocketError> {
        Ok(0)
    }

    async fn write(
        &mut self,
        bytes: &[u8],
        _: Meanwhile,
        _: Wait,
    ) -> std::result::Result<usize, SocketError> {
        Ok(bytes.len())
    }

    fn pending(&self) -> Pending {
        Pending::Nothing
    }

    fn say_farewell(&mut self, _: &[u8]) {}

    fn interrupter(&self) -> impl Fn() + Send + 'static {
        || ()
    }
}

fn get<const IS_FIT: bool>(client: &Client<Bare<IS_FIT>>, url: &str) -> Error {
    let mut call = pin!(client.get(url).send());
    loop {
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => return outcome.unwrap_err(),
            Poll::Pending => {}
        }
    }
}

#[test]
fn a_lookup_that_is_dropped_is_an_error_of_its_call() {
    let error = get(&Client::<Bare<true>>::new(), "http://unknown.test/");
    assert_eq!(error.kind(), Kind::Resolve, "{error}");
    assert!(error.to_string().contains("dropped the lookup without an answer"), "{error}");
}

#[test]
fn an_attempt_that_cannot_be_made_is_an_error_of_the_address() {
    let error = get(&Client::<Bare<true>>::new(), "http://known.test/");
    assert_eq!(error.kind(), Kind::Connect, "{error}");
    assert!(error.to_string().contains("192.0.2.1:80"), "{error}");
}

#[cfg(unix)]
#[test]
fn unix_sockets_are_refused_by_default() {
    let client = Client::<Bare<true>>::builder().unix_socket("/run/a.sock").build().unwrap();
    let error = get(&client, "http://known.test/");
    assert!(error.to_string().contains("connecting to /run/a.sock"), "{error}");
}

#[test]
fn where_no_call_can_be_made_the_error_says_why() {
    let error = get(&Client::<Bare<false>>::new(), "http://known.test/");
    assert!(error.is_builder() && error.to_string().contains("not today"), "{error}");
}

#[test]
fn the_default_yield_wakes_the_task_once() {
    let mut yielding = pin!(Bare::<true>::yield_now());
    let mut poll = || yielding.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!([poll(), poll()], [Poll::Pending, Poll::Ready(())]);
}
