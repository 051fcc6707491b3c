//! HAR files: what a recorder writes of attempts, bodies, failures and secrets, what a replay answers, and cassettes.
#![cfg(all(
    feature = "har",
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies"
))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/har_format.rs"]
mod har_format;
mod support;

use std::fs;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use leanhttp::blocking::{Client, ClientBuilder};
use leanhttp::error::Kind;
use leanhttp::har::{Cassette, Recorder, Replay};
use leanhttp::{StatusCode, redirect, retry};
use serde_json::{Value, json};

use support::net::refused;
use support::script::{Connection, Script, Step, answer, expect, moved, ok, send};

/// Returns the entries of a file that follows the format.
fn entries(recorder: &Recorder) -> Vec<Value> {
    let mut file = Vec::new();
    recorder.write_to(&mut file).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(har_format::violations(&file), [""; 0], "{file:#}");
    file["log"]["entries"].as_array().unwrap().clone()
}

fn recording(recorder: &Recorder) -> ClientBuilder {
    Client::builder().record(recorder.clone())
}

fn statuses(entries: &[Value]) -> Vec<u64> {
    entries.iter().map(|entry| entry["response"]["status"].as_u64().unwrap()).collect()
}

fn with_head(fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let length = body.as_ref().len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{fields}\r\n");
    [head.as_bytes(), body.as_ref()].concat()
}

fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A file of this process that no other test uses.
fn some_path() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let front = module_path!().replace(':', "-");
    std::env::temp_dir().join(format!("leanhttp-{front}-{}-{number}.har", std::process::id()))
}

#[test]
fn each_redirect_and_each_retry_is_an_entry() {
    let last = vec![Step::ExpectRequest, send(ok("hello"))];
    let busy = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let server = Script::serve(vec![moved(302, "/next"), answer(busy), last]);
    let recorder = Recorder::new().bodies(100);
    let policy = retry::Policy::new().backoff(Duration::ZERO, Duration::ZERO);
    let client = recording(&recorder).retry(policy).build().unwrap();
    let response = client.get(server.url("/first")).send().unwrap();
    assert_eq!(entries(&recorder).len(), 3);
    assert_eq!(response.text().unwrap(), "hello");
    let entries = entries(&recorder);
    assert_eq!(statuses(&entries), [302, 503, 200]);
    assert_eq!(entries[0]["response"]["redirectURL"], "/next");
    assert_eq!(entries[0]["response"]["bodySize"], -1, "nobody has read it");
    assert_eq!(entries[1]["response"]["statusText"], "Busy");
    assert_eq!(entries[1]["request"]["url"], server.url("/next"));
    let content = &entries[2]["response"]["content"];
    assert_eq!((&content["text"], &content["size"]), (&json!("hello"), &json!(5)));
    assert!(content.get("comment").is_none(), "{content}");
    assert_eq!(entries[2]["serverIPAddress"], "127.0.0.1");
    let started: Vec<_> = entries.iter().map(|it| it["startedDateTime"].as_str()).collect();
    assert!(started.is_sorted(), "{started:?}");
}

#[test]
fn requests_on_one_connection_have_its_id() {
    let server = Script::serve(vec![[answer(ok("1")), answer(ok("2"))].concat(), answer(ok("3"))]);
    let recorder = Recorder::new();
    let client = recording(&recorder).build().unwrap();
    for expected in ["1", "2"] {
        assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), expected);
    }
    client.close_idle_connections();
    client.get(server.url("/")).send().unwrap().text().unwrap();
    let entries = entries(&recorder);
    let ids: Vec<_> = entries.iter().map(|entry| &entry["connection"]).collect();
    assert!(ids[0].is_string() && ids[0] == ids[1] && ids[1] != ids[2], "{ids:?}");
    assert_eq!(entries[1]["timings"]["connect"], -1.0);
    assert!(entries[0]["timings"]["connect"].as_f64().unwrap() >= 0.0);
}

#[test]
fn the_request_is_recorded_as_it_was_sent() {
    let server = Script::serve(vec![answer(ok("")), answer(ok(""))]);
    let recorder = Recorder::new().bodies(8);
    let client = recording(&recorder)
        .on_attempt(|head| {
            head.headers_mut().insert("x-hook", "1".parse().unwrap());
            Ok(())
        })
        .build()
        .unwrap();
    let url = server.url("/p?a=1&b=%20x#fragment");
    client.post(&url).raw_header("X-Own", "2").body("0123456789").send().unwrap();
    client.close_idle_connections();
    client.post(&url).body(leanhttp::blocking::Body::new(&b"streamed"[..])).send().unwrap();
    let entries = entries(&recorder);
    let request = &entries[0]["request"];
    assert_eq!(request["url"], server.url("/p?a=1&b=%20x"));
    let query = json!([{"name": "a", "value": "1"}, {"name": "b", "value": " x"}]);
    assert_eq!(request["queryString"], query);
    let fields = request["headers"].as_array().unwrap();
    assert!(fields.contains(&json!({"name": "x-hook", "value": "1"})), "{fields:?}");
    let sent = server.received(0);
    let head = sent.windows(4).position(|it| it == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(request["headersSize"], head);
    assert_eq!(request["bodySize"], 10);
    let data = &request["postData"];
    assert_eq!((&data["text"], &data["_truncated"]), (&json!("01234567"), &json!(true)));
    let request = &entries[1]["request"];
    assert_eq!(request["bodySize"], -1);
    assert!(request["postData"].get("text").is_none(), "a source is not read for the file");
}

#[test]
fn failures_are_entries_with_every_field() {
    let recorder = Recorder::new();
    let client = recording(&recorder).build().unwrap();
    let url = format!("http://{}/?token=s3cret", refused());
    client.get(url).send().unwrap_err();
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel";
    let server = Script::serve(vec![vec![Step::ExpectRequest, send(cut), Step::Close]]);
    client.get(server.url("/")).send().unwrap().text().unwrap_err();
    let entries = entries(&recorder);
    let response = &entries[0]["response"];
    assert_eq!((&response["status"], &response["bodySize"]), (&json!(0), &json!(-1)));
    let error = entries[0]["_error"].as_str().unwrap();
    assert!(error.contains("connecting to 127.0.0.1:") && !error.contains("s3cret"), "{error}");
    let response = &entries[1]["response"];
    assert_eq!((&response["status"], &response["bodySize"]), (&json!(200), &json!(3)));
    assert!(entries[1]["_error"].as_str().unwrap().contains("closed"), "{}", entries[1]);
}

#[test]
fn an_attempt_under_way_is_an_entry_that_says_so() {
    let server = Script::serve(vec![answer(ok(""))]);
    let recorder = Recorder::new();
    let inside = recorder.clone();
    let client = recording(&recorder).on_attempt(move |_| {
        let entries = entries(&inside);
        assert_eq!(statuses(&entries), [0]);
        assert!(entries[0]["_error"].as_str().unwrap().contains("is being sent"));
        Ok(())
    });
    client.build().unwrap().get(server.url("/")).send().unwrap().text().unwrap();
    let entries = entries(&recorder);
    assert_eq!(statuses(&entries), [200]);
    assert!(entries[0].get("_error").is_none());
}

#[test]
fn a_body_is_recorded_as_it_is_read_and_says_how_far() {
    let text = "0123456789".repeat(10);
    let server = Script::serve(vec![answer(ok(&text)), answer(ok(&text)), answer(ok(&text))]);
    let recorder = Recorder::new().bodies(20);
    let client = recording(&recorder).pool_max_idle(0).build().unwrap();
    let content = |at: usize| entries(&recorder)[at]["response"]["content"].clone();

    assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), text);
    assert_eq!((&content(0)["size"], &content(0)["text"]), (&json!(100), &json!(&text[..20])));
    assert_eq!(content(0)["comment"], "cut: 20 of 100 bytes are recorded");

    let mut response = client.get(server.url("/")).send().unwrap();
    response.read_exact(&mut [0; 5]).unwrap();
    assert_eq!((&content(1)["text"], &content(1)["size"]), (&json!("01234"), &json!(5)));
    assert_eq!(content(1)["comment"], "cut: it is being read");
    drop(response);
    assert_eq!(content(1)["comment"], "cut: it was not read to its end");

    drop(client.get(server.url("/")).send().unwrap());
    assert_eq!((&content(2)["size"], &content(2)["_truncated"]), (&json!(0), &json!(true)));
}

#[test]
fn without_bodies_only_their_sizes_are_recorded() {
    let server = Script::serve(vec![answer(ok("hello"))]);
    let recorder = Recorder::new();
    let client = recording(&recorder).build().unwrap();
    client.post(server.url("/")).body("s3cret").send().unwrap().text().unwrap();
    let entries = entries(&recorder);
    assert!(entries[0]["request"].get("postData").is_none());
    let content = &entries[0]["response"]["content"];
    assert_eq!(content, &json!({"size": 5, "mimeType": ""}));
}

#[test]
fn a_coded_body_is_recorded_decoded_with_both_sizes() {
    let text = "again and ".repeat(100);
    let coded = gzipped(text.as_bytes());
    let fields = "content-encoding: gzip\r\ncontent-type: text/plain\r\n";
    let server = Script::serve(vec![answer(with_head(fields, &coded)); 2]);
    let recorder = Recorder::new().bodies(1 << 20);
    let client = recording(&recorder).pool_max_idle(0).build().unwrap();
    assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), text);
    let undecoded = client.get(server.url("/")).gzip(false).send().unwrap().bytes().unwrap();
    assert_eq!(undecoded, coded);
    let recorded = entries(&recorder);
    let response = &recorded[0]["response"];
    assert_eq!(response["bodySize"], coded.len());
    assert_eq!(response["content"]["size"], text.len());
    assert_eq!(response["content"]["compression"], text.len() - coded.len());
    assert_eq!(response["content"]["text"], text);
    assert_eq!(recorded[1]["response"]["content"]["encoding"], "base64");

    // Both are replayed as they were delivered.
    let replay = replay_of(&recorder);
    let client = Client::builder().middleware(replay).build().unwrap();
    let response = client.get(server.url("/")).send().unwrap();
    assert!(!response.headers().contains_key("content-encoding"));
    assert_eq!(response.text().unwrap(), text);
    let response = client.get(server.url("/")).send().unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.bytes().unwrap(), coded);
}

#[test]
fn secrets_are_not_recorded_unless_asked_for() {
    let head = "HTTP/1.1 302 Found\r\nset-cookie: sid=s3cret; Path=/; HttpOnly\r\n\
        location: /next?token=s3cret#id_token=s3cret\r\ncontent-length: 0\r\nx-auth-token: s3cret\r\n\r\n";
    let run = |recorder: &Recorder| {
        let server = Script::serve(vec![[answer(head), answer(ok(""))].concat()]);
        let client = recording(recorder).cookie_store(true).build().unwrap();
        let url = server.url("/?api_key=s3cret&a=1").replace("http://", "http://user:s3cret@");
        let request = client.get(url).header("x-api-key", "s3cret").header("cookie", "own=s3cret");
        request.send().unwrap().text().unwrap();
        let mut file = Vec::new();
        recorder.write_to(&mut file).unwrap();
        String::from_utf8(file).unwrap()
    };
    let hidden = Recorder::new();
    let file = run(&hidden);
    assert!(!file.contains("s3cret"), "{file}");
    let entries = entries(&hidden);
    let cookies = json!([{"name": "own", "value": "REDACTED"}]);
    assert_eq!(entries[0]["request"]["cookies"], cookies);
    let set = json!([{"name": "sid", "value": "REDACTED", "path": "/", "httpOnly": true}]);
    assert_eq!(entries[0]["response"]["cookies"], set);
    assert_eq!(entries[0]["response"]["redirectURL"], "/next?token=REDACTED#id_token=REDACTED");
    assert!(file.contains("Basic REDACTED"), "{file}");
    let shown = run(&Recorder::new().with_secrets());
    assert!(shown.matches("s3cret").count() > 6 && !shown.contains("REDACTED"), "{shown}");
}

#[test]
fn entries_are_bounded_and_those_left_out_are_counted() {
    let server = Script::serve(vec![[answer(ok("")), answer(ok("")), answer(ok(""))].concat()]);
    let recorder = Recorder::new().max_entries(1);
    let client = recording(&recorder).build().unwrap();
    for _ in 0..3 {
        client.get(server.url("/")).send().unwrap().text().unwrap();
    }
    assert_eq!((recorder.len(), recorder.left_out()), (1, 2));
    assert_eq!(entries(&recorder).len(), 1);
    let mut file = Vec::new();
    recorder.write_to(&mut file).unwrap();
    assert!(String::from_utf8(file).unwrap().contains("2 more attempts were not recorded"));
    recorder.clear();
    assert!(recorder.is_empty());
}

#[test]
fn saving_replaces_a_file_by_one_that_only_its_owner_can_read() {
    let path = some_path();
    fs::write(&path, "old").unwrap();
    Recorder::new().save(&path).unwrap();
    assert_eq!(Replay::open(&path).unwrap().unused(), [""; 0]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    fs::remove_file(&path).unwrap();
    let nowhere = path.join("file.har");
    assert!(Recorder::new().save(nowhere).is_err());
    fs::create_dir(&path).unwrap(); // a folder cannot be replaced
    assert!(Recorder::new().save(&path).is_err());
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let beside = fs::read_dir(path.parent().unwrap()).unwrap().map(|it| it.unwrap().file_name());
    let left: Vec<_> =
        beside.filter(|it| it.to_str().is_some_and(|it| it.starts_with(&name))).collect();
    assert_eq!(left, [&*name], "nothing is left beside it");
    fs::remove_dir(&path).unwrap();
}

#[test]
fn a_writer_that_fails_or_panics_leaves_the_recorder_usable() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            panic!("a writer that panics");
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let recorder = Recorder::new();
    let client = recording(&recorder).build().unwrap();
    client.get(format!("http://{}/", refused())).send().unwrap_err();
    assert!(recorder.write_to(&mut [0; 40][..]).is_err());
    catch_unwind(AssertUnwindSafe(|| recorder.write_to(Broken))).unwrap_err();
    assert_eq!(entries(&recorder).len(), 1);
}

// Replay.

fn replay_of(recorder: &Recorder) -> Replay {
    let mut file = Vec::new();
    recorder.write_to(&mut file).unwrap();
    Replay::read(&file[..]).unwrap()
}

/// A file with these entries: method, URL, body of the request, status, fields and text of the response.
fn file(entries: &[(&str, &str, &str, u16, Value, &str)]) -> Replay {
    let entries: Vec<_> = entries.iter().map(|(method, url, body, status, fields, text)| {
        let fields: Vec<_> = fields.as_object().unwrap().iter()
            .map(|(name, value)| json!({"name": name, "value": value})).collect();
        let mut request = json!({"method": method, "url": url, "bodySize": body.len()});
        if !body.is_empty() {
            request["postData"] = json!({"mimeType": "", "text": body});
        }
        let content = json!({"size": text.len(), "text": text});
        json!({"request": request, "response": {"status": status, "statusText": "Why", "headers": fields, "content": content}})
    }).collect();
    let file = json!({"log": {"entries": entries}}).to_string();
    Replay::read(file.as_bytes()).unwrap()
}

fn playing(replay: &Replay) -> Client {
    Client::builder().middleware(replay.clone()).cookie_store(true).build().unwrap()
}

#[test]
fn a_recorded_call_is_replayed_without_a_server() {
    let fields = "content-type: text/plain; charset=iso-8859-1\r\nx-a: 1\r\nx-a: 2\r\n";
    let hop = "HTTP/1.1 303 See Other\r\nset-cookie: sid=1\r\nlocation: /home?token=t\r\ncontent-length: 0\r\n\r\n";
    let page = vec![Step::ExpectRequest, send(with_head(fields, b"caf\xe9"))];
    let server = Script::serve(vec![[answer(hop), page].concat()]);
    let recorder = Recorder::new().bodies(1 << 20);
    let run = |client: Client, token: &str| {
        let response = client.post(server.url("/login")).body("user=1").send().unwrap();
        assert_eq!(response.url().as_str(), server.url("/home?token=") + token);
        assert_eq!(response.reason(), "OK");
        assert_eq!(response.headers().get_all("x-a").iter().count(), 2);
        let command = response.to_curl().unwrap();
        assert!(
            command.contains("/home?token=REDACTED") && command.contains("Cookie"),
            "{command}"
        );
        assert_eq!(response.bytes().unwrap(), &b"caf\xe9"[..]);
    };
    run(recording(&recorder).cookie_store(true).build().unwrap(), "t");
    server.join();
    let replay = replay_of(&recorder);
    assert_eq!(replay.unused().len(), 2);
    run(playing(&replay), "REDACTED"); // the file has no secret
    assert_eq!(replay.unused(), [""; 0]);
}

#[test]
fn requests_match_by_method_url_and_body_in_order() {
    let url = "http://a.test/x";
    let none = || json!({});
    let replay = file(&[
        ("GET", url, "", 200, none(), "first"),
        ("POST", url, "a", 200, none(), "a"),
        ("POST", url, "b", 200, none(), "b"),
        ("GET", url, "", 200, none(), "second"),
        ("DELETE", "http://a.test/x?y=1", "", 204, none(), ""),
    ]);
    let client = playing(&replay);
    let text =
        |request: leanhttp::blocking::RequestBuilder| request.send().unwrap().text().unwrap();
    assert_eq!(text(client.post(url).body("b")), "b");
    assert_eq!(text(client.get(url)), "first");
    assert_eq!(text(client.get("http://a.test/x#fragment")), "second");
    assert_eq!(replay.unused(), ["POST http://a.test/x", "DELETE http://a.test/x?y=1"]);
    let rows = [
        (
            client.get(url),
            "GET http://a.test/x is recorded several times, and was replayed as often already",
        ),
        (
            client.post(url).body("c"),
            "POST http://a.test/x with a body of 1 bytes is not recorded: entry 2 has another body",
        ),
        (
            client.put(url),
            "PUT http://a.test/x is not recorded: nearest is entry 1, GET http://a.test/x",
        ),
        (
            client.get("http://a.test/x?y=2&token=s3cret"),
            "GET http://a.test/x?y=2&token=REDACTED is not recorded: nearest is entry 5, DELETE http://a.test/x?y=1",
        ),
    ];
    for (request, expected) in rows {
        let error = request.send().unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Middleware, expected));
        assert!(error.to_curl().is_some());
    }
    let error = playing(&file(&[])).get(url).send().unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET http://a.test/x is not recorded: the HAR file has no response"
    );
}

#[test]
fn redirects_cookies_and_refusals_are_as_over_the_network() {
    let (a, b) = ("http://a.test/", "http://a.test/b");
    let hop = || json!({"Location": "/b", "Set-Cookie": "sid=1\nother=2"});
    let entries = [
        ("GET", a, "", 302, hop(), ""),
        ("GET", b, "", 200, json!({}), "end"),
        ("GET", a, "", 302, hop(), "why"),
        ("GET", a, "", 302, hop(), "why"),
    ];
    let replay = file(&entries);
    let client = playing(&replay);
    let response = client.get(a).send().unwrap();
    assert_eq!((response.url().as_str(), response.history().len()), (b, 1));
    let command = response.to_curl_with_secrets().unwrap();
    assert!(command.contains("Cookie: sid=1; other=2"), "{command}");
    let stopped = Client::builder().redirect(redirect::Policy::none()).middleware(replay.clone());
    assert_eq!(stopped.build().unwrap().get(a).send().unwrap().status(), 302);
    let refused =
        Client::builder().redirect(redirect::Policy::limited(0)).middleware(replay.clone());
    let error = refused.build().unwrap().get(a).send().unwrap_err();
    assert_eq!((error.kind(), error.status()), (Kind::Redirect, Some(StatusCode::FOUND)));
    assert!(error.to_curl().unwrap().ends_with("http://a.test/"));
    assert_eq!(replay.unused(), [""; 0]);
}

#[test]
fn what_is_not_recorded_passes_through_if_not_strict() {
    let server = Script::serve(vec![answer(ok("network")), moved(302, "/b"), answer(ok("b"))]);
    let url = server.url("/a");
    let replay = file(&[("GET", &url, "", 302, json!({"Location": "/gone"}), "")]).strict(false);
    let client = Client::builder().middleware(replay.clone()).pool_max_idle(0).build().unwrap();
    assert_eq!(client.get(server.url("/other")).send().unwrap().text().unwrap(), "network");
    // A chain of which a part is missing is the network's as a whole.
    assert_eq!(client.get(&url).send().unwrap().text().unwrap(), "b");
    assert_eq!(replay.unused().len(), 1, "it has answered nothing");
}

#[test]
fn a_body_that_was_cut_is_not_replayed_as_if_it_were_whole() {
    let server = Script::serve(vec![answer(ok("0123456789")), answer(ok("0123456789"))]);
    for (most, reason) in [(4, "cut: 4 of 10 bytes are recorded"), (0, "it was not recorded")] {
        let recorder = Recorder::new().bodies(most);
        let client = recording(&recorder).pool_max_idle(0).build().unwrap();
        client.get(server.url("/")).send().unwrap().text().unwrap();
        let error = playing(&replay_of(&recorder)).get(server.url("/")).send().unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn a_file_that_is_no_har_file_is_an_error_that_says_where() {
    let rows = [
        ("", "not a HAR file"),
        ("[]", "no log.entries"),
        (r#"{"log": {"entries": [{}]}}"#, "entry 1 of the HAR file: it has no request"),
        (
            r#"{"log": {"entries": [{"request": {}, "response": {"status": 200}}]}}"#,
            "entry 1 of the HAR file: it has no request.method",
        ),
        (
            r#"{"log": {"entries": [{"request": {"method": "GET", "url": "http://a/"}, "response":
             {"status": 200, "content": {"text": "%", "encoding": "base64"}}}]}}"#,
            "entry 1 of the HAR file: a body is not valid base64",
        ),
        (
            r#"{"log": {"entries": [{"request": {"method": "GET", "url": "http://a/"}, "response":
             {"status": 200, "headers": [{"name": "a b", "value": ""}]}}]}}"#,
            "entry 1 of the HAR file: a name in response.headers",
        ),
    ];
    for (text, expected) in rows {
        let error = Replay::read(text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(Replay::open("no such file").unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_cassette_is_recorded_once_and_then_replayed() {
    let path = some_path();
    let server = Script::serve(vec![answer(ok("hello"))]);
    for is_recording in [true, false] {
        let cassette = Cassette::open(&path).unwrap();
        assert_eq!(cassette.is_recording(), is_recording);
        let client = Client::builder().cassette(&cassette).build().unwrap();
        assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "hello");
        assert_eq!(cassette.unused(), [""; 0]);
    }
    assert_eq!(server.accepted(), 1);
    fs::remove_file(path).unwrap();
}

#[test]
fn a_test_that_fails_saves_no_cassette() {
    let path = some_path();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _cassette = Cassette::open(&path).unwrap();
        panic!("a test that fails");
    }));
    assert!(panicked.is_err() && !path.exists());
    fs::write(&path, "{}").unwrap();
    assert!(Cassette::open(&path).is_err(), "a file that is something else is not recorded over");
    assert_eq!(fs::read(&path).unwrap(), b"{}");
    fs::remove_file(path).unwrap();
}

#[test]
fn an_answer_that_switches_protocols_is_whole() {
    let offer = "GET / HTTP/1.1\r\n";
    let switch = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: own\r\n\r\n";
    let script: Connection = vec![expect(offer), Step::ExpectHead, send(switch), Step::Silent];
    let server = Script::serve(vec![script]);
    let recorder = Recorder::new();
    let client = recording(&recorder).build().unwrap();
    let request =
        client.get(server.url("/")).header("connection", "upgrade").header("upgrade", "own");
    let response = request.send().unwrap();
    assert_eq!(response.status(), 101);
    drop(response);
    let entries = entries(&recorder);
    assert_eq!(statuses(&entries), [101]);
    assert_eq!(replay_of(&recorder).unused(), [""; 0], "it is no answer");
}
