//! The ten rows of the recipe against the embedded server, plain and over TLS, and facts that only
//! this server reports.
#![cfg(all(
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies",
    feature = "multipart"
))]

mod rows;
mod support;

use leanhttp::multipart::{Form, Part};
use leanhttp::{Client, StatusCode};
use rows::{Outcome, Row, Site, TempFile};
use serde_json::{Value, json};
use support::httpbin::Httpbin;
use support::pki::Pki;

/// Runs a row against its own server, and once more over TLS.
fn check(row: Row) -> Outcome {
    let plain = Httpbin::start();
    row(&Site::new(&plain.url("/"), None)?)?;
    let pki = Pki::new();
    let tls = Httpbin::start_tls(&pki);
    row(&Site::new(&tls.url("/"), Some(&pki.ca_pem()))?)
}

#[test]
fn row_1_get_with_query_parameters() -> Outcome {
    check(rows::get_with_query)
}

#[test]
fn row_2_post_of_urlencoded_parameters() -> Outcome {
    check(rows::post_form)
}

#[test]
fn row_3_custom_headers_and_user_agent() -> Outcome {
    check(rows::custom_headers)
}

#[test]
fn row_4_the_same_through_a_client_object() -> Outcome {
    check(rows::client_object)
}

#[test]
fn row_5_head() -> Outcome {
    check(rows::head)
}

#[test]
fn row_6_basic_auth_in_a_session() -> Outcome {
    check(rows::basic_auth)
}

#[test]
fn row_7_cookies_across_requests_and_redirects() -> Outcome {
    check(rows::cookies)
}

#[test]
fn row_8_default_headers_merged() -> Outcome {
    check(rows::default_headers)
}

#[test]
fn row_9_upload_of_a_file() -> Outcome {
    check(rows::upload)
}

#[test]
fn row_10_one_connection_for_many_requests() -> Outcome {
    check(rows::one_connection)
}

#[test]
fn coded_and_chunked_bodies() -> Outcome {
    check(rows::coded_bodies)
}

/// The names, types, sizes and checksums of the parts, which httpbin does not report.
#[test]
fn the_server_sees_file_names_and_types() -> Outcome {
    let server = Httpbin::start();
    let content = support::httpbin::sample_bytes(3_000_000);
    let file = TempFile::new("photo.png", &content)?;
    let renamed = Part::file(file.path())?.file_name("Zoë's \"photo\".PNG");
    let typed = Part::bytes(&b"<a/>"[..]).file_name("a.xml").mime_str("application/xml")?;
    let form = Form::new().text("note", "hi").file("photo", file.path())?;
    let form = form.part("photo", renamed).part("typed", typed);
    let response = Client::new().post(server.url("/parts")).multipart(form).send()?;
    assert_eq!(response.status(), StatusCode::OK);
    let answer: Value = serde_json::from_str(&response.text()?)?;

    let members = ["name", "filename", "content_type", "size"];
    let described: Vec<Vec<Value>> = answer["parts"]
        .as_array()
        .ok_or("no parts")?
        .iter()
        .map(|part| members.map(|member| part[member].clone()).to_vec())
        .collect();
    let expected = json!([
        ["note", null, null, 2],
        ["photo", "photo.png", "image/png", 3_000_000],
        ["photo", "Zoë's %22photo%22.PNG", "image/png", 3_000_000],
        ["typed", "a.xml", "application/xml", 4],
    ]);
    assert_eq!(json!(described), expected);
    assert_eq!(answer["parts"][1]["crc32"], crc32(&content));
    Ok(())
}

/// The embedded server counts its connections; redirects stay on the connection too.
#[test]
fn a_session_with_redirects_uses_one_connection() -> Outcome {
    let server = Httpbin::start();
    let client = Client::builder().cookie_store(true).build()?;
    client.get(server.url("/cookies/set/a/1")).send()?.text()?;
    client.get(server.url("/redirect/3")).send()?.text()?;
    client.get(server.url("/absolute-redirect/2")).send()?.text()?;
    assert_eq!(server.requests_seen().len(), 2 + 4 + 3);
    assert_eq!(server.connections_opened(), 1);
    Ok(())
}

#[cfg(feature = "json")]
mod typed_json {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Reading {
        station: String,
        celsius: f64,
    }

    #[derive(Debug, Deserialize)]
    struct Answer {
        args: Query,
        json: Option<Reading>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Query {
        name1: String,
        name2: Option<String>,
    }

    #[test]
    fn json_is_written_from_and_read_into_types() -> Outcome {
        let server = Httpbin::start();
        let reading = Reading { station: "Zugspitze".into(), celsius: -12.5 };
        let query = Query { name1: "value1".into(), name2: None };
        let request = Client::new().post(server.url("/post")).query(&query).json(&reading);
        let answer: Answer = request.send()?.json()?;
        assert_eq!(answer.json, Some(reading));
        assert_eq!(answer.args, query);
        Ok(())
    }

    #[test]
    fn a_body_of_another_shape_is_a_decode_error_with_a_position() -> Outcome {
        let server = Httpbin::start();
        let response = Client::new().get(server.url("/json")).send()?;
        let error = response.json::<Reading>().unwrap_err();
        assert!(error.is_decode());
        assert!(error.to_string().contains("missing field `station` at line"), "{error}");
        Ok(())
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
