#[cfg(unix)]
use std::time::Instant;

use super::*;
#[cfg(unix)]
use crate::policy::deadline::{Budget, Operation, Timeouts};

#[test]
fn socket_timeouts_are_set_again_unless_nearly_equal() {
    let millis = |millis: u64| Some(Duration::from_millis(millis));
    for (known, wanted, expected) in [
        (None, None, true),
        (None, millis(1), false),
        (millis(1), None, false),
        (millis(6400), millis(6400), true),
        (millis(6500), millis(6400), true),
        (millis(6501), millis(6400), false),
        (millis(6399), millis(6400), false), // would end too early
    ] {
        assert_eq!(is_near(known, wanted), expected, "{known:?} for {wanted:?}");
    }
}

/// A connection that the system gave up (`TCP_USER_TIMEOUT`, keep-alive) is lost, and may be
/// replaced by another one; an expired limit ends the call.
#[cfg(unix)]
#[test]
fn a_timeout_of_the_system_is_an_io_error() {
    let second = Some(Duration::from_secs(1));
    for (read, kind, is_ours) in [
        (second, io::ErrorKind::WouldBlock, true),
        (second, io::ErrorKind::TimedOut, false),
        (None, io::ErrorKind::WouldBlock, false),
        (None, io::ErrorKind::TimedOut, false),
    ] {
        let timeouts = Timeouts { read, ..Timeouts::default() };
        let budget = Budget::start(timeouts, Instant::now());
        let wait = budget.wait(Operation::Read, Instant::now).unwrap();
        let error = in_vain(kind.into(), wait);
        assert_eq!(matches!(error, SocketError::Expired(_)), is_ours, "{error}");
    }
}

/// A full queue is waited for until the connect timeout.
#[cfg(target_os = "linux")]
#[test]
fn a_full_queue_of_a_unix_socket_is_waited_for() {
    let path = std::env::temp_dir().join(format!("leanhttp-{}-full.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    listener.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    listener.listen(0).unwrap();
    let first = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let limit = Duration::from_millis(200);
    let connect = |limit| {
        let timeouts = Timeouts { connect: Some(limit), ..Timeouts::default() };
        let mut budget = Budget::start(timeouts, Instant::now());
        budget.start_connecting(Instant::now());
        let wait = budget.wait(Operation::Connect, Instant::now).unwrap();
        let blocking = Blocking::default();
        runtime::run(|| blocking.connect_unix(&path, wait))
    };
    let error = connect(limit).unwrap_err();
    assert_eq!(error.to_string(), "timed out: no connection within 200ms (connect timeout)");
    let accepting = thread::spawn(move || {
        thread::sleep(limit);
        drop(first);
        [listener.accept().unwrap(), listener.accept().unwrap()]
    });
    connect(100 * limit).unwrap();
    accepting.join().unwrap();
    std::fs::remove_file(&path).unwrap();
}
