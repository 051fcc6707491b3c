//! Tests of the parts of the file, in its order.

mod policy {
    use super::super::*;

    const ATTEMPT: FailedAttempt<'_> = FailedAttempt {
        method: &Method::GET,
        lost_connection: false,
        is_pooled: false,
        has_sent: false,
        has_heard: false,
        can_replay: true,
    };

    #[test]
    fn transient_failures_are_retried() {
        use Kind::*;
        let phase = Phase::Connect;
        let cases = [
            (Resolve, Phase::Resolve, true),
            (Connect, phase, true),
            (Timeout, Phase::Resolve, true),
            (Timeout, phase, true),
            (Timeout, Phase::Proxy, true),
            (Timeout, Phase::Handshake, true),
            (Timeout, Phase::Send, true),
            (Timeout, Phase::Head, true),
            (Timeout, Phase::Queue, false),
            (Tls, Phase::Handshake, false),
            (Egress, phase, false),
            (Builder, Phase::Build, false),
            (Protocol, Phase::Head, false),
            (Limit, Phase::Head, false),
            (Truncated, Phase::Head, false),
            (Body, Phase::Send, false),
            (Redirect, Phase::Redirect, false),
        ];
        for (kind, phase, expected) in cases {
            let error = Error::new(kind, phase);
            assert_eq!(
                Policy::new().repeats_failure(&error, ATTEMPT, &Url::nowhere()),
                expected,
                "{error:?}"
            );
        }
        let refused = |status| Error::new(Proxy, Phase::Proxy).refused_with(status);
        for (status, expected) in [(None, false), (Some(403), false), (Some(407), false)]
            .into_iter()
            .chain([(Some(502), true), (Some(503), true)])
        {
            let error = refused(status.map(|status| StatusCode::from_u16(status).unwrap()));
            assert_eq!(
                Policy::new().repeats_failure(&error, ATTEMPT, &Url::nowhere()),
                expected,
                "{status:?}"
            );
        }
    }

    /// RFC 9110 §9.2.2: once any part of the request was sent, only idempotent methods are retried.
    #[test]
    fn t09_methods_by_bytes_sent_and_received() {
        let (nothing, something, silent, spoke) = (false, true, false, true);
        let (possible, impossible) = (true, false);
        let cases = [
            (Method::GET, nothing, silent, possible, true),
            (Method::POST, nothing, silent, possible, true),
            (Method::GET, something, silent, possible, true),
            (Method::HEAD, something, silent, possible, true),
            (Method::PUT, something, silent, possible, true),
            (Method::DELETE, something, silent, possible, true),
            (Method::POST, something, silent, possible, false),
            (Method::PATCH, something, silent, possible, false),
            (Method::GET, something, spoke, possible, false),
            (Method::PUT, something, silent, impossible, false),
            (Method::PUT, nothing, silent, impossible, false),
        ];
        let lost = Error::new(Kind::Io, Phase::Head);
        let late = Error::new(Kind::Timeout, Phase::Head);
        for (method, has_sent, has_heard, can_replay, expected) in cases {
            let attempt =
                FailedAttempt { method: &method, has_sent, has_heard, can_replay, ..ATTEMPT };
            let loss = FailedAttempt { lost_connection: true, ..attempt };
            let policy = Policy::new();
            assert_eq!(policy.repeats_failure(&lost, loss, &Url::nowhere()), expected, "{loss:?}");
            assert_eq!(
                policy.repeats_failure(&late, attempt, &Url::nowhere()),
                expected,
                "{attempt:?}"
            );
            let bold = policy.retry_method(method.clone());
            let expected = !has_heard && can_replay;
            assert_eq!(bold.repeats_failure(&lost, loss, &Url::nowhere()), expected, "{loss:?}");
        }
        let broken = Error::new(Kind::Io, Phase::Head);
        assert!(
            !Policy::new().repeats_failure(&broken, ATTEMPT, &Url::nowhere()),
            "the connection is there"
        );
    }

    #[test]
    fn attempts_are_counted_from_the_first() {
        for (attempts, retries, more) in
            [(0, 0, false), (1, 0, false), (2, 0, true), (2, 1, false), (3, 1, true), (3, 2, false)]
        {
            assert_eq!(
                Policy::new().max_attempts(attempts).allows_more(retries),
                more,
                "{attempts}"
            );
        }
        assert!(!Policy::none().allows_more(0));
        assert!(Policy::new().max_attempts(u32::MAX).allows_more(u32::MAX - 2));
    }

    #[test]
    fn statuses_are_the_default_or_the_callers() {
        let repeated = |policy: &Policy| -> Vec<u16> {
            let statuses = (100..1000).filter_map(|status| StatusCode::from_u16(status).ok());
            statuses.filter(|status| policy.repeats_status(*status)).map(|s| s.as_u16()).collect()
        };
        assert_eq!(repeated(&Policy::default()), [429, 502, 503, 504]);
        assert_eq!(repeated(&Policy::new().retry_statuses([StatusCode::CONFLICT])), [409]);
    }

    #[test]
    fn debug_shows_the_settings() {
        let shown = format!("{:?}", Policy::new().on_retry(|_| {}));
        assert!(shown.starts_with("Policy { attempts: 3") && shown.contains("Some(Fn)"), "{shown}");
    }
}

mod event {
    use super::super::*;

    #[test]
    fn a_password_is_not_shown() {
        let url = Url::parse("http://u:secret@a.example/p").unwrap();
        let reason = Reason::Failure(Kind::Connect);
        let delay = Duration::from_millis(7);
        let retry = Retry { attempt: 2, method: &Method::GET, url: &url, reason, delay };
        let shown = format!("{retry:?} {}", retry.url());
        assert!(!shown.contains("secret") && shown.contains("a.example/p"), "{shown}");
    }
}

mod backoff {
    use proptest::prelude::*;

    use super::super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn backoff_doubles_up_to_its_limit_with_full_jitter() {
        let delays = Delays::default();
        let bounds = [(0, 200), (1, 200), (2, 400), (3, 800), (6, 6400), (7, 10_000)];
        for (retry, bound) in bounds.into_iter().chain([(33, 10_000), (u32::MAX, 10_000)]) {
            assert_eq!(delays.before(retry, None, 0), Some(MS(0)), "{retry}");
            assert_eq!(delays.before(retry, None, u64::MAX), Some(MS(bound)), "{retry}");
            let half = delays.before(retry, None, u64::MAX / 2).unwrap();
            assert!(half.abs_diff(MS(bound) / 2) < MS(1), "{retry}: {half:?}");
        }
    }

    #[test]
    fn retry_after_is_obeyed_or_the_retry_is_given_up() {
        let delays = Delays::default();
        let cases = [
            (MS(0), u64::MAX, Some(MS(200))),
            (MS(0), 0, Some(MS(0))),
            (MS(100), u64::MAX, Some(MS(200))),
            (MS(3_000), u64::MAX, Some(MS(3_000))),
            (MS(60_000), 0, Some(MS(60_000))),
            (MS(60_001), 0, None),
            (Duration::MAX, u64::MAX, None),
        ];
        for (asked, random, expected) in cases {
            assert_eq!(delays.before(1, Some(asked), random), expected, "{asked:?}");
        }
    }

    #[test]
    fn huge_limits_do_not_overflow() {
        let endless = Duration::MAX;
        let delays = Delays { first: endless, longest: endless, longest_asked: endless };
        assert_eq!(delays.before(9, None, 0), Some(MS(0)));
        assert!(delays.before(9, None, u64::MAX).unwrap() > MS(1));
        assert_eq!(delays.before(9, Some(endless), 7), Some(endless));
    }

    proptest! {
        #[test]
        fn a_delay_never_exceeds_its_limits(
            first in any::<u64>(), longest in any::<u64>(), longest_asked in any::<u64>(),
            retry in any::<u32>(), asked in any::<Option<u64>>(), random in any::<u64>(),
        ) {
            let delays =
                Delays { first: MS(first), longest: MS(longest), longest_asked: MS(longest_asked) };
            let asked = asked.map(MS);
            if let Some(delay) = delays.before(retry, asked, random) {
                prop_assert!(delay <= MS(longest).max(asked.unwrap_or_default()));
                prop_assert!(asked.is_none_or(|asked| asked <= delay && asked <= MS(longest_asked)));
            } else {
                prop_assert!(asked > Some(MS(longest_asked)));
            }
        }
    }
}

mod stale {
    use super::super::*;
    use crate::http1::head;
    use crate::http1::limits::Limits;

    #[test]
    fn only_stale_connections_and_safe_repeats_qualify() {
        let (nothing, something, silent, spoke) = (false, true, false, true);
        let (possible, impossible, fresh, pooled) = (true, false, false, true);
        use Obstacle::{Body, Method as NotIdempotent, NotStale};
        let cases = [
            (Method::GET, pooled, something, silent, possible, Ok(())),
            (Method::PUT, pooled, something, silent, possible, Ok(())),
            (Method::DELETE, pooled, something, silent, possible, Ok(())),
            (Method::POST, pooled, nothing, silent, possible, Ok(())),
            (Method::POST, pooled, something, silent, possible, Err(NotIdempotent)),
            (Method::PATCH, pooled, something, silent, possible, Err(NotIdempotent)),
            (Method::GET, fresh, something, silent, possible, Err(NotStale)),
            (Method::GET, pooled, something, spoke, possible, Err(NotStale)),
            (Method::PUT, pooled, something, silent, impossible, Err(Body)),
            (Method::PUT, pooled, nothing, silent, impossible, Err(Body)),
        ];
        for (method, is_pooled, has_sent, has_heard, can_replay, expected) in cases {
            let method = &method;
            let attempt = FailedAttempt {
                method,
                lost_connection: true,
                is_pooled,
                has_sent,
                has_heard,
                can_replay,
            };
            assert_eq!(may_send_again(attempt), expected, "{attempt:?}");
            let attempt = FailedAttempt { lost_connection: false, ..attempt };
            assert_eq!(may_send_again(attempt), Err(NotStale), "{attempt:?}");
        }
    }

    /// RFC 9110 §15.5.9.
    #[test]
    fn a_408_that_closes_an_idle_connection() {
        let (fresh, pooled) = (false, true);
        let close = "connection: close\r\ncontent-length: 0\r\n";
        let stay = "content-length: 0\r\n";
        let chunked = "transfer-encoding: chunked\r\n";
        let cases = [
            (408, pooled, Method::GET, 1, close, true),
            (408, pooled, Method::PUT, 1, close, true),
            (408, pooled, Method::GET, 1, "", true),
            (408, pooled, Method::GET, 0, stay, true),
            (408, pooled, Method::GET, 1, stay, false),
            (408, pooled, Method::GET, 1, chunked, false),
            (408, pooled, Method::POST, 1, close, false),
            (408, fresh, Method::GET, 1, close, false),
            (503, pooled, Method::GET, 1, close, false),
        ];
        for (status, connection, method, minor, fields, expected) in cases {
            let text = format!("HTTP/1.{minor} {status} X\r\n{fields}\r\n");
            let head = head::parse(text.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(is_timed_out(connection, &method, &head), expected, "{method} {text}");
        }
    }
}

mod ledger {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::super::*;

    fn url(host: usize) -> Url {
        Url::parse(&format!("http://h{host}.example/")).unwrap()
    }

    fn payments(ledger: &mut Ledger, host: usize, retries: u32) -> usize {
        (0..1000).take_while(|_| ledger.pay(&url(host), retries)).count()
    }

    #[test]
    fn each_host_has_its_own_budget_and_earns_it_back() {
        let mut ledger = Ledger::default();
        assert_eq!((payments(&mut ledger, 1, 10), payments(&mut ledger, 2, 3)), (10, 3));
        for (responses, more) in [(9, 0), (1, 1), (25, 2), (4, 0), (1, 1), (5000, 10)] {
            (0..responses).for_each(|_| ledger.pay_back(&url(1), EARNINGS));
            assert_eq!(payments(&mut ledger, 1, 10), more, "after {responses} responses");
        }
        assert_eq!(payments(&mut ledger, 2, 3), 0, "that was another host");
        assert_eq!(payments(&mut ledger, 2, 4), 1, "a call may be allowed more than others");
    }

    #[test]
    fn budgets_at_their_extremes() {
        assert_eq!(payments(&mut Ledger::default(), 1, 0), 0);
        assert_eq!(payments(&mut Ledger::default(), 1, u32::MAX), 1000);
        let mut ledger = Ledger { debts: vec![(url(1).origin(), u32::MAX - 3)] };
        assert!(!ledger.pay(&url(1), u32::MAX));
        ledger.pay_back(&url(2), EARNINGS);
        assert_eq!(ledger.debts, [(url(1).origin(), u32::MAX - 3)]);
    }

    #[test]
    fn the_smallest_debt_is_dropped_first() {
        let mut ledger = Ledger::default();
        assert_eq!(payments(&mut ledger, 0, 10), 10);
        for host in 1..2000 {
            assert!(ledger.pay(&url(host), 10));
        }
        assert_eq!(ledger.debts.len(), MAX_DEBTORS);
        assert_eq!(payments(&mut ledger, 0, 10), 0, "a host without budget stays in the table");
        assert_eq!(payments(&mut ledger, 1999, 10), 9);
    }

    proptest! {
        /// There are never more retries than the initial budget and what was earned since.
        #[test]
        fn retries_never_exceed_the_budget(
            steps in prop::collection::vec((0..3_usize, any::<bool>()), 0..400),
            retries in 0..5_u32,
        ) {
            let mut ledger = Ledger::default();
            let mut seen: HashMap<usize, (u32, u32)> = HashMap::new();
            for (host, is_response) in steps {
                let (made, responses) = seen.entry(host).or_default();
                match is_response {
                    true => { ledger.pay_back(&url(host), EARNINGS); *responses += 1; }
                    false if ledger.pay(&url(host), retries) => *made += 1,
                    false => {}
                }
                prop_assert!(*made * COST <= retries * COST + *responses * EARNINGS);
                prop_assert!(ledger.debts.iter().all(|(_, debt)| (1..=retries * COST).contains(debt)));
            }
        }
    }
}
