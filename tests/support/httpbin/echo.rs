//! The members of httpbin's usual response, which describes the request.

use serde_json::{Map, Value, json};

use super::form::{self, Part};
use super::message::Request;
use super::routes::Context;

/// A JSON object with these members.
pub fn members(
    request: &Request,
    context: &Context,
    members: &[&str],
) -> Result<Map<String, Value>, &'static str> {
    let content = Content::of(request)?;
    let member = |name: &str| match name {
        "args" => grouped(request.query.iter().cloned()),
        "headers" => headers(request),
        "origin" => json!(context.origin),
        "url" => json!(context.base_url(request) + &request.target),
        "method" => json!(request.method),
        "data" => json!(content.data),
        "form" => content.form.clone(),
        "files" => content.files.clone(),
        "json" => content.json.clone(),
        _ => Value::Null,
    };
    Ok(members.iter().map(|name| ((*name).to_owned(), member(name))).collect())
}

/// The members of a response that come from the request's body.
#[derive(Default)]
struct Content {
    data: String,
    form: Value,
    files: Value,
    json: Value,
}

impl Content {
    fn of(request: &Request) -> Result<Content, &'static str> {
        let nothing = || grouped([].into_iter());
        let content_type = request.value("content-type").unwrap_or_default();
        if content_type.starts_with("application/x-www-form-urlencoded") {
            let form = grouped(form::parse_urlencoded(&request.body).into_iter());
            return Ok(Content { form, files: nothing(), ..Content::default() });
        }
        if content_type.starts_with("multipart/form-data") {
            let parts = form::parse_multipart(content_type, &request.body)?;
            let (files, texts): (Vec<Part>, Vec<Part>) =
                parts.into_iter().partition(|part| part.filename.is_some());
            let grouped_parts = |parts: Vec<Part>| {
                grouped(parts.into_iter().map(|part| {
                    let content = text_or_data_url(&part.content, part.content_type.as_deref());
                    (part.name, content)
                }))
            };
            let (form, files) = (grouped_parts(texts), grouped_parts(files));
            return Ok(Content { form, files, ..Content::default() });
        }
        Ok(Content {
            data: text_or_data_url(&request.body, None),
            form: nothing(),
            files: nothing(),
            json: serde_json::from_slice(&request.body).unwrap_or(Value::Null),
        })
    }
}

/// Names in the case that WSGI servers give them; values of equal names are joined by a comma.
fn headers(request: &Request) -> Value {
    let mut headers = Map::new();
    for (name, value) in &request.fields {
        let name = title_case(name);
        let joined = match headers.get(&name).and_then(Value::as_str) {
            Some(earlier) => format!("{earlier},{value}"),
            None => value.clone(),
        };
        headers.insert(name, json!(joined));
    }
    Value::Object(headers)
}

/// An object; a name with several values gets a list.
pub fn grouped(pairs: impl Iterator<Item = (String, String)>) -> Value {
    let mut object = Map::new();
    for (name, value) in pairs {
        match object.get_mut(&name) {
            None => {
                object.insert(name, json!(value));
            }
            Some(Value::Array(values)) => values.push(json!(value)),
            Some(first) => *first = json!([first.clone(), value]),
        }
    }
    Value::Object(object)
}

fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    });
    words.collect::<Vec<_>>().join("-")
}

/// Text unchanged, everything else as a `data:` URL, as httpbin does it.
fn text_or_data_url(bytes: &[u8], content_type: Option<&str>) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let content_type = content_type.unwrap_or("application/octet-stream");
            format!("data:{content_type};base64,{}", base64(bytes))
        }
    }
}

pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0_usize, |word, b| word << 8 | usize::from(*b));
        let word = word << (8 * (3 - group.len()));
        for digit in 0..4 {
            let sextet = ALPHABET[word >> (18 - 6 * digit) & 63];
            text.push(if digit > group.len() { '=' } else { char::from(sextet) });
        }
    }
    text
}
