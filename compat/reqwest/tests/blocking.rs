//! The blocking surface under reqwest's names.
#![allow(missing_docs)]

mod server;

use std::io::Read;
use std::time::Duration;

use reqwest::blocking::{Body, Client, multipart};
use reqwest::{StatusCode, header};

use server::{Server, ok, with};

#[test]
fn the_function_get_sends() {
    let server = Server::answering(|_| ok("hello"));
    assert_eq!(reqwest::blocking::get(&server.url).unwrap().text().unwrap(), "hello");
}

#[test]
fn bodies_go_both_ways() {
    let server = Server::answering(|request| ok(&request.text()));
    let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let sent = client.post(&server.url).body(Body::new("from a reader".as_bytes())).send();
    let mut text = String::new();
    sent.unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "from a reader");

    let mut copy = Vec::new();
    let count = client.post(&server.url).form(&[("a", "1")]).send().unwrap().copy_to(&mut copy);
    assert_eq!((count.unwrap(), copy), (3, b"a=1".to_vec()));

    let value = client.post(&server.url).json(&[1, 2]).send().unwrap().json::<Vec<u32>>();
    assert_eq!(value.unwrap(), [1, 2]);
}

#[test]
fn a_form_has_its_parts() {
    let server = Server::answering(|_| ok(""));
    let form = multipart::Form::new().text("title", "t");
    Client::new().post(&server.url).multipart(form).send().unwrap();
    assert!(server.last().text().contains("name=\"title\"\r\n\r\nt\r\n"));
}

#[test]
fn cookies_are_kept() {
    let server = Server::answering(|_| with("200 OK", "set-cookie: a=1\r\n", ""));
    let client = Client::builder().cookie_store(true).build().unwrap();
    client.get(&server.url).send().unwrap();
    client.get(&server.url).send().unwrap();
    assert_eq!(server.last().field("cookie"), "a=1");
}

#[test]
fn errors_are_those_of_the_root() {
    let server = Server::answering(|_| with("500 Internal Server Error", "", ""));
    let request = Client::new().get(&server.url).header(header::ACCEPT, "*/*").build().unwrap();
    let response = Client::new().execute(request).unwrap();
    let error: reqwest::Error = response.error_for_status().unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::INTERNAL_SERVER_ERROR));
}

/// 30 s for each wait by default, and `timeout` replaces them all: nobody who allows five minutes gets 30 s.
#[test]
fn one_timeout_is_for_everything() {
    let limits = |builder: reqwest::blocking::ClientBuilder| {
        let text = format!("{builder:?}");
        ["connect", "read", "write", "total"].map(|name| {
            let limit = text.split(&format!(" {name}: ")).nth(1).unwrap();
            limit.split([',', ' ']).next().unwrap().to_owned()
        })
    };
    assert_eq!(limits(Client::builder()), ["Some(30s)", "Some(30s)", "Some(30s)", "None"]);
    let five_minutes = Client::builder().timeout(Duration::from_secs(300));
    assert_eq!(limits(five_minutes), ["None", "None", "None", "Some(300s)"]);
    assert_eq!(limits(Client::builder().timeout(None)), ["None"; 4]);
    let connecting = Client::builder().connect_timeout(Duration::from_secs(5)).timeout(None);
    assert_eq!(limits(connecting), ["Some(5s)", "None", "None", "None"]);
}
