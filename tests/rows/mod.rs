//! The ten rows of the recipe, checked: the caller's request, and the request that httpbin reports.
//!
//! They run against the embedded server and against real ones, so they rely only on what both
//! report.
#![allow(
    dead_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::indexing_slicing,
    reason = "a test may panic, and each test uses a part of this"
)]

mod files;
mod site;

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use leanhttp::cookie::Jar;
use leanhttp::header::{self, HeaderMap, HeaderValue};
use leanhttp::multipart::{Form, Part};
use leanhttp::{Response, StatusCode, Version};
use serde_json::{Value, json};

pub use self::files::TempFile;
pub use self::site::Site;

pub type Outcome = Result<(), Box<dyn Error>>;
pub type Row = fn(&Site) -> Outcome;

/// The rows of the recipe in order, and finally what all of them assume.
pub const ALL: [(&str, Row); 11] = [
    ("1 GET with query parameters", get_with_query),
    ("2 POST of urlencoded parameters", post_form),
    ("3 custom headers, User-Agent replaced", custom_headers),
    ("4 the same through a client object", client_object),
    ("5 HEAD", head),
    ("6 basic auth in a session", basic_auth),
    ("7 cookies across requests and redirects", cookies),
    ("8 default headers merged with the request's", default_headers),
    ("9 upload of a file", upload),
    ("10 one connection for many requests", one_connection),
    ("bodies that come coded or in chunks", coded_bodies),
];

pub fn get_with_query(site: &Site) -> Outcome {
    let client = site.client()?;
    let query = [("name1", "value1"), ("name2", "value 2 & ä=/?#")];
    let get = || client.get(site.url("/get")).query(&query).send();

    let (bytes, text) = (get()?.bytes()?, get()?.text()?);
    assert_eq!(bytes, text.as_bytes());
    let answer: Value = serde_json::from_str(&text)?;
    assert_eq!(answer["args"], json!({ "name1": "value1", "name2": "value 2 & ä=/?#" }));
    assert_eq!(answer, json(get()?)?);

    // The query of the URL stays in front.
    let answer = json(client.get(site.url("/get?name1=a")).query(&[("name1", "b")]).send()?)?;
    assert_eq!(answer["args"], json!({ "name1": ["a", "b"] }));
    if !site.is_tls() {
        let text = leanhttp::get(site.url("/get?alone=1"))?.text()?;
        assert!(text.contains(r#""alone": "1""#), "{text}");
    }
    Ok(())
}

pub fn post_form(site: &Site) -> Outcome {
    let form = [("name1", "value1"), ("name2", "two words & more"), ("name3", "ä€😀\r\n")];
    let answer = json(site.client()?.post(site.url("/post")).form(&form).send()?)?;
    let expected = json!({ "name1": "value1", "name2": "two words & more", "name3": "ä€😀\r\n" });
    assert_eq!(answer["form"], expected);
    assert_eq!(answer["data"], "");
    assert_eq!(answer["headers"]["Content-Type"], "application/x-www-form-urlencoded");
    assert!(answer["headers"]["Content-Length"].is_string());
    Ok(())
}

pub fn custom_headers(site: &Site) -> Outcome {
    let mut more = HeaderMap::new();
    more.insert("x-more", HeaderValue::from_static("of, them"));
    let client = site.client_builder().user_agent("none/ofyourbusiness").build()?;
    let request = client.get(site.url("/headers")).header("Spam", "Eggs").headers(more);
    let answer = json(request.send()?)?;
    assert_eq!(answer["headers"]["User-Agent"], "none/ofyourbusiness");
    assert_eq!(answer["headers"]["Spam"], "Eggs");
    assert_eq!(answer["headers"]["X-More"], "of, them");

    let answer = json(site.client()?.get(site.url("/headers")).send()?)?;
    let name = concat!("leanhttp/", env!("CARGO_PKG_VERSION"));
    assert_eq!(answer["headers"]["User-Agent"], name);
    Ok(())
}

pub fn client_object(site: &Site) -> Outcome {
    let client = site.client()?;
    let post = || {
        let request = client.post(site.url("/post")).form(&[("name1", "value1")]);
        request.header("Spam", "Eggs").send()
    };
    let response = post()?;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    let text = response.text()?;
    assert_eq!(post()?.bytes()?, text.as_bytes());
    let answer = json(post()?)?;
    assert_eq!(answer, serde_json::from_str::<Value>(&text)?);
    assert_eq!(answer["form"], json!({ "name1": "value1" }));
    assert_eq!(answer["headers"]["Spam"], "Eggs");
    Ok(())
}

pub fn head(site: &Site) -> Outcome {
    let client = site.client()?;
    let url = site.url("/get?a=1");
    let response = client.head(&url).send()?;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.version(), Version::HTTP_11);
    assert_eq!(response.url().as_str(), url);
    assert!(response.remote_addr().is_some_and(|addr| addr.ip().is_loopback()));
    for name in ["content-type", "Content-Type", "CONTENT-TYPE"] {
        assert_eq!(response.headers()[name], "application/json");
    }
    let announced = response.content_length();
    assert_eq!(response.bytes()?, "");
    assert_eq!(announced, Some(client.get(&url).send()?.bytes()?.len() as u64));
    Ok(())
}

pub fn basic_auth(site: &Site) -> Outcome {
    let login = site.url("/basic-auth/user/pass%20wd");
    let in_session = site.client_builder().basic_auth("user", Some("pass wd")).build()?;
    for _ in 0..2 {
        let answer = json(in_session.get(&login).send()?)?;
        assert_eq!((&answer["authenticated"], &answer["user"]), (&json!(true), &json!("user")));
    }

    let client = site.client()?;
    let refused = client.get(&login).send()?;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(refused.error_for_status().is_err_and(|error| error.is_status()));
    let once = client.get(&login).basic_auth("user", Some("pass wd")).send()?;
    assert_eq!(once.status(), StatusCode::OK);
    let in_url = login.replacen("://", "://user:pass%20wd@", 1);
    assert_eq!(client.get(in_url).send()?.status(), StatusCode::OK);
    let answer = json(client.get(site.url("/bearer")).bearer_auth("t0ken").send()?)?;
    assert_eq!(answer["token"], "t0ken");
    Ok(())
}

pub fn cookies(site: &Site) -> Outcome {
    let client = site.client_builder().cookie_store(true).build()?;
    let response = client.get(site.url("/cookies/set/flavor/oat")).send()?;
    assert_eq!(response.url().path(), "/cookies", "redirected");
    assert_eq!(json(response)?["cookies"], json!({ "flavor": "oat" }));
    let response = client.get(site.url("/cookies/set?size=9&shape=round")).send()?;
    let all = json!({ "flavor": "oat", "size": "9", "shape": "round" });
    assert_eq!(json(response)?["cookies"], all);
    client.get(site.url("/cookies/delete?size=")).send()?.text()?;
    let answer = json(client.get(site.url("/cookies")).send()?)?;
    assert_eq!(answer["cookies"], json!({ "flavor": "oat", "shape": "round" }));

    // A jar outlives its client, can be inspected, and can be used by another client.
    let jar = Arc::new(Jar::default());
    let client = site.client_builder().cookie_provider(Arc::clone(&jar)).build()?;
    client.get(site.url("/cookies/set/flavor/rye")).send()?.text()?;
    drop(client);
    let kept: Vec<_> = jar.to_vec().iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
    assert_eq!(kept, ["flavor=rye"]);
    let other = site.client_builder().cookie_provider(jar).build()?;
    assert_eq!(json(other.get(site.url("/cookies")).send()?)?["cookies"]["flavor"], "rye");

    let without = site.client()?.get(site.url("/cookies/set/flavor/oat")).send()?;
    assert_eq!(json(without)?["cookies"], json!({}), "off unless asked for");
    Ok(())
}

pub fn default_headers(site: &Site) -> Outcome {
    let mut defaults = HeaderMap::new();
    defaults.insert("x-session", HeaderValue::from_static("of the client"));
    defaults.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let client = site.client_builder().default_headers(defaults).build()?;
    let fields = |name, value| -> Result<Value, Box<dyn Error>> {
        let request = client.get(site.url("/headers")).header(name, value);
        Ok(json(request.send()?)?["headers"].take())
    };

    let merged = fields("X-Request", "of the request")?;
    assert_eq!(merged["X-Session"], "of the client");
    assert_eq!(merged["X-Request"], "of the request");
    assert_eq!(merged["Accept"], "application/json");
    let replaced = fields("X-Session", "of the request")?;
    assert_eq!(replaced["X-Session"], "of the request");
    Ok(())
}

pub fn upload(site: &Site) -> Outcome {
    let lines: String = (0..20_000).map(|n| format!("{n},Zoë,\"a;b\"\r\n")).collect();
    let file = TempFile::new("data.csv", lines.as_bytes())?;
    let client = site.client()?;

    let form = Form::new().text("note", "three columns").file("file", file.path())?;
    let answer = json(client.post(site.url("/post")).multipart(form).send()?)?;
    assert_eq!(answer["form"], json!({ "note": "three columns" }));
    assert_eq!(answer["files"]["file"], lines);
    let fields = &answer["headers"];
    let content_type = fields["Content-Type"].as_str().unwrap_or_default();
    assert!(content_type.starts_with("multipart/form-data; boundary="), "{content_type}");
    assert!(fields["Content-Length"].is_string() && fields["Transfer-Encoding"].is_null());

    // The length is unknown, so the body is sent in chunks.
    let endless = Part::reader(std::io::repeat(b'x').take(100_000)).file_name("x.txt");
    let form = Form::new().part("file", endless).part("bytes", Part::bytes(&b"1,2"[..]));
    let answer = json(client.post(site.url("/post")).multipart(form).send()?)?;
    assert_eq!(answer["files"]["file"], "x".repeat(100_000));
    assert_eq!(answer["form"]["bytes"], "1,2");
    Ok(())
}

pub fn one_connection(site: &Site) -> Outcome {
    let (client, relay) = site.counted_client()?;
    for number in 0..20 {
        let number = number.to_string();
        let answer = json(client.get(site.url("/get")).query(&[("n", &number)]).send()?)?;
        assert_eq!(answer["args"]["n"], *number);
        assert_eq!(client.head(site.url("/get")).send()?.status(), StatusCode::OK);
        client.post(site.url("/post")).body(number).send()?.bytes()?;
    }
    assert_eq!(relay.connections(), 1, "connections for 60 requests");
    Ok(())
}

pub fn coded_bodies(site: &Site) -> Outcome {
    let client = site.client()?;
    let response = client.get(site.url("/gzip")).send()?;
    assert!(!response.headers().contains_key(header::CONTENT_ENCODING), "decoded");
    assert_eq!(json(response)?["gzipped"], true);
    let as_it_is = client.get(site.url("/gzip")).gzip(false).send()?;
    assert_eq!(as_it_is.headers()[header::CONTENT_ENCODING], "gzip");
    assert!(as_it_is.bytes()?.starts_with(&[0x1f, 0x8b]));

    let response = client.get(site.url("/stream/20")).send()?;
    assert_eq!(response.content_length(), None);
    let ids = BufReader::new(response).lines().map(|line| -> Result<Value, Box<dyn Error>> {
        Ok(serde_json::from_str::<Value>(&line?)?["id"].take())
    });
    let ids: Vec<Value> = ids.collect::<Result<_, _>>()?;
    assert_eq!(ids, (0..20).map(|id| json!(id)).collect::<Vec<_>>());
    Ok(())
}

fn json(response: Response) -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::from_str(&response.text()?)?)
}
