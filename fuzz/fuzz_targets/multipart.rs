//! Multipart forms: a twin reads back what was written, whatever the names and contents are, and
//! however the form is read.
#![no_main]

use std::io::Read;

use leanhttp::multipart::{Form, Part};
use leanhttp_fuzz::multipart::{Parts, parse};
use libfuzzer_sys::fuzz_target;

const BOUNDARY: &str = "ab";

fuzz_target!(|input: &[u8]| {
    let (sizes, rest) = leanhttp_fuzz::sizes(input);
    let mut parts: Parts = Vec::new();
    let mut form = Form::new().with_boundary(BOUNDARY).unwrap();
    for texts in leanhttp_fuzz::texts(rest).chunks(3) {
        let [name, content, file_name @ ..] = texts else { continue };
        let mut part = Part::bytes(content.clone().into_bytes());
        if let [file_name] = file_name {
            part = part.file_name(file_name.clone());
        }
        form = form.part(name.clone(), part);
        let file_name = file_name.first().map(|text| escaped(text));
        parts.push((escaped(name), file_name, content.clone().into_bytes()));
    }

    let mut reader = form.into_reader();
    let mut body = Vec::new();
    for size in sizes {
        let mut piece = vec![0; size];
        match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => body.extend_from_slice(&piece[..count]),
            // Only a content that could end its part is refused.
            Err(_) => return assert!(parts.iter().any(|(.., content)| holds_boundary(content))),
        }
    }
    assert_eq!(parse(&body, BOUNDARY), Some(parts));
});

fn escaped(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn holds_boundary(content: &[u8]) -> bool {
    content.windows(4).any(|window| window == b"--ab")
}
