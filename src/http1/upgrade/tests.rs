use super::super::testing::{Lines, headers, lines};
use super::*;

const SAID: (&str, &str) = ("connection", "Upgrade");

fn offer(fields: Lines) -> Option<Offer> {
    Offer::new(lines(fields))
}

#[test]
fn an_offer_needs_both_fields() {
    let offers: [Lines; 3] = [
        &[SAID, ("upgrade", "websocket")],
        &[("connection", "keep-alive, UPGRADE"), ("upgrade", "a/1, b")],
        &[("connection", "close"), SAID, ("upgrade", ""), ("upgrade", "a")],
    ];
    for fields in offers {
        assert!(offer(fields).is_some(), "{fields:?}");
    }
    let none: [Lines; 6] = [
        &[],
        &[SAID],
        &[("upgrade", "websocket")],
        &[SAID, ("upgrade", ", ,")],
        &[("connection", "upgraded"), ("upgrade", "websocket")],
        &[("proxy-connection", "upgrade"), ("upgrade", "websocket")],
    ];
    for fields in none {
        assert!(offer(fields).is_none(), "{fields:?}");
    }
}

/// RFC 9110 §7.8: only to an offered protocol; §15.2.2: only to a named one.
#[test]
fn only_what_was_offered_is_taken_up() {
    let offer = offer(&[SAID, ("upgrade", "websocket, IRC/6.9"), ("upgrade", "b")]).unwrap();
    let cases: [(Lines, bool); 10] = [
        (&[SAID, ("upgrade", "websocket")], true),
        (&[SAID, ("upgrade", "WebSocket")], true),
        (&[("connection", "x, upgrade"), ("upgrade", "irc/6.9, B")], true),
        (&[SAID, ("upgrade", "IRC")], false),
        (&[SAID, ("upgrade", "IRC/6.10")], false),
        (&[SAID, ("upgrade", "h2c")], false),
        (&[SAID, ("upgrade", "websocket"), ("upgrade", "h2c")], false),
        (&[SAID, ("upgrade", "")], false),
        (&[SAID], false),
        (&[("upgrade", "websocket")], false),
    ];
    for (fields, expected) in cases {
        assert_eq!(offer.is_taken_up(&headers(fields)), expected, "{fields:?}");
    }
}
