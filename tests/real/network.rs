//! Networks that fail: `.ci/netlab` creates them, and these tests run inside (`.ci/netlab in
//! COMMAND`).
//!
//! A limit of the client is short; a [`BOUND`] is generous, because it is for the machine.

use std::fmt::Write;
use std::io::Read;
use std::time::{Duration, Instant};

use leanhttp::error::{Kind, Phase};
use leanhttp::{Client, ClientBuilder, Error};

use super::servers::{assert_told, named};

const LIMIT: Duration = Duration::from_secs(1);
/// Long before the client's default limits (10 s and 30 s) would end a call.
const BOUND: Duration = Duration::from_secs(5);

fn client() -> ClientBuilder {
    Client::builder().no_proxy()
}

fn get(client: ClientBuilder, url: &str) -> leanhttp::Result<(String, String)> {
    let response = client.build()?.get(url).send()?;
    let peer = response.remote_addr().map(|addr| addr.to_string()).unwrap_or_default();
    Ok((peer, response.text()?))
}

/// Returns the error, and asserts that it came in time.
#[track_caller]
fn fails(client: ClientBuilder, url: &str) -> Error {
    let began = Instant::now();
    let error = get(client, url).unwrap_err();
    assert!(began.elapsed() < BOUND, "{:?}: {error}", began.elapsed());
    error
}

/// Both settings that limit the time to connect.
fn impatient() -> [ClientBuilder; 2] {
    [client().connect_timeout(LIMIT), client().timeout(LIMIT)]
}

fn lines(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        writeln!(text, "{number:07}").unwrap();
        text
    })
}

/// RFC 8305: an address family that does not work costs a moment and not the whole limit.
#[test]
fn the_family_that_works_wins() {
    let Some(_) = named(["LAB"]) else { return };
    let rows = [
        ("dual.lab", "[2001:db8:77::2]:8000", "6"),
        ("broken6.lab", "10.77.0.2:8000", "4"),
        ("[2001:db8:77::2]", "[2001:db8:77::2]:8000", "6"),
        ("10.77.0.2", "10.77.0.2:8000", "4"),
    ];
    for (host, peer, family) in rows {
        let url = format!("http://{host}:8000/peer");
        let answer = get(client().connect_timeout(LIMIT), &url);
        assert_eq!(answer.unwrap(), (peer.to_owned(), family.to_owned()), "{host}");
    }
}

#[test]
fn t04_addresses_that_drop_packets_time_out() {
    let Some(_) = named(["LAB"]) else { return };
    let silent = ": timed out: no connection within 1s (connect timeout)";
    let dead = ["connecting to 2 addresses for ", "[2001:db8:77:1::1]:8000", "10.77.1.1:8000"];
    for host in ["10.77.1.9", "[2001:db8:77:1::9]"] {
        let url = format!("http://{host}:8000/");
        let error = fails(client().connect_timeout(LIMIT), &url);
        let target = format!("connecting to {host}:8000 for {url}");
        assert_told(&error, (Kind::Timeout, Phase::Connect), &[&target, silent]);
    }
    for client in impatient() {
        let error = fails(client, "http://dead.lab:8000/");
        assert_told(&error, (Kind::Timeout, Phase::Connect), &dead);
    }
}

/// One limit covers all addresses, and the error names those that were tried.
#[test]
fn t04_one_limit_covers_fifty_addresses() {
    let Some(_) = named(["LAB"]) else { return };
    for client in impatient() {
        let error = fails(client, "http://many.lab:8000/");
        let parts =
            ["connecting to ", " addresses for http://many.lab:8000/: ", "10.77.1.1:8000: "];
        assert_told(&error, (Kind::Timeout, Phase::Connect), &parts);
        let tried = error.to_string().matches(" within 1s (").count();
        assert!((2..50).contains(&tried), "{error}");
    }
}

#[test]
fn unreachable_addresses_are_named() {
    let Some(_) = named(["LAB"]) else { return };
    let refused = "Connection refused (os error 111)";
    let rows: [(&str, &[&str]); 4] = [
        ("dual.lab:9", &["2 addresses", "[2001:db8:77::2]:9: ", refused, "10.77.0.2:9: ", refused]),
        ("10.77.0.2:9", &["10.77.0.2:9", refused]),
        ("unreachable.lab:8000", &["10.77.2.1:8000", "No route to host (os error 113)"]),
        ("10.99.0.1:8000", &["10.99.0.1:8000", "Network is unreachable (os error 101)"]),
    ];
    for (host, parts) in rows {
        let error = fails(client(), &format!("http://{host}/"));
        assert_told(&error, (Kind::Connect, Phase::Connect), parts);
    }
}

#[test]
fn t04_a_dns_answer_may_be_late_but_not_missing() {
    let Some(_) = named(["LAB"]) else { return };
    assert_eq!(get(client(), "http://quick.lab:8000/peer").unwrap().1, "4");
    for host in ["late.lab", "silent.lab"] {
        for client in impatient() {
            let url = format!("http://{host}:8000/");
            let error = fails(client, &url);
            let parts = [&*format!("looking up {host} for {url}"), "1s"];
            assert_told(&error, (Kind::Timeout, Phase::Resolve), &parts);
        }
    }
    let error = fails(client(), "http://nobody.lab/");
    assert_told(&error, (Kind::Resolve, Phase::Resolve), &["looking up nobody.lab for "]);
    // The connect timeout is 10 s, so the late one is in time.
    assert_eq!(get(client(), "http://late.lab:8000/peer").unwrap().1, "4");
}

/// No more data arrives, and no end either.
#[test]
fn a_stalled_download_times_out() {
    let Some(_) = named(["LAB"]) else { return };
    for (client, limit) in [
        (client().read_timeout(LIMIT), "(read timeout)"),
        (client().timeout(LIMIT * 2), "(total timeout)"),
    ] {
        let began = Instant::now();
        let url = "http://dual.lab:8001/lines/200000";
        let mut response = client.build().unwrap().get(url).send().unwrap();
        let mut received = Vec::new();
        let error = response.read_to_end(&mut received).unwrap_err();
        assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
        let error = error.get_ref().unwrap().downcast_ref::<Error>().unwrap();
        let parts = ["reading the response body for ", url, limit];
        assert_told(error, (Kind::Timeout, Phase::Body), &parts);
        assert!(!received.is_empty() && lines(200_000).as_bytes().starts_with(&received));
    }
}

#[test]
fn a_stalled_upload_times_out() {
    let Some(_) = named(["LAB"]) else { return };
    let client = client().write_timeout(LIMIT).read_timeout(LIMIT).build().unwrap();
    let began = Instant::now();
    let body = vec![b'x'; 32 << 20]; // more than the socket buffers hold
    let url = "http://dual.lab:8001/echo";
    let error = client.post(url).body(body).send().unwrap_err();
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    let parts = ["sending the request for ", url, "(write timeout)"];
    assert_told(&error, (Kind::Timeout, Phase::Send), &parts);
}

/// A pooled connection whose peer has vanished without FIN or RST.
#[test]
fn an_idle_connection_with_a_broken_link_times_out() {
    let Some(_) = named(["LAB"]) else { return };
    let client = client().read_timeout(LIMIT).build().unwrap();
    let get = |path: &str| client.get(format!("http://dual.lab:8001{path}")).send();
    // Each response is complete; together they are more than the link carries.
    let mut answered = 0;
    let error = loop {
        match get("/lines/10000").and_then(|response| response.text()) {
            Ok(text) => assert_eq!(text, lines(10_000)),
            Err(error) => break error,
        }
        answered += 1;
        assert!(answered < 10);
    };
    assert_eq!(error.kind(), Kind::Timeout, "{error}");
    assert!(answered > 0);
    // The broken connection is not used again.
    assert_eq!(get("/peer").unwrap().text().unwrap(), "6");
}

/// The same with a user timeout: the system gives up unacknowledged data, and another connection
/// replaces the lost one, long before the read timeout.
#[test]
fn tcp_user_timeout_replaces_a_broken_connection() {
    let Some(_) = named(["LAB"]) else { return };
    let client = client().tcp_user_timeout(LIMIT).build().unwrap();
    let began = Instant::now();
    // The link breaks in the middle of a request, with high probability.
    let long = "x".repeat(30_000);
    for _ in 0..15 {
        let request = client.get("http://dual.lab:8001/peer").header("x-long", &long);
        assert_eq!(request.send().unwrap().text().unwrap(), "6");
    }
    assert!((LIMIT..BOUND).contains(&began.elapsed()), "{:?}", began.elapsed());
}

/// Data that arrives late, twice, out of order or only after retransmission is complete in the end.
#[test]
fn a_lossy_link_delivers_complete_bodies() {
    let Some(_) = named(["LAB"]) else { return };
    let client = client().build().unwrap();
    for count in [1, 1000, 50_000] {
        let text = lines(count);
        let url = format!("http://line.lab:8000/lines/{count}");
        assert!(client.get(url).send().unwrap().text().unwrap() == text, "{count} lines down");
        let echo = client.post("http://line.lab:8000/echo").body(text.clone());
        assert!(echo.send().unwrap().text().unwrap() == text, "{count} lines up and down");
    }
    assert_eq!(client.pool_stats().idle, 1, "one connection served all");
}
