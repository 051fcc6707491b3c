//! `to_curl`: the command, run by a POSIX shell with the real curl, sends what the client sends.
//!
//! Without curl these tests are skipped, except where the variable `CI` is set.
#![cfg(all(
    unix,
    feature = "export",
    feature = "blocking",
    feature = "json",
    feature = "gzip",
    feature = "tls"
))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leanhttp::blocking::{Client, RequestBuilder};
use leanhttp::header::{HeaderName, HeaderValue};
use leanhttp::{Method, Url};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use support::script::{Script, answer, ok};

/// A request as a server has received it: the request line, the fields in any order, the body.
#[derive(Debug, PartialEq)]
struct Received {
    line: String,
    fields: BTreeSet<Vec<u8>>,
    body: Vec<u8>,
}

impl Received {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let mut lines = bytes[..end].split(|byte| *byte == b'\n').map(|line| line.trim_ascii_end());
        let line = String::from_utf8(lines.next().unwrap().to_vec()).unwrap();
        let fields = lines.map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').unwrap();
            let (name, value) = line.split_at(colon);
            [&name.to_ascii_lowercase(), b": ".as_slice(), value[1..].trim_ascii()].concat()
        });
        Self { line, fields: fields.collect(), body: bytes[end + 4..].to_vec() }
    }

    fn value(&self, name: &str) -> Option<String> {
        let start = format!("{}: ", name.to_ascii_lowercase()).into_bytes();
        let field = self.fields.iter().find(|field| field.starts_with(&start))?;
        Some(String::from_utf8_lossy(&field[start.len()..]).into_owned())
    }
}

fn has_curl() -> bool {
    let found = Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "curl is not installed");
    if !found {
        eprintln!("skipped: curl is not installed");
    }
    found
}

/// Runs a command with an empty environment, so that no file of settings is read, and returns what the server at
/// its end receives.
fn run(command: &str, server: &Script) -> Received {
    let mut shell = Command::new("sh");
    shell.env_clear().env("PATH", "/usr/bin:/bin:/usr/local/bin");
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    // By its input, because an argument of a program has a limit.
    shell.stdin.take().unwrap().write_all(command.as_bytes()).unwrap();
    let output = shell.wait_with_output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    Received::parse(&server.received(0))
}

fn server() -> Script {
    Script::serve(vec![answer(ok(""))])
}

/// The parts of a random request.
#[derive(Debug)]
struct Parts {
    method: &'static str,
    target: String,
    fields: Vec<(&'static str, Vec<u8>)>,
    body: Option<Vec<u8>>,
    auth: bool,
}

fn parts() -> impl Strategy<Value = Parts> {
    let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"];
    let names = [
        "x-one",
        "content-type",
        "accept",
        "user-agent",
        "if-none-match",
        "cookie",
        "accept-encoding",
    ];
    let value = prop::collection::vec(
        prop_oneof![4 => 0x20_u8..0x7f, 1 => Just(b'\''), 1 => Just(b'$'), 1 => 0x80_u8..=0xff],
        0..12,
    );
    let value = value.prop_map(|value| value.trim_ascii().to_vec());
    let body = prop_oneof![
        "[ -~\n\t\u{e4}']{0,40}".prop_map(String::into_bytes),
        "@/etc/passwd|@-|--output x|''|\\\\|%s%n".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..60),
    ];
    (
        prop::sample::select(methods.to_vec()),
        "/[a-z0-9!$&'()*+,;=:@%~_.{}|^`\\[\\] -]{0,12}(\\?[a-z0-9!$&'()*+,;=:@/?_.{}\\[\\] -]{0,12})?",
        prop::collection::vec((prop::sample::select(names.to_vec()), value), 0..4),
        prop::option::of(body),
        any::<bool>(),
    )
        .prop_map(|(method, target, fields, body, auth)| Parts { method, target, fields, body, auth })
}

fn build(client: &Client, base: &str, parts: &Parts) -> RequestBuilder {
    let url = format!("{}{}", base.trim_end_matches('/'), parts.target);
    let mut request = client.request(parts.method.parse().unwrap(), url);
    for (name, value) in &parts.fields {
        request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
    }
    if parts.auth {
        request = request.basic_auth("user", Some("it's a $word"));
    }
    match &parts.body {
        Some(body) => request.body(body.clone()),
        None => request,
    }
}

/// As many random requests as `LEANHTTP_CURL_REQUESTS` says, 60 by default.
#[test]
fn curl_sends_what_the_client_sends() {
    if !has_curl() {
        return;
    }
    let cases = std::env::var("LEANHTTP_CURL_REQUESTS").map_or(60, |cases| cases.parse().unwrap());
    let client = Client::new();
    let mut runner =
        TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let result = runner.run(&parts(), |parts| {
        let ours = server();
        let request = build(&client, &ours.url("/"), &parts);
        let Ok(command) = request.to_curl_with_secrets() else {
            return Err(TestCaseError::reject("not a valid request"));
        };
        request.send().unwrap();
        let sent = Received::parse(&ours.received(0));
        let theirs = server();
        let ports = [&ours, &theirs].map(|server| server.addr().port().to_string());
        let command =
            command.replace(&format!("127.0.0.1:{}", ports[0]), &format!("127.0.0.1:{}", ports[1]));
        let mut received = run(&command, &theirs);
        let host = |port: &str| format!("host: 127.0.0.1:{port}").into_bytes();
        prop_assert!(received.fields.remove(&host(&ports[1])), "{command}");
        received.fields.insert(host(&ports[0]));
        prop_assert_eq!(sent, received, "{}", command);
        Ok(())
    });
    result.unwrap();
}

#[test]
fn a_body_that_is_too_long_for_an_argument_is_sent_whole() {
    if !has_curl() {
        return;
    }
    for body in ["it's text\n".repeat(220_000).into_bytes(), vec![0xff; 2 << 20]] {
        let server = server();
        let request = Client::new().post(server.url("/")).body(body.clone());
        let received = run(&request.to_curl().unwrap(), &server);
        assert!(received.body == body && received.value("expect").is_none());
    }
}

#[test]
fn secrets_of_the_client_are_hidden_unless_asked_for() {
    let secret = || {
        let mut value = HeaderValue::from_static("s3cret");
        value.set_sensitive(true);
        value
    };
    let fields = [(HeaderName::from_static("x-default"), secret())];
    let client = Client::builder()
        .default_headers(fields.into_iter().collect())
        .basic_auth("user", Some("s3cret"))
        .build()
        .unwrap();
    let request = client.get("http://a.test/?token=s3cret").header("x-own", secret());
    let (hidden, shown) = (request.to_curl().unwrap(), request.to_curl_with_secrets().unwrap());
    let encoded = STANDARD.encode("user:s3cret");
    assert!(!hidden.contains("s3cret") && !hidden.contains(&encoded), "{hidden}");
    assert_eq!(hidden.matches("REDACTED").count(), 4, "{hidden}");
    assert!(shown.matches("s3cret").count() == 3 && shown.contains(&encoded), "{shown}");
}

#[test]
fn an_invalid_request_is_no_command() {
    let error = Client::new().get("no url").to_curl().unwrap_err();
    assert!(error.is_builder() && error.to_string().contains("URL"), "{error}");
}

/// Each vector: the command is run, and the server receives what the vector expects.
#[test]
fn vectors() {
    let Some(folder) = std::env::var_os("LEANHTTP_VECTORS") else {
        eprintln!("skipped: LEANHTTP_VECTORS is not set");
        return;
    };
    if !has_curl() {
        return;
    }
    let file = std::fs::read(Path::new(&folder).join("export/curl_export.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() > 50);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let (request, expected) = (&case["request"], &case["expect"]);
        let server = server();
        let host = server.addr().to_string();
        let url = request["url"].as_str().unwrap().replace("{host}", &host);
        let command = request_of(request, &url, case["reveal_secrets"].as_bool().unwrap());
        let received = run(&command, &server);
        let line = format!("{} {} HTTP/1.1", text(&expected["method"]), text(&expected["target"]));
        // A target of the URL parser's spelling is as good: a quote in a query is escaped.
        assert!(
            received.line == line || received.line == normalized(&line, &url),
            "{name}: {command}"
        );
        for field in expected["headers"].as_array().unwrap() {
            assert_eq!(
                received.value(text(&field[0])).as_deref(),
                Some(text(&field[1])),
                "{name}: {command}"
            );
        }
        if let Some(body) = expected["body"].as_str() {
            assert_eq!(STANDARD.encode(&received.body), body, "{name}: {command}");
        }
        for part in expected["in_command"].as_array().into_iter().flatten() {
            assert!(command.contains(text(part)), "{name}: {command}");
        }
        for part in expected["not_in_command"].as_array().into_iter().flatten() {
            assert!(!command.contains(text(part)), "{name}: {command}");
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn normalized(line: &str, url: &str) -> String {
    let url = Url::parse(url).unwrap();
    let target = url
        .query()
        .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let method = line.split(' ').next().unwrap();
    format!("{method} {target} HTTP/1.1")
}

fn request_of(request: &Value, url: &str, with_secrets: bool) -> String {
    let method: Method = text(&request["method"]).parse().unwrap();
    let mut builder = Client::new().request(method, url);
    for field in request["headers"].as_array().unwrap() {
        let mut value: HeaderValue = text(&field[1]).parse().unwrap();
        let sensitive = request["sensitive"].as_array();
        value.set_sensitive(sensitive.is_some_and(|names| names.contains(&field[0])));
        builder = builder.header(text(&field[0]), value);
    }
    if let Some(body) = request["body"].as_str() {
        builder = builder.body(STANDARD.decode(body).unwrap());
    }
    let command = if with_secrets { builder.to_curl_with_secrets() } else { builder.to_curl() };
    command.unwrap()
}
