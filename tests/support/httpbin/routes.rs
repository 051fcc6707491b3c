//! The response of each path.

use std::io::Write;
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};

use super::echo::{self, base64, grouped};
use super::form::{self, Part};
use super::message::Request;
use super::reply::{Body, Reply};

const MAX_BYTES: usize = 64 * 1024 * 1024;
const MAX_LINES: usize = 100;
const MAX_SECONDS: f64 = 10.0;

const UTF8_PAGE: &str =
    "<h1>Unicode</h1>\n<pre>\nGrüße, мир, κόσμε, 世界, 🌍\n∮ E⋅da = Q, n → ∞\n</pre>\n";
const HTML_PAGE: &str = "<!DOCTYPE html>\n<html>\n<head><title>Page</title></head>\n\
                         <body><h1>Herman Melville - Moby-Dick</h1></body>\n</html>\n";

/// The data of a route besides the request.
pub struct Context {
    pub origin: String,
    pub scheme: &'static str,
}

impl Context {
    pub fn base_url(&self, request: &Request) -> String {
        format!("{}://{}", self.scheme, request.value("host").unwrap_or_default())
    }
}

/// Path with `{}` for a variable segment, methods, handler.
type Route = (&'static str, &'static [&'static str], Handler);
type Handler = fn(&Call) -> Reply;

struct Call<'a> {
    request: &'a Request,
    context: &'a Context,
    /// The decoded variable segments, in order.
    segments: Vec<String>,
}

const GET: &[&str] = &["GET"];
const ANY: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

const ROUTES: &[Route] = &[
    ("/get", GET, |call| call.echo(&["args", "headers", "origin", "url"])),
    ("/post", &["POST"], echo_body),
    ("/put", &["PUT"], echo_body),
    ("/patch", &["PATCH"], echo_body),
    ("/delete", &["DELETE"], echo_body),
    ("/anything", ANY, echo_all),
    ("/anything/{}", ANY, echo_all),
    ("/parts", &["POST"], parts),
    ("/headers", GET, |call| call.echo(&["headers"])),
    ("/user-agent", GET, |call| {
        Reply::json(&json!({ "user-agent": call.request.value("user-agent") }))
    }),
    ("/cookies", GET, cookies),
    ("/cookies/set", GET, |call| set_cookies(&call.request.query, call)),
    ("/cookies/set/{}/{}", GET, |call| {
        set_cookies(&[(call.segments[0].clone(), call.segments[1].clone())], call)
    }),
    ("/cookies/delete", GET, delete_cookies),
    ("/basic-auth/{}/{}", GET, basic_auth),
    ("/bearer", GET, bearer),
    ("/redirect/{}", GET, |call| redirect_chain("/relative-redirect", "", call)),
    ("/relative-redirect/{}", GET, |call| redirect_chain("/relative-redirect", "", call)),
    ("/absolute-redirect/{}", GET, |call| {
        redirect_chain("/absolute-redirect", &call.context.base_url(call.request), call)
    }),
    ("/redirect-to", ANY, redirect_to),
    ("/gzip", GET, gzip),
    ("/status/{}", ANY, status),
    ("/bytes/{}", GET, bytes),
    ("/stream/{}", GET, stream),
    ("/stream-bytes/{}", GET, stream_bytes),
    ("/drip", GET, drip),
    ("/delay/{}", ANY, delay),
    ("/response-headers", &["GET", "POST"], response_headers),
    ("/encoding/utf8", GET, |_| Reply::new(200, "text/html; charset=utf-8", UTF8_PAGE)),
    ("/html", GET, |_| Reply::new(200, "text/html; charset=utf-8", HTML_PAGE)),
    ("/json", GET, slideshow),
    ("/links/{}/{}", GET, links),
    ("/robots.txt", GET, |_| Reply::new(200, "text/plain", "User-agent: *\nDisallow: /deny\n")),
];

/// Finds the route and responds; 404 for an unknown path, 405 for an unknown method.
pub fn answer(request: &Request, context: &Context) -> Reply {
    let found = ROUTES.iter().find_map(|(pattern, methods, handler)| {
        Some((segments(pattern, &request.path)?, methods, handler))
    });
    let Some((segments, methods, handler)) = found else {
        return Reply::text(404, "not found\n");
    };
    let call = Call { request, context, segments };
    match request.method.as_str() {
        "HEAD" if methods.contains(&"GET") => handler(&call),
        "OPTIONS" => Reply::empty(200).with("Allow", &allow(methods)),
        method if methods.contains(&method) => handler(&call),
        _ => Reply::text(405, "method not allowed\n").with("Allow", &allow(methods)),
    }
}

/// The variable segments, decoded, if the path matches the pattern.
fn segments(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut variables = Vec::new();
    let mut path = path.split('/');
    for expected in pattern.split('/') {
        match (expected, path.next()?) {
            ("{}", "") => return None,
            ("{}", segment) => variables.push(form::percent_decode(segment.as_bytes())),
            (expected, segment) if expected == segment => {}
            _ => return None,
        }
    }
    path.next().is_none().then_some(variables)
}

fn allow(methods: &[&str]) -> String {
    let head = methods.contains(&"GET").then_some("HEAD");
    let all: Vec<&str> = methods.iter().copied().chain(head).chain(["OPTIONS"]).collect();
    all.join(", ")
}

impl Call<'_> {
    fn members(&self, members: &[&str]) -> Result<Map<String, Value>, &'static str> {
        echo::members(self.request, self.context, members)
    }

    /// A JSON object with these members of httpbin's usual response.
    fn echo(&self, members: &[&str]) -> Reply {
        match self.members(members) {
            Ok(object) => Reply::json(&object.into()),
            Err(reason) => Reply::text(400, &format!("refused: {reason}\n")),
        }
    }

    /// The first variable segment as a number, at most `max`.
    fn count(&self, max: usize) -> Option<usize> {
        self.segments[0].parse().ok().map(|count: usize| count.min(max))
    }

    fn seconds(&self, argument: &str, default: f64) -> Duration {
        parse_seconds(self.request.argument(argument)).unwrap_or(Duration::from_secs_f64(default))
    }
}

const WITH_BODY: &[&str] =
    &["args", "data", "files", "form", "headers", "json", "origin", "url", "method"];

fn echo_body(call: &Call) -> Reply {
    call.echo(&WITH_BODY[..8])
}

fn echo_all(call: &Call) -> Reply {
    call.echo(WITH_BODY)
}

fn parts(call: &Call) -> Reply {
    let content_type = call.request.value("content-type").unwrap_or_default();
    match form::parse_multipart(content_type, &call.request.body) {
        Err(reason) => Reply::text(400, &format!("refused: {reason}\n")),
        Ok(parts) => Reply::json(&json!({
            "parts": parts.iter().map(describe).collect::<Vec<_>>(),
            "length": call.request.value("content-length"),
        })),
    }
}

fn describe(part: &Part) -> Value {
    json!({
        "name": part.name,
        "filename": part.filename,
        "content_type": part.content_type,
        "size": part.content.len(),
        "crc32": crc32(&part.content),
    })
}

fn cookies(call: &Call) -> Reply {
    let pairs = call.request.values("cookie").flat_map(|line| line.split("; "));
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let cookies: Map<String, Value> =
        pairs.map(|(name, value)| (name.to_owned(), json!(value))).collect();
    Reply::json(&json!({ "cookies": cookies }))
}

fn set_cookies(cookies: &[(String, String)], call: &Call) -> Reply {
    let secure = if call.context.scheme == "https" { "Secure; " } else { "" };
    cookies.iter().fold(Reply::redirect("/cookies"), |reply, (name, value)| {
        with_safe(reply, "Set-Cookie", &format!("{name}={value}; {secure}Path=/"))
    })
}

fn delete_cookies(call: &Call) -> Reply {
    call.request.query.iter().fold(Reply::redirect("/cookies"), |reply, (name, _)| {
        let past = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/";
        with_safe(reply, "Set-Cookie", &format!("{name}=; {past}"))
    })
}

fn basic_auth(call: &Call) -> Reply {
    let (user, password) = (&call.segments[0], &call.segments[1]);
    let expected = format!("Basic {}", base64(format!("{user}:{password}").as_bytes()));
    if call.request.value("authorization") == Some(expected.as_str()) {
        return Reply::json(&json!({ "authenticated": true, "user": user }));
    }
    Reply::empty(401).with("WWW-Authenticate", "Basic realm=\"Fake Realm\"")
}

fn bearer(call: &Call) -> Reply {
    match call.request.value("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
        Some(token) => Reply::json(&json!({ "authenticated": true, "token": token })),
        None => Reply::empty(401).with("WWW-Authenticate", "Bearer"),
    }
}

/// Counts down to `/get`; `base` makes the locations absolute.
fn redirect_chain(path: &str, base: &str, call: &Call) -> Reply {
    match call.count(MAX_LINES) {
        None | Some(0) => Reply::text(404, "not found\n"),
        Some(1) => Reply::redirect(&format!("{base}/get")),
        Some(count) => Reply::redirect(&format!("{base}{path}/{}", count - 1)),
    }
}

/// The page with this number of as many, each with links to all others.
fn links(call: &Call) -> Reply {
    let [Ok(count), Ok(here)] = [0, 1].map(|n| call.segments[n].parse::<usize>()) else {
        return Reply::text(404, "not found\n");
    };
    let others = (0..count.min(200)).filter(|number| *number != here);
    let links = others.map(|number| format!("<a href='/links/{count}/{number}'>{number}</a> "));
    let page = format!(
        "<html><head><title>Links</title></head><body>{}</body></html>",
        links.collect::<String>()
    );
    Reply::new(200, "text/html; charset=utf-8", page)
}

fn redirect_to(call: &Call) -> Reply {
    let arguments = match call.request.query.is_empty() {
        true => &form::parse_urlencoded(&call.request.body),
        false => &call.request.query,
    };
    let argument = |name: &str| arguments.iter().find(|(key, _)| key == name).map(|(_, v)| v);
    let status = argument("status_code").and_then(|status| status.parse().ok());
    match (argument("url"), status.unwrap_or(302)) {
        (Some(url), status @ 300..=399) => with_safe(Reply::empty(status), "Location", url),
        (Some(url), _) => with_safe(Reply::empty(302), "Location", url),
        (None, _) => Reply::text(400, "no url\n"),
    }
}

fn gzip(call: &Call) -> Reply {
    let members = call.members(&["headers", "method", "origin"]);
    let mut object = members.unwrap_or_default();
    object.insert("gzipped".to_owned(), json!(true));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let plain = format!("{:#}\n", Value::Object(object));
    encoder.write_all(plain.as_bytes()).unwrap();
    let body = encoder.finish().unwrap();
    Reply::new(200, "application/json", body).with("Content-Encoding", "gzip")
}

fn status(call: &Call) -> Reply {
    match call.segments[0].parse() {
        Ok(status @ (301 | 302 | 303 | 305 | 307)) => {
            Reply::empty(status).with("Location", "/redirect/1")
        }
        Ok(401) => Reply::empty(401).with("WWW-Authenticate", "Basic realm=\"Fake Realm\""),
        Ok(418) => Reply::text(418, "I'm a teapot!\n"),
        Ok(status @ 200..=999) => Reply::new(status, "text/html; charset=utf-8", ""),
        _ => Reply::text(400, "invalid status code\n"),
    }
}

fn bytes(call: &Call) -> Reply {
    match call.count(MAX_BYTES) {
        Some(count) => Reply::new(200, "application/octet-stream", sample_bytes(count)),
        None => Reply::text(404, "not found\n"),
    }
}

fn stream(call: &Call) -> Reply {
    let Some(count) = call.count(MAX_LINES) else { return Reply::text(404, "not found\n") };
    let mut object = call.members(&["args", "headers", "origin", "url"]).unwrap_or_default();
    let mut line = |id: usize| {
        object.insert("id".to_owned(), json!(id));
        format!("{}\n", Value::Object(object.clone())).into_bytes()
    };
    let lines = (0..count).map(&mut line).collect();
    Reply::new(200, "application/json", "").with_body(Body::Chunks(lines))
}

fn stream_bytes(call: &Call) -> Reply {
    let Some(count) = call.count(MAX_BYTES) else { return Reply::text(404, "not found\n") };
    let chunk_size = call.request.argument("chunk_size").and_then(|size| size.parse().ok());
    let chunk_size = chunk_size.unwrap_or(10 * 1024).max(1);
    let chunks = sample_bytes(count).chunks(chunk_size).map(<[u8]>::to_vec).collect();
    Reply::new(200, "application/octet-stream", "").with_body(Body::Chunks(chunks))
}

fn drip(call: &Call) -> Reply {
    let count = call.request.argument("numbytes").map_or(Some(10), |n| n.parse().ok());
    let Some(count @ 1..=65_536) = count else { return Reply::text(400, "invalid numbytes\n") };
    let status = call.request.argument("code").and_then(|code| code.parse().ok()).unwrap_or(200);
    thread::sleep(call.seconds("delay", 0.0));
    let pause = call.seconds("duration", 2.0) / u32::try_from(count).unwrap();
    Reply::new(status, "application/octet-stream", "")
        .with_body(Body::Drip(vec![b'*'; count], pause))
}

fn delay(call: &Call) -> Reply {
    let Some(delay) = parse_seconds(Some(&call.segments[0])) else {
        return Reply::text(404, "not found\n");
    };
    thread::sleep(delay);
    call.echo(&["args", "data", "files", "form", "headers", "origin", "url"])
}

/// Responds with the query as fields, and with those fields in the body.
fn response_headers(call: &Call) -> Reply {
    let is_framing = |name: &str| {
        ["content-length", "transfer-encoding", "connection"]
            .iter()
            .any(|framing| name.eq_ignore_ascii_case(framing))
    };
    let query = &call.request.query;
    if query.iter().any(|(name, _)| is_framing(name)) {
        return Reply::text(400, "refused: a field of the framing\n");
    }
    let mut body = Vec::new();
    // The body contains its own length, which converges in a few steps.
    loop {
        let own = [
            ("Content-Length".to_owned(), body.len().to_string()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
        ];
        let object = grouped(own.into_iter().chain(query.iter().cloned()));
        let next = format!("{object:#}\n").into_bytes();
        if next == body {
            break;
        }
        body = next;
    }
    let reply = Reply::new(200, "application/json", body);
    query.iter().fold(reply, |reply, (name, value)| with_safe(reply, name, value))
}

fn slideshow(_: &Call) -> Reply {
    Reply::json(&json!({ "slideshow": {
        "author": "Yours Truly",
        "date": "date of publication",
        "title": "Sample Slide Show",
        "slides": [
            { "type": "all", "title": "Wake up to WonderWidgets!" },
            { "type": "all", "title": "Overview", "items": ["Why", "Who"] },
        ],
    }}))
}

/// The content of `/bytes/{n}` and `/stream-bytes/{n}`: the same for every run, and pseudo-random.
pub fn sample_bytes(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[3]
    };
    (0..count).map(|_| next()).collect()
}

/// Omits a field that would break the response's head.
fn with_safe(reply: Reply, name: &str, value: &str) -> Reply {
    let is_safe = !name.is_empty()
        && !name.contains(|c: char| !c.is_ascii_graphic() || c == ':')
        && !value.contains(|c: char| c.is_control());
    if is_safe { reply.with(name, value) } else { reply }
}

fn parse_seconds(text: Option<&str>) -> Option<Duration> {
    let seconds: f64 = text?.parse().ok()?;
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(MAX_SECONDS)))
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
