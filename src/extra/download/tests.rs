//! Every rule of the plan, each as a story of requests and answers, without sockets and files.
//!
//! A story is a list of pairs: the range that must be asked for, and the answer. `8 "a"` is `Range: bytes=8-` with
//! `If-Range: "a"`, and an empty text no range. An answer is `status|fields||body`, in which `E` is `ETag: "a"`, `L20`
//! is `Content-Length: 20`, `R8-19/20` is a `Content-Range` in bytes, and `~` at the end of the body a connection
//! that is cut there. `refused` is no answer at all.

use std::time::{Duration, Instant, SystemTime};

use http::HeaderMap;

use super::hashes::{Hashes, hex, parse_sha256};
use super::kept::{Facts, key};
use super::name::file_name;
use super::plan::{DownloadFailure, DownloadPlan, DownloadStep, Settings};
use crate::http1::head;
use crate::http1::limits::Limits;
use crate::policy::Clock;
use crate::url::Url;

const FILE: &str = "ABCDEFGHIJKLMNOPQRST";
const FILE_SHA256: &str = "40800c4dc7925aa3ce2bd450f0b46efe056dbf5f4a83844555a43564b680a8ae";

/// The first of January 2026, and the longest backoff.
pub(crate) struct TestClock;

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
    }

    fn random(&self) -> u64 {
        u64::MAX
    }
}

/// An answer of a scripted server.
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// The connection ends before the framing does.
    pub(crate) is_cut: bool,
    /// The target takes no byte after this body.
    pub(crate) is_disk_full: bool,
}

/// The outcome of a download.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    File(Vec<u8>),
    Failed(DownloadFailure),
    DiskFull,
}

/// A download by a plan: what it holds, and the times that it waited.
pub(crate) struct Player {
    pub(crate) plan: DownloadPlan,
    pub(crate) target: Vec<u8>,
    pub(crate) waits: Vec<Duration>,
}

impl Player {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { plan: DownloadPlan::new(settings), target: Vec::new(), waits: Vec::new() }
    }

    /// Plays the exchanges until the download ends. Each is given what is asked, and returns the answer, or none if
    /// the server cannot be reached.
    pub(crate) fn play(&mut self, mut exchange: impl FnMut(&HeaderMap) -> Option<Answer>) -> End {
        let mut step = self.plan.start();
        loop {
            match step {
                DownloadStep::Complete => return End::File(std::mem::take(&mut self.target)),
                DownloadStep::Fail(failure) => return End::Failed(failure),
                DownloadStep::Write => unreachable!("there is no body"),
                DownloadStep::Again(wait) => self.waits.push(wait),
            }
            let mut asked = HeaderMap::new();
            self.plan.request().apply(&mut asked);
            step = match exchange(&asked) {
                None => self.plan.ended(false, &TestClock),
                Some(answer) => match self.read(&answer) {
                    Ok(step) => step,
                    Err(end) => return end,
                },
            };
        }
    }

    fn read(&mut self, answer: &Answer) -> Result<DownloadStep, End> {
        let head = head::parse(answer.head.as_bytes(), &Limits::default()).unwrap();
        match self.plan.answer(&head, &TestClock) {
            DownloadStep::Write => {}
            step => return Ok(step),
        }
        self.target.truncate(usize::try_from(self.plan.length()).unwrap());
        assert_eq!(self.target.len() as u64, self.plan.length(), "nothing is written behind a gap");
        // Byte by byte, so that every split of a body is played.
        for byte in answer.body.chunks(1) {
            if self.plan.has_message() {
                break;
            }
            let kept = self.plan.body(byte).map_err(End::Failed)?;
            self.target.extend_from_slice(&byte[..kept]);
        }
        if answer.is_disk_full {
            return Err(End::DiskFull);
        }
        Ok(self.plan.ended(!answer.is_cut, &TestClock))
    }
}

fn answer(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("||").unwrap_or((text, ""));
    let mut lines = head.split('|');
    let status = lines.next().filter(|status| *status != "refused")?;
    let mut head = format!("HTTP/1.1 {status} X\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n");
    for line in lines {
        let line = match line.split_at(1) {
            ("E", "") => "ETag: \"a\"".to_owned(),
            ("L", length) if length.parse::<u64>().is_ok() => format!("Content-Length: {length}"),
            ("R", range) if range.starts_with(|c: char| c.is_ascii_digit() || c == '*') => {
                format!("Content-Range: bytes {range}")
            }
            _ => line.to_owned(),
        };
        head.push_str(&format!("{line}\r\n"));
    }
    let is_cut = body.ends_with('~');
    let body = body.trim_end_matches('~').as_bytes().to_vec();
    Some(Answer { head: head + "\r\n", body, is_cut, is_disk_full: false })
}

/// Plays a story on a plan, all of it, and returns the end.
#[track_caller]
fn played_on(player: &mut Player, story: &[(&str, &str)]) -> End {
    let mut left = story.iter();
    let end = player.play(|asked| {
        let (range, text) = left.next().unwrap_or_else(|| panic!("one more request: {asked:?}"));
        let text_of = |name| asked.get(name).map(|value| value.to_str().unwrap().to_owned());
        let found = match (text_of("range"), text_of("if-range")) {
            (None, None) => String::new(),
            (Some(range), None) => range,
            (range, if_range) => format!("{} {}", range.unwrap(), if_range.unwrap()),
        };
        let expected = if range.is_empty() {
            String::new()
        } else {
            format!("bytes={}", range.replacen(' ', "- ", 1))
        };
        let expected =
            if expected.is_empty() || expected.contains("- ") { expected } else { expected + "-" };
        assert_eq!(found, expected, "before {text}");
        assert_eq!(text_of("accept-encoding").as_deref(), Some("identity"));
        answer(text)
    });
    assert_eq!(left.next(), None, "after {end:?}");
    end
}

#[track_caller]
fn played(settings: Settings, story: &[(&str, &str)]) -> End {
    played_on(&mut Player::new(settings), story)
}

/// Plays a story that ends with this file.
#[track_caller]
fn brings(file: &str, story: &[(&str, &str)]) {
    assert_eq!(played(Settings::default(), story), End::File(file.into()), "{story:?}");
}

#[track_caller]
fn fails(story: &[(&str, &str)]) -> DownloadFailure {
    match played(Settings::default(), story) {
        End::Failed(failure) => failure,
        end => panic!("{end:?}"),
    }
}

/// The first eight bytes of the file, and the whole.
const CUT: (&str, &str) = ("", "200|L20|E||ABCDEFGH~");
const WHOLE: (&str, &str) = ("", "200|L20|E||ABCDEFGHIJKLMNOPQRST");
const REST: (&str, &str) = ("8 \"a\"", "206|L12|R8-19/20|E||IJKLMNOPQRST");

#[test]
fn one_answer_is_enough() {
    brings(FILE, &[WHOLE]);
    brings("", &[("", "200|L0|E")]);
    brings(FILE, &[("", "203|L20||ABCDEFGHIJKLMNOPQRST")]);
    brings(FILE, &[("", "200|Transfer-Encoding: chunked||ABCDEFGHIJKLMNOPQRST")]);
}

#[test]
fn a_cut_at_any_byte_is_resumed_there() {
    for at in 1..20 {
        let first = format!("200|L20|E||{}~", &FILE[..at]);
        let range = format!("{at} \"a\"");
        let rest = format!("206|L{}|R{at}-19/20|E||{}", 20 - at, &FILE[at..]);
        brings(FILE, &[("", &first), (&range, &rest)]);
    }
    brings(FILE, &[("", "200|L20|E||~"), WHOLE]);
}

#[test]
fn all_of_a_known_length_is_complete_whatever_follows() {
    brings(FILE, &[("", "200|L20|E||ABCDEFGHIJKLMNOPQRST~")]);
}

/// RFC 9110 §15.3.7, §14.4: what does not fit is never appended, and no range is asked for any more.
#[test]
fn a_part_that_does_not_fit_begins_again_without_range() {
    for part in [
        "206|L14|R6-19/20|E||GHIJKLMNOPQRST",
        "206|L20|R0-19/20|E||ABCDEFGHIJKLMNOPQRST",
        "206|L10|R10-19/20|E||KLMNOPQRST",
        "206|L12|E||IJKLMNOPQRST",
        "206|L12|Content-Range: bytes=8-19/20|E||IJKLMNOPQRST",
        "206|L12|Content-Range: items 8-19/20|E||IJKLMNOPQRST",
        "206|L12|R8-19/20|R8-19/20|E||IJKLMNOPQRST",
        "206|L0|R8-7/20|E",
        "206|L12|R8-20/20|E||IJKLMNOPQRST",
        "206|L12|R8-19/25|E||IJKLMNOPQRST",
        "206|L17|R8-24/*|E||IJKLMNOPQRST12345",
        "206|L11|R8-19/20|E||IJKLMNOPQRS",
        "206|L12|R8-19/20|ETag: \"b\"||ijklmnopqrst",
        "206|L12|R8-19/20|ETag: W/\"a\"||IJKLMNOPQRST",
        "206|L12|R8-19/20|E|ETag: \"b\"||ijklmnopqrst",
        "206|L85|Content-Type: multipart/byteranges; boundary=x|E||--x",
        "206|L12|R*/20|E||IJKLMNOPQRST",
        "412|L0",
        "416|L0",
        "416|L0|R0-0/20",
        "416|L5|R*/10||error",
    ] {
        brings(FILE, &[CUT, ("8 \"a\"", part), WHOLE]);
        brings(FILE, &[CUT, ("8 \"a\"", part), ("", "200|L20|E||ABCDEF~"), WHOLE]);
    }
}

#[test]
fn a_part_may_be_short_or_without_a_total() {
    brings(
        FILE,
        &[CUT, ("8 \"a\"", "206|L4|R8-11/20|E||IJKL"), ("12 \"a\"", "206|L8|R12-19/20||MNOPQRST")],
    );
    brings(FILE, &[CUT, ("8 \"a\"", "206|L12|R8-19/*|E||IJKLMNOPQRST")]);
    brings(FILE, &[("", "200|E||ABCDEFGH~"), ("8 \"a\"", "206|L12|R8-19/*|E||IJKLMNOPQRST")]);
    brings(
        FILE,
        &[CUT, ("8 \"a\"", "206|L12|R8-19/20|E||IJKLMN~"), ("14 \"a\"", "206|R14-19/20||OPQRST")],
    );
}

#[test]
fn bytes_behind_a_part_are_not_written() {
    brings(FILE, &[CUT, ("8 \"a\"", "206|R8-19/20|E||IJKLMNOPQRSTXXXX")]);
}

#[test]
fn a_whole_file_replaces_what_is_there() {
    brings(FILE, &[CUT, ("8 \"a\"", WHOLE.1)]);
    brings("0123456789", &[CUT, ("8 \"a\"", "200|L10|ETag: \"c\"||0123456789")]);
    let again = ("12 \"b\"", "206|L8|R12-19/20||mnopqrst");
    brings(
        "abcdefghijklmnopqrst",
        &[CUT, ("8 \"a\"", "200|L20|ETag: \"b\"||abcdefghijkl~"), again],
    );
}

/// RFC 9110 §15.5.17: without its last chunk, the end of a file is asked for.
#[test]
fn an_unsatisfied_range_at_our_length_is_complete() {
    let all = ("", "200|E||ABCDEFGHIJKLMNOPQRST~");
    brings(FILE, &[all, ("20 \"a\"", "416|R*/20|L5||error")]);
    brings("0123456789", &[all, ("20 \"a\"", "416|R*/10"), ("", "200|L10||0123456789")]);
    brings(FILE, &[all, ("20 \"a\"", "206|L0|R20-19/20"), WHOLE]);
    let story = [CUT, ("8 \"a\"", "416|R*/8"), WHOLE];
    brings(FILE, &story); // the total was 20
}

#[test]
fn other_statuses_end_it() {
    for status in [201, 202, 204, 304, 400, 403, 404, 410, 412, 416, 451, 500, 501] {
        let text = format!("{status}|L4|R*/20||oops");
        let text = if matches!(status, 204 | 304) { status.to_string() } else { text };
        assert!(matches!(fails(&[("", &text)]), DownloadFailure::Status(found) if found == status));
    }
    for status in [304, 404, 410] {
        let story = [CUT, ("8 \"a\"", &*status.to_string())];
        assert!(matches!(fails(&story), DownloadFailure::Status(found) if found == status));
    }
    assert_eq!(
        fails(&[("", "206|L20|R0-19/20||ABCDEFGHIJKLMNOPQRST")]),
        DownloadFailure::UnaskedPart
    );
    let story = [CUT, ("8 \"a\"", "416"), ("", "416")];
    assert!(matches!(fails(&story), DownloadFailure::Status(found) if found == 416));
}

/// RFC 9110 §13.1.5, §8.8.2.2, §8.8.3.
#[test]
fn only_a_strong_validator_is_resumed_with() {
    let settled = "Wed, 31 Dec 2025 23:59:00 GMT";
    let strong =
        [("ETag: \"a\"", "\"a\""), ("ETag: \"\"", "\"\""), ("ETag: \"\u{e9}\"", "\"\u{e9}\"")];
    let dates = [(&*format!("Last-Modified: {settled}"), settled)];
    for (field, if_range) in strong[..2].iter().chain(&dates) {
        let first = format!("200|L20|{field}||ABCDEFGH~");
        brings(FILE, &[("", &first), (&format!("8 {if_range}"), "206|L12|R8-19/20||IJKLMNOPQRST")]);
    }
    for fields in [
        "X: y",
        "ETag: W/\"a\"",
        "ETag: w/\"a\"",
        "ETag: abc",
        "ETag: \"a b\"",
        "ETag: \"a\"b\"",
        "ETag: \"",
        "ETag: \"a\"|ETag: \"b\"",
        "ETag: W/\"a\"|Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT",
        "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT",
        "Last-Modified: Wed, 31 Dec 2025 23:59:01 GMT",
        "Last-Modified: Thu, 01 Jan 2026 00:01:40 GMT",
        "Last-Modified: yesterday",
    ] {
        brings(FILE, &[("", &format!("200|L20|{fields}||ABCDEFGH~")), WHOLE]);
    }
}

/// A server that ignores `If-Range` shows another date, or a tag that was not there.
#[test]
fn a_part_of_another_date_does_not_fit() {
    let date = "Wed, 31 Dec 2025 00:00:00 GMT";
    let first = format!("200|L20|Last-Modified: {date}||ABCDEFGH~");
    let range = format!("8 {date}");
    for other in ["Last-Modified: Wed, 31 Dec 2025 00:00:01 GMT", "ETag: \"a\""] {
        let part = format!("206|L12|R8-19/20|{other}||ijklmnopqrst");
        brings(FILE, &[("", &first), (&range, &part), WHOLE]);
    }
    let same = format!("206|L12|R8-19/20|Last-Modified: {date}||IJKLMNOPQRST");
    brings(FILE, &[("", &first), (&range, &same)]);
}

#[test]
fn a_server_without_ranges_is_not_asked_for_them() {
    brings(FILE, &[("", "200|L20|E|Accept-Ranges: None||ABCDEFGH~"), WHOLE]);
    brings(FILE, &[CUT, ("8 \"a\"", "200|L20|E|Accept-Ranges: none||ABCDEFGHIJKL~"), WHOLE]);
    brings(FILE, &[("", "200|L20|E|Accept-Ranges: bytes, items||ABCDEFGH~"), REST]);
}

#[test]
fn failures_in_a_row_are_limited_and_progress_ends_the_row() {
    let retries = |retries| Settings { retries, ..Settings::default() };
    let lost = ("8 \"a\"", "refused");
    let gave_up =
        |failures| End::Failed(DownloadFailure::GaveUp { failures, length: 8, total: Some(20) });
    assert_eq!(played(retries(0), &[CUT]), gave_up(1));
    assert_eq!(played(retries(2), &[CUT, lost, lost]), gave_up(3));
    let empty = ("8 \"a\"", "206|L12|R8-19/20|E||~");
    assert_eq!(played(retries(3), &[CUT, empty, empty, empty]), gave_up(4));
    let more = ("8 \"a\"", "206|L12|R8-19/20|E||IJ~");
    let rest = ("10 \"a\"", "206|L10|R10-19/20|E||KLMNOPQRST");
    let lost_later = ("10 \"a\"", "refused");
    let story = [CUT, lost, more, lost_later, rest];
    assert_eq!(played(retries(2), &story), End::File(FILE.into()));
    let first = ("", "refused");
    assert_eq!(played(retries(2), &[first, first, WHOLE]), End::File(FILE.into()));
    // From zero again it is no progress to come as far as before.
    let weak = ("", "200|L20||ABCDEFGH~");
    assert_eq!(played(retries(1), &[weak, weak]), gave_up(2));
}

#[test]
fn a_few_bytes_of_a_large_file_are_no_progress() {
    let total = 100_000;
    let mut player = Player::new(Settings { retries: 3, ..Settings::default() });
    let mut requests = 0;
    let end = player.play(|asked| {
        requests += 1;
        let at: usize = match asked.get("range") {
            Some(range) => range.to_str().unwrap()[6..].trim_end_matches('-').parse().unwrap(),
            None => return answer(&format!("200|L{total}|E||x~")),
        };
        // One byte for each request, in a range that is whole.
        answer(&format!("206|L1|R{at}-{at}/{total}|E||x"))
    });
    assert!(matches!(end, End::Failed(DownloadFailure::GaveUp { failures: 4, .. })), "{end:?}");
    assert_eq!(requests, 4);
}

/// RFC 9110 §10.2.3: the part stays, and the page of a busy server is not a part of it.
#[test]
fn a_busy_server_is_asked_again_later() {
    for status in [408, 429, 502, 503, 504] {
        let busy = format!("{status}|Retry-After: 33|L4||busy");
        let mut player = Player::new(Settings::default());
        let end = played_on(&mut player, &[("", &busy), CUT, ("8 \"a\"", &busy), REST]);
        assert_eq!(end, End::File(FILE.into()));
        let waits: Vec<_> = player.waits.iter().map(Duration::as_millis).collect();
        assert_eq!(waits, [0, 33_000, 500, 33_000], "{status}"); // the byte of progress ended the row
    }
    let busy = ("", "503|Retry-After: 61");
    let found = fails(&[busy]);
    let limit = Duration::from_secs(60);
    let asked = Duration::from_secs(61);
    assert!(
        matches!(found, DownloadFailure::AsksToWait { asked: a, limit: l, .. } if (a, l) == (asked, limit))
    );
    let settings = Settings { retries: 2, ..Settings::default() };
    let end = played(settings, &[("", "503"), ("", "503"), ("", "503")]);
    assert!(matches!(end, End::Failed(DownloadFailure::Status(status)) if status == 503));
}

#[test]
fn the_backoff_doubles_up_to_its_limit() {
    let mut player = Player::new(Settings { retries: 9, ..Settings::default() });
    let story = vec![("", "refused"); 10];
    let end = played_on(&mut player, &story);
    assert!(matches!(
        end,
        End::Failed(DownloadFailure::GaveUp { failures: 10, length: 0, total: None })
    ));
    let waits: Vec<_> = player.waits.iter().map(Duration::as_millis).collect();
    assert_eq!(waits, [0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
}

#[test]
fn the_size_is_limited_as_soon_as_it_is_known() {
    let max = |max| Settings { max_size: Some(max), ..Settings::default() };
    let too_large = |limit| End::Failed(DownloadFailure::TooLarge { limit });
    assert_eq!(played(max(19), &[WHOLE]), too_large(19));
    assert_eq!(played(max(20), &[WHOLE]), End::File(FILE.into()));
    assert_eq!(played(max(19), &[("", "200|E||ABCDEFGHIJKLMNOPQRST")]), too_large(19));
    assert_eq!(played(max(0), &[("", "200|E")]), End::File(Vec::new()));
    let cut = ("", "200|E||ABCDEFGH~");
    assert_eq!(played(max(19), &[cut, REST]), too_large(19));
    assert_eq!(played(max(15), &[cut, ("8 \"a\"", "206|R8-19/*|E||IJKLMNOPQRST")]), too_large(15));
}

#[test]
fn another_size_than_expected_is_an_error() {
    let expected = |size| Settings { expected_size: Some(size), ..Settings::default() };
    let wrong = |expected, found| End::Failed(DownloadFailure::Size { expected, found });
    assert_eq!(played(expected(21), &[WHOLE]), wrong(21, Some(20)));
    assert_eq!(played(expected(21), &[("", "200||ABCDEFGHIJKLMNOPQRST")]), wrong(21, Some(20)));
    assert_eq!(played(expected(19), &[("", "200||ABCDEFGHIJKLMNOPQRST")]), wrong(19, None));
    assert_eq!(played(expected(20), &[CUT, REST]), End::File(FILE.into()));
}

#[test]
fn a_digest_is_of_all_bytes() {
    let sha256 = |digits: &str| Settings { sha256: parse_sha256(digits), ..Settings::default() };
    assert_eq!(played(sha256(FILE_SHA256), &[CUT, REST]), End::File(FILE.into()));
    let upper = FILE_SHA256.to_uppercase();
    assert_eq!(played(sha256(&upper), &[WHOLE]), End::File(FILE.into()));
    let end = played(sha256(&"0".repeat(64)), &[WHOLE]);
    assert!(
        matches!(end, End::Failed(DownloadFailure::Checksum(found)) if found.found == FILE_SHA256)
    );
    // A splice may be of two versions: once again, from zero.
    let wrong = ("8 \"a\"", "206|L12|R8-19/20||ijklmnopqrst");
    assert_eq!(played(sha256(FILE_SHA256), &[CUT, wrong, WHOLE]), End::File(FILE.into()));
    let end = played(sha256(FILE_SHA256), &[CUT, wrong, ("", "200|L1||x")]);
    assert!(matches!(end, End::Failed(DownloadFailure::Checksum(_))));
    // With a digest nothing else need bind a range.
    let weak = ("", "200|L20||ABCDEFGH~");
    assert_eq!(played(sha256(FILE_SHA256), &[weak, ("8", REST.1)]), End::File(FILE.into()));
}

const GOOD: &str = "sha-256=:QIAMTceSWqPOK9RQ8LRu/gVtv19Kg4RFVaQ1ZLaAqK4=:";
const BAD: &str = "sha-256=:3WXuoDKdy5SxcYevnf8owxodeAJnN6Fq91l5ofpGGOU=:";
const BAD_512: &str = "sha-512=:jNnBN2UUJfsy0ZPZmygXNexo61/SlvFkWdGzPqx7rc/ODcoi6tql8gn6SsO77NQTQrrIuKXcNibn8izcluF8tA==:";

/// RFC 9530.
#[test]
fn digests_of_the_server_are_checked() {
    for (fields, is_good) in [
        (format!("Repr-Digest: {GOOD}"), true),
        (format!("Repr-Digest: {BAD}"), false),
        (format!("Repr-Digest: {BAD_512}"), false),
        (format!("Repr-Digest: {GOOD}, {BAD_512}"), false),
        (format!("Content-Digest: {GOOD}"), true),
        (format!("Content-Digest: {BAD}"), false),
        ("Repr-Digest: md5=:AAAAAAAAAAAAAAAAAAAAAA==:".to_owned(), true),
        (format!("Digest: {BAD}|Content-MD5: AAAA"), true),
    ] {
        let text = format!("200|L20|E|{fields}||{FILE}");
        match played(Settings::default(), &[("", &text)]) {
            End::File(_) => assert!(is_good, "{fields}"),
            end => assert!(
                !is_good && matches!(end, End::Failed(DownloadFailure::Checksum(_))),
                "{end:?}"
            ),
        }
    }
    let first = format!("200|L20|E|Repr-Digest: {GOOD}||ABCDEFGH~");
    brings(FILE, &[("", &first), REST]);
    let part = format!("206|L12|R8-19/20|E|Repr-Digest: {BAD}||IJKLMNOPQRST");
    brings(FILE, &[CUT, ("8 \"a\"", &part), WHOLE]);
    let own = Settings { sha256: parse_sha256(FILE_SHA256), ..Settings::default() };
    let text = format!("200|L20|E|Repr-Digest: {BAD}||{FILE}");
    assert_eq!(played(own, &[("", &text)]), End::File(FILE.into()));
}

/// A message that is damaged is thrown away, and what was there before stays.
#[test]
fn a_part_with_a_wrong_digest_is_asked_for_again() {
    let part = format!("206|L12|R8-19/20|E|Content-Digest: {BAD}||ijklmnopqrst");
    brings(FILE, &[CUT, ("8 \"a\"", &part), REST]);
    let good = "sha-256=:PmZEhLM3MN8qIFHWAwMjlXSsd1DcsriSlnJVUnySC4s=:";
    let part = format!("206|L12|R8-19/20|E|Content-Digest: {good}||IJKLMNOPQRST");
    brings(FILE, &[CUT, ("8 \"a\"", &part)]);
}

/// An earlier run may have had another limit.
#[test]
fn the_limit_of_size_holds_for_a_part_of_an_earlier_run() {
    let too_large = End::Failed(DownloadFailure::TooLarge { limit: 19 });
    let stories: [(_, &[(&str, &str)]); 2] =
        [(Some(20), &[]), (None, &[("20 \"a\"", "416|R*/20")])];
    for (total, story) in stories {
        let mut player = Player::new(Settings { max_size: Some(19), ..Settings::default() });
        let mut hashes = Hashes::default();
        hashes.update(FILE.as_bytes());
        player.target = FILE.into();
        player.plan.resume(FILE.len() as u64, hashes, Some("\"a\"".parse().unwrap()), total);
        assert_eq!(played_on(&mut player, story), too_large);
    }
}

#[test]
fn a_part_of_an_earlier_run_is_continued() {
    let resumed = |body: &str, total, story: &[(&str, &str)]| {
        let mut player = Player::new(Settings::default());
        let mut hashes = Hashes::default();
        hashes.update(body.as_bytes());
        player.target = body.into();
        player.plan.resume(body.len() as u64, hashes, Some("\"a\"".parse().unwrap()), total);
        let end = played_on(&mut player, story);
        (end, hex(&player.plan.sha256()) == FILE_SHA256)
    };
    let file = || (End::File(FILE.into()), true);
    assert_eq!(resumed("ABCDEFGH", Some(20), &[REST]), file());
    assert_eq!(resumed(FILE, Some(20), &[]), file());
    assert_eq!(resumed(FILE, None, &[("20 \"a\"", "416|R*/20")]), file());
    assert_eq!(resumed("", Some(20), &[WHOLE]), file());
    assert_eq!(resumed("ABCDEFGH", Some(20), &[("8 \"a\"", WHOLE.1)]), file());
}

#[test]
fn facts_are_read_as_they_were_written() {
    let key = key(&Url::parse("http://a.example/f#x").unwrap());
    assert_eq!(key, super::kept::key(&Url::parse("http://a.example/f").unwrap()));
    assert_ne!(key, super::kept::key(&Url::parse("http://a.example/g").unwrap()));
    for if_range in [None, Some("\"a\"".parse().unwrap())] {
        for total in [None, Some(0), Some(20)] {
            let facts = Facts { key: key.clone(), total, if_range: if_range.clone() };
            let text = facts.to_text();
            assert_eq!(Facts::parse(&text), Some(facts));
            assert!(!String::from_utf8(text.clone()).unwrap().contains("example"));
            for cut in 0..text.len() {
                let part = Facts::parse(&text[..cut]);
                assert!(part.is_none_or(|part| part.key == key), "after {cut} bytes");
            }
        }
    }
    for text in [
        &b""[..],
        b"x\n",
        b"leanhttp download 2\nrequest a\n",
        b"leanhttp download 1\n",
        b"leanhttp download 1\nrequest a\ntotal x\n",
        b"leanhttp download 1\nrequest a\nif-range \x01\n",
        b"leanhttp download 1\nrequest a\nother x\n",
    ] {
        assert_eq!(Facts::parse(text), None, "{}", text.escape_ascii());
    }
}

#[test]
fn names_are_of_the_field_then_of_the_url() {
    let named = |field: Option<&'static str>, url: &str| {
        let field = field.map(|value| {
            (http::header::CONTENT_DISPOSITION, http::HeaderValue::from_static(value))
        });
        file_name(&field.into_iter().collect::<Vec<_>>(), &Url::parse(url).unwrap())
    };
    let url = "http://a.example/dir/file.zip?x#y";
    assert_eq!(named(Some("attachment; filename=\"report.pdf\""), url), "report.pdf");
    assert_eq!(named(Some("attachment; filename=\"../../x\""), url), "x");
    assert_eq!(named(Some("attachment; filename=\"..\""), url), "file.zip");
    for (url, expected) in [
        (url, "file.zip"),
        ("http://a.example", "download"),
        ("http://a.example/dir/", "download"),
        ("http://a.example/..%5C..%5Cevil.exe", "evil.exe"),
        ("http://a.example/%252e%252e%252fx", "%2e%2e%2fx"),
        ("http://a.example/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "passwd"),
        ("http://a.example/.bashrc", "bashrc"),
        ("http://a.example/CON", "_CON"),
    ] {
        assert_eq!(named(None, url), expected, "{url}");
    }
}

#[test]
fn a_sha256_has_64_digits() {
    assert_eq!(parse_sha256(FILE_SHA256).map(|digest| hex(&digest)).as_deref(), Some(FILE_SHA256));
    for text in
        ["", "00", &FILE_SHA256[1..], &format!("{FILE_SHA256}0"), &"g".repeat(64), &"é".repeat(32)]
    {
        assert_eq!(parse_sha256(text), None, "{text}");
    }
}
