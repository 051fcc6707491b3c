//! The spans of the feature `tracing` on the async front: the tests of the blocking one, from the same source, and what
//! only this one can get wrong.
#![cfg(all(
    feature = "tokio",
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies",
    feature = "multipart",
    feature = "tracing"
))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::duplicate_mod, reason = "the support of both")]

extern crate leanhttp as real;
extern crate self as leanhttp;

#[path = "tokio/blocking.rs"]
pub mod blocking;
#[path = "tokio/front.rs"]
pub mod front;
mod support;

pub use self::blocking::{Body, Client, ClientBuilder, Request, RequestBuilder, Response, get};
pub use real::*;

/// As the real module, with the forms of the front.
pub mod multipart {
    pub use crate::blocking::multipart::{Form, Part};
}

#[path = "."]
mod both {
    #[path = "trace.rs"]
    mod trace;
}

use std::future::poll_fn;
use std::pin::pin;

use support::script::{Gate, Script, Step, moved, ok, send};
use support::spans::Recorder;

/// Polls a future, and checks after each poll that no span is still entered.
async fn leaving<T>(recorder: &Recorder, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        assert_eq!(recorder.entered(), [0; 0], "a span is entered outside of a poll");
        polled
    })
    .await
}

/// One waits for its server while the other runs from its start to its end. Each tells by an event which
/// redirect it follows, within its own span.
#[test]
fn the_spans_of_two_calls_that_take_turns_do_not_mix() {
    let recorder = Recorder::default();
    let gate = Gate::default();
    let slow = vec![
        Step::ExpectRequest,
        Step::Wait(gate.clone()),
        send("HTTP/1.1 302 Found\r\nlocation: /slow\r\ncontent-length: 0\r\n\r\n"),
        Step::ExpectRequest,
        send(ok("slow")),
    ];
    let slow = Script::serve(vec![slow]);
    let fast = Script::serve(vec![moved(302, "/fast"), support::script::answer(ok("fast"))]);
    let tell = redirect::Policy::custom(|attempt| {
        tracing::info!(target: "leanhttp::test", "{}", attempt.url().path());
        attempt.follow()
    });
    let client = real::tokio::Client::builder().no_proxy().redirect(tell).build().unwrap();
    let get = async |server: &Script| {
        let sent = client.get(server.url("/")).send();
        let response = leaving(&recorder, sent).await.unwrap();
        leaving(&recorder, response.text()).await.unwrap()
    };
    let runtime = ::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let both = async {
        let fast_then_open = async {
            let body = get(&fast).await;
            gate.open();
            body
        };
        ::tokio::join!(get(&slow), fast_then_open)
    };
    let bodies = recorder.run(|| runtime.block_on(both));
    assert_eq!(bodies, ("slow".to_owned(), "fast".to_owned()));

    let spans = recorder.spans();
    let of_server = |index: usize| &*spans[index].fields["url.full"];
    let root = |mut index: usize| {
        while let Some(parent) = spans[index].parent {
            index = parent;
        }
        index
    };
    for (path, span) in recorder.events() {
        let server = if path == "/slow" { &slow } else { &fast };
        assert_eq!(of_server(span.unwrap()), server.url("/"), "{path}");
    }
    assert_eq!(recorder.events().len(), 2);
    for (index, span) in spans.iter().enumerate().filter(|(_, span)| span.name == "attempt") {
        let request = of_server(root(index));
        assert!(span.fields["url.full"].starts_with(request), "{span:#?} below {request}");
    }
    assert!(spans.iter().all(|span| span.is_closed), "{spans:#?}");
}

/// The future of a call is dropped while it waits for the server.
#[test]
fn the_spans_of_a_dropped_call_are_closed() {
    let recorder = Recorder::default();
    let server = Script::serve(vec![vec![Step::ExpectRequest, Step::Silent]]);
    let client = real::tokio::Client::builder().no_proxy().build().unwrap();
    let runtime = ::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    recorder.run(|| {
        runtime.block_on(async {
            let sent = leaving(&recorder, client.get(server.url("/")).send());
            let moment = std::time::Duration::from_millis(100);
            assert!(::tokio::time::timeout(moment, sent).await.is_err());
        });
    });
    let spans = recorder.spans();
    assert!(spans.len() >= 2 && spans.iter().all(|span| span.is_closed), "{spans:#?}");
}
