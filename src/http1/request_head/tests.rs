use super::*;

fn spelt(case: Case, names: &[&str]) -> String {
    let names: Vec<Box<str>> = names.iter().map(|name| (*name).into()).collect();
    let head = b"GET / HTTP/1.1\r\nhost: a\r\nx-b: 1\r\nx--a: 2: 3\r\nx-b: 4\r\nb-: \r\n\r\n";
    let spelt = Spelling { case, names: &names }.apply(head);
    let text = String::from_utf8(spelt).unwrap();
    text.strip_prefix("GET / HTTP/1.1\r\n").unwrap().replace("\r\n", "|")
}

/// A head is sent as it was written only if the caller asked for nothing else.
#[test]
fn lower_case_without_names_is_the_default() {
    let names: [Box<str>; 1] = ["X-A".into()];
    for (case, names, is_usual) in [
        (Case::Lower, &[][..], true),
        (Case::Title, &[], false),
        (Case::Lower, &names, false),
        (Case::Title, &names, false),
    ] {
        assert_eq!(Spelling { case, names }.is_usual(), is_usual, "{case:?} {names:?}");
    }
}

#[test]
fn names_are_spelled_and_lines_are_placed() {
    use Case::{Lower, Title};
    let rows: [(_, &[&str], &str); 6] = [
        (Lower, &[], "host: a|x-b: 1|x--a: 2: 3|x-b: 4|b-: ||"),
        (Title, &[], "Host: a|X-B: 1|X--A: 2: 3|X-B: 4|B-: ||"),
        (Lower, &["x--A", "HOST"], "x--A: 2: 3|HOST: a|x-b: 1|x-b: 4|b-: ||"),
        (Title, &["x-b"], "Host: a|x-b: 1|X--A: 2: 3|X-B: 4|B-: ||"),
        // The second spelling applies to the second line.
        (Lower, &["B-", "X-b", "x-B"], "host: a|B-: |X-b: 1|x-B: 4|x--a: 2: 3||"),
        // A name whose line a redirect removed.
        (Lower, &["Gone", "x-B"], "host: a|x-B: 1|x--a: 2: 3|x-b: 4|b-: ||"),
    ];
    for (case, names, expected) in rows {
        assert_eq!(spelt(case, names), expected, "{names:?}");
    }
}

#[test]
fn a_request_head_is_one_run_of_bytes() {
    let mut out = Buffer::default();
    let mut head = HeadWriter::start(&mut out, &Method::GET, "/a?b", Version::HTTP_11);
    head.host("a.example:81");
    head.field(&http::header::ACCEPT, &HeaderValue::from_static("*/*"));
    head.content_length(12);
    head.end();
    let expected = "GET /a?b HTTP/1.1\r\nhost: a.example:81\r\naccept: */*\r\n\
                    content-length: 12\r\n\r\n";
    assert_eq!(out.data(), expected.as_bytes());
}
