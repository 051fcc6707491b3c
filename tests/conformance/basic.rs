//! Basic credentials in requests.

use leanhttp::Client;
use serde_json::json;

use super::peer::Peer;
use super::support::{self, Outcome};

#[test]
fn basic() {
    support::run("misc/basic", |case| {
        let peer = Peer::start(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec());
        let client = Client::builder().resolve("h.example", peer.addr).build().unwrap();
        let request = match (case["url"].as_str(), case["username"].as_str()) {
            (Some(url), _) => client.get(url),
            (None, name) => {
                client.get("http://h.example/").basic_auth(name.unwrap(), case["password"].as_str())
            }
        };
        if let Err(error) = request.send() {
            assert!(error.is_builder(), "{error}");
            return Outcome::of(case, &json!({"error": "invalid-credentials"}));
        }
        drop(client);
        let request = String::from_utf8(peer.received().unwrap()).unwrap();
        let (line, rest) = request.split_once("\r\n").unwrap();
        assert_eq!((line, rest.contains("host: h.example\r\n")), ("GET / HTTP/1.1", true));
        let sent = rest.lines().find_map(|line| line.strip_prefix("authorization: "));
        Outcome::of(case, &json!({"authorization": sent}))
    });
}
