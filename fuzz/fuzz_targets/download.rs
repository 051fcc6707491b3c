//! The plan of a download, over any answers: bytes are appended only at the offset that the answer names for them,
//! parts are joined only if their versions have one strong name, what is complete has the size that was announced,
//! and it ends.
//!
//! The first byte sets the limits; then come answers, each ended by the byte `ff`: a head, an empty line, a body. A
//! body that ends with `~` is cut there, and an answer that is no head is a connection that fails. The answers are
//! repeated when they are used up. The bytes of a body are not looked at, only counted.
#![no_main]

use leanhttp::fuzzing::download::{Download, Next};
use leanhttp::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use libfuzzer_sys::fuzz_target;

/// With at most 6 failures in a row, and progress by 1 KiB or in a file below that: more than any download needs of
/// answers whose bodies are a few KiB together.
const MOST_REQUESTS: usize = 40_000;

/// The state of a naive reference client.
#[derive(Default)]
struct Twin {
    /// The bytes that are there.
    length: u64,
    /// The strong name of the version that they are of.
    tag: Option<String>,
    total: Option<u64>,
}

fuzz_target!(|input: &[u8]| {
    let [limits, rest @ ..] = input else { return };
    let answers: Vec<_> = rest.split(|byte| *byte == 0xff).collect();
    let max_size = (limits & 0x80 != 0).then_some(5000);
    let retries = u32::from(limits & 7).min(6);
    let mut download = Download::new(retries, max_size, None);
    let mut twin = Twin::default();
    for (requests, answer) in answers.iter().cycle().enumerate() {
        assert!(requests < MOST_REQUESTS, "it does not end");
        let asked = download.request();
        twin.check_request(&asked);
        let next = match take(&mut download, &mut twin, &asked, answer) {
            None => return, // too large
            Some(next) => next,
        };
        match next {
            Next::Again => {}
            Next::Complete => {
                assert!(
                    twin.total.is_none_or(|total| total == twin.length),
                    "a size that nobody named"
                );
                return;
            }
            Next::Fail(_) => return,
            Next::Write(_) => panic!("there is no body"),
        }
    }
});

/// Plays one answer; returns `None` if the file is too large.
fn take(
    download: &mut Download,
    twin: &mut Twin,
    asked: &HeaderMap,
    answer: &[u8],
) -> Option<Next> {
    // The end of a head is a line that is empty, with or without a CR.
    let end = |at: usize| match &answer[at..] {
        [b'\n', b'\r', b'\n', ..] => Some(at + 3),
        [b'\n', b'\n', ..] => Some(at + 2),
        _ => None,
    };
    let end = (0..answer.len()).find_map(end).unwrap_or(answer.len());
    let (head, body) = answer.split_at(end);
    let Some(next) = download.answer(head) else { return Some(download.ended(false)) };
    let Next::Write(kept) = next else {
        if next == Next::Complete {
            twin.check_unsatisfied(asked, head);
        }
        return Some(next);
    };
    twin.begin(asked, head, kept);
    let (body, is_cut) = match body.strip_suffix(b"~") {
        Some(body) => (body, true),
        None => (body, false),
    };
    // In two pieces, whose border must not matter.
    let (first, second) = body.split_at(body.len() / 2);
    for piece in [first, second] {
        let Ok(count) = download.body(piece) else { return None };
        assert!(count <= piece.len());
        twin.length += count as u64;
    }
    if let Some(end) = twin.total {
        assert!(twin.length <= end || content_range(head).is_none(), "behind the end of the file");
    }
    Some(download.ended(!is_cut))
}

impl Twin {
    fn check_request(&self, asked: &HeaderMap) {
        let Some(range) = asked.get(RANGE) else {
            return assert!(!asked.contains_key(IF_RANGE));
        };
        assert_eq!(asked.get_all(RANGE).iter().count(), 1);
        let first: u64 = range.to_str().unwrap()[6..].trim_end_matches('-').parse().unwrap();
        assert!(first > 0 && first <= self.length, "{first} of {}", self.length);
        let if_range = asked[IF_RANGE].as_bytes();
        assert!(!if_range.starts_with(b"W/"), "a weak validator");
    }

    fn begin(&mut self, asked: &HeaderMap, head: &[u8], kept: u64) {
        if kept == 0 {
            let length = field(head, CONTENT_LENGTH.as_str())
                .filter(|it| it.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|it| it.parse().ok());
            let length = length.filter(|_| values(head, "transfer-encoding").is_empty());
            *self = Self { length: 0, tag: field(head, ETAG.as_str()), total: length };
            return;
        }
        // What is appended stands where the answer says.
        let range = content_range(head).expect("a part has a range");
        assert!(kept <= self.length && asked.contains_key(RANGE));
        assert_eq!(range.0, kept, "appended at another offset");
        assert!(range.1 >= range.0);
        if let (Some(own), Some(total)) = (self.total, range.2) {
            assert_eq!(own, total, "another size");
        }
        if let (Some(own), Some(tag)) = (&self.tag, field(head, ETAG.as_str())) {
            assert_eq!(*own, tag, "another version");
        }
        self.total = self.total.or(range.2);
        self.length = kept;
    }

    fn check_unsatisfied(&mut self, asked: &HeaderMap, head: &[u8]) {
        assert!(asked.contains_key(RANGE));
        let range = field(head, CONTENT_RANGE.as_str()).unwrap();
        let total = range.rsplit('/').next().and_then(|total| total.parse().ok());
        assert!(range.contains('*') && total == Some(self.length), "{range}");
    }
}

/// The bytes of a part, and the size of the file.
fn content_range(head: &[u8]) -> Option<(u64, u64, Option<u64>)> {
    let range = field(head, CONTENT_RANGE.as_str())?;
    let (first, rest) = range.get(6..)?.split_once('-')?;
    let (last, total) = rest.split_once('/')?;
    Some((first.parse().ok()?, last.parse().ok()?, total.parse().ok()))
}

/// The only value of a field; `None` if there are several.
fn field(head: &[u8], name: &str) -> Option<String> {
    let mut values = values(head, name);
    let value = values.pop()?;
    values.is_empty().then_some(value)
}

/// The values of all lines with this name.
fn values(head: &[u8], name: &str) -> Vec<String> {
    let text: String = head.iter().map(|byte| char::from(*byte)).collect();
    let lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
    let values = lines.filter_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim_matches([' ', '\t']).to_owned())
    });
    values.collect()
}
