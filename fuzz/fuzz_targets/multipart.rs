//! Multipart forms: a reference parser reads back what was written, whatever the names and contents
//! are, and however the form is read; a reader that violates its announced length never makes a
//! complete form.
//!
//! The input has texts: options, name, content, file name and media type of each part in turn. The
//! options: file `n`ame, media `t`ype, content from a `r`eader, or a `s`ized one; with `+` or `-`
//! it has a byte more, which is not read, or fewer than announced.
#![no_main]

use std::io::Read;

use leanhttp::multipart::{Form, Part};
use leanhttp_fuzz::multipart::{self, parse};
use leanhttp_fuzz::{Sizes, Slow};
use libfuzzer_sys::fuzz_target;

const BOUNDARY: &str = "ab";

fuzz_target!(|input: &[u8]| {
    let (sizes, rest) = leanhttp_fuzz::sizes(input);
    let texts: Vec<_> = rest.split(|byte| *byte == 0xff).collect();
    let mut form = Form::new().with_boundary(BOUNDARY).unwrap();
    let (mut meant, mut refused, mut wrong) = (Vec::new(), false, false);
    for texts in texts.chunks_exact(5) {
        let [options, texts @ ..] = texts else { continue };
        let Input { name, part, is_refused, is_wrong, as_meant } =
            Input::read(options, texts, sizes);
        form = form.part(name, part);
        refused |= is_refused;
        wrong |= is_wrong;
        meant.push(as_meant);
    }

    let mut reader = form.into_reader();
    let mut body = Vec::new();
    for size in sizes {
        let mut piece = vec![0; size];
        match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => body.extend_from_slice(&piece[..count]),
            Err(_) => {
                assert!(refused || wrong, "nothing is wrong with it");
                return assert_eq!(parse(&body, BOUNDARY), None);
            }
        }
    }
    assert!(!wrong && !refused, "it does not end well");
    let mut parsed = parse(&body, BOUNDARY).expect("it is a form");
    for (part, meant) in parsed.iter_mut().zip(&meant) {
        // By the extension of the file name.
        if meant.content_type.is_none() && meant.file_name.is_some() {
            assert!(part.content_type.take().is_some_and(|it| it.contains('/')));
        }
    }
    assert_eq!(parsed, meant);
});

struct Input {
    name: String,
    part: Part,
    /// True if the content contains the end of its part.
    is_refused: bool,
    /// True if the reader violates its announced length.
    is_wrong: bool,
    as_meant: multipart::Part,
}

impl Input {
    fn read(options: &[u8], texts: &[&[u8]], sizes: Sizes<'_>) -> Self {
        let have = |letter: u8| options.contains(&letter);
        let [name, content, file_name, content_type] = [0, 1, 2, 3].map(|at| texts[at]);
        let [name, file_name, content_type] =
            [name, file_name, content_type].map(|text| String::from_utf8_lossy(text).into_owned());
        // Readers are not searched for the boundary.
        let is_read = have(b'r') || have(b's');
        let content = if is_read && holds_boundary(content) { b"" } else { content };
        let given = match (have(b'+'), have(b'-')) {
            (true, _) => [content, b"+"].concat(),
            (false, true) => content[..content.len().saturating_sub(1)].to_vec(),
            (false, false) => content.to_vec(),
        };
        let source = Slow::new(given.clone(), sizes);
        let (mut part, is_wrong) = match (have(b's'), have(b'r')) {
            (true, _) => {
                let part = Part::reader_with_length(source, content.len() as u64);
                (part, given.len() < content.len())
            }
            (false, true) => (Part::reader(source), false),
            (false, false) => (Part::bytes(given.clone()), false),
        };
        let file_name = have(b'n').then_some(file_name);
        if let Some(file_name) = &file_name {
            part = part.file_name(file_name.clone());
        }
        let content_type = Some(content_type).filter(|_| have(b't'));
        let content_type = content_type.filter(|text| Part::text("").mime_str(text).is_ok());
        if let Some(content_type) = &content_type {
            part = part.mime_str(content_type).unwrap();
        }
        let as_meant = multipart::Part {
            name: escaped(&name),
            file_name: file_name.map(|name| escaped(&name)),
            content_type,
            // No more than the announced length is read.
            content: if have(b's') { content.to_vec() } else { given.clone() },
        };
        Self { name, part, is_refused: !is_read && holds_boundary(&given), is_wrong, as_meant }
    }
}

fn escaped(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn holds_boundary(content: &[u8]) -> bool {
    leanhttp_fuzz::find(content, b"--ab").is_some()
}
