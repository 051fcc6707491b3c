//! An exchange: the outcome does not depend on how the response is split or read; a complete body
//! is exactly what its framing says; a truncated one is never complete.
//!
//! The first size also selects the exchange: odd ones are HEAD, with 2 in them the connection is
//! cut, and from 28 to 31 (`L` to `O`) the text between NUL bytes is repeated until limits are
//! reached.
#![no_main]

use std::borrow::Cow;

use leanhttp::Method;
use leanhttp::fuzzing::{self, Ending, Outcome};
use leanhttp_fuzz::{Pieces, Sizes, response, stretched};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (mut sizes, message) = leanhttp_fuzz::sizes(input);
    let kind = sizes.next().unwrap();
    let method = if kind & 1 == 0 { Method::GET } else { Method::HEAD };
    let ending = if kind & 2 == 0 { Ending::Clean } else { Ending::Cut };
    let is_long = kind % 32 >= 28;
    let message = &*if is_long { Cow::Owned(stretched(message)) } else { Cow::Borrowed(message) };

    let whole = run(&method, message, ending, Sizes::WHOLE);
    assert_eq!(run(&method, message, ending, sizes), whole);
    let (Some(head), Ok(())) = (whole.head, whole.end) else { return };

    let starts = |at: &usize| message[*at..].starts_with(&head.raw);
    let body_start = (0..message.len()).find(starts).unwrap() + head.raw.len();
    let body = response::body(&method, &head, &message[body_start..]);
    let (body, length) = body.expect("the twin finds it complete");
    assert_eq!(whole.body, body);
    let end = body_start + length;
    assert!(whole.reusable.is_err() || end == message.len());

    let cut = sizes.next().unwrap() * 7919 % end;
    assert!(run(&method, &message[..cut], Ending::Cut, sizes).end.is_err(), "cut at {cut}");
});

fn run(method: &Method, message: &[u8], ending: Ending, sizes: Sizes<'_>) -> Outcome {
    let mut peer = Pieces { rest: message, sizes };
    let mut outcome = fuzzing::exchange(method.clone(), &mut peer, ending, sizes.skip(1));
    if outcome.reusable.is_ok() && !peer.rest.is_empty() {
        // Noticed by a driver that has read them, and otherwise by the liveness check before the
        // next use.
        outcome.reusable = Err("LeftoverBytes".to_owned());
    }
    outcome
}
