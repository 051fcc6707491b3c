//! Futures: their auto traits, and dropping them at every await point.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use real::tokio::multipart::Form;
use real::tokio::{Body, Client, ClientBuilder, Request, RequestBuilder, Response, Upgraded};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::JoinSet;

use super::support::httpbin::Httpbin;
use super::support::pki::Pki;
use super::support::script::{Gate, Script, Step, answer, ok, send};

/// A task may move to another thread at every await.
#[test]
fn are_send_sync_and_static_where_their_inputs_are() {
    fn is_send<T: Send + Sync>(_: T) {}
    fn is_send_and_sync<T: Send + Sync>() {}
    fn all(client: &Client, mut response: Response, other: fn() -> Response) {
        is_send(client.get("").send());
        is_send(client.execute(client.get("").build().unwrap()));
        is_send(real::tokio::get(""));
        is_send(response.chunk());
        is_send(response.copy_to(&mut tokio_sink()));
        is_send(response.bytes());
        is_send(other().text());
        #[cfg(feature = "json")]
        is_send(other().json::<String>());
        #[cfg(feature = "charset")]
        is_send(other().text_with_charset("utf-8"));
        is_send(other().upgrade());
    }
    fn tokio_sink() -> impl tokio::io::AsyncWrite + Send + Sync + Unpin {
        Vec::new()
    }
    let _: fn(&Client, Response, fn() -> Response) = all;
    // These futures own their data, so a task can hold them.
    fn is_static<T: Send + Sync + 'static>(_: T) {}
    let _: fn(&Client, Request) = |client, request| is_static(client.execute(request));
    let _: fn(RequestBuilder) = |request| is_static(request.send());
    let _: fn(Response) = |response| is_static(response.text());
    let _: fn(Response) = |response| is_static(response.bytes());
    let _: fn(Response) = |response| is_static(response.upgrade());
    #[cfg(feature = "json")]
    let _: fn(Response) = |response| is_static(response.json::<String>());
    let _: fn(Body) = |body| is_static(async move { body.as_bytes().map(<[u8]>::len) });
    #[cfg(feature = "charset")]
    let _: fn(Response) = |response| is_static(response.text_with_charset("utf-8"));
    #[cfg(feature = "stream")]
    let _: fn(Response, Form) = |response, form| {
        is_static(response.bytes_stream());
        is_static(form.into_stream());
        is_static(async { Form::new().file("a", "b").await });
    };
    let _: fn() = || is_static(real::tokio::get("http://a.test/"));
    let _: fn(Body) = |mut body| is_static(async move { body.buffer().await.map(<[u8]>::len) });
    is_send_and_sync::<Client>();
    is_send_and_sync::<ClientBuilder>();
    is_send_and_sync::<Request>();
    is_send_and_sync::<RequestBuilder>();
    is_send_and_sync::<Body>();
    is_send_and_sync::<Form>();
    is_send_and_sync::<Response>();
    is_send_and_sync::<Upgraded>();
    fn is_read<T: AsyncRead + Unpin>() {}
    is_read::<Response>();
}

/// A reader that is never ready.
struct Never;

impl AsyncRead for Never {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }
}

/// Deadlines and tokens end a call that waits only for its own reader.
#[tokio::test]
async fn of_a_pending_reader_end_by_deadline_or_token() {
    let server = Script::serve(vec![vec![Step::Silent]; 2]);
    let post = || Client::new().post(server.url("/")).body(Body::new(Never));
    let limit = Duration::from_millis(100);
    let late = tokio::time::timeout(GENEROUS, post().timeout(limit).send());
    assert!(late.await.expect("it ended").unwrap_err().is_timeout());
    let token = real::CancelToken::new();
    let request = post().cancel_token(&token);
    let call = tokio::spawn(request.send());
    tokio::time::sleep(limit).await;
    token.cancel();
    let outcome = tokio::time::timeout(GENEROUS, call).await.expect("it ended").unwrap();
    assert!(outcome.unwrap_err().is_cancelled());
}

const GENEROUS: Duration = Duration::from_secs(10);

/// Polls a future that many times; returns its output if it completes.
async fn polled<T>(future: impl Future<Output = T>, times: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut polls = 0;
    std::future::poll_fn(|cx| {
        if polls == times {
            return Poll::Ready(None);
        }
        polls += 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// A wait that was dropped is over with its call: the next one has limits of its own.
#[tokio::test]
async fn that_are_dropped_leave_no_limit_to_the_next_call() {
    let (limit, gate) = (Duration::from_millis(1000), Gate::default());
    let begun = send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
    let first = [Step::ExpectRequest, begun, Step::Wait(gate.clone()), send("world")];
    let second = [Step::ExpectRequest, Step::Pause(limit / 2), send(ok("next"))];
    let server = Script::serve(vec![first.into_iter().chain(second).collect()]);
    let client = Client::builder().read_timeout(limit).build().unwrap();
    let mut response = client.get(server.url("/")).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "hello");
    assert!(tokio::time::timeout(limit / 8, response.chunk()).await.is_err());
    gate.open();
    server.await_steps(0, 4); // the rest has arrived, and is drained
    drop(response);
    assert_eq!(client.pool_stats().idle, 1);
    tokio::time::sleep(limit).await;
    let next = client.get(server.url("/")).send().await;
    assert_eq!(next.unwrap().text().await.unwrap(), "next");
}

/// Of two limits, the one that ended the wait is reported; the wait began with the first future.
#[tokio::test]
async fn that_are_made_anew_continue_the_wait() {
    let limit = Duration::from_millis(400);
    let begun = send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
    let server = Script::serve(vec![vec![Step::ExpectRequest, begun, Step::Silent]]);
    let client = Client::builder().read_timeout(limit).timeout(limit * 5 / 4).build().unwrap();
    let mut response = client.get(server.url("/")).send().await.unwrap();
    response.chunk().await.unwrap();
    assert!(tokio::time::timeout(limit / 2, response.chunk()).await.is_err());
    let error = response.chunk().await.unwrap_err();
    assert!(error.to_string().ends_with("no byte came for 400ms (read timeout)"), "{error}");
}

/// A limit that is changed takes effect immediately.
#[tokio::test]
async fn of_upgraded_connections_use_a_changed_limit_immediately() {
    let limit = Duration::from_millis(300);
    let switch =
        send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
    let late = [Step::ExpectRequest, switch, Step::Pause(limit * 2), send("late")];
    let server = Script::serve(vec![late.into()]);
    let client = Client::builder().read_timeout(limit).build().unwrap();
    let request =
        client.get(server.url("/")).header("upgrade", "x").header("connection", "upgrade");
    let mut upgraded = request.send().await.unwrap().upgrade().await.unwrap();
    let mut bytes = [0; 4];
    assert!(tokio::time::timeout(limit / 3, read(&mut upgraded, &mut bytes)).await.is_err());
    upgraded.set_read_timeout(Some(GENEROUS));
    assert_eq!(read(&mut upgraded, &mut bytes).await.unwrap(), 4);
    assert_eq!(&bytes, b"late");
}

async fn read(from: &mut Upgraded, into: &mut [u8]) -> std::io::Result<usize> {
    let mut buffer = ReadBuf::new(into);
    std::future::poll_fn(|cx| Pin::new(&mut *from).poll_read(cx, &mut buffer)).await?;
    Ok(buffer.filled().len())
}

/// Reads that much and no more.
struct Full(usize);

impl AsyncWrite for Full {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let count = bytes.len().min(self.0);
        self.0 -= count;
        if count > 0 { Poll::Ready(Ok(count)) } else { Poll::Pending }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Dropping `copy_to` loses the chunk in hand, so reading on is an error.
#[tokio::test]
async fn of_a_dropped_copy_invalidate_the_body() {
    let server = Httpbin::start();
    let client = Client::new();
    for size in [20_000, 200_000] {
        let url = server.url(&format!("/bytes/{size}"));
        let mut response = client.get(url).send().await.unwrap();
        let mut writer = Full(1000);
        let copy = response.copy_to(&mut writer);
        assert!(tokio::time::timeout(Duration::from_millis(100), copy).await.is_err());
        let error = response.chunk().await.unwrap_err();
        assert!(error.to_string().contains("a read of it was dropped"), "{error}");
    }
}

/// A call that is dropped at any point leaves no connection open, and the pool intact.
#[tokio::test]
async fn may_be_dropped_at_every_await() {
    let pki = Pki::new();
    let (plain, tls) = (Httpbin::start(), Httpbin::start_tls(&pki));
    for server in [&plain, &tls] {
        let ca = real::Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
        let builder = Client::builder().tls_certs_only([ca]).pool_max_open_per_host(1);
        let client = builder.build().unwrap();
        for is_pooled in [false, true] {
            for times in 0.. {
                client.close_idle_connections();
                let get = async |path: &str| {
                    let response = client.get(server.url(path)).send().await?;
                    response.bytes().await
                };
                if is_pooled {
                    get("/get").await.unwrap();
                }
                let idle = client.pool_stats().idle;
                let done = polled(get("/redirect/2"), times).await;
                let stats = client.pool_stats();
                assert_eq!(stats.waiting, 0);
                assert_eq!(stats.open, stats.idle, "{times} polls, {idle} idle before");
                assert!(!get("/get").await.unwrap().is_empty(), "the next call");
                if done.is_some() {
                    assert!(times > 2, "it was pending at some points");
                    break;
                }
            }
        }
    }
}

/// A chunk that was not delivered is returned by the next call.
#[tokio::test]
async fn of_dropped_chunks_lose_nothing() {
    let server = Httpbin::start();
    let client = Client::new();
    let whole = client.get(server.url("/bytes/50000?seed=1")).send().await.unwrap();
    let whole = whole.bytes().await.unwrap();
    let mut response = client.get(server.url("/bytes/50000?seed=1")).send().await.unwrap();
    let mut pieces = Vec::new();
    loop {
        match polled(response.chunk(), 1).await {
            Some(Ok(Some(piece))) => pieces.extend_from_slice(&piece),
            Some(Ok(None)) => break,
            Some(Err(error)) => panic!("{error}"),
            None => tokio::task::yield_now().await,
        }
    }
    assert!(pieces == whole);
}

/// Each poll makes a new future; the deadline is that of the first.
#[tokio::test]
async fn that_are_polled_anew_keep_their_deadline() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    let server = Script::serve(vec![vec![Step::ExpectHead, send(head), Step::Silent]]);
    let get = Client::new().get(server.url("/")).read_timeout(Duration::from_millis(300));
    let mut response = get.send().await.unwrap();
    let begun = std::time::Instant::now();
    let error = loop {
        match polled(response.chunk(), 1).await {
            Some(outcome) => break outcome.unwrap_err(),
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "it never ends");
    };
    assert!(error.is_timeout(), "{error}");
    assert!(begun.elapsed() >= Duration::from_millis(290), "{:?}", begun.elapsed());
}

/// The throughput limit of a body counts the time between the polls.
#[tokio::test]
async fn that_are_polled_anew_count_for_throughput() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n";
    let drops = std::iter::repeat_with(|| [Step::Pause(Duration::from_millis(60)), send("x")]);
    let mut turn = vec![Step::ExpectHead, send(head)];
    turn.extend(drops.take(30).flatten());
    let server = Script::serve(vec![[turn, vec![Step::Silent]].concat()]);
    let get = Client::new().get(server.url("/")).min_throughput(1000, Duration::from_millis(500));
    let mut response = get.send().await.unwrap();
    let begun = std::time::Instant::now();
    let error = loop {
        match polled(response.chunk(), 1).await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "it never ends");
    };
    assert!(error.is_timeout(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_tasks_share_a_client() {
    let server = Httpbin::start();
    let client = Client::builder().pool_max_open_per_host(8).build().unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..64 {
        let (client, url) = (client.clone(), server.url(&format!("/get?task={task}")));
        tasks.spawn(async move {
            for _ in 0..5 {
                let text = client.get(&*url).send().await.unwrap().text().await.unwrap();
                assert!(text.contains(&format!("\"task\": \"{task}\"")), "{text}");
            }
        });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome.unwrap();
    }
    let stats = client.pool_stats();
    assert_eq!((stats.open, stats.waiting), (stats.idle, 0));
    assert!(stats.open <= 8, "{stats:?}");
}

/// Sockets and timers of tokio panic without a runtime.
#[test]
fn outside_of_a_runtime_are_errors() {
    let call = pin!(Client::new().get("http://127.0.0.1:1/").send());
    let Poll::Ready(outcome) = call.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it waits");
    };
    let line = outcome.unwrap_err().to_string();
    assert!(line.contains("not made in a runtime of tokio"), "{line}");
}

#[tokio::test]
async fn of_uploads_read_their_source() {
    let server = Script::serve(vec![answer(ok("taken"))]);
    let body = Body::new(&b"some bytes"[..]);
    let response = Client::new().post(server.url("/")).body(body).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "taken");
    let received = server.received_text(0);
    assert!(received.ends_with("\r\n\r\na\r\nsome bytes\r\n0\r\n\r\n"), "{received}");
}

/// The same chunks there and back.
#[cfg(feature = "stream")]
#[tokio::test]
async fn of_streams_send_and_receive() {
    use futures_core::Stream;

    /// A stream of these items, each pending once before.
    struct Pieces(Vec<Result<&'static [u8], &'static str>>, bool);

    impl Stream for Pieces {
        type Item = Result<&'static [u8], &'static str>;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Self::Item>> {
            self.1 = !self.1;
            if self.1 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(self.0.pop())
        }
    }

    let server = Script::serve(vec![answer(ok("ab")), vec![Step::ExpectHead, Step::Silent]]);
    let client = Client::new();
    let body = Body::wrap_stream(Pieces(vec![Ok(b"two"), Ok(b""), Ok(b"one")], false));
    let response = client.post(server.url("/")).body(body).send().await.unwrap();
    let mut stream = pin!(response.bytes_stream());
    let mut next = async || std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await;
    assert_eq!(next().await.unwrap().unwrap(), "ab");
    assert!(next().await.is_none() && next().await.is_none());
    let received = server.received_text(0);
    assert!(received.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"), "{received}");

    let body = Body::wrap_stream(Pieces(vec![Err("no more"), Ok(b"one")], false));
    let request = Client::new().post(server.url("/")).body(body);
    let error = request.send().await.unwrap_err();
    assert_eq!(error.kind(), real::error::Kind::Body);
    assert!(error.to_string().ends_with(": no more"), "{error}");
}
