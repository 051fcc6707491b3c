//! The classic recipe for an HTTP client, known from Python's urllib.request and requests, in
//! leanhttp. A row is a function of a few lines; its requests and results are printed.
//!
//! ```text
//! cargo run --release --example recipe                       with embedded servers, plain and TLS
//! cargo run --release --example recipe -- http://host:port   with any httpbin
//! ```
//!
//! With a URL, the login of row 6 is sent to the httpbin at `LEANHTTP_HTTPBIN_TLS`, if that is set.
//! `LEANHTTP_CA` names a file with the CA certificate of a TLS server that has no public one.
#![allow(clippy::indexing_slicing, reason = "indexing a JSON value cannot panic")]

#[path = "../tests/rows/site.rs"]
mod site;
#[path = "../tests/support/mod.rs"]
mod support;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::{env, fs};

use leanhttp::cookie::Jar;
use leanhttp::header::{HeaderMap, HeaderValue};
use leanhttp::multipart::{Form, Part};
use leanhttp::{RequestBuilder, Response};
use serde_json::Value;

use site::Site;
use support::httpbin::Httpbin;
use support::pki::Pki;

type Outcome = Result<(), Box<dyn Error>>;
type Row = (&'static str, Over, fn(&Site) -> Outcome);

const ROWS: [Row; 10] = [
    ("GET with query parameters; bytes, text and JSON", Over::Any, get_with_query),
    ("POST of urlencoded parameters", Over::Any, post_form),
    ("custom headers, another User-Agent", Over::Any, custom_headers),
    ("the same through a client object", Over::Any, client_object),
    ("HEAD: status and header fields", Over::Any, head),
    ("login with basic auth over HTTPS, kept for the session", Over::Tls, login),
    ("cookies across requests and redirects", Over::Any, cookies),
    ("default headers of the session, merged with the request's", Over::Any, default_headers),
    ("upload of a file with its name and type", Over::Any, upload),
    ("one TCP connection for many requests", Over::Any, one_connection),
];

fn get_with_query(site: &Site) -> Outcome {
    let client = site.client()?;
    let get = || client.get(site.url("/get")).query(&[("name1", "value1"), ("name2", "value2")]);

    let bytes = send(get())?.bytes()?;
    println!("   {} bytes", bytes.len());

    let text = send(get())?.text()?;
    show(&text);

    // With the feature `json` it is `send(get())?.json::<Value>()?`.
    let json: Value = serde_json::from_str(&send(get())?.text()?)?;
    println!("   name1 is {}", json["args"]["name1"]);
    Ok(())
}

fn post_form(site: &Site) -> Outcome {
    let parameters = [("name1", "value1"), ("name2", "value2 & more")];
    show(&send(site.client()?.post(site.url("/post")).form(&parameters))?.text()?);
    Ok(())
}

fn custom_headers(site: &Site) -> Outcome {
    let client = site.client_builder().user_agent("none/ofyourbusiness").build()?;
    show(&send(client.get(site.url("/headers")).header("Spam", "Eggs"))?.text()?);
    Ok(())
}

fn client_object(site: &Site) -> Outcome {
    let client = site.client_builder().user_agent("none/ofyourbusiness").build()?;
    let mut headers = HeaderMap::new();
    headers.insert("spam", HeaderValue::from_static("Eggs"));
    let post = || {
        let request = client.post(site.url("/post")).form(&[("name1", "value1")]);
        request.headers(headers.clone())
    };

    let text = send(post())?.text()?;
    let content = send(post())?.bytes()?;
    let json: Value = serde_json::from_str(&text)?;
    println!("   text and content are the same: {}", text.as_bytes() == content);
    println!("   form is {}, Spam is {}", json["form"], json["headers"]["Spam"]);
    Ok(())
}

fn head(site: &Site) -> Outcome {
    let response = send(site.client()?.head(site.url("/get")))?;
    for (name, value) in response.headers() {
        println!("   {name}: {}", value.to_str()?);
    }
    println!("   CONTENT-TYPE is {:?}", response.headers().get("CONTENT-TYPE"));
    println!("   GET would have {} bytes", response.content_length().unwrap_or_default());
    Ok(())
}

fn login(site: &Site) -> Outcome {
    if !site.is_tls() {
        println!("   (without TLS, because LEANHTTP_HTTPBIN_TLS names no server)");
    }
    let url = site.url("/basic-auth/user/passwd");
    let session = site.client_builder().basic_auth("user", Some("passwd")).build()?;
    show(&send(session.get(&url))?.text()?);
    show(&send(session.get(&url))?.text()?);
    Ok(())
}

fn cookies(site: &Site) -> Outcome {
    let jar = Arc::new(Jar::default());
    let client = site.client_builder().cookie_provider(Arc::clone(&jar)).build()?;

    let response = send(client.get(site.url("/cookies/set/flavor/oat")))?;
    println!("   redirected to {}", response.url());
    show(&response.text()?);
    show(&send(client.get(site.url("/cookies")))?.text()?);

    for cookie in jar.to_vec() {
        println!("   the jar has {}={} of {}", cookie.name(), cookie.value(), cookie.domain());
    }
    Ok(())
}

fn default_headers(site: &Site) -> Outcome {
    let mut defaults = HeaderMap::new();
    defaults.insert("x-session", HeaderValue::from_static("of the session"));
    let client = site.client_builder().default_headers(defaults).build()?;

    show(&send(client.get(site.url("/headers")).header("X-Request", "of the request"))?.text()?);
    Ok(())
}

fn upload(site: &Site) -> Outcome {
    let file = Part::file(README)?.file_name("read me.txt").mime_str("text/plain")?;
    let form = Form::new().text("note", "streamed from the disk").part("file", file);
    show(&send(site.client()?.post(site.url("/post")).multipart(form))?.text()?);
    Ok(())
}

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

fn one_connection(site: &Site) -> Outcome {
    let (client, relay) = site.counted_client()?;
    for _ in 0..50 {
        client.get(site.url("/get")).send()?.error_for_status()?.bytes()?;
    }
    println!("   50 times GET {}", site.url("/get"));
    println!("   connections opened: {}", relay.connections());
    Ok(())
}

// Helpers of all rows: printing, and the servers.

/// Sends a request, and prints its request line and the status of the response; an error status
/// ends the recipe.
fn send(request: RequestBuilder) -> leanhttp::Result<Response> {
    let (client, request) = request.build_split();
    let request = request?;
    println!("   {} {}", request.method(), request.url());
    let response = client.execute(request)?;
    println!("   {:?} {}", response.version(), response.status());
    response.error_for_status()
}

/// Prints the beginning of a body.
fn show(body: &str) {
    const LINES: usize = 20;
    const COLUMNS: usize = 90;
    for line in body.lines().take(LINES) {
        let beginning: String = line.chars().take(COLUMNS).collect();
        let cut = if beginning.len() < line.len() { " ..." } else { "" };
        println!("   | {beginning}{cut}");
    }
    if body.lines().count() > LINES {
        println!("   | ...");
    }
}

fn main() -> ExitCode {
    match run(env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(url: Option<&str>) -> Outcome {
    let sites = match url {
        Some(url) => Sites::at(url)?,
        None => Sites::embedded()?,
    };
    for (number, (title, over, row)) in (1..).zip(ROWS) {
        println!("{number}. {title}");
        row(sites.over(over)).map_err(|error| format!("row {number} ({title}): {error}"))?;
        println!();
    }
    Ok(())
}

/// The inputs of a row.
#[derive(Clone, Copy)]
enum Over {
    Any,
    Tls,
}

/// The servers of a run.
struct Sites {
    any: Site,
    tls: Option<Site>,
    _embedded: Vec<Httpbin>,
}

impl Sites {
    fn embedded() -> Result<Sites, Box<dyn Error>> {
        let pki = Pki::new();
        let (plain, tls) = (Httpbin::start(), Httpbin::start_tls(&pki));
        Ok(Sites {
            any: Site::new(&plain.url("/"), None)?,
            tls: Some(Site::new(&tls.url("/"), Some(&pki.ca_pem()))?),
            _embedded: vec![plain, tls],
        })
    }

    fn at(url: &str) -> Result<Sites, Box<dyn Error>> {
        let ca = env::var_os("LEANHTTP_CA").map(fs::read_to_string).transpose()?;
        let any = Site::new(url, ca.as_deref())?;
        let tls = match env::var("LEANHTTP_HTTPBIN_TLS") {
            Ok(url) if !any.is_tls() => Some(Site::new(&url, ca.as_deref())?),
            _ => None,
        };
        Ok(Sites { any, tls, _embedded: Vec::new() })
    }

    fn over(&self, over: Over) -> &Site {
        match over {
            Over::Any => &self.any,
            Over::Tls => self.tls.as_ref().unwrap_or(&self.any),
        }
    }
}
