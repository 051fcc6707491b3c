//! `multipart/form-data`.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leanhttp::Client;
use leanhttp::multipart::{Form, Part};
use serde_json::{Value, json};

use super::support::{self, Outcome};

#[test]
fn multipart() {
    support::run("misc/multipart", |case| {
        let request = Client::new().post("http://example.org/").multipart(form(case)).build();
        let Ok(request) = request else {
            return Outcome::of(case, &json!({"error_or_new_boundary": true}));
        };
        let mut body = Vec::new();
        form(case).into_reader().read_to_end(&mut body).unwrap();
        let actual = json!({
            "content_type": request.headers()["content-type"].to_str().unwrap(),
            "body_b64": STANDARD.encode(&body),
            "content_length": body.len(),
        });
        Outcome::of(case, &actual)
    });
}

fn form(case: &Value) -> Form {
    let form = Form::new().with_boundary(case["boundary"].as_str().unwrap()).unwrap();
    case["parts"].as_array().unwrap().iter().fold(form, |form, part| {
        form.part(part["name"].as_str().unwrap().to_owned(), self::part(part))
    })
}

fn part(given: &Value) -> Part {
    let mut part = Part::bytes(STANDARD.decode(given["body_b64"].as_str().unwrap()).unwrap());
    if let Some(file_name) = given["fn"].as_str() {
        part = part.file_name(file_name.to_owned());
    }
    match given["ctp"].as_str() {
        Some(media_type) => part.mime_str(media_type).unwrap(),
        None => part,
    }
}

#[test]
fn boundary() {
    support::run("misc/multipart_boundary", |case| {
        let form: Result<Form, _> = Form::new().with_boundary(case["boundary"].as_str().unwrap());
        Outcome::of(case, &json!({"ok": form.is_ok()}))
    });
}
