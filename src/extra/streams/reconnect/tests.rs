use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn head(status: u16, content_type: Option<&str>) -> Answered<'_> {
    let status = StatusCode::from_u16(status).unwrap();
    Answered { status, content_type: content_type.map(str::as_bytes), retry_after: None }
}

fn stream() -> Answered<'static> {
    head(200, Some(EVENT_STREAM))
}

fn refused() -> Error {
    Error::new(Kind::Connect, Phase::Connect)
}

fn opened(settings: Reconnect) -> Subscription {
    let mut source = Subscription::new(settings);
    assert_eq!(source.answered(stream(), 0), NextStep::Read);
    source
}

#[test]
fn only_200_with_the_type_of_event_streams_opens_a_stream() {
    use {NextStep::*, Refusal::*};
    let plain = Some(EVENT_STREAM);
    let rows = [
        (200, Some("Text/Event-Stream ;charset=windows-1252"), Read),
        (200, Some("text/plain; x=text/event-stream"), GiveUp(ContentType)),
        (200, None, GiveUp(ContentType)),
        (204, None, End),
        (201, plain, GiveUp(Status)),
        (206, plain, GiveUp(Status)),
        (304, plain, GiveUp(Status)),
        (404, plain, GiveUp(Status)),
        (503, plain, GiveUp(Status)),
    ];
    for (status, content_type, expected) in rows {
        let next = Subscription::new(Reconnect::new()).answered(head(status, content_type), 0);
        assert_eq!(next, expected, "{status} {content_type:?}");
    }
}

#[test]
fn transient_statuses_are_retried_once_a_stream_was_open() {
    for status in [408, 429, 500, 502, 503, 504] {
        let mut source = opened(Reconnect::new());
        assert_eq!(source.ended(None, None, 0), NextStep::Wait(3 * SECOND));
        assert_eq!(source.answered(head(status, None), 0), NextStep::Wait(6 * SECOND));
        let mut strict = opened(Reconnect::new().retry_statuses([]));
        let next = strict.answered(head(status, None), 0);
        assert_eq!(next, NextStep::GiveUp(Refusal::Status));
    }
    let next = opened(Reconnect::new()).answered(head(404, None), 0);
    assert_eq!(next, NextStep::GiveUp(Refusal::Status));
}

#[test]
fn no_reconnect_is_sooner_than_retry_after() {
    let asked = |asked| Answered { retry_after: Some(asked), ..head(503, None) };
    let mut source = opened(Reconnect::new());
    assert_eq!(source.answered(asked(7 * SECOND), 0), NextStep::Wait(7 * SECOND));
    assert_eq!(source.answered(asked(SECOND), 0), NextStep::Wait(6 * SECOND));
    let next = source.answered(asked(601 * SECOND), 0);
    assert_eq!(next, NextStep::GiveUp(Refusal::Status));
}

#[test]
fn the_wait_doubles_with_each_failure_up_to_the_maximum() {
    let mut source = Subscription::new(Reconnect::new().failures(None));
    for expected in [3, 6, 12, 24, 30, 30] {
        assert_eq!(source.failed(&refused(), 0), NextStep::Wait(expected * SECOND));
    }
    for _ in 0..99 {
        assert_eq!(source.failed(&refused(), 0), NextStep::Wait(30 * SECOND));
    }
    assert_eq!(source.answered(stream(), 0), NextStep::Read);
    assert_eq!(
        source.ended(None, None, 0),
        NextStep::Wait(3 * SECOND),
        "an opened stream resets it"
    );
}

#[test]
fn the_time_that_a_stream_asks_for_is_kept() {
    let mut source = opened(Reconnect::new());
    let minute = Some(60 * SECOND);
    assert_eq!(source.ended(None, minute, 0), NextStep::Wait(60 * SECOND), "beyond the maximum");
    assert_eq!(source.failed(&refused(), 0), NextStep::Wait(60 * SECOND));
    assert_eq!(source.answered(stream(), 0), NextStep::Read);
    assert_eq!(source.ended(None, None, 0), NextStep::Wait(60 * SECOND));
    let forever = Some(Duration::MAX);
    let mut source = opened(Reconnect::new());
    assert_eq!(source.ended(None, forever, 0), NextStep::Wait(600 * SECOND), "but not for ever");
}

/// Otherwise `retry: 0` and empty streams would be a loop without a pause.
#[test]
fn a_server_cannot_ask_for_a_reconnect_without_a_pause() {
    let milliseconds = Duration::from_millis;
    for (first, asked, expected) in [
        (3 * SECOND, milliseconds(0), milliseconds(500)),
        (3 * SECOND, milliseconds(2), milliseconds(2)),
        (milliseconds(20), milliseconds(0), milliseconds(20)),
        (milliseconds(20), milliseconds(30), milliseconds(30)),
    ] {
        let mut source = opened(Reconnect::new().first(first));
        for _ in 0..9 {
            let next = source.ended(None, Some(asked), 0);
            assert_eq!(next, NextStep::Wait(expected), "{first:?} {asked:?}");
            assert_eq!(source.answered(stream(), 0), NextStep::Read);
        }
    }
}

#[test]
fn jitter_is_added_and_never_subtracted() {
    for (random, expected) in [(0, 4000), (u64::MAX / 2, 4499), (u64::MAX, 5000)] {
        let mut source = opened(Reconnect::new().first(4 * SECOND));
        let NextStep::Wait(wait) = source.ended(None, None, random) else { panic!("no wait") };
        assert_eq!(wait.as_millis(), expected);
    }
    let mut extreme = Subscription::new(Reconnect::new().first(Duration::MAX).max(Duration::MAX));
    assert_eq!(extreme.failed(&refused(), u64::MAX), NextStep::Wait(Duration::MAX));
}

#[test]
fn it_gives_up_after_that_many_failures_in_a_row() {
    let mut source = Subscription::new(Reconnect::new().failures(Some(2)));
    for _ in 0..2 {
        for _ in 0..2 {
            assert!(matches!(source.failed(&refused(), 0), NextStep::Wait(_)));
        }
        assert_eq!(source.answered(stream(), 0), NextStep::Read);
        assert!(matches!(source.ended(None, None, 0), NextStep::Wait(_)), "is no failure");
    }
    for _ in 0..2 {
        assert!(matches!(source.failed(&refused(), 0), NextStep::Wait(_)));
    }
    assert_eq!(source.failed(&refused(), 0), NextStep::GiveUp(Refusal::Failure));
}

#[test]
fn what_will_not_pass_is_not_tried_again() {
    use {Kind::*, Phase as P};
    let rows = [
        (Resolve, P::Resolve, true, false),
        (Connect, P::Connect, true, false),
        (Io, P::Head, true, true),
        (Timeout, P::Body, true, true),
        (Truncated, P::Body, true, true),
        (Protocol, P::Head, false, false),
        (Protocol, P::Body, false, true),
        (Tls, P::Handshake, false, false),
        (Tls, P::Body, false, true),
        (Cancelled, P::Body, false, false),
        (Decode, P::Decode, false, false),
        (Limit, P::Body, false, false),
        (Redirect, P::Redirect, false, false),
        (Egress, P::Connect, false, false),
        (Builder, P::Build, false, false),
    ];
    for (kind, phase, unanswered, open) in rows {
        let error = Error::new(kind, phase);
        let failed = Subscription::new(Reconnect::new()).failed(&error, 0);
        assert_eq!(matches!(failed, NextStep::Wait(_)), unanswered, "{kind:?} {phase:?}");
        let ended = opened(Reconnect::new()).ended(Some(&error), None, 0);
        assert_eq!(matches!(ended, NextStep::Wait(_)), open, "{kind:?} {phase:?}");
    }
    let proxy = |status| {
        let error = Error::new(Proxy, P::Proxy).about(StatusCode::from_u16(status).unwrap());
        Subscription::new(Reconnect::new()).failed(&error, 0)
    };
    assert_eq!(proxy(503), NextStep::Wait(3 * SECOND));
    assert_eq!(proxy(407), NextStep::GiveUp(Refusal::Failure));
}

fn prepared(id: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    Subscription::prepare(&mut headers, id).unwrap();
    headers
}

#[test]
fn requests_ask_for_an_event_stream_behind_the_last_event() {
    let headers = prepared("…");
    assert_eq!(headers["accept"], EVENT_STREAM);
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["last-event-id"].as_bytes(), "…".as_bytes(), "UTF-8");
    assert_eq!(prepared("a\tb")["last-event-id"], "a\tb");
    let mut own = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("text/*"))]);
    own.insert(LAST_EVENT_ID, HeaderValue::from_static("old"));
    assert_eq!(Subscription::take_id(&mut own).as_deref(), Some("old"));
    Subscription::prepare(&mut own, "new").unwrap();
    assert_eq!(
        (&own["accept"], &own["last-event-id"]),
        (&"text/*".parse().unwrap(), &"new".parse().unwrap())
    );
}

#[test]
fn an_id_that_cannot_be_sent_is_left_out() {
    let (longest, longer) = ("7".repeat(8192), "7".repeat(8193));
    assert_eq!(prepared(&longest)["last-event-id"], *longest);
    for id in ["", "a\u{1}b", "a\u{7f}", &longer] {
        assert!(!prepared(id).contains_key("last-event-id"), "{id}");
    }
}

#[test]
fn the_error_of_another_type_names_it_without_its_parameters() {
    let line = |content_type: &str| wrong_type(Some(content_type.as_bytes())).to_string();
    let html = line("text/HTML; charset=secret");
    assert!(html.ends_with("content type is text/html, not text/event-stream"), "{html}");
    assert!(wrong_type(None).to_string().contains("no valid content type"));
    assert!(line(&format!("text/{}", "x".repeat(9999))).len() < 250);
}
