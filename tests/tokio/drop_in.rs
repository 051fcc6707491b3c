//! The calls of programs written for reqwest that only the async client has.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use real::dns::{Addrs, Name, Resolve, Resolving};
use real::tokio::Client;
use real::{ResponseBuilderExt, Url, blocking};
use tokio::runtime::{Builder, Runtime};

use super::support::script::{Script, answer, ok};

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap()
}

/// A resolver on the timers of tokio, and the number of its futures that live.
#[derive(Clone)]
struct Slow {
    addr: SocketAddr,
    delay: Duration,
    living: Arc<AtomicUsize>,
}

struct Living(Arc<AtomicUsize>);

impl Drop for Living {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Slow {
    fn new(addr: SocketAddr, delay: Duration) -> Self {
        Self { addr, delay, living: Arc::default() }
    }
}

impl Resolve for Slow {
    fn resolve(&self, _: Name) -> Resolving {
        let (addr, delay) = (self.addr, self.delay);
        self.living.fetch_add(1, Ordering::SeqCst);
        let living = Living(Arc::clone(&self.living));
        Box::pin(async move {
            let _living = living;
            tokio::time::sleep(delay).await;
            Ok(Box::new([addr].into_iter()) as Addrs)
        })
    }
}

/// They take no thread while they wait: here there is one.
#[test]
fn resolvers_that_wait_are_awaited() {
    let names = 13; // as many lookups as one site may have
    let server = Script::serve(vec![answer(ok("found")); names]);
    let slow = Slow::new(server.addr(), Duration::from_millis(50));
    let client = Client::builder().dns_resolver(slow).build().unwrap();
    current_thread().block_on(async {
        let calls: Vec<_> = (0..names)
            .map(|n| tokio::spawn(client.get(format!("http://{n}.a.test/")).send()))
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().text().await.unwrap(), "found");
        }
    });
}

/// The runtime drops what nobody waits for, and does not wait for it itself.
#[test]
fn resolvers_that_never_answer_do_not_keep_the_runtime() {
    let slow = Slow::new(([127, 0, 0, 1], 9).into(), Duration::from_secs(3600));
    let living = Arc::clone(&slow.living);
    let limit = Duration::from_millis(30);
    let client = Client::builder().dns_resolver(slow).connect_timeout(limit).build().unwrap();
    let runtime = current_thread();
    let error = runtime.block_on(client.get("http://a.test/").send()).unwrap_err();
    assert!(error.is_timeout() && error.is_dns(), "{error}");
    assert_eq!(living.load(Ordering::SeqCst), 1);
    drop(runtime);
    assert_eq!(living.load(Ordering::SeqCst), 0);
    // The client goes on in another one.
    let error = current_thread().block_on(client.get("http://a.test/").send()).unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

#[test]
fn responses_are_made_with_a_url() {
    let url = Url::parse("http://a.test/b").unwrap();
    let made = http::Response::builder().status(404).url(url.clone()).body("gone").unwrap();
    let (waits, blocks) =
        (real::tokio::Response::from(made.clone()), blocking::Response::from(made));
    assert_eq!((waits.url(), waits.status().as_u16(), &*waits.reason()), (&url, 404, "Not Found"));
    assert_eq!(
        (blocks.url(), blocks.status(), blocks.reason()),
        (&url, waits.status(), waits.reason())
    );
}

#[test]
fn settings_go_to_a_blocking_client() {
    let server = Script::serve(vec![answer(ok("found"))]);
    let settings = Client::builder().user_agent("theirs").resolve("a.test", server.addr());
    let client = blocking::ClientBuilder::from(settings).build().unwrap();
    assert_eq!(client.get("http://a.test/").send().unwrap().text().unwrap(), "found");
    assert!(server.received_text(0).contains("user-agent: theirs\r\n"));
    let mistaken = Client::builder().user_agent("\n");
    let error = blocking::ClientBuilder::from(mistaken).build().unwrap_err();
    assert!(error.is_builder());
    #[cfg(feature = "middleware")]
    {
        let wrapped = blocking::ClientBuilder::from(Client::builder().middleware(Passing)).build();
        let line = "middleware can be run only by the client that it was made for";
        assert_eq!(wrapped.unwrap_err().to_string(), line);
    }
}

/// Middleware that does nothing.
#[cfg(feature = "middleware")]
struct Passing;

#[cfg(feature = "middleware")]
impl<F: real::runtime::Runtime> real::middleware::Middleware<F> for Passing {
    fn handle<'a>(
        &'a self,
        request: real::request::Request<F>,
        next: real::middleware::Next<F>,
    ) -> real::middleware::Handling<'a, F> {
        Box::pin(async move { next.run(request).await })
    }
}

#[cfg(feature = "stream")]
mod forms {
    use std::future::poll_fn;
    use std::pin::pin;

    use futures_core::Stream;
    use real::Result;
    use real::tokio::multipart::{Form, Part};

    async fn collect(stream: impl Stream<Item = Result<bytes::Bytes>>) -> Result<String> {
        let (mut stream, mut all) = (pin!(stream), Vec::new());
        while let Some(piece) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            all.extend_from_slice(&piece?);
        }
        assert!(poll_fn(|cx| stream.as_mut().poll_next(cx)).await.is_none());
        Ok(String::from_utf8(all).unwrap())
    }

    #[tokio::test]
    async fn are_streams_of_what_is_sent() {
        let long = "x".repeat(100_000);
        let reader = Part::reader(std::io::Cursor::new(long.clone()));
        let form = Form::new().text("a", "1").part("b", reader);
        let boundary = form.boundary().to_owned();
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--{boundary}\r\n\
             Content-Disposition: form-data; name=\"b\"\r\n\r\n{long}\r\n--{boundary}--\r\n"
        );
        let sent = collect(form.into_stream()).await.unwrap();
        assert!(sent.eq_ignore_ascii_case(&expected), "{}", sent.get(..300).unwrap());
    }

    #[tokio::test]
    async fn fail_as_their_request_would() {
        let short = Part::reader_with_length(&b"abc"[..], 5);
        let error = collect(Form::new().part("a", short).into_stream()).await.unwrap_err();
        assert!(error.is_body(), "{error}");
    }
}
