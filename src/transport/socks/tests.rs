use proptest::prelude::*;

use super::*;

fn name(text: &str) -> Destination {
    Destination::Name(text.to_owned())
}

fn address(text: &str) -> Destination {
    Destination::Address(text.parse().unwrap())
}

fn login(username: &str, password: &str) -> Userinfo {
    Userinfo { username: username.into(), password: Some(password.into()) }
}

/// A whole handshake: the outcome, all bytes sent, the unread input.
type Talk = (Result<Need, SocksError>, Vec<u8>, Vec<u8>);

const MORE: Result<Need, SocksError> = Ok(Need::More);
const OPEN: Result<Need, SocksError> = Ok(Need::Nothing);

/// Runs a handshake with a proxy that sends these pieces.
fn talk<'a>(mut socks: Socks, pieces: impl IntoIterator<Item = &'a [u8]>) -> Talk {
    let mut said = socks.output().to_vec();
    socks.wrote(said.len());
    let mut outcome = MORE;
    for piece in pieces {
        socks.received(piece);
        if outcome != MORE {
            continue;
        }
        outcome = socks.step();
        while !socks.output().is_empty() {
            said.extend(socks.output());
            socks.wrote(socks.output().len());
            outcome = socks.step();
        }
    }
    (outcome, said, socks.leftover().to_vec())
}

const GRANTED: &[u8] = b"\x05\0\0\x01\0\0\0\0\0\0";

#[test]
fn requests_of_version_5() {
    let cases: [(Destination, u16, &[u8]); 4] = [
        (address("10.1.2.3"), 80, b"\x05\x01\0\x01\x0a\x01\x02\x03\0\x50"),
        (
            address("2001:db8::1"),
            443,
            b"\x05\x01\0\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb",
        ),
        (name("h.example"), 65535, b"\x05\x01\0\x03\x09h.example\xff\xff"),
        (name(""), 0, b"\x05\x01\0\x03\0\0\0"),
    ];
    for (destination, port, request) in cases {
        let socks = || Socks::five(None, &destination, port).unwrap();
        let (outcome, said, rest) = talk(socks(), [&b"\x05\0"[..], GRANTED, b"tail"]);
        assert_eq!((outcome, &*rest), (OPEN, &b"tail"[..]));
        assert_eq!(said, [b"\x05\x01\0", request].concat());
    }
}

#[test]
fn requests_of_version_4() {
    let user = login("user", "");
    let cases: [(Option<&Userinfo>, Destination, &[u8]); 3] = [
        (None, address("10.1.2.3"), b"\x04\x01\0\x50\x0a\x01\x02\x03\0"),
        (Some(&user), address("10.1.2.3"), b"\x04\x01\0\x50\x0a\x01\x02\x03user\0"),
        (Some(&user), name("h.example"), b"\x04\x01\0\x50\0\0\0\x01user\0h.example\0"),
    ];
    for (login, destination, request) in cases {
        let socks = Socks::four(login, &destination, 80).unwrap();
        let (outcome, said, rest) = talk(socks, [&b"\0\x5a\x01\x02\x03\x04\x05\x06tail"[..]]);
        assert_eq!((outcome, &*said, &*rest), (OPEN, request, &b"tail"[..]));
    }
}

#[test]
fn logins_of_version_5() {
    let login = login("user", "secret");
    let socks = || Socks::five(Some(&login), &name("h"), 80).unwrap();
    let request = b"\x05\x01\0\x03\x01h\0\x50";
    let asked = [&b"\x05\x02"[..], b"\x01\0", GRANTED];
    let said = [&b"\x05\x02\0\x02\x01\x04user\x06secret"[..], request].concat();
    assert_eq!(talk(socks(), asked), (OPEN, said, vec![]));
    // The password is sent only if the proxy asks for it.
    let said = [&b"\x05\x02\0\x02"[..], request].concat();
    assert_eq!(talk(socks(), [&b"\x05\0"[..], GRANTED]), (OPEN, said, vec![]));
    assert!(!format!("{:?}", socks()).contains("secret"));
}

/// Each message is sent, even if the answer was received before: the result does not depend on timing.
#[test]
fn an_early_answer_does_not_skip_a_message() {
    let login = login("user", "secret");
    let words = [&b"\x05\x02"[..], b"\x01\0", GRANTED, b"tail"];
    let socks = || Socks::five(Some(&login), &name("h"), 80).unwrap();
    assert_eq!(talk(socks(), [&*words.concat()]), talk(socks(), words));
    let words = [&b"\x05\0"[..], GRANTED];
    assert_eq!(talk(socks(), [&*words.concat()]), talk(socks(), words));

    let mut socks = socks();
    socks.received(&words.concat());
    assert_eq!(
        (socks.step(), socks.leftover()),
        (MORE, &*words.concat()),
        "no message was sent yet"
    );
}

/// CVE-2023-38545 (curl), RFC 1928 §5, RFC 1929 §2: one byte counts.
#[test]
fn n04_what_is_too_long_is_refused_before_anything_is_sent() {
    let long = |length| "x".repeat(length);
    let five = |user, password, host| {
        Socks::five(Some(&login(&long(user), &long(password))), &name(&long(host)), 80).map(drop)
    };
    let four =
        |user, host| Socks::four(Some(&login(&long(user), "")), &name(&long(host)), 80).map(drop);
    assert_eq!(five(255, 255, 255), Ok(()));
    assert_eq!(five(256, 1, 1), Err(SocksError::LoginTooLong));
    assert_eq!(five(1, 256, 1), Err(SocksError::LoginTooLong));
    assert_eq!(five(1, 1, 256), Err(SocksError::NameTooLong));
    assert_eq!(five(1, 1, 65536), Err(SocksError::NameTooLong));
    assert_eq!(four(255, 255), Ok(()));
    assert_eq!(four(256, 1), Err(SocksError::LoginTooLong));
    assert_eq!(four(1, 256), Err(SocksError::NameTooLong));
    let nul = Socks::four(Some(&login("a\0b", "")), &name("h"), 80).map(drop);
    assert_eq!(nul, Err(SocksError::NulInLogin));
    let ipv6 = Socks::four(None, &address("::1"), 80).map(drop);
    assert_eq!(ipv6, Err(SocksError::NotIpv4));
}

#[test]
fn n04_a_truncated_answer_is_an_error() {
    for answer in [&b""[..], b"\x05", b"\x05\0", b"\x05\0\x05\0\0"] {
        let mut socks = Socks::five(None, &name("h"), 80).unwrap();
        socks.received(answer);
        assert_eq!(socks.step(), MORE);
        socks.read_eof(Ending::Clean);
        assert_eq!(socks.step(), Err(SocksError::Closed));
    }
    let mut socks = Socks::five(None, &name("h"), 80).unwrap();
    socks.received(&[b"\x05\0", GRANTED].concat());
    socks.read_eof(Ending::Clean);
    assert_eq!(socks.step(), OPEN, "the following bytes belong to the origin");
}

/// Answers of a proxy, with their outcome.
fn answers() -> Vec<(Vec<u8>, Result<Need, SocksError>, usize)> {
    use SocksError::*;
    let login = b"\x05\x02";
    let accepted = b"\x05\x02\x01\0";
    let with = |first: &[u8], rest: &[u8]| [first, rest].concat();
    vec![
        (b"\x05".to_vec(), MORE, 0),
        (b"\x04\x5a".to_vec(), Err(NotSocks { version: 4 }), 0),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), Err(NotSocks { version: b'H' }), 0),
        (b"\x05\xff".to_vec(), Err(NoMethod), 0),
        (b"\x05\x01".to_vec(), Err(UnofferedMethod(1)), 0),
        (with(login, b"\x05\0"), Err(NotSocks { version: 5 }), 0),
        (with(login, b"\x01\x01"), Err(LoginRefused), 0),
        (with(login, b"\x01\xff"), Err(LoginRefused), 0),
        (with(accepted, b"\x04\0"), Err(NotSocks { version: 4 }), 0),
        (with(accepted, b"\x05\x01"), Err(Refused5(1)), 0),
        (with(accepted, b"\x05\x09\0\x01"), Err(Refused5(9)), 0),
        (with(accepted, b"\x05\0\0\x02"), Err(UnknownAddressType(2)), 0),
        (with(accepted, b"\x05\0\0\x01\0\0\0\0\0"), MORE, 0),
        (with(accepted, b"\x05\0\0\x01\0\0\0\0\0\0"), OPEN, 0),
        (with(accepted, b"\x05\0\0\x01\0\0\0\0\0\0more"), OPEN, 4),
        (with(accepted, b"\x05\0\0\x03\x05proxy\0\x50HTTP"), OPEN, 4),
        (with(accepted, b"\x05\0\0\x03\0\0\x50"), OPEN, 0),
        (with(accepted, &[b"\x05\0\0\x03\xff", &[b'x'; 257][..]].concat()), OPEN, 0),
        (with(accepted, &[b"\x05\0\0\x04", &[0; 18][..]].concat()), OPEN, 0),
        (with(accepted, &[b"\x05\0\0\x04", &[0; 17][..]].concat()), MORE, 0),
    ]
}

/// Neither the outcome nor the rest of the input depends on the split of the answer.
#[test]
fn n04_answers_are_consumed_exactly_at_every_split() {
    let login = login("u", "p");
    let socks = || Socks::five(Some(&login), &name("h"), 80).unwrap();
    for (answer, expected, rest) in answers() {
        let whole = talk(socks(), [&*answer]);
        assert_eq!(whole.0, expected, "{}", answer.escape_ascii());
        if expected == OPEN {
            assert_eq!(whole.2.len(), rest, "{}", answer.escape_ascii());
        }
        for at in 0..=answer.len() {
            let (one, two) = answer.split_at(at);
            let split = talk(socks(), [one, two]);
            assert_eq!(
                (&split.0, &split.1),
                (&whole.0, &whole.1),
                "{} at {at}",
                answer.escape_ascii()
            );
        }
        let single = talk(socks(), answer.chunks(1));
        assert_eq!((&single.0, &single.1), (&whole.0, &whole.1), "{}", answer.escape_ascii());
    }
}

#[test]
fn answers_of_version_4() {
    let cases: [(&[u8], Result<Need, SocksError>); 6] = [
        (b"\0", MORE),
        (b"\0\x5a\0\0\0\0\0", MORE),
        (b"\0\x5a\0\0\0\0\0\0", OPEN),
        (b"\x04\x5a", Err(SocksError::NotSocks { version: 4 })),
        (b"\0\x5b", Err(SocksError::Refused4(91))),
        (b"\0\0", Err(SocksError::Refused4(0))),
    ];
    for (answer, expected) in cases {
        let socks = || Socks::four(None, &address("10.0.0.1"), 80).unwrap();
        assert_eq!(talk(socks(), [answer]).0, expected, "{}", answer.escape_ascii());
        assert_eq!(talk(socks(), answer.chunks(1)).0, expected, "{}", answer.escape_ascii());
    }
}

#[test]
fn refusal_codes_have_different_texts() {
    let five: std::collections::BTreeSet<_> = (1..=9).map(reason_5).collect();
    let four: std::collections::BTreeSet<_> = (91..=94).map(reason_4).collect();
    assert_eq!((five.len(), four.len()), (9, 4));
}

proptest! {
    #[test]
    fn any_answer_has_the_same_outcome_at_every_split(
        answer in prop_oneof![
            any::<Vec<u8>>(),
            any::<Vec<u8>>().prop_map(|rest| [&b"\x05\x02\x01\0\x05\0\0"[..], &rest].concat()),
        ],
        size in 1usize..7,
    ) {
        let login = login("u", "p");
        let socks = || Socks::five(Some(&login), &name("h"), 80).unwrap();
        let (whole, split) = (talk(socks(), [&*answer]), talk(socks(), answer.chunks(size)));
        prop_assert_eq!(whole.0, split.0);
        prop_assert_eq!(whole.1, split.1);
        if whole.0 == OPEN {
            prop_assert_eq!(whole.2, split.2);
        }
    }
}
