//! Responses to `CONNECT`: the fields and the first bytes of the tunnel, which no caller sees, as
//! the machine under the tunnel reads them.

use http::Method;
use serde_json::{Value, json};

use super::support::{self, Outcome};
use crate::http1::exchange::{BodyStep, Ending, Exchange, Expectation, Outgoing, Step};
use crate::http1::limits::Limits;

#[test]
fn tunnels() {
    // A machine without its connection is not reused.
    support::run_except("responses/rfc-no-body", &["/expect/reusable"], |case| {
        if case["request_method"] != "CONNECT" {
            return Outcome::Skipped("not a tunnel");
        }
        let raw = base64(&case["raw"]);
        let splits = (1..raw.len()).map(|at| raw.split_at(at)).map(|(one, two)| vec![one, two]);
        for pieces in splits.chain([vec![&*raw], raw.chunks(1).collect()]) {
            let actual = talk(&pieces);
            if !support::accepted(case).any(|expected| agrees(expected, &actual)) {
                return Outcome::Failed(actual.to_string());
            }
        }
        Outcome::Passed
    });
}

fn agrees(expected: &Value, actual: &Value) -> bool {
    let mut stated = expected.as_object().unwrap().iter();
    stated.all(|(key, wanted)| key == "reusable" || *wanted == actual[key])
}

/// Returns the outcome of these pieces, in the shape of an expectation.
fn talk(pieces: &[&[u8]]) -> Value {
    let mut exchange = Exchange::new(&Limits::default());
    let write_head =
        |out: &mut crate::base::buffer::Buffer| out.push(b"CONNECT h:1 HTTP/1.1\r\n\r\n");
    exchange.start(Method::CONNECT, Outgoing::None, Expectation::None, write_head);
    exchange.wrote(exchange.output().len());
    let mut head = None;
    for piece in pieces {
        exchange.received(piece);
        if let (None, Ok(Step::Head(found))) = (&head, exchange.step()) {
            head = Some(found);
        }
    }
    exchange.read_eof(Ending::Clean);
    let head = head.unwrap();
    let fields = head.headers.map().iter();
    let headers: Vec<_> = fields
        .map(|(name, value)| json!([spelled(name.as_str()), value.to_str().unwrap()]))
        .collect();
    if head.status.is_success() {
        let tunnel = exchange.leftover().to_vec();
        return json!({
            "status": head.status.as_u16(), "headers": headers, "tunnel": true,
            "tunnel_bytes_b64": encoded(&tunnel), "body_b64": "",
        });
    }
    let (mut body, mut piece) = (Vec::new(), [0; 64]);
    while let BodyStep::Data(count) = exchange.read_body(&mut piece).unwrap() {
        body.extend_from_slice(&piece[..count]);
    }
    json!({"status": head.status.as_u16(), "headers": headers, "body_b64": encoded(&body)})
}

/// Capitalizes each word of a name, as in the vectors.
fn spelled(name: &str) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}

fn base64(text: &Value) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text.as_str().unwrap()).unwrap()
}

fn encoded(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
