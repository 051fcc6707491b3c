//! Bodies from other sources: another response, another body, a file.

use real::error::Kind;
use real::tokio::multipart::{Form, Part};
use real::tokio::{Body, Client};

use super::support::script::{Script, Step, answer, ok, send};

async fn sent_on(head: &str, body: &str) -> (real::Result<u16>, String) {
    let from = Script::serve(vec![vec![Step::ExpectHead, send(format!("{head}\r\n\r\n{body}"))]]);
    let to = Script::serve(vec![vec![Step::ExpectRequest, send(ok("")), Step::Silent]]);
    let client = Client::new();
    let response = client.get(from.url("/")).send().await.unwrap();
    let sent = client.post(to.url("/")).body(response).send().await;
    (sent.map(|response| response.status().as_u16()), to.received_text(0))
}

#[tokio::test]
async fn responses_keep_their_length() {
    let (status, received) = sent_on("HTTP/1.1 200 OK\r\ncontent-length: 5", "hello").await;
    assert_eq!(status.unwrap(), 200);
    assert!(received.contains("\r\ncontent-length: 5\r\n"), "{received}");
    assert!(received.ends_with("\r\n\r\nhello"), "{received}");
}

#[tokio::test]
async fn responses_of_unknown_length_are_chunked() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked";
    let (status, received) = sent_on(chunked, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").await;
    assert_eq!(status.unwrap(), 200);
    assert!(received.ends_with("\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"), "{received}");
}

/// A body that was cut short is not delivered as complete.
#[tokio::test]
async fn truncated_responses_are_errors() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked";
    let begun = send(format!("{head}\r\n\r\n3\r\nab"));
    let from = Script::serve(vec![vec![Step::ExpectHead, begun, Step::Cut]]);
    let to = Script::serve(vec![vec![Step::ExpectHead, Step::Silent]]);
    let response = Client::new().get(from.url("/")).send().await.unwrap();
    let error = Client::new().post(to.url("/")).body(response).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Body, "{error}");
    assert!(!to.received_text(0).ends_with("0\r\n\r\n"));
}

/// The head and the body of a form with this part.
async fn received(part: Part) -> String {
    let server = Script::serve(vec![answer(ok(""))]);
    let form = Form::new().part("p", part);
    Client::new().post(server.url("/")).multipart(form).send().await.unwrap();
    server.received_text(0)
}

#[tokio::test]
async fn a_body_can_be_a_part() {
    let reader = || Body::new(&b"read"[..]);
    let known = [Part::stream("text"), Part::stream_with_length(reader(), 4)];
    for (part, content) in known.into_iter().zip(["text", "read"]) {
        let received = received(part.file_name("a.txt")).await;
        assert!(received.contains("\r\ncontent-length: "), "{received}");
        assert!(received.contains(&format!("\r\n\r\n{content}\r\n--")), "{received}");
    }
    let received = received(Part::stream(reader())).await;
    assert!(received.contains("\r\ntransfer-encoding: chunked\r\n"), "{received}");
}

/// As with any other part that does not have the announced length.
#[tokio::test]
async fn parts_must_match_their_length() {
    let server = Script::serve(vec![vec![Step::ExpectHead, Step::Silent]]);
    let part = Part::stream_with_length(Body::new(&b"read"[..]), 5);
    let form = Form::new().part("p", part);
    let error = Client::new().post(server.url("/")).multipart(form).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Body, "{error}");
}

/// RFC 7578 defines no trailers for parts: they would be lost silently.
#[tokio::test]
async fn parts_have_no_trailers() {
    let fields = [("x-sum".parse().unwrap(), "1".parse().unwrap())];
    let content = Body::from("text").with_trailers(fields.into_iter().collect());
    let form = Form::new().part("p", Part::stream(content));
    let error = Client::new().post("http://a.test/").multipart(form).build().unwrap_err();
    assert_eq!(error.kind(), Kind::Builder, "{error}");
    assert!(error.to_string().contains("part of a form cannot have trailers"), "{error}");
}

#[cfg(feature = "stream")]
#[tokio::test]
async fn files_have_name_type_and_length() {
    let path = std::env::temp_dir().join(format!("leanhttp-{}.csv", std::process::id()));
    std::fs::write(&path, "1,2,3").unwrap();
    let sent = received(Part::file(&path).await.unwrap()).await;
    let server = Script::serve(vec![answer(ok(""))]);
    let file = tokio::fs::File::open(&path).await.unwrap();
    Client::new().post(server.url("/")).body(file).send().await.unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(sent.contains("\r\ncontent-length: "), "{sent}");
    assert!(sent.contains(".csv\"\r\nContent-Type: text/csv\r\n\r\n1,2,3\r\n--"), "{sent}");
    let whole = server.received_text(0);
    assert!(whole.ends_with("\r\ncontent-length: 5\r\n\r\n1,2,3"), "{whole}");
}

/// The body begins at the file's position, and ends at the size that it had when it was sent; files
/// of the system that report no size are sent to their end.
#[cfg(feature = "stream")]
#[tokio::test]
async fn the_rest_of_a_file_has_a_length() {
    use std::io::{Seek as _, SeekFrom};
    use std::pin::Pin;
    use tokio::io::{AsyncRead as _, ReadBuf};
    let path = std::env::temp_dir().join(format!("leanhttp-rest-{}", std::process::id()));
    std::fs::write(&path, "0123456789").unwrap();
    for (read, seek, expected) in
        [(0, None, "0123456789"), (4, None, "456789"), (1, Some(6), "789")]
    {
        let mut file = std::fs::File::open(&path).unwrap();
        file.seek(SeekFrom::Start(seek.unwrap_or(0))).unwrap();
        let mut file = tokio::fs::File::from_std(file);
        if read > 0 {
            let mut begin = vec![0; read];
            let mut begin = ReadBuf::new(&mut begin);
            std::future::poll_fn(|cx| Pin::new(&mut file).poll_read(cx, &mut begin)).await.unwrap();
            assert_eq!(begin.filled().len(), read);
        }
        let server = Script::serve(vec![answer(ok(""))]);
        Client::new().put(server.url("/")).body(file).send().await.unwrap();
        let sent = server.received_text(0);
        let end = format!("\r\ncontent-length: {}\r\n\r\n{expected}", expected.len());
        assert!(sent.ends_with(&end), "{sent}");
    }
    std::fs::remove_file(&path).unwrap();
    if cfg!(target_os = "linux") {
        let file = tokio::fs::File::open("/proc/self/stat").await.unwrap();
        let server = Script::serve(vec![answer(ok(""))]);
        Client::new().put(server.url("/")).body(file).send().await.unwrap();
        let sent = server.received_text(0);
        assert!(sent.contains("\r\ntransfer-encoding: chunked\r\n"), "{sent}");
    }
}

#[cfg(feature = "stream")]
#[tokio::test]
async fn missing_files_are_errors() {
    let error = Form::new().file("data", "no/such/file").await.unwrap_err();
    assert!(error.to_string().starts_with("no/such/file: "), "{error}");
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::NotFound);
    let error = Part::file(std::env::temp_dir()).await.unwrap_err();
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::IsADirectory);
}
