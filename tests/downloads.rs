//! Downloads on a wire: what is asked of the server, the file that results, and what is left when it fails.
//!
//! The rules of the plan have a table of their own in `src/extra/download/tests.rs`; here are those that need a
//! connection, a file or a second process.
#![cfg(all(feature = "blocking", feature = "download", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use leanhttp::blocking::{Body, Client, RequestBuilder};
use leanhttp::error::{Fault, Kind};
use leanhttp::{CancelToken, Error, Method};

use support::script::{Connection, Script, Step, answer, moved, ok, send};

const FILE: &str = "ABCDEFGHIJKLMNOPQRST";
const FILE_SHA256: &str = "40800c4dc7925aa3ce2bd450f0b46efe056dbf5f4a83844555a43564b680a8ae";

/// More than any wait of these tests.
const GENEROUS: Duration = Duration::from_secs(5);

/// A directory that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("leanhttp-downloads-{}-{number}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of its entries, sorted.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Waits until a blocking thread that was left behind has removed its file.
    #[track_caller]
    fn assert_becomes(&self, names: &[&str]) {
        let start = Instant::now();
        while self.names() != names {
            assert!(start.elapsed() < GENEROUS, "{:?} and not {names:?}", self.names());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn get(server: &Script) -> RequestBuilder {
    Client::new().get(server.url("/dir/f.bin"))
}

/// A download that does not wait for long between attempts.
macro_rules! download {
    ($request:expr) => {
        $request.download().backoff(Duration::ZERO, Duration::ZERO)
    };
}

/// A connection that brings this response and is then cut.
fn cut(response: impl AsRef<[u8]>) -> Connection {
    vec![Step::ExpectRequest, send(response), Step::Cut]
}

fn whole(file: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\netag: \"a\"\r\n\r\n{file}", file.len()).into()
}

/// The file up to that byte, and then the end of the connection.
fn beginning(at: usize) -> Connection {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 20\r\netag: \"a\"\r\n\r\n";
    cut(format!("{head}{}", &FILE[..at]))
}

fn rest(at: usize) -> Vec<u8> {
    let length = FILE.len() - at;
    format!(
        "HTTP/1.1 206 Partial Content\r\ncontent-length: {length}\r\netag: \"a\"\r\n\
         content-range: bytes {at}-19/20\r\n\r\n{}",
        &FILE[at..]
    )
    .into()
}

/// The range fields of the request on connection `at`.
fn ranges(server: &Script, at: usize) -> Vec<String> {
    let text = server.received_text(at).to_lowercase();
    text.lines().filter(|line| line.contains("range")).map(str::to_owned).collect()
}

#[track_caller]
fn assert_file(path: &Path, content: &str) {
    assert_eq!(fs::read_to_string(path).unwrap(), content);
}

#[test]
fn a_file_is_written_and_nothing_else() {
    let (folder, server) = (Folder::new(), Script::serve(vec![answer(whole(FILE))]));
    let path = folder.join("f");
    let done = get(&server).download().to_file(&path).unwrap();
    assert_file(&path, FILE);
    assert_eq!((done.path(), done.size(), done.resumed()), (Some(&*path), 20, false));
    assert_eq!(done.sha256(), FILE_SHA256);
    assert_eq!(done.response().unwrap().headers()["etag"], "\"a\"");
    assert_eq!(done.content_encoding(), None);
    assert_eq!(folder.names(), ["f"]);
    let text = server.received_text(0).to_lowercase();
    assert!(text.contains("accept-encoding: identity\r\n") && !text.contains("range"), "{text}");
}

/// uv, rustup and others had to learn it: the file goes on where it was cut.
#[test]
fn a_file_that_is_cut_anywhere_is_resumed() {
    for at in 1..20 {
        let folder = Folder::new();
        let server = Script::serve(vec![beginning(at), answer(rest(at))]);
        let done = download!(get(&server)).sha256(FILE_SHA256).to_file(folder.join("f")).unwrap();
        assert_file(&folder.join("f"), FILE);
        assert!(done.resumed());
        assert_eq!(
            ranges(&server, 1),
            [format!("range: bytes={at}-"), "if-range: \"a\"".to_owned()]
        );
    }
}

#[test]
fn resets_and_refusals_are_resumed_too() {
    let folder = Folder::new();
    let mut reset = beginning(8);
    *reset.last_mut().unwrap() = Step::Reset;
    let server =
        Script::serve(vec![reset, vec![Step::ExpectRequest, Step::Close], answer(rest(8))]);
    download!(get(&server)).to_file(folder.join("f")).unwrap();
    assert_file(&folder.join("f"), FILE);
    assert_eq!(ranges(&server, 2).len(), 2, "one `Range`, one `If-Range`");
}

#[test]
fn a_server_that_is_silent_is_left() {
    let folder = Folder::new();
    let mut silent = beginning(8);
    *silent.last_mut().unwrap() = Step::Silent;
    let server = Script::serve(vec![silent, answer(rest(8))]);
    let request = get(&server).read_timeout(Duration::from_millis(100));
    download!(request).to_file(folder.join("f")).unwrap();
    assert_file(&folder.join("f"), FILE);
}

/// rustup#4710, aria2#2393: a 200 to a range is the whole file.
#[test]
fn a_server_that_ignores_ranges_gives_the_whole_file() {
    for other in [FILE, "0123456789", "another file, which is longer"] {
        let folder = Folder::new();
        let server = Script::serve(vec![beginning(8), answer(whole(other))]);
        let done = download!(get(&server)).to_file(folder.join("f")).unwrap();
        assert_file(&folder.join("f"), other);
        assert!(!done.resumed());
    }
}

#[test]
fn a_part_of_another_version_is_not_joined() {
    let folder = Folder::new();
    let other = "etag: \"b\"\r\nconnection: close";
    let other = String::from_utf8(rest(8)).unwrap().replace("etag: \"a\"", other);
    let server = Script::serve(vec![beginning(8), answer(other), answer(whole("abcdefghij"))]);
    download!(get(&server)).to_file(folder.join("f")).unwrap();
    assert_file(&folder.join("f"), "abcdefghij");
    assert!(ranges(&server, 2).is_empty());
}

/// curl#1163: the page of a 416 is not a part of the file.
#[test]
fn an_unsatisfied_range_ends_a_file_of_unknown_length() {
    let folder = Folder::new();
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\netag: \"a\"\r\n\r\n14\r\n";
    let end = "HTTP/1.1 416 X\r\ncontent-range: bytes */20\r\ncontent-length: 5\r\n\r\nerror";
    let server = Script::serve(vec![cut(format!("{chunked}{FILE}\r\n")), answer(end)]);
    download!(get(&server)).to_file(folder.join("f")).unwrap();
    assert_file(&folder.join("f"), FILE);
}

#[test]
fn a_coded_file_is_written_as_it_was_sent() {
    let folder = Folder::new();
    let coded = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 9\r\n\r\nnot gzip!";
    let server = Script::serve(vec![answer(coded)]);
    let done = get(&server).download().to_file(folder.join("f")).unwrap();
    assert_file(&folder.join("f"), "not gzip!");
    assert_eq!(done.content_encoding(), Some("gzip"));
}

/// drive9#138: signed URLs expire, so each attempt begins at the URL of the caller.
#[test]
fn an_attempt_follows_redirects_anew() {
    let folder = Folder::new();
    let mirrors = Script::serve(vec![beginning(8), answer(rest(8))]);
    let server =
        Script::serve(vec![moved(302, &mirrors.url("/one")), moved(302, &mirrors.url("/two.zip"))]);
    let done = download!(get(&server)).to_dir(&folder.0).unwrap();
    assert_file(&folder.join("one"), FILE);
    assert_eq!(done.path(), Some(&*folder.join("one")));
    assert!(mirrors.received_text(1).starts_with("GET /two.zip "));
    assert_eq!(ranges(&server, 1), ranges(&mirrors, 1));
}

#[test]
fn a_busy_server_is_asked_again_at_its_time() {
    let folder = Folder::new();
    let busy =
        "HTTP/1.1 503 X\r\nretry-after: 1\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbusy";
    let server = Script::serve(vec![beginning(8), answer(busy), answer(rest(8))]);
    let start = Instant::now();
    download!(get(&server)).to_file(folder.join("f")).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_file(&folder.join("f"), FILE);
}

/// After any failure the existing file is complete and no other file is left.
#[test]
fn an_error_leaves_the_old_file_and_nothing_else() {
    let status =
        |status: &str| answer(format!("HTTP/1.1 {status}\r\ncontent-length: 4\r\n\r\noops"));
    let refuses: [(&str, Vec<Connection>, Kind); 8] = [
        ("404 Not Found", vec![status("404 Not Found")], Kind::Status),
        ("204 No Content", vec![answer("HTTP/1.1 204 No Content\r\n\r\n")], Kind::Status),
        ("403 Forbidden", vec![beginning(8), status("403 Forbidden")], Kind::Status),
        ("at 8 of 20 bytes", vec![beginning(8), beginning(8), beginning(8)], Kind::Truncated),
        ("no range was asked for", vec![answer(rest(8))], Kind::Protocol),
        (
            "larger than `max_size`, 20 bytes",
            vec![answer(whole("123456789012345678901"))],
            Kind::Limit,
        ),
        ("SHA-256 of the file is", vec![answer(whole("ABCDEFGHIJKLMNOPQRSt"))], Kind::Checksum),
        ("has 19 bytes, expected 20", vec![answer(whole("ABCDEFGHIJKLMNOPQRS"))], Kind::Checksum),
    ];
    for (text, connections, kind) in refuses {
        let (folder, server) = (Folder::new(), Script::serve(connections));
        fs::write(folder.join("f"), "old").unwrap();
        let download = download!(get(&server)).sha256(FILE_SHA256).max_size(20).expected_size(20);
        let error = download.retries(2).to_file(folder.join("f")).unwrap_err();
        assert!(error.kind() == kind && error.to_string().contains(text), "{error}");
        assert_eq!(error.is_checksum(), kind == Kind::Checksum);
        assert_eq!(error.url().map(|url| url.path()), Some("/dir/f.bin"), "{error}");
        assert_file(&folder.join("f"), "old");
        folder.assert_becomes(&["f"]);
    }
}

#[test]
fn a_status_error_holds_the_response() {
    let (folder, server) = (
        Folder::new(),
        Script::serve(vec![answer("HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\noops")]),
    );
    let error = get(&server).download().to_file(folder.join("f")).unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404));
    let response = leanhttp::blocking::Response::try_from(error).unwrap();
    assert_eq!(response.text().unwrap(), "oops");
}

#[test]
fn a_wait_beyond_the_limit_is_an_error_that_says_so() {
    let (folder, server) = (
        Folder::new(),
        Script::serve(vec![answer(
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n",
        )]),
    );
    let error = get(&server).download().to_file(folder.join("f")).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("429 Too Many Requests")
            && text.contains("asks to wait 3600 s, the limit is 60 s"),
        "{text}"
    );
}

#[test]
fn the_old_file_is_untouched_until_the_new_one_is_complete() {
    let folder = Folder::new();
    fs::write(folder.join("f"), "old").unwrap();
    let slow = vec![
        Step::ExpectRequest,
        send("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nABCDEFGH"),
        Step::ExpectEnd,
    ];
    let server = Script::serve(vec![slow]);
    let (token, seen) = (CancelToken::new(), Arc::new(Mutex::new(Vec::new())));
    let (other, at, names) = (token.clone(), folder.join("f"), Arc::clone(&seen));
    let request = get(&server).cancel_token(&token);
    let download = request.download().on_progress(move |progress| {
        assert_eq!(progress.total, Some(20));
        if progress.received == 8 {
            assert_file(&at, "old");
            let entries = fs::read_dir(at.parent().unwrap()).unwrap();
            *names.lock().unwrap() = entries.map(|entry| entry.unwrap().file_name()).collect();
            other.cancel();
        }
    });
    let error = download.to_file(folder.join("f")).unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert_eq!(seen.lock().unwrap().len(), 2, "the old file and the new one");
    assert_file(&folder.join("f"), "old");
    folder.assert_becomes(&["f"]);
}

#[test]
fn a_cancellation_ends_the_wait_between_attempts() {
    let (folder, token) = (Folder::new(), CancelToken::new());
    let busy = "HTTP/1.1 503 X\r\nretry-after: 50\r\ncontent-length: 0\r\n\r\n";
    let server = Script::serve(vec![vec![Step::ExpectRequest, send(busy), Step::ExpectEnd]]);
    let (other, watch) = (token.clone(), server.watch());
    let start = Instant::now();
    let cancel = thread::spawn(move || {
        watch.await_steps(0, 2);
        thread::sleep(Duration::from_millis(50));
        other.cancel();
    });
    let client = Client::builder().pool_max_idle(0).build().unwrap();
    let request = client.get(server.url("/")).cancel_token(&token);
    let error = request.download().to_file(folder.join("f")).unwrap_err();
    cancel.join().unwrap();
    assert!(error.is_cancelled() && start.elapsed() < GENEROUS, "{error}");
    folder.assert_becomes(&[]);
}

/// The limit of the caller is that of the whole, with all attempts and waits.
#[test]
fn the_total_timeout_is_that_of_the_download() {
    let busy =
        "HTTP/1.1 503 X\r\nretry-after: 50\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (folder, server) = (Folder::new(), Script::serve(vec![answer(busy)]));
    let start = Instant::now();
    let request = get(&server).timeout(Duration::from_secs(2));
    let error = request.download().to_file(folder.join("f")).unwrap_err();
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "it does not wait for a limit that will pass"
    );
    assert!(error.is_status() && error.to_string().contains("after the total timeout"), "{error}");
    let server = Script::serve(vec![vec![Step::ExpectRequest, Step::Silent]]);
    let request = get(&server).timeout(Duration::from_millis(200));
    let error = request.download().to_file(folder.join("f")).unwrap_err();
    assert!(error.is_timeout() && start.elapsed() < GENEROUS, "{error}");
}

#[test]
fn a_panic_in_the_callback_leaves_nothing_and_the_client_usable() {
    let server = Script::serve(vec![answer(whole(FILE)), answer(ok("next"))]);
    let (folder, client) = (Folder::new(), Client::new());
    let download = client.get(server.url("/")).download().on_progress(|_| panic!("the callback"));
    let panicked = catch_unwind(AssertUnwindSafe(|| download.to_file(folder.join("f"))));
    assert!(panicked.is_err());
    folder.assert_becomes(&[]);
    client.close_idle_connections();
    assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "next");
}

#[test]
fn progress_is_told_at_the_first_bytes_and_at_the_end() {
    let folder = Folder::new();
    let server = Script::serve(vec![beginning(8), answer(whole(FILE))]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let download =
        download!(get(&server)).on_progress(move |progress| tell.lock().unwrap().push(progress));
    download.to_file(folder.join("f")).unwrap();
    let told = told.lock().unwrap();
    let (first, last) = (told[0], told[told.len() - 1]);
    assert!(first.received > 0 && first.total == Some(20) && first.restarts == 0, "{first:?}");
    assert_eq!((last.received, last.total, last.restarts), (20, Some(20), 1));
}

#[test]
fn a_directory_gets_the_name_of_the_server() {
    let folder = Folder::new();
    let named = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\
                 content-disposition: attachment; filename=\"../a.tar.gz\"\r\n\r\n";
    let bodies = ["one", "two", "six", "new"].map(|body| answer(format!("{named}{body}")));
    let server = Script::serve(bodies.into_iter().chain([answer(ok("x"))]).collect());
    let separate =
        || Client::builder().pool_max_idle(0).build().unwrap().get(server.url("/d/e%20f"));
    let done = separate().download().to_dir(&folder.0).unwrap();
    assert_eq!(done.path(), Some(&*folder.join("a.tar.gz")));
    // The server could replace any file otherwise.
    let error = separate().download().to_dir(&folder.0).unwrap_err();
    assert!(error.is_file() && error.to_string().contains("the file exists"), "{error}");
    assert_file(&folder.join("a.tar.gz"), "one");
    let done = separate().download().numbered(true).to_dir(&folder.0).unwrap();
    assert_eq!(done.path(), Some(&*folder.join("a.tar (1).gz")));
    separate().download().overwrite(true).to_dir(&folder.0).unwrap();
    assert_file(&folder.join("a.tar.gz"), "new");
    separate().download().to_dir(&folder.0).unwrap();
    folder.assert_becomes(&["a.tar (1).gz", "a.tar.gz", "e f"]);
}

#[test]
fn a_file_is_not_replaced_if_that_is_forbidden() {
    let (folder, server) = (Folder::new(), Script::serve(Vec::new()));
    fs::write(folder.join("f"), "old").unwrap();
    let error = get(&server).download().overwrite(false).to_file(folder.join("f")).unwrap_err();
    assert!(error.is_file() && error.to_string().contains("`overwrite` replaces it"), "{error}");
    assert_eq!(server.accepted(), 0);
}

/// A target that cannot be written is an error before anything is sent.
#[test]
fn a_path_that_cannot_be_written_is_an_error_at_once() {
    let (folder, server) = (Folder::new(), Script::serve(Vec::new()));
    let kind = |error: &Error| {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<io::Error>());
        cause.map(io::Error::kind)
    };
    let error = get(&server).download().to_file(folder.join("none/f")).unwrap_err();
    assert_eq!((kind(&error), error.fault()), (Some(io::ErrorKind::NotFound), Fault::Caller));
    assert!(
        error.is_file() && error.to_string().starts_with("writing the file for http://127.0.0.1:"),
        "{error}"
    );
    let error = get(&server).download().to_file(&folder.0).unwrap_err();
    assert!(error.to_string().ends_with("it is a directory: use `to_dir`"), "{error}");
    assert_eq!(server.accepted(), 0);
}

#[test]
fn a_writer_gets_the_file_in_one_go() {
    let server = Script::serve(vec![beginning(8), beginning_again(8, 12), answer(rest(12))]);
    let mut written = Vec::new();
    let done = download!(get(&server)).sha256(FILE_SHA256).to_writer(&mut written).unwrap();
    assert_eq!((written.as_slice(), done.path()), (FILE.as_bytes(), None));
}

/// The bytes from `at` on, up to `end`, where the connection is cut.
fn beginning_again(at: usize, end: usize) -> Connection {
    let mut response = rest(at);
    response.truncate(response.len() - (FILE.len() - end));
    cut(response)
}

#[test]
fn a_writer_cannot_go_back() {
    let server = Script::serve(vec![beginning(8), answer(whole("another"))]);
    let mut written = Vec::new();
    let error = download!(get(&server)).to_writer(&mut written).unwrap_err();
    assert!(
        error.is_checksum() && error.to_string().contains("a writer cannot go back"),
        "{error}"
    );
    assert_eq!(written, b"ABCDEFGH");
}

/// No network helps a writer that fails.
#[test]
fn a_writer_that_fails_ends_the_download() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let server = Script::serve(vec![answer(whole(FILE))]);
    let error = download!(get(&server)).to_writer(&mut Full).unwrap_err();
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<io::Error>()).unwrap();
    assert_eq!((error.kind(), cause.kind()), (Kind::File, io::ErrorKind::StorageFull));
}

/// A part that is kept is continued by the next run, whose facts name no URL.
#[test]
fn a_part_is_kept_for_the_next_run() {
    let folder = Folder::new();
    let path = folder.join("f");
    let server = Script::serve(vec![beginning(8), answer(rest(8))]);
    let error = download!(get(&server)).keep_partial(true).retries(0).to_file(&path).unwrap_err();
    assert_eq!(error.kind(), Kind::Truncated, "{error}");
    folder.assert_becomes(&["f.part", "f.part.meta"]);
    assert_file(&folder.join("f.part"), "ABCDEFGH");
    assert!(!fs::read_to_string(folder.join("f.part.meta")).unwrap().contains("127.0.0.1"));
    let done = download!(get(&server)).keep_partial(true).to_file(&path).unwrap();
    assert_file(&path, FILE);
    assert_eq!((done.resumed(), done.sha256().as_str()), (true, FILE_SHA256));
    assert_eq!(ranges(&server, 1), ["range: bytes=8-", "if-range: \"a\""]);
    folder.assert_becomes(&["f"]);
}

#[test]
fn a_part_that_is_not_of_the_file_is_not_used() {
    let folder = Folder::new();
    let path = folder.join("f");
    // Without facts, and of another URL.
    fs::write(folder.join("f.part"), "garbage").unwrap();
    let server = Script::serve(vec![beginning(8), answer(whole(FILE))]);
    download!(get(&server)).keep_partial(true).retries(0).to_file(&path).unwrap_err();
    assert!(ranges(&server, 0).is_empty());
    let other = Client::new().get(server.url("/other"));
    download!(other).keep_partial(true).to_file(&path).unwrap();
    assert!(ranges(&server, 1).is_empty());
    assert_file(&path, FILE);
    // Bytes that are known to be wrong are not kept.
    let server = Script::serve(vec![answer(whole("wrong"))]);
    let download = download!(get(&server)).keep_partial(true).sha256(FILE_SHA256);
    assert!(download.to_file(&path).unwrap_err().is_checksum());
    folder.assert_becomes(&["f"]);
}

#[test]
fn a_part_has_one_user_at_a_time() {
    const CHILD: &str = "LEANHTTP_DOWNLOADS_CHILD";
    if let Some(path) = std::env::var_os(CHILD) {
        let request = Client::new().get("http://127.0.0.1:9/");
        let error = request.download().keep_partial(true).to_file(path).unwrap_err();
        assert!(
            error.is_file() && error.to_string().contains("another download uses this part"),
            "{error}"
        );
        return;
    }
    let folder = Folder::new();
    let path = folder.join("f");
    let slow = vec![
        Step::ExpectRequest,
        send("HTTP/1.1 200 OK\r\ncontent-length: 20\r\netag: \"a\"\r\n\r\nABCDEFGH"),
        Step::ExpectEnd,
    ];
    let server = Script::serve(vec![slow]);
    let token = CancelToken::new();
    let (other, wanted, is_tried) = (token.clone(), path.clone(), AtomicUsize::new(0));
    let request = get(&server).cancel_token(&token);
    let download = request.download().keep_partial(true).on_progress(move |progress| {
        if progress.received < 8 || is_tried.fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        let thread = thread::current();
        let mut child = Command::new(std::env::current_exe().unwrap());
        let name = test_name(thread.name());
        let child = child.args(["--exact", &name, "--nocapture"]).env(CHILD, &wanted);
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        other.cancel();
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    });
    let error = download.to_file(&path).unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert_file(&folder.join("f.part"), "ABCDEFGH");
}

/// The name of this test here and in the tests of the other front.
fn test_name(thread: Option<&str>) -> String {
    let name = "a_part_has_one_user_at_a_time";
    let path = module_path!().split_once("::").map(|(_, path)| format!("{path}::{name}"));
    let found = thread.filter(|thread| thread.ends_with(name)).map(str::to_owned);
    found.or(path).unwrap_or_else(|| name.to_owned())
}

/// The write fails, as on a full disk: one request, and nothing is left.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_ends_the_download() {
    const CHILD: &str = "LEANHTTP_DOWNLOADS_FULL";
    if let Some(path) = std::env::var_os(CHILD) {
        let large = vec![b'x'; 1 << 20];
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\netag: \"a\"\r\n\r\n", large.len());
        let server = Script::serve(vec![vec![
            Step::ExpectRequest,
            send([head.as_bytes(), &large].concat()),
        ]]);
        let error = download!(get(&server)).to_file(path).unwrap_err();
        assert!(error.is_file() && error.to_string().contains(".part: File too large"), "{error}");
        assert_eq!(server.accepted(), 1);
        return;
    }
    let folder = Folder::new();
    let name = "a_disk_that_is_full_ends_the_download";
    let path = module_path!().split_once("::").map(|(_, path)| format!("{path}::{name}"));
    // A file may have 64 KiB, and the signal that tells so is ignored.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" --exact \"$1\" --nocapture"]);
    shell.arg(std::env::current_exe().unwrap()).arg(path.as_deref().unwrap_or(name));
    let output = shell.env(CHILD, folder.join("f")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    folder.assert_becomes(&[]);
}

#[test]
fn requests_that_are_no_downloads_are_refused() {
    let (folder, server) = (Folder::new(), Script::serve(Vec::new()));
    let url = server.url("/");
    let client = Client::new();
    let path = || folder.join("f");
    let results = [
        ("not a POST", client.post(&url).download().to_file(path())),
        ("not a HEAD", client.request(Method::HEAD, &url).download().to_file(path())),
        ("`Range`", client.get(&url).header("Range", "bytes=0-1").download().to_file(path())),
        ("read once", client.get(&url).body(Body::new(io::empty())).download().to_file(path())),
        ("64 hexadecimal digits", client.get(&url).download().sha256("abc").to_file(path())),
        ("needs `to_file`", client.get(&url).download().keep_partial(true).to_dir(&folder.0)),
        ("relative URL", client.get("f").download().to_file(path())),
    ];
    for (text, result) in results {
        let error = result.unwrap_err();
        assert!(error.is_builder() && error.to_string().contains(text), "{error}");
    }
    assert_eq!((server.accepted(), folder.names().len()), (0, 0));
}
