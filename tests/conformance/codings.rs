//! Content codings, over a real socket.

use leanhttp::{Client, Response};
use serde_json::{Value, json};

use super::errors::is_named;
use super::peer::Peer;
use super::support::{self, Outcome};
use super::text::base64;

const ONE_MB: u64 = 1024 * 1024;

#[test]
fn content_encoding() {
    // Memory is measured by `tests/hostile_size.rs`.
    support::run_except("misc/content_encoding", &["/expect/memory_bounded"], |case| {
        let body = base64(&case["body_b64"]);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {}\r\nContent-Length: {}\r\n\r\n",
            case["content_encoding"].as_str().unwrap(),
            body.len(),
        );
        let peer = Peer::start([head.into_bytes(), body].concat());
        let client = Client::builder().body_limit(ONE_MB).build().unwrap();
        let response = client.get(format!("http://{}/", peer.addr)).send();
        match case["expect"].get("with_limit_1MB") {
            Some(expected) => over_the_limit(expected, response),
            None => decoded(case, response),
        }
    });
}

fn decoded(case: &Value, response: leanhttp::Result<Response>) -> Outcome {
    let said = case["content_encoding"].as_str().unwrap();
    let is_unknown = ["identity", "bogus", ""].contains(&said);
    match response.and_then(|response| Ok((kept(&response), response.bytes()?))) {
        Ok((kept, body)) => {
            let expected = case["expect"].get("body_b64").map(base64);
            match expected.as_deref() == Some(&body) && (kept == is_unknown || body.is_empty()) {
                true => Outcome::Passed,
                false => Outcome::Failed(format!("{kept} {}", body.escape_ascii())),
            }
        }
        Err(error) if error.is_decode() => Outcome::of(case, &json!({"error": "decode"})),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// Returns whether the response still has its `Content-Encoding`.
fn kept(response: &Response) -> bool {
    response.headers().contains_key("content-encoding")
}

fn over_the_limit(expected: &Value, response: leanhttp::Result<Response>) -> Outcome {
    let error = response.and_then(Response::bytes).unwrap_err();
    match is_named(&error, expected["error"].as_str().unwrap()) {
        true => Outcome::Passed,
        false => Outcome::Failed(error.to_string()),
    }
}
