//! Defaults of a program's own, for the settings that it does not name.
#![cfg(all(feature = "blocking", feature = "tls", feature = "ring"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use leanhttp::blocking::Blocking;
use leanhttp::client::{self, Defaults};

use support::script::{Script, Step, send};

const LIMIT: Duration = Duration::from_millis(100);

enum Hasty {}

impl Defaults for Hasty {
    const CONNECT_TIMEOUT: Option<Duration> = Some(Duration::from_secs(60));
    const READ_TIMEOUT: Option<Duration> = Some(LIMIT);
    const WRITE_TIMEOUT: Option<Duration> = Some(LIMIT);
    const TIMEOUT_REPLACES_DEFAULTS: bool = true;
}

type Client = client::Client<Blocking, Hasty>;

/// A server that is silent for longer than the limit, inside the head and inside the body.
fn slow() -> Script {
    let silence = || Step::Pause(3 * LIMIT);
    let rest = "\r\ncontent-length: 4\r\n\r\nsl";
    Script::serve(vec![vec![
        Step::ExpectRequest,
        send("HTTP/1.1 200 OK"),
        silence(),
        send(rest),
        silence(),
        send("ow"),
    ]])
}

#[test]
fn the_default_limits_hold_without_a_timeout() {
    let server = slow();
    let error = Client::new().get(server.url("/")).send().and_then(|it| it.text()).unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

#[test]
fn a_timeout_of_the_client_replaces_them() {
    for timeout in [Some(Duration::from_secs(60)), None] {
        let server = slow();
        let client = Client::builder().timeout(timeout).build().unwrap();
        assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "slow");
    }
}

#[test]
fn a_timeout_of_the_request_replaces_them() {
    for timeout in [Some(Duration::from_secs(60)), None] {
        let server = slow();
        let request = Client::new().get(server.url("/")).timeout(timeout);
        assert_eq!(request.send().unwrap().text().unwrap(), "slow");
    }
}

#[test]
fn a_timeout_leaves_what_the_program_has_set() {
    let server = slow();
    let client = Client::builder().read_timeout(LIMIT).timeout(None).build().unwrap();
    let error = client.get(server.url("/")).send().and_then(|it| it.text()).unwrap_err();
    assert!(error.is_timeout(), "{error}");
}
