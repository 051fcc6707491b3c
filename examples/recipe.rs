//! The classic recipe for an HTTP client, known from Python's urllib.request and requests, in
//! leanhttp. A row is a function of a few lines; its requests and results are printed.
//!
//! ```text
//! cargo run --release --example recipe                       with local servers, plain and TLS
//! cargo run --release --example recipe -- http://host:port   with any httpbin
//! ```
//!
//! With a URL, the login of row 6 is sent to the httpbin at `LEANHTTP_HTTPBIN_TLS`, if that is set.
//! `LEANHTTP_CA` names a file with the CA certificate of a TLS server that has no public one.
#![allow(clippy::indexing_slicing, reason = "indexing a JSON value cannot panic")]

use std::error::Error;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::{env, fs};

use leanhttp::cookie::Jar;
use leanhttp::header::{HeaderMap, HeaderValue};
use leanhttp::multipart::{Form, Part};
use leanhttp::{Certificate, Client, ClientBuilder, Response, Url};
use leanhttp_examples::{Httpbin, Pki, Relay};
use serde_json::Value;

type Outcome = Result<(), Box<dyn Error>>;
type Row = (&'static str, fn(&Site) -> Outcome);

const ROWS: [Row; 10] = [
    ("GET with query parameters; bytes, text and JSON", get_with_query),
    ("POST of urlencoded parameters", post_form),
    ("custom headers, another User-Agent", custom_headers),
    ("the same through a client object", client_object),
    ("HEAD: status and header fields", head),
    ("login with basic auth over HTTPS, kept for the session", login),
    ("cookies across requests and redirects", cookies),
    ("default headers of the session, merged with the request's", default_headers),
    ("upload of a file with its name and type", upload),
    ("one TCP connection for many requests", one_connection),
];

fn get_with_query(site: &Site) -> Outcome {
    let get =
        || site.client.get(site.url("/get")).query(&[("name1", "value1"), ("name2", "value2")]);

    let bytes = get().send()?.error_for_status()?.bytes()?;
    println!("   {} bytes", bytes.len());

    let response = get().send()?.error_for_status()?;
    println!("   {} {}", response.status(), response.url());
    show(&response.text()?);

    // With the feature `json` it is `get().send()?.json::<Value>()?`.
    let json: Value = serde_json::from_str(&get().send()?.text()?)?;
    println!("   name1 is {}", json["args"]["name1"]);
    Ok(())
}

fn post_form(site: &Site) -> Outcome {
    let parameters = [("name1", "value1"), ("name2", "value2 & more")];
    let response = site.client.post(site.url("/post")).form(&parameters).send()?;
    report("POST", response)
}

fn custom_headers(site: &Site) -> Outcome {
    let client = site.builder().user_agent("none/ofyourbusiness").build()?;
    report("GET", client.get(site.url("/headers")).header("Spam", "Eggs").send()?)
}

fn client_object(site: &Site) -> Outcome {
    let client = site.builder().user_agent("none/ofyourbusiness").build()?;
    let mut headers = HeaderMap::new();
    headers.insert("spam", HeaderValue::from_static("Eggs"));
    let post = || {
        let request = client.post(site.url("/post")).form(&[("name1", "value1")]);
        request.headers(headers.clone()).send()
    };

    let text = post()?.error_for_status()?.text()?;
    let content = post()?.error_for_status()?.bytes()?;
    let json: Value = serde_json::from_str(&text)?;
    println!("   text and content are the same: {}", text.as_bytes() == content);
    println!("   form is {}, Spam is {}", json["form"], json["headers"]["Spam"]);
    Ok(())
}

fn head(site: &Site) -> Outcome {
    let response = site.client.head(site.url("/get")).send()?.error_for_status()?;
    println!("   HEAD {}: {:?} {}", response.url(), response.version(), response.status());
    for (name, value) in response.headers() {
        println!("   {name}: {}", value.to_str()?);
    }
    println!("   CONTENT-TYPE is {:?}", response.headers().get("CONTENT-TYPE"));
    println!("   GET would have {} bytes", response.content_length().unwrap_or_default());
    Ok(())
}

fn login(site: &Site) -> Outcome {
    if !site.login.starts_with("https") {
        println!("   (without TLS, because LEANHTTP_HTTPBIN_TLS names no server)");
    }
    let url = format!("{}/basic-auth/user/passwd", site.login);
    let session = site.builder().basic_auth("user", Some("passwd")).build()?;
    report("GET", session.get(&url).send()?)?;
    report("GET", session.get(&url).send()?)
}

fn cookies(site: &Site) -> Outcome {
    let jar = Arc::new(Jar::default());
    let client = site.builder().cookie_provider(Arc::clone(&jar)).build()?;

    let response = client.get(site.url("/cookies/set/flavor/oat")).send()?;
    println!("   redirected to {}", response.url());
    report("GET", response)?;
    report("GET", client.get(site.url("/cookies")).send()?)?;

    for cookie in jar.to_vec() {
        println!("   the jar has {}={} of {}", cookie.name(), cookie.value(), cookie.domain());
    }
    Ok(())
}

fn default_headers(site: &Site) -> Outcome {
    let mut defaults = HeaderMap::new();
    defaults.insert("x-session", HeaderValue::from_static("of the session"));
    let client = site.builder().default_headers(defaults).build()?;

    let request = client.get(site.url("/headers")).header("X-Request", "of the request");
    report("GET", request.send()?)
}

fn upload(site: &Site) -> Outcome {
    let file = Part::file("README.md")?.file_name("read me.txt").mime_str("text/plain")?;
    let form = Form::new().text("note", "streamed from the disk").part("file", file);
    report("POST", site.client.post(site.url("/post")).multipart(form).send()?)
}

fn one_connection(site: &Site) -> Outcome {
    let url = Url::parse(&site.url("/get"))?;
    let (host, port) = (url.host_str().unwrap_or(""), url.port_or_known_default().unwrap_or(80));
    let address = (host.trim_matches(['[', ']']), port).to_socket_addrs()?.next();
    // Only to show that it is one: a relay before the server counts the connections.
    let relay = Relay::start(address.ok_or("the host has no address")?)?;
    let client = site.builder().resolve(host, relay.addr()).build()?;

    for _ in 0..50 {
        client.get(url.clone()).send()?.error_for_status()?.bytes()?;
    }
    println!("   50 times GET {url}");
    println!("   connections opened: {}", relay.connections());
    Ok(())
}

/// Prints what was requested and the beginning of the body; an error status ends the recipe.
fn report(method: &str, response: Response) -> Outcome {
    println!("   {method} {}: {:?} {}", response.url(), response.version(), response.status());
    show(&response.error_for_status()?.text()?);
    Ok(())
}

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

/// A httpbin, and where the login is sent.
struct Site {
    base: String,
    login: String,
    /// The authority of its certificate, if that is no public one.
    ca: Option<Certificate>,
    client: Client,
}

impl Site {
    fn new(base: &str, login: &str, ca: Option<&str>) -> Result<Site, Box<dyn Error>> {
        let ca = ca.map(|pem| Certificate::from_pem(pem.as_bytes())).transpose()?;
        let client = Client::builder().tls_certs_merge(ca.clone()).build()?;
        let [base, login] = [base, login].map(|url| url.trim_end_matches('/').to_owned());
        Ok(Site { base, login, ca, client })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// `Client::builder()`, and the authority is trusted.
    fn builder(&self) -> ClientBuilder {
        Client::builder().tls_certs_merge(self.ca.clone())
    }
}

fn main() -> Outcome {
    if let Some(url) = env::args().nth(1) {
        let ca = env::var_os("LEANHTTP_CA").map(fs::read_to_string).transpose()?;
        let login = match env::var("LEANHTTP_HTTPBIN_TLS") {
            Ok(tls) if !url.starts_with("https") => tls,
            _ => url.clone(),
        };
        return run(&Site::new(&url, &login, ca.as_deref())?);
    }
    let pki = Pki::new();
    let (plain, tls) = (Httpbin::start(), Httpbin::start_tls(&pki));
    run(&Site::new(&plain.url(""), &tls.url(""), Some(&pki.ca_pem()))?)
}

fn run(site: &Site) -> Outcome {
    for (number, (title, row)) in (1..).zip(ROWS) {
        println!("{number}. {title}");
        row(site).map_err(|error| format!("row {number} ({title}): {error}"))?;
        println!();
    }
    Ok(())
}
