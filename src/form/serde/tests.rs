use std::collections::BTreeMap;

use super::*;
use crate::form::encode;

#[derive(Serialize)]
enum Order {
    #[serde(rename = "up")]
    Ascending,
    Sideways(u8),
    Custom {
        by: u8,
    },
    Pair(u8, u8),
}

#[derive(Serialize)]
struct Id(u32);

#[derive(Serialize)]
struct Both(u8, u8);

#[derive(Serialize)]
struct Nothing;

struct Octets(&'static [u8]);

impl Serialize for Octets {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct Refuses;

impl Serialize for Refuses {
    fn serialize<S: ser::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("a custom reason"))
    }
}

#[derive(Serialize)]
struct Search<'a> {
    q: &'a str,
    page: Option<u32>,
    order: Order,
    id: Id,
    #[serde(flatten)]
    more: BTreeMap<&'a str, u8>,
}

#[test]
fn shapes() {
    let more = BTreeMap::from([("x", 1), ("y", 2)]);
    let search = Search { q: "a b", page: None, order: Order::Ascending, id: Id(7), more };
    let table = [
        (encode(&search), "q=a+b&order=up&id=7&x=1&y=2"),
        (encode(&Some([("a", 1)])), "a=1"),
        (encode(&None::<[(u8, u8); 1]>), ""),
        (encode(&()), ""),
        (encode(&Nothing), ""),
        (encode(&[("a", ())]), ""),
        (encode(&[("a", Nothing)]), "a=Nothing"),
        (encode(&[(Nothing, "a")]), "Nothing=a"),
        (encode(&(("a", 1), ("b", "c"))), "a=1&b=c"),
        (encode(&[("a", Octets("é".as_bytes()))]), "a=%C3%A9"),
        (encode(&serde_json::json!({"a": "b", "c": null, "d": 1.5})), "a=b&d=1.5"),
    ];
    for (row, (encoded, expected)) in table.into_iter().enumerate() {
        assert_eq!(encoded.as_deref(), Ok(expected), "row {row}");
    }
}

#[test]
fn unsupported_shapes_are_errors_with_a_reason() {
    let table = [
        (encode("text"), "a single value where a list of pairs, a map or a struct was expected"),
        (encode(&["a", "b"]), "a single value where a pair of name and value was expected"),
        (encode(&[("a", "b", "c")]), "a tuple where a pair of name and value was expected"),
        (encode(&[None::<(u8, u8)>]), "nothing where a pair of name and value was expected"),
        (encode(&[((), 1)]), "nothing as a name"),
        (encode(&[(None::<u8>, 1)]), "nothing as a name"),
        (encode(&[("a", [1, 2])]), "a tuple as the value of \"a\""),
        (encode(&[("a", vec![1])]), "a list as the value of \"a\""),
        (encode(&[("a", Octets(b"\xFF"))]), "bytes that are not UTF-8 as the value of \"a\""),
        (encode(&[("a", Refuses)]), "a custom reason"),
        (encode(&[("a", Both(1, 2))]), "a tuple struct as the value of \"a\""),
        (encode(&BTreeMap::from([("m", &more())])), "a map as the value of \"m\""),
        (encode(&[("o", Order::Sideways(1))]), "an enum variant with fields as the value of \"o\""),
        (encode(&[("o", Order::Pair(1, 2))]), "an enum variant with fields as the value of \"o\""),
        (
            encode(&[("o", Order::Custom { by: 1 })]),
            "an enum variant with fields as the value of \"o\"",
        ),
    ];
    for (encoded, reason) in table {
        let message = encoded.unwrap_err().to_string();
        assert_eq!(message, format!("cannot write as name=value pairs: {reason}"));
    }
}

fn more() -> BTreeMap<u8, u8> {
    BTreeMap::from([(1, 2)])
}
