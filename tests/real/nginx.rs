//! Connections that nginx closes by itself.

use std::thread;
use std::time::Duration;

use super::servers::{named, told, trusting};

/// nginx closes connections of `/idle` after one second: after any pause the response arrives, and
/// only after a short one on the same connection.
#[test]
fn an_idle_connection_that_nginx_closed_is_replaced() {
    let Some([server]) = named(["NGINX"]) else { return };
    let url = format!("{server}/idle");
    let client = trusting().build().unwrap();
    let ask = || told(&client, &url)["connection"].clone();
    let first = ask();
    for pause in [0, 500, 500] {
        thread::sleep(Duration::from_millis(pause));
        assert_eq!(ask(), first, "after {pause} ms");
    }
    thread::sleep(Duration::from_millis(1500));
    let second = ask();
    assert_ne!(second, first);
    thread::sleep(Duration::from_millis(1500));
    let third = client.post(&url).body("x").send().unwrap().text().unwrap();
    assert!(!third.contains(&second.to_string()), "{third} after {second}");
}

/// The request meets the end of its connection, again and again, and never fails.
#[test]
fn a_request_that_races_with_the_idle_close_succeeds() {
    let Some([server]) = named(["NGINX"]) else { return };
    let url = format!("{server}/idle");
    let ask = || {
        let client = trusting().build().unwrap();
        for pause in (986..=1007).step_by(3) {
            told(&client, &url);
            thread::sleep(Duration::from_millis(pause));
        }
    };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(ask);
        }
    });
}

/// The second response has `Connection: close`.
#[test]
fn connection_close_is_followed() {
    let Some([server]) = named(["NGINX"]) else { return };
    let client = trusting().build().unwrap();
    let url = format!("{server}/twice");
    let seen: Vec<_> = (0..6).map(|_| told(&client, &url)["connection"].clone()).collect();
    let again: Vec<_> = seen.windows(2).map(|pair| pair[0] == pair[1]).collect();
    assert_eq!(again, [true, false, true, false, true], "{seen:?}");
}
