use proptest::prelude::*;

use super::super::testing::headers;
use super::*;

fn said_by(value: &str) -> (Option<u64>, Option<u64>) {
    let (timeout, requests) = said(&headers(&[("keep-alive", value)]));
    (timeout.map(|timeout| timeout.as_secs()), requests)
}

#[test]
fn parameters_of_the_field() {
    let rows = [
        ("timeout=5", (Some(5), None)),
        ("timeout=5, max=100", (Some(5), Some(100))),
        ("max=99,timeout=15", (Some(15), Some(99))),
        ("Timeout = 5 ;\tMAX= 7", (Some(5), Some(7))),
        ("timeout=\"5\", max=\"2\"", (Some(5), Some(2))),
        ("timeout=5, timeout=3", (Some(3), None)),
        ("max=0", (None, Some(0))),
        ("timeout=0", (Some(0), None)),
        ("timeout=5s", (Some(5), None)),
        ("timeout=1.9", (Some(1), None)),
        ("timeout=9223372036854775807", (Some(u64::MAX / 2), None)),
        // Invalid, and so ignored.
        ("", (None, None)),
        ("300", (None, None)),
        ("timeout", (None, None)),
        ("timeout=", (None, None)),
        ("timeout=-1", (None, None)),
        ("timeout=+5", (None, None)),
        ("timeout=99999999999999999999999", (None, None)),
        ("xtimeout=5, timeoutx=5", (None, None)),
        ("timeout=\u{ff15}", (None, None)),
    ];
    for (value, expected) in rows {
        assert_eq!(said_by(value), expected, "{value:?}");
    }
    let two = headers(&[("Keep-Alive", "timeout=9"), ("keep-alive", "timeout=4, max=3")]);
    assert_eq!(said(&two), (Some(Duration::from_secs(4)), Some(3)));
}

#[test]
fn a_connection_is_given_up_before_the_peer_closes_it() {
    let now = Instant::now();
    let rows = [
        ("timeout=1", Some(500)),
        ("timeout=2", Some(1000)),
        ("timeout=5", Some(4000)),
        ("timeout=60, max=1", Some(59_000)),
        ("timeout=0", Some(0)),
        ("max=0", Some(0)),
        ("timeout=60, max=0", Some(0)),
        ("max=5", None),
        ("timeout=9223372036854775807", None),
    ];
    for (value, expected) in rows {
        let mut lifetime = Lifetime::default();
        lifetime.answered(&headers(&[("keep-alive", value)]), now);
        let left = lifetime.until().map(|until| until.duration_since(now).as_millis());
        assert_eq!(left, expected, "{value}");
    }
}

#[test]
fn requests_are_counted_and_the_timeout_restarts() {
    let (start, second) = (Instant::now(), Duration::from_secs(1));
    let mut lifetime = Lifetime::default();
    let mut answered = |value: &str, at: u32| {
        lifetime.answered(&headers(&[("keep-alive", value)]), start + second * at);
        let until = lifetime.until().map(|until| until.duration_since(start).as_secs());
        (lifetime.requests, until)
    };
    assert_eq!(answered("timeout=5, max=4", 0), (Some(4), Some(4)));
    assert_eq!(answered("timeout=5, max=3", 2), (Some(3), Some(6)), "as Apache counts");
    assert_eq!(answered("timeout=5, max=4", 3), (Some(2), Some(7)), "the number never increases");
    assert_eq!(answered("", 9), (Some(1), Some(13)), "said once");
    assert_eq!(answered("timeout=5, max=100", 10), (Some(0), Some(10)), "this was the last");
}

proptest! {
    /// Any value: no panic, and never later than the smallest number of seconds.
    #[test]
    fn any_value(value in "[ -~]{0,40}", seconds in 0..1_u64 << 40) {
        let now = Instant::now();
        let mut lifetime = Lifetime::default();
        lifetime.answered(&headers(&[("keep-alive", &*value)]), now);
        let timeout = format!("timeout={seconds}");
        let both = [("keep-alive", &*value), ("keep-alive", &*timeout)];
        lifetime.answered(&headers(&both), now);
        if let Some(end) = now.checked_add(Duration::from_secs(seconds)) {
            prop_assert!(lifetime.until().is_some_and(|until| until <= end));
        }
    }
}
