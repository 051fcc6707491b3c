//! Media types, and the decoding of texts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde_json::{Map, Value, json};

use super::bytes;
use super::support::{self, Outcome};
use crate::coding::charset;
use crate::fields::media_type::MediaType;

#[test]
fn mime_type() {
    support::run("misc/mime_type", |case| {
        let Some(input) = bytes(&case["input"]) else {
            // The MIME Sniffing Standard parses characters, these two beyond U+00FF; RFC 9110 §5.5
            // makes a field value of bytes, which cannot contain either.
            return Outcome::Skipped("RFC 9110 §5.5: no field value holds such a character");
        };
        let media_type = MediaType::parse(&input);
        let Some(expected) = case["expect"].as_object() else {
            return Outcome::of(case, &json!(media_type.map(|found| found.essence)));
        };
        let Some(found) = media_type else { return Outcome::Failed("none".to_owned()) };
        let said = said(&found);
        let differs = |(key, want): (&String, &Value)| said.get(key).is_some_and(|is| is != want);
        match expected.iter().any(differs) {
            true => Outcome::Failed(format!("{said:?}")),
            false => Outcome::Passed,
        }
    });
}

#[test]
fn text_decode() {
    // The caller gets the text and not the encoding.
    support::run_except("misc/text_decode", &["/expect/encoding"], |case| {
        let content_type = HeaderValue::from_str(case["content_type"].as_str().unwrap()).unwrap();
        let body = STANDARD.decode(case["body_b64"].as_str().unwrap()).unwrap();
        let text = charset::decode(body, Some(content_type.as_bytes()), "utf-8");
        match case["expect"]["text"] == text {
            true => Outcome::Passed,
            false => Outcome::Failed(text),
        }
    });
}

/// Returns all facts about a media type that a case may expect.
fn said(media_type: &MediaType) -> Map<String, Value> {
    let charset = media_type.parameter("charset");
    let mut said = Map::new();
    said.insert("essence".to_owned(), json!(media_type.essence));
    said.insert("serialized".to_owned(), json!(serialized(media_type)));
    said.insert("charset".to_owned(), json!(charset));
    said.insert("encoding".to_owned(), {
        let label = charset.map(str::as_bytes);
        json!(label.and_then(encoding_rs::Encoding::for_label).map(|encoding| encoding.name()))
    });
    said
}

/// Serializes a media type (WHATWG MIME Sniffing §4.5).
fn serialized(media_type: &MediaType) -> String {
    let is_token = |value: &str| !value.is_empty() && value.bytes().all(crate::fields::is_tchar);
    let mut text = media_type.essence.clone();
    for (name, value) in &media_type.parameters {
        match is_token(value) {
            true => text += &format!(";{name}={value}"),
            false => {
                let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
                text += &format!(";{name}=\"{escaped}\"");
            }
        }
    }
    text
}
