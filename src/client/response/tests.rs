use http::HeaderName;

use super::*;
use crate::http1::head;
use crate::http1::limits::Limits;

fn response(fields: &[(HeaderName, &'static str)]) -> Response<()> {
    let lines = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let raw = format!("HTTP/1.1 200 OK\r\n{}\r\n", lines.collect::<String>());
    let head = head::parse(raw.as_bytes(), &Limits::default()).unwrap();
    let url = Url::parse("http://a.example/dir/page?q").unwrap();
    Response { head: Head::new(head, url, None), body: () }
}

/// RFC 8288 §3.1: the target is relative to the URL of the response.
#[test]
fn links_are_resolved() {
    let links = response(&[
        (header::LINK, "<next>; rel=\"prefetch NEXT\"; title=a; title=b, <>; rel=self"),
        (header::LINK, "<mailto:a@b>; rel=author"),
    ]);
    let links = links.links();
    let urls: Vec<_> = links.iter().map(|link| link.url().map(|url| url.to_string())).collect();
    let expected = [Some("http://a.example/dir/next"), Some("http://a.example/dir/page?q"), None];
    let expected = expected.map(|url| url.map(str::to_owned));
    assert_eq!(urls, expected);
    assert!(links[0].has_rel("next") && links[0].has_rel("prefetch") && !links[0].has_rel("ex"));
    assert_eq!((links[0].parameter("title"), links[1].parameter("title")), (Some("a"), None));
    assert_eq!(links[2].target(), "mailto:a@b");
    assert_eq!(response(&[]).links(), []);
}

/// RFC 8288 §3.2, §3.3: a relation with an anchor is one of another resource.
#[test]
fn a_link_is_found_by_its_relation() {
    let link = |value| response(&[(header::LINK, value)]).link("next").map(String::from);
    let next = Some("http://a.example/dir/2".to_owned());
    assert_eq!(link("<1>; rel=prev, <2>; rel=\"last NEXT\", <3>; rel=next"), next);
    assert_eq!(link("<mailto:a@b>; rel=next, <2>; rel=next"), next);
    assert_eq!(link("<1>; rel=next; anchor=\"#a\", <2>; rel=next"), next);
    assert_eq!(link("<1>; rel=prev"), None);
    assert_eq!(response(&[]).link("next"), None);
}

#[test]
fn file_names_are_safe() {
    let named = |value| response(&[(header::CONTENT_DISPOSITION, value)]).file_name();
    assert_eq!(named("attachment; filename=\"../a.txt\"").as_deref(), Some("a.txt"));
    assert_eq!(named("attachment; filename=\"..\""), None);
    assert_eq!(named("attachment"), None);
    assert_eq!(response(&[]).file_name(), None);
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = SystemTime::UNIX_EPOCH;
    let asked = |value| response(&[(header::RETRY_AFTER, value)]).retry_after(now);
    assert_eq!(asked("7"), Some(Duration::from_secs(7)));
    assert_eq!(asked("Thu, 01 Jan 1970 00:01:00 GMT"), Some(Duration::from_secs(60)));
    assert_eq!(asked("soon"), None);
    assert_eq!(response(&[]).retry_after(now), None);
}
