use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn timeouts(connect: u32, read: u32, total: u32) -> Timeouts {
    let limit = |seconds: u32| (seconds > 0).then(|| SECOND * seconds);
    let none = Timeouts { write: None, ..Timeouts::default() };
    let mut timeouts = Timeouts { connect: limit(connect), total: limit(total), ..none };
    timeouts.set_read(limit(read));
    timeouts
}

#[test]
fn without_a_deadline_the_clock_is_not_called() {
    let budget = Budget::start(Timeouts { total: None, ..Timeouts::default() }, Instant::now());
    let wait = budget.wait(Operation::Read, || panic!("asked the clock")).unwrap();
    assert_eq!(wait.at_most, Some(30 * SECOND));
}

/// (connect, read, total), elapsed since both clocks started, expected wait or message.
#[test]
fn the_shortest_limit_wins_and_names_itself() {
    let cases = [
        ((0, 5, 0), 0, Ok(Some(5)), "timed out: no byte came for 5s (read timeout)"),
        ((0, 0, 0), 0, Ok(None), "timed out: no byte came for 0ns (read timeout)"),
        ((0, 5, 10), 4, Ok(Some(5)), "timed out: no byte came for 5s (read timeout)"),
        ((0, 5, 10), 7, Ok(Some(3)), "timed out: not done within 10s (total timeout)"),
        ((0, 5, 10), 10, Err(()), "timed out: not done within 10s (total timeout)"),
        ((0, 5, 10), 99, Err(()), "timed out: not done within 10s (total timeout)"),
        ((3, 5, 10), 1, Ok(Some(2)), "timed out: no connection within 3s (connect timeout)"),
        ((3, 5, 2), 1, Ok(Some(1)), "timed out: not done within 2s (total timeout)"),
        ((3, 5, 0), 3, Err(()), "timed out: no connection within 3s (connect timeout)"),
        // If two end together, the one with the wider scope is reported, otherwise the earlier
        // one.
        ((3, 5, 3), 1, Ok(Some(2)), "timed out: not done within 3s (total timeout)"),
        ((0, 5, 10), 5, Ok(Some(5)), "timed out: no byte came for 5s (read timeout)"),
    ];
    for ((connect, read, total), elapsed, expected, message) in cases {
        let start = Instant::now();
        let mut budget = Budget::start(timeouts(connect, read, total), start);
        budget.start_connecting(start);
        let now = start + SECOND * elapsed;
        let (wait, expired) = match budget.wait(Operation::Read, || now) {
            Ok(wait) => (Ok(wait.at_most.map(|wait| wait.as_secs())), wait.expired),
            Err(expired) => (Err(()), expired),
        };
        assert_eq!(wait, expected, "{connect} {read} {total} after {elapsed}");
        assert_eq!(expired.to_string(), message);
    }
}

/// Only the wait for `100 Continue` ends without an error: the body is sent then.
#[test]
fn the_wait_for_100_continue_is_a_separate_limit() {
    let write = Some(2 * SECOND);
    let now = Instant::now();
    let budget = Budget::start(Timeouts { write, ..timeouts(3, 4, 9) }, now);
    for (operation, seconds, is_patience) in [
        (Operation::Continue, 1, true),
        (Operation::Write, 2, false),
        (Operation::Read, 4, false),
        (Operation::Connect, 9, false),
    ] {
        let wait = budget.wait(operation, || now).unwrap();
        assert_eq!(wait.at_most, Some(SECOND * seconds), "{operation:?}");
        assert_eq!(wait.expired.is_patience(), is_patience, "{operation:?}");
    }
}

#[test]
fn errors_name_the_expired_limit() {
    for (which, message) in [
        (Which::Resolve, "DNS lookup timed out after 1s (resolve timeout)"),
        (Which::PoolWait, "timed out: no connection was free within 1s (pool wait timeout)"),
        (Which::Handshake, "handshake timed out after 1s (handshake timeout)"),
        (Which::Continue, "timed out: no 100 Continue for 1s"),
        (Which::FirstByte, "timed out: no answer within 1s (first byte timeout)"),
        (Which::Write, "timed out: no byte could be sent for 1s (write timeout)"),
        (Which::Pace(9), "timed out: less than 9 bytes a second for 1s (minimum throughput)"),
        (Which::Cancelled, "the call was cancelled"),
    ] {
        let expired = Expired { which, length: SECOND };
        assert_eq!(expired.to_string(), message);
        assert_eq!(expired.kind() == Kind::Cancelled, which == Which::Cancelled);
    }
}

/// After an upgrade of the protocol only single operations are limited, whichever deadlines were
/// running.
#[test]
fn no_deadline_outlives_the_call() {
    let start = Instant::now();
    let pace = Some(Pace { bytes_per_second: 9, over: SECOND });
    let limits = Timeouts { first_byte: Some(SECOND), pace, ..timeouts(1, 7, 1) };
    for stage in [Stage::Other, Stage::Handshake, Stage::FirstByte, Stage::Body] {
        let token = CancelToken::new();
        let mut budget = Budget::start(limits, start).until(Some(token.clone()));
        budget.start_connecting(start);
        budget.enter(stage, &|| start);
        let mut budget = budget.without_deadlines();
        let late = || start + 9 * SECOND;
        let wait = budget.wait(Operation::Read, late).unwrap();
        assert_eq!(wait.at_most, Some(7 * SECOND), "{stage:?}");
        budget.timeouts_mut().read = None;
        assert_eq!(budget.wait(Operation::Read, late).unwrap().at_most, None);
        assert!(!budget.has_pace(Operation::Read) && !budget.has_pace(Operation::Write));
        token.cancel();
        assert_eq!(budget.wait(Operation::Read, late).unwrap_err().kind(), Kind::Cancelled);
    }
}

/// Each stage has a clock of its own, which starts once and stops with the stage.
#[test]
fn stages_have_clocks() {
    let start = Instant::now();
    let limits =
        Timeouts { handshake: Some(2 * SECOND), first_byte: Some(3 * SECOND), ..timeouts(5, 9, 0) };
    let mut budget = Budget::start(limits, start);
    budget.start_connecting(start);
    let mut left = |stage, seconds: u32| {
        let now = start + SECOND * seconds;
        budget.enter(stage, &|| now);
        let wait = budget.wait(Operation::Read, || now);
        wait.map(|wait| (wait.at_most.unwrap().as_secs(), wait.expired.which))
            .map_err(|expired| expired.which)
    };
    for (stage, at, expected) in [
        (Stage::Handshake, 1, Ok((2, Which::Handshake))),
        (Stage::Handshake, 2, Ok((1, Which::Handshake))),
        (Stage::Handshake, 3, Err(Which::Handshake)),
        (Stage::Request, 4, Ok((9, Which::Read))),
        (Stage::Handshake, 6, Ok((2, Which::Handshake))),
        (Stage::Request, 7, Ok((9, Which::Read))),
        (Stage::FirstByte, 8, Ok((3, Which::FirstByte))),
        (Stage::FirstByte, 11, Err(Which::FirstByte)),
        (Stage::Other, 12, Ok((9, Which::Read))),
        (Stage::Body, 13, Ok((9, Which::Read))),
    ] {
        assert_eq!(left(stage, at), expected, "{stage:?} at {at}");
    }
}

/// The caller's limits apply independent of the order in which they are set; an unset limit is
/// the runtime's default.
#[test]
fn the_wait_for_a_response_to_begin() {
    type Set = fn(&mut Timeouts);
    let read: Set = |timeouts| timeouts.set_read(Some(9 * SECOND));
    let no_read: Set = |timeouts| timeouts.set_read(None);
    let first: Set = |timeouts| timeouts.set_first_byte(Some(60 * SECOND));
    let no_first: Set = |timeouts| timeouts.set_first_byte(None);
    let (by_front, by_first, by_read) = (Which::FirstByte, Which::FirstByte, Which::Read);
    type Row<'a> = (&'a [Set], [Option<u64>; 3], Which);
    let rows: [Row<'_>; 9] = [
        // (settings, the wait with a default of 30 s and without one, in a body, the name)
        (&[], [Some(30), None, Some(30)], by_front),
        (&[read], [Some(9), Some(9), Some(9)], by_read),
        (&[no_read], [None, None, None], by_read),
        (&[first], [Some(60), Some(60), Some(30)], by_first),
        (&[no_first], [None, None, Some(30)], by_first),
        (&[first, read], [Some(9), Some(9), Some(9)], by_read),
        (&[read, first], [Some(9), Some(9), Some(9)], by_read),
        (&[first, no_read], [Some(60), Some(60), None], by_first),
        (&[no_read, no_first], [None, None, None], by_read),
    ];
    let now = Instant::now();
    for (at, (settings, [blocking, other, body], which)) in rows.into_iter().enumerate() {
        for (default, expected) in [(Some(30 * SECOND), blocking), (None, other)] {
            let mut timeouts = Timeouts { connect: None, ..Timeouts::default() };
            settings.iter().for_each(|set| set(&mut timeouts));
            timeouts.default_silence(default);
            let mut budget = Budget::start(timeouts, now);
            let mut wait = |stage| {
                budget.enter(stage, &|| now);
                let wait = budget.wait(Operation::Read, || now).unwrap();
                (wait.at_most.map(|limit| limit.as_secs()), wait.expired.which)
            };
            assert_eq!(wait(Stage::FirstByte), (expected, which), "row {at}");
            assert_eq!(wait(Stage::Body), (body, Which::Read), "row {at}");
            assert_eq!(wait(Stage::Other), (body, Which::Read), "row {at}");
            // The first byte of an interim response meets that deadline.
            let interim = expected.filter(|seconds| *seconds != 60);
            assert_eq!(wait(Stage::Interim).0, interim, "row {at}");
        }
    }
}

/// A total timeout takes the place of the runtime's default; whatever the caller has set remains, and so do the
/// defaults that notice a lost peer in the middle of a response.
#[test]
fn a_total_timeout_replaces_the_default_limit_on_the_first_byte() {
    type Set = fn(&mut Timeouts);
    let total: Set = |timeouts| timeouts.set_total(Some(120 * SECOND));
    let no_total: Set = |timeouts| timeouts.set_total(None);
    let read: Set = |timeouts| timeouts.set_read(Some(9 * SECOND));
    let first: Set = |timeouts| timeouts.set_first_byte(Some(60 * SECOND));
    let no_first: Set = |timeouts| timeouts.set_first_byte(None);
    type Row<'a> = (&'a [Set], (u64, Which), (u64, Which));
    let (by_total, by_default) = ((120, Which::Total), (30, Which::FirstByte));
    let rows: [Row<'_>; 8] = [
        // (settings, the wait for the first byte, for the response after an interim one)
        (&[], by_default, by_default),
        (&[total], by_total, by_total),
        (&[total, no_total], by_default, by_default),
        (&[total, first], (60, Which::FirstByte), by_total),
        (&[first, total], (60, Which::FirstByte), by_total),
        (&[total, no_first], by_total, by_total),
        (&[total, read], (9, Which::Read), (9, Which::Read)),
        (&[read, total], (9, Which::Read), (9, Which::Read)),
    ];
    let now = Instant::now();
    for (at, (settings, first, interim)) in rows.into_iter().enumerate() {
        let mut timeouts = Timeouts { connect: None, ..Timeouts::default() };
        timeouts.default_silence(Some(30 * SECOND));
        settings.iter().for_each(|set| set(&mut timeouts));
        let body = timeouts.read.map(|limit| limit.as_secs());
        let mut budget = Budget::start(timeouts, now);
        let mut wait = |stage| {
            budget.enter(stage, &|| now);
            let wait = budget.wait(Operation::Read, || now).unwrap();
            (wait.at_most.unwrap().as_secs(), wait.expired.which)
        };
        assert_eq!(wait(Stage::FirstByte), first, "row {at}");
        assert_eq!(wait(Stage::Interim), interim, "row {at}");
        assert_eq!(wait(Stage::Body), (body.unwrap(), Which::Read), "row {at}");
    }
}

/// The limit is the connect timeout or the caller's setting, and the wait does not use up the
/// connect timeout.
#[test]
fn the_wait_for_a_free_connection() {
    let start = Instant::now();
    for (pool_wait, expected) in
        [(None, Some(3)), (Some(None), None), (Some(Some(7 * SECOND)), Some(7))]
    {
        let limits = Timeouts { pool_wait, ..timeouts(3, 1, 0) };
        let mut budget = Budget::start(limits, start);
        let wait = budget.wait(Operation::Queue, || start).unwrap();
        assert_eq!(wait.at_most.map(|limit| limit.as_secs()), expected);
        assert_eq!(wait.expired.which, Which::PoolWait);
        let later = start + 5 * SECOND;
        budget.start_connecting(later);
        assert_eq!(budget.wait(Operation::Connect, || later).unwrap().at_most, Some(3 * SECOND));
    }
    let limits = Timeouts { pool_wait: Some(Some(7 * SECOND)), ..timeouts(3, 1, 4) };
    let wait = Budget::start(limits, start).wait(Operation::Queue, || start).unwrap();
    assert_eq!((wait.at_most, wait.expired.which), (Some(4 * SECOND), Which::Total));
}

/// After a deadline for the peer has passed, a limited number of looks without a wait is
/// allowed; after the caller's deadline, none.
#[test]
fn a_last_look_finds_data_received_in_time() {
    let start = Instant::now();
    let limits = Timeouts { first_byte: Some(3 * SECOND), ..timeouts(2, 9, 6) };
    let mut budget = Budget::start(limits, start);
    let mut looks = |stage, at: u32| {
        let now = start + SECOND * at;
        budget.enter(stage, &|| start);
        (0..100)
            .take_while(|_| {
                let passed = budget.wait(Operation::Read, || now).unwrap_err();
                let wait = budget.look_once_more(passed, || now);
                assert!(wait.is_ok_and(|wait| wait.at_most == Some(LOOK)) || wait.is_err());
                wait.is_ok()
            })
            .count()
    };
    assert_eq!(looks(Stage::FirstByte, 4), usize::from(LOOKS));
    assert_eq!(looks(Stage::FirstByte, 4), 0, "a peer that sends without end");
    assert_eq!(looks(Stage::Other, 6), 0, "the total timeout");
    assert_eq!(looks(Stage::FirstByte, 7), 0, "both, and one of them is the total one");
    // A look does not outlast the total timeout.
    let limits = Timeouts { first_byte: Some(SECOND), ..timeouts(2, 9, 6) };
    let mut budget = Budget::start(limits, start);
    budget.enter(Stage::FirstByte, &|| start);
    let now = start + 6 * SECOND - LOOK / 4;
    let passed = budget.wait(Operation::Read, || now).unwrap_err();
    assert_eq!(budget.look_once_more(passed, || now).unwrap().at_most, Some(LOOK / 4));
    let token = CancelToken::new();
    let mut budget = Budget::start(timeouts(2, 9, 0), start).until(Some(token.clone()));
    budget.start_connecting(start);
    token.cancel();
    let cancelled = budget.wait(Operation::Connect, || start + 3 * SECOND).unwrap_err();
    assert!(budget.look_once_more(cancelled, || start).is_err());
}

/// Only a request body being sent and a response body being read have a minimum throughput: a
/// server may take time in between, and during the wait for `100 Continue` the client sends
/// nothing on purpose.
#[test]
fn bodies_have_a_minimum_throughput() {
    let now = Instant::now();
    let pace = Some(Pace { bytes_per_second: 10, over: 4 * SECOND });
    let mut budget = Budget::start(Timeouts { pace, ..timeouts(0, 9, 0) }, now);
    for (stage, operation, expected) in [
        (Stage::Handshake, Operation::Read, (9, Which::Read)),
        (Stage::Request, Operation::Read, (9, Which::Read)),
        (Stage::Request, Operation::Continue, (1, Which::Continue)),
        (Stage::Request, Operation::Write, (4, Which::Pace(10))),
        (Stage::FirstByte, Operation::Read, (9, Which::Read)),
        (Stage::Other, Operation::Read, (9, Which::Read)),
        (Stage::Body, Operation::Read, (4, Which::Pace(10))),
    ] {
        budget.enter(stage, &|| now);
        let wait = budget.wait(operation, || now).unwrap();
        assert_eq!((wait.at_most.unwrap().as_secs(), wait.expired.which), expected);
        assert_eq!(budget.has_pace(operation), wait.expired.is_pace(), "{stage:?}");
    }
    assert_eq!(budget.moved(5, SECOND), Ok(()));
    let wait = budget.wait(Operation::Read, || now).unwrap();
    assert_eq!(wait.at_most, Some(3 * SECOND), "the rest of the stretch");
    let behind = budget.moved(34, 3 * SECOND).unwrap_err();
    assert!(behind.is_pace());
}

/// An expired limit of one attempt must not end the next one.
#[test]
fn another_attempt_starts_with_full_limits() {
    let start = Instant::now();
    let late = start + 7 * SECOND;
    let limits = Timeouts { handshake: Some(2 * SECOND), ..timeouts(3, 5, 9) };
    let mut budget = Budget::start(limits, start);
    budget.start_connecting(start);
    budget.enter(Stage::Handshake, &|| start);
    assert!(budget.wait(Operation::Read, || late).is_err());
    budget.start_over();
    assert_eq!(budget.wait(Operation::Connect, || late).unwrap().at_most, Some(2 * SECOND));
    budget.start_connecting(late);
    budget.enter(Stage::Handshake, &|| late);
    let wait = budget.wait(Operation::Read, || late).unwrap();
    assert_eq!(wait.expired.which, Which::Total, "that clock runs on");
}

#[test]
fn a_canceled_call_is_over() {
    let (token, now) = (CancelToken::new(), Instant::now());
    let budget = Budget::start(timeouts(0, 5, 9), now).until(Some(token.clone()));
    let wait = budget.wait(Operation::Read, || now).unwrap();
    assert_eq!(budget.over(wait.expired).which, Which::Read);
    token.cancel();
    assert_eq!(budget.wait(Operation::Read, || now).unwrap_err().which, Which::Cancelled);
    assert_eq!(budget.over(wait.expired).which, Which::Cancelled);
    assert!(budget.shortened(SECOND, now).check().is_err());
    assert_eq!(budget.after(Duration::ZERO, now), None);
}

#[test]
fn a_shortened_budget_ends_earlier_and_never_later() {
    let start = Instant::now();
    for (total, expected) in [(0, 2), (5, 2), (1, 1)] {
        let budget = Budget::start(timeouts(0, 9, total), start).shortened(2 * SECOND, start);
        let wait = budget.wait(Operation::Read, || start).unwrap();
        assert_eq!(wait.at_most, Some(SECOND * expected), "{total}");
    }
}

#[test]
fn operations_that_do_not_wait_end_with_the_deadline_too() {
    let start = Instant::now();
    let budget = Budget::start(timeouts(0, 1, 2), start);
    assert_eq!(budget.check_time(|| start + SECOND), Ok(()));
    let expired = budget.check_time(|| start + 2 * SECOND).unwrap_err();
    assert_eq!(expired.to_string(), "timed out: not done within 2s (total timeout)");
    let budget = Budget::start(timeouts(0, 1, 0), start);
    assert_eq!(budget.check_time(|| panic!("asked the clock")), Ok(()));
}

#[test]
fn a_limit_of_zero_expires_immediately() {
    let timeouts = Timeouts { read: Some(Duration::ZERO), ..Timeouts::default() };
    let budget = Budget::start(timeouts, Instant::now());
    let expired = budget.wait(Operation::Read, Instant::now).unwrap_err();
    assert_eq!(expired.to_string(), "timed out: no byte came for 0ns (read timeout)");
    assert!(budget.wait(Operation::Write, Instant::now).is_ok());
}

/// A retried operation has already waited.
#[test]
fn a_retried_operation_gets_no_extra_time() {
    let now = Instant::now();
    let budget = Budget::start(timeouts(0, 9, 30), now);
    for (waited, expected) in [(0, Some(9)), (4, Some(5)), (9, None), (10, None)] {
        let wait = budget.wait_on(Operation::Read, SECOND * waited, &|| now);
        let left = wait.map(|wait| wait.at_most.unwrap().as_secs());
        assert_eq!(left.ok(), expected, "{waited}");
    }
    let over = budget.wait_on(Operation::Read, 9 * SECOND, &|| now).unwrap_err();
    assert_eq!(over.to_string(), "timed out: no byte came for 9s (read timeout)");
}

#[test]
fn the_connect_clock_stops_when_connected() {
    let start = Instant::now();
    let mut budget = Budget::start(timeouts(3, 0, 0), start);
    budget.start_connecting(start);
    budget.start_connecting(start + 2 * SECOND);
    let left = budget.wait(Operation::Connect, || start + 2 * SECOND).unwrap().at_most;
    assert_eq!(left, Some(SECOND), "a clock that runs is not started anew");
    assert!(budget.wait(Operation::Connect, || start + 4 * SECOND).is_err());
    budget.enter(Stage::Request, &|| start);
    assert!(budget.wait(Operation::Read, || start + 4 * SECOND).is_ok());
}

#[test]
fn nothing_starts_at_or_after_the_end_of_the_call() {
    let start = Instant::now();
    let bounded = Budget::start(timeouts(1, 1, 3), start);
    let endless = Budget::start(timeouts(1, 1, 0), start);
    for (delay, now, in_time) in [(0, 0, true), (2, 0, true), (3, 0, false), (0, 3, false)] {
        let (delay, now) = (SECOND * delay, start + SECOND * now);
        assert_eq!(bounded.after(delay, now), in_time.then_some(now + delay), "{delay:?}");
        assert_eq!(endless.after(delay, now), Some(now + delay));
    }
    assert_eq!(endless.after(Duration::MAX, start), None, "no clock counts so far");
}

#[test]
fn a_limit_beyond_the_clock_is_no_limit() {
    let timeouts = Timeouts { total: Some(Duration::MAX), ..Timeouts::default() };
    let budget = Budget::start(timeouts, Instant::now());
    assert_eq!(budget.wait(Operation::Connect, Instant::now).unwrap().at_most, None);
}

mod throughput {
    use super::super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Moves the given bytes after the given seconds in each step, and returns the step that was
    /// too slow.
    fn fails_at(pace: Pace, steps: &[(usize, u32)]) -> Option<usize> {
        let mut meter = Meter::start(pace);
        steps.iter().position(|(bytes, seconds)| {
            let before = meter.left();
            assert!(!before.is_zero() && before <= pace.over);
            meter.moved(*bytes, SECOND * *seconds).is_err()
        })
    }

    #[test]
    fn an_interval_is_evaluated_as_a_whole_when_it_is_over() {
        let pace = Pace { bytes_per_second: 100, over: 3 * SECOND };
        type Steps = &'static [(usize, u32)];
        let cases: [(Steps, Option<usize>); 7] = [
            (&[(0, 2), (300, 1), (0, 2), (300, 1)], None),
            (&[(299, 0), (0, 3)], Some(1)),
            (&[(100, 1), (100, 1), (99, 1)], Some(2)),
            (&[(100, 1), (100, 1), (100, 1), (100, 1), (100, 1), (99, 1)], Some(5)),
            // A surplus in one interval does not count for the next.
            (&[(9000, 3), (0, 3)], Some(1)),
            // A wait beyond the end of the interval counts in full.
            (&[(399, 4)], Some(0)),
            (&[(400, 4)], None),
        ];
        for (steps, expected) in cases {
            assert_eq!(fails_at(pace, steps), expected, "{steps:?}");
        }
    }

    #[test]
    fn extremes_neither_overflow_nor_divide_by_zero() {
        let fast = Pace { bytes_per_second: u64::MAX, over: Duration::MAX };
        assert_eq!(fails_at(fast, &[(usize::MAX, 1), (usize::MAX, u32::MAX)]), None);
        let none = Pace { bytes_per_second: 0, over: Duration::ZERO };
        let mut meter = Meter::start(none);
        assert_eq!(meter.moved(0, Duration::ZERO), Ok(()));
        assert_eq!(Meter::start(fast).moved(0, Duration::MAX), Err(fast));
    }
}

/// A stream of events lasts as long as it has events, unless the request says how long.
#[cfg(feature = "sse")]
#[test]
fn only_the_total_timeout_of_a_request_ends_a_stream() {
    let now = Instant::now();
    let total = Some(Duration::from_secs(1));
    for is_total_of_request in [false, true] {
        let timeouts = Timeouts { total, is_total_of_request, ..Timeouts::default() };
        let outer = Budget::start(timeouts, now);
        let mut inner = Budget::start(Timeouts::default(), now);
        inner.end_with(&outer);
        for mut budget in [outer, inner] {
            assert!(budget.check_time(|| now + Duration::from_secs(2)).is_err());
            budget.outlive_total();
            let is_over = budget.check_time(|| now + Duration::from_secs(2)).is_err();
            assert_eq!(is_over, is_total_of_request);
        }
    }
}
