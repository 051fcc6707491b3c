use std::io::Read;

use http::header;
use proptest::prelude::*;

use super::{Form, LONGEST_COPY, Part};
use crate::body::{Body, BodyError, Feed, SourceLength};
use crate::client::Client;
use crate::http1::exchange::Outgoing;
use crate::http1::testing::headers;
use crate::testing::harness::fuzzing::call::Given as Test;

fn reader(bytes: impl Into<Vec<u8>>, length: SourceLength) -> Part<Test> {
    Part::<Test>::from_source(Test::new(std::io::Cursor::new(bytes.into())), length)
}

/// Reads a body through one space and counts the bytes; passes each piece to `seen`.
fn drain(
    mut body: Body<Test>,
    space: &mut [u8],
    mut seen: impl FnMut(&[u8]),
) -> Result<u64, BodyError> {
    let mut total = 0;
    loop {
        let count = match body.feed(space) {
            Feed::Filled(0) => return Ok(total),
            Feed::Filled(count) => {
                total += count as u64;
                seen(&space[..count]);
                continue;
            }
            Feed::Read { source, into, .. } => source.read(into).unwrap(),
        };
        body.fed(count)?;
    }
}

fn written(form: Form<Test>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (_, body) = form.into_body().unwrap();
    drain(body, &mut [0; 64], |piece| bytes.extend_from_slice(piece)).unwrap();
    bytes
}

fn with_boundary() -> Form<Test> {
    Form::new().with_boundary("BOUND").unwrap()
}

/// Returns the text between the delimiter line and the content of a form with this one part.
fn head_of(part: Part<Test>) -> String {
    let bytes = written(with_boundary().part("n", part));
    let text = String::from_utf8(bytes).unwrap();
    let start = "--BOUND\r\nContent-Disposition: form-data; name=\"n\"";
    text.strip_prefix(start).unwrap().split_once("\r\n\r\n").unwrap().0.to_owned()
}

#[test]
fn the_parts_in_their_order() {
    assert_eq!(written(with_boundary()), b"--BOUND--\r\n");
    let form = with_boundary()
        .text("a", "1")
        .part("b", reader("two", SourceLength::Unknown))
        .part("b", Part::bytes(b"".as_slice()))
        .part("b", reader("", SourceLength::AtLeast(0)));
    let expected = "--BOUND\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                    --BOUND\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\ntwo\r\n\
                    --BOUND\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n\r\n\
                    --BOUND\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n\r\n\
                    --BOUND--\r\n";
    assert_eq!(String::from_utf8(written(form)).unwrap(), expected);
}

/// RFC 7578 §4.4: a file should have a type, a field is text by default.
/// However many short parts a form has, its body is one piece of memory; a longer content is a piece of its own.
#[test]
fn short_contents_are_in_one_piece() {
    for (length, pieces) in [(0, 1), (LONGEST_COPY, 1), (LONGEST_COPY + 1, 21)] {
        let content = "x".repeat(length);
        let form =
            (0..10).fold(with_boundary(), |form, at| form.text(format!("{at}"), content.clone()));
        let again =
            (0..10).fold(with_boundary(), |form, at| form.text(format!("{at}"), content.clone()));
        let (_, body) = form.into_body().unwrap();
        assert_eq!(body.known().count(), pieces, "{length}");
        let part =
            |at| format!("Content-Disposition: form-data; name=\"{at}\"\r\n\r\n{content}\r\n");
        let expected: String = (0..10).map(|at| format!("--BOUND\r\n{}", part(at))).collect();
        assert_eq!(String::from_utf8(written(again)).unwrap(), expected + "--BOUND--\r\n");
    }
}

#[test]
fn the_type_of_a_part() {
    let text = || Part::text("x");
    let from_header = || text().headers(headers(&[("content-type", "a/header"), ("x-a", "1")]));
    let table = [
        (text(), ""),
        (text().mime_str("text/csv; charset=utf-8").unwrap(), "text/csv; charset=utf-8"),
        (text().file_name("a.png"), "image/png"),
        (text().file_name("a.unheard-of"), "application/octet-stream"),
        (text().file_name("a.png").mime_str("a/b").unwrap(), "a/b"),
        (from_header(), "a/header"),
        (from_header().file_name("a.png"), "a/header"),
        (from_header().mime_str("a/b").unwrap(), "a/b"),
    ];
    for (part, expected) in table {
        let head = head_of(part);
        let types: Vec<_> =
            head.split("\r\n").filter_map(|line| line.strip_prefix("Content-Type: ")).collect();
        assert_eq!(types.concat(), expected, "{head}");
        assert_eq!(head.to_lowercase().matches("content-type").count(), types.len(), "{head}");
    }
}

#[test]
fn fields_of_a_part_follow_its_type() {
    let part = Part::text("x")
        .file_name("f.txt")
        .headers(headers(&[("x-old", "gone")]))
        .headers(headers(&[("x-a", "1"), ("x-a", "2")]));
    let expected = "; filename=\"f.txt\"\r\nContent-Type: text/plain\r\nx-a: 1\r\nx-a: 2";
    assert_eq!(head_of(part), expected);
}

#[test]
fn media_types_are_checked() {
    let good = ["a/b", "text/plain;charset=utf-8", "text/plain ; a=\"b c\"", "x-a/y+z.1"];
    let bad = [
        "",
        "/",
        "text",
        "text/",
        "/plain",
        " text/plain",
        "text/plain/x",
        "te xt/plain",
        "text/plain\r\nX-Evil: 1",
        "text/plain; a=\n",
        "text/plain; a=\u{e9}",
        "text/pl\u{e4}in",
        ";text/plain",
    ];
    for mime in good {
        let head = head_of(Part::text("").mime_str(mime).unwrap());
        assert_eq!(head, format!("\r\nContent-Type: {mime}"));
    }
    for mime in bad {
        assert!(Part::<Test>::text("").mime_str(mime).unwrap_err().is_builder(), "{mime:?}");
    }
}

/// With two of them, servers may disagree which one is valid.
#[test]
fn a_second_content_disposition_is_refused() {
    let part =
        Part::text("x").headers(headers(&[("content-disposition", "form-data; name=\"m\"")]));
    let error = with_boundary().part("n", part).into_body().map(|_| ()).unwrap_err();
    assert!(error.is_builder());
    assert_eq!(error.to_string(), "Content-Disposition among the headers of a part");
}

/// RFC 2046 §5.1.1: if the boundary is known, a value could forge the end of its part.
#[test]
fn a_value_that_holds_the_given_boundary_is_refused() {
    let table = [
        ("--BOUND", false),
        ("\r\n--BOUND--\r\nevil", false),
        ("--BOUN", true),
        ("-BOUND", true),
        ("", true),
    ];
    for (value, accepted) in table {
        let body = with_boundary().text("--BOUND", "1").text("a", value).into_body();
        assert_eq!(body.is_ok(), accepted, "{value:?}");
        let random = Form::<Test>::new().text("a", value).into_body();
        assert!(random.is_ok(), "{value:?}");
    }
}

#[test]
fn the_length_is_known_when_every_part_knows_its_own() {
    use SourceLength::{AtLeast, Exactly, Unknown};
    let table = [
        (Exactly(3), true),
        (Exactly(2), true), // a part of a file
        (AtLeast(3), true),
        (AtLeast(2), true), // a file that has grown
        (Unknown, false),
    ];
    for (length, known) in table {
        let form = with_boundary().text("a", "1").part("b", reader("two", length));
        let (_, body) = form.into_body().unwrap();
        let announced = body.length();
        let count = drain(body, &mut [0; 64], |_| ()).unwrap();
        assert_eq!(announced, known.then_some(count), "{length:?}");
    }
}

#[test]
fn a_reader_of_another_length_is_an_error() {
    use SourceLength::{AtLeast, Exactly, ToItsEnd};
    let table = [
        (Exactly(4), BodyError::TooShort { missing: 1 }),
        (AtLeast(5), BodyError::TooShort { missing: 2 }), // a file that has shrunk
        (ToItsEnd(0), BodyError::TooLong),                // a file in `/proc`
    ];
    for (length, expected) in table {
        let form = with_boundary().part("a", reader("two", length)).text("b", "2");
        let (_, body) = form.into_body().unwrap();
        assert_eq!(drain(body, &mut [0; 64], |_| ()), Err(expected), "{length:?}");
    }
}

/// The sum of the lengths overflows, so the form is sent in chunks.
#[test]
fn lengths_that_overflow_are_no_length() {
    let huge = || reader("", SourceLength::Exactly(u64::MAX));
    let (_, body) = with_boundary().part("a", huge()).part("b", huge()).into_body().unwrap();
    assert_eq!(body.length(), None);
}

#[test]
fn a_form_of_bytes_can_be_sent_again() {
    let bytes = with_boundary().text("a", "1").part("b", Part::bytes(vec![0]));
    let (_, bytes) = bytes.into_body().unwrap();
    assert!(bytes.try_clone().is_some());
    assert!(format!("{bytes:?}").contains("replayable: true"), "{bytes:?}");
    let file = with_boundary().text("a", "1").part("b", reader("x", SourceLength::AtLeast(1)));
    assert!(file.into_body().unwrap().1.try_clone().is_none());
}

/// The only memory is the 64 KiB space that the test owns, because a body has no other buffer.
#[test]
fn a_gibibyte_goes_through_64_kib() {
    const SIZE: u64 = 1 << 30;
    let zeros = std::io::repeat(0).take(SIZE);
    let part = Part::<Test>::from_source(Test::new(zeros), SourceLength::Exactly(SIZE));
    let (_, body) = with_boundary().part("zeros", part).into_body().unwrap();
    let announced = body.length();
    let mut space = vec![0; 64 * 1024];
    let mut largest = 0;
    let total = drain(body, &mut space, |piece| largest = largest.max(piece.len())).unwrap();
    assert!(total > SIZE && largest <= 64 * 1024);
    assert_eq!(announced, Some(total));
}

#[test]
fn the_framing_depends_on_the_known_lengths() {
    let form = |length| with_boundary().part("a", reader("two", length));
    let table = [
        (form(SourceLength::Exactly(3)), Outgoing::Length(69)),
        (form(SourceLength::Unknown), Outgoing::Chunked),
    ];
    for (form, outgoing) in table {
        let builder = Client::<crate::testing::harness::fuzzing::call::Fuzzed>::new()
            .post("http://example.org/");
        let builder = builder.header("Content-Type", "text/plain").multipart(form);
        let mut request = builder.build().unwrap();
        let types: Vec<_> = request.headers().get_all(header::CONTENT_TYPE).iter().collect();
        assert_eq!(types, ["multipart/form-data; boundary=BOUND"]);
        assert_eq!(request.parts.validate().unwrap(), outgoing);
    }
}

#[test]
fn debug_shows_no_values() {
    let form = with_boundary().part("n", Part::text("secret value").file_name("f"));
    let shown = format!("{form:?}");
    assert!(shown.contains("\"n\"") && shown.contains("12") && !shown.contains("secret"));
}

/// The parts of a form as parsed by a server: (name, file name, content).
type Parts = Vec<(String, Option<String>, Vec<u8>)>;

/// A parser that shares no code with the writer: it searches the whole body for delimiters.
fn parse(body: &[u8], boundary: &str) -> Option<Parts> {
    let delimiter = format!("\r\n--{boundary}");
    let framed = [b"\r\n", body].concat(); // makes the first delimiter like the others
    let mut starts: Vec<usize> =
        (0..framed.len()).filter(|&at| framed[at..].starts_with(delimiter.as_bytes())).collect();
    let end = starts.pop()?;
    (framed[end + delimiter.len()..] == *b"--\r\n").then_some(())?;
    starts.push(end);
    (starts[0] == 0).then_some(())?;
    starts.windows(2).map(|pair| part(&framed[pair[0] + delimiter.len()..pair[1]])).collect()
}

fn part(bytes: &[u8]) -> Option<(String, Option<String>, Vec<u8>)> {
    let end = (0..bytes.len()).find(|&at| bytes[at..].starts_with(b"\r\n\r\n"))?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.strip_prefix("\r\n")?.split("\r\n");
    let disposition = lines.next()?.strip_prefix("Content-Disposition: form-data; name=\"")?;
    let (name, file_name) = match disposition.strip_suffix('"')?.split_once("\"; filename=\"") {
        Some((name, file_name)) => (name, Some(file_name.to_owned())),
        None => (disposition.strip_suffix('"')?, None),
    };
    lines.all(|line| line.starts_with("Content-Type: ")).then_some(())?;
    Some((name.to_owned(), file_name, bytes[end + 4..].to_vec()))
}

/// Returns a name as sent; the encoding is not reversible, because `%` is not encoded.
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,8}", "[\"\r\n%;=\\\\a-]{0,8}"]
}

/// Contents similar to delimiters, with another boundary than the form's.
fn any_content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..6),
        prop::sample::select(vec![&b"\r\n"[..], b"--", b"BOUND", b"\r\n--BOUND", b"--\r\n", b"\r"])
            .prop_map(<[u8]>::to_vec),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn an_independent_parser_reads_it_back(
        parts in prop::collection::vec(
            (any_name(), prop::option::of(any_name()), any_content(), 0..4_u8),
            0..5,
        ),
        space in 2..200_usize,
    ) {
        let mut form = Form::<Test>::new();
        for (name, file_name, content, kind) in &parts {
            let length = content.len() as u64;
            let mut part = match kind {
                0 => Part::bytes(content.clone()),
                1 => reader(content.clone(), SourceLength::Unknown),
                2 => reader(content.clone(), SourceLength::Exactly(length)),
                _ => reader(content.clone(), SourceLength::AtLeast(length)),
            };
            if let Some(file_name) = file_name {
                part = part.file_name(file_name.clone());
            }
            form = form.part(name.clone(), part);
        }
        let boundary = form.boundary().to_owned();
        let (content_type, body) = form.into_body().unwrap();
        prop_assert_eq!(content_type, format!("multipart/form-data; boundary={boundary}"));
        let all_known = parts.iter().all(|(.., kind)| *kind != 1);
        let announced = body.length();

        let mut bytes = Vec::new();
        let count = drain(body, &mut vec![0; space], |piece| bytes.extend_from_slice(piece));
        prop_assert_eq!(announced, all_known.then_some(count.unwrap()));
        let expected: Parts = parts.iter().map(|(name, file_name, content, _)| {
            (escaped(name), file_name.as_deref().map(escaped), content.clone())
        }).collect();
        prop_assert_eq!(parse(&bytes, &boundary), Some(expected));
    }
}
