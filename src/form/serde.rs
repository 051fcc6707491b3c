//! Writes pairs with serde: one serializer that knows the role of the next value.
//!
//! serde describes a value by calling one method of a serializer for each part of it. A form has
//! only two levels, so one serializer is enough, which knows what the next value is for ([`Role`]):
//!
//! ```text
//! Pairs ──seq, tuple, map, struct──▶ for each element
//!   │                                  ├── of a list:   Pair ──tuple of two──▶ Name, then Value
//!   │                                  ├── of a map:    Name (the key), then Value
//!   │                                  └── of a struct: Value, with the name of the field
//!   └──none, unit──▶ no pairs
//! Name, Value ──text, number, bool, unit variant──▶ written
//! Value ──none──▶ the pair is left out
//! anything else ──▶ an error that says what was found, and where
//! ```
//!
//! A name is kept as text until its value is known, because a value of `None` leaves out both.
//! serde calls an array of fixed length a tuple, so a tuple is a pair or a list by the place where
//! it stands.
//!
//! A value that cannot be written is an error and never a guess: a nested map could be `a[b]=1`, `a.b=1` or
//! JSON, and servers disagree (`unsupported_shapes_are_errors_with_a_reason`). The same is true for
//! a list as a value, which some would write as repeated names; pass such pairs as a list.
//!
//! ```text
//! [("a", 1), ("b", 2)]              a list of tuples       a=1&b=2
//! BTreeMap {"a": 1}                 a map                  a=1
//! struct { a: 1, b: None }          a struct               a=1
//! enum { On } as a value            a unit variant         mode=On
//! [("a", [1, 2])]                   a list as a value      error: a list as the value of "a"
//! ```
//!
//! The two macros write the methods for numbers, which differ only in their type. Methods that can
//! only fail are written out, since each names what it was given: the text of the error is what a
//! user has to find the field of a nested struct.

use serde::Serialize;
use serde::ser::{self, Impossible};

use super::sealed::AppendPairs;
use super::{Error, append_pair};

impl<T: Serialize + ?Sized> AppendPairs for T {
    fn append_to(&self, out: &mut String) -> Result<(), Error> {
        self.serialize(PairsSerializer { out, role: Role::Pairs })
    }
}

impl ser::Error for Error {
    fn custom<T: std::fmt::Display>(reason: T) -> Self {
        Self(reason.to_string().into())
    }
}

struct PairsSerializer<'a> {
    out: &'a mut String,
    role: Role<'a>,
}

/// The role of the next value to serialize.
enum Role<'a> {
    /// The list of pairs: the value that was passed.
    Pairs,
    /// One element of a list of pairs.
    Pair,
    /// The name of a pair, which is stored here.
    Name(&'a mut Option<String>),
    /// The value of the pair with this name.
    Value(&'a str),
}

impl PairsSerializer<'_> {
    fn text(self, text: &str) -> Result<(), Error> {
        match self.role {
            Role::Name(name) => *name = Some(text.to_owned()),
            Role::Value(name) => append_pair(self.out, name, text),
            Role::Pairs | Role::Pair => return Err(self.unsupported("a single value")),
        }
        Ok(())
    }

    /// Returns an error that names what was found and the place, by role: as a name, as the value
    /// of which name.
    fn unsupported(self, what: &str) -> Error {
        let place = match self.role {
            Role::Pairs => "where a list of pairs, a map or a struct was expected",
            Role::Pair => "where a pair of name and value was expected",
            Role::Name(_) => "as a name",
            Role::Value(name) => {
                return Error(format!("{what} as the value of {name:?}").into());
            }
        };
        Error(format!("{what} {place}").into())
    }
}

macro_rules! scalars {
    ($format:literal: $($method:ident($type:ty))*) => {$(
        fn $method(self, value: $type) -> Result<(), Error> {
            self.text(&format!($format, value))
        }
    )*};
}

impl<'a> ser::Serializer for PairsSerializer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Pairs<'a>;
    type SerializeTuple = Elements<'a>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Pairs<'a>;
    type SerializeStruct = Pairs<'a>;
    type SerializeStructVariant = Impossible<(), Error>;

    scalars! { "{}":
        serialize_bool(bool) serialize_char(char)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_i128(i128) serialize_u128(u128)
    }
    scalars! { "{:?}": serialize_f32(f32) serialize_f64(f64) }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        match std::str::from_utf8(value) {
            Ok(text) => self.text(text),
            Err(_) => Err(self.unsupported("bytes that are not UTF-8")),
        }
    }

    /// Omits the pair of which this is the value. As the whole input it stands for no pairs.
    fn serialize_none(self) -> Result<(), Error> {
        match self.role {
            Role::Value(_) | Role::Pairs => Ok(()),
            Role::Name(_) | Role::Pair => Err(self.unsupported("nothing")),
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.serialize_none()
    }

    /// In a pair its name is the text, as for a variant without fields.
    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Error> {
        match self.role {
            Role::Name(_) | Role::Value(_) => self.text(name),
            Role::Pairs | Role::Pair => self.serialize_unit(),
        }
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(self.unsupported("an enum variant with fields"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Pairs<'a>, Error> {
        self.pairs("a list")
    }

    /// A tuple is a pair or a list of pairs: serde serializes arrays as tuples.
    fn serialize_tuple(self, len: usize) -> Result<Elements<'a>, Error> {
        match self.role {
            Role::Pair if len == 2 => Ok(Elements::OfPair { out: self.out, name: None }),
            _ => self.pairs("a tuple").map(Elements::OfList),
        }
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        Err(self.unsupported("a tuple struct"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(self.unsupported("an enum variant with fields"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Pairs<'a>, Error> {
        self.pairs("a map")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Pairs<'a>, Error> {
        self.pairs("a struct")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(self.unsupported("an enum variant with fields"))
    }
}

impl<'a> PairsSerializer<'a> {
    /// Begins the list of pairs, which only the value that was passed may be.
    fn pairs(self, what: &str) -> Result<Pairs<'a>, Error> {
        match self.role {
            Role::Pairs => Ok(Pairs { out: self.out, name: None }),
            _ => Err(self.unsupported(what)),
        }
    }
}

/// Serializes the pairs, one after the other.
struct Pairs<'a> {
    out: &'a mut String,
    /// The name of the map entry whose value is serialized next.
    name: Option<String>,
}

impl Pairs<'_> {
    fn pair<T: Serialize + ?Sized>(&mut self, pair: &T) -> Result<(), Error> {
        pair.serialize(PairsSerializer { out: self.out, role: Role::Pair })
    }
}

impl ser::SerializeSeq for Pairs<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, pair: &T) -> Result<(), Error> {
        self.pair(pair)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

impl ser::SerializeMap for Pairs<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        key.serialize(PairsSerializer { out: self.out, role: Role::Name(&mut self.name) })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let name = self.name.take().unwrap_or_default();
        value.serialize(PairsSerializer { out: self.out, role: Role::Value(&name) })
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

impl ser::SerializeStruct for Pairs<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(PairsSerializer { out: self.out, role: Role::Value(name) })
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

/// Serializes the elements of a tuple.
enum Elements<'a> {
    OfList(Pairs<'a>),
    OfPair { out: &'a mut String, name: Option<String> },
}

impl ser::SerializeTuple for Elements<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, element: &T) -> Result<(), Error> {
        let (out, name) = match self {
            Elements::OfList(pairs) => return pairs.pair(element),
            Elements::OfPair { out, name } => (out, name),
        };
        match name.take() {
            None => element.serialize(PairsSerializer { out, role: Role::Name(name) }),
            Some(name) => element.serialize(PairsSerializer { out, role: Role::Value(&name) }),
        }
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
