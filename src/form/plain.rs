//! Writes pairs without serde: implementations for the types that programs pass most.
//!
//! They are a subset of serde's implementations, so that enabling serde breaks no program. This is why
//! arrays end at 32 elements.
//!
//! ```text
//! AppendPairs   a collection: slice, array, Vec, HashMap, BTreeMap, reference
//!   └ Pair      one element: (name, value), reference
//!       ├ PairName  text, number, bool, char: always present
//!       └ Value     a PairName, or an Option of one: `None` leaves the pair out
//! ```
//!
//! A blanket implementation over iterators would accept more, and each type that it accepts beyond
//! serde's would stop compiling when another crate of the program enables the feature `json`:
//! features must only add. So the list of types is closed, and `shapes` in the tests runs the same
//! table with either file. Floats are written by `{:?}` in both files, which keeps `1.0` a float
//! and is the shortest text that reads back as the same number.
//!
//! | type | written as | in `serde.rs` |
//! | --- | --- | --- |
//! | `"a b"` | `a+b` | the same |
//! | `true`, `'x'`, `-5`, `u128` | by `Display` | the same |
//! | `1.0_f64`, `1e300` | by `Debug`: `1.0`, `1e300` | the same |
//! | `Some(v)`, `None` as a value | `v`, no pair | the same |
//! | `HashMap`, `BTreeMap` | in the map's order | the same |
//! | a struct, a nested list | does not compile | pairs, or an error |
//!
//! To add a type, implement [`Value`] for it, and [`PairName`] if it is never absent; then add a row to
//! the table in `tests.rs`, which runs with serde too and so shows whether both write it alike.
//!
//! Arrays are listed by length and not by a const generic, because serde implements them up to 32
//! elements only: a longer one would compile here and not with the feature `json`.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::sealed::AppendPairs;
use super::{Error, append_pair};

impl<P: Pair> AppendPairs for [P] {
    fn append_to(&self, out: &mut String) -> Result<(), Error> {
        self.iter().for_each(|pair| pair.append_to(out));
        Ok(())
    }
}

impl<P: Pair> AppendPairs for Vec<P> {
    fn append_to(&self, out: &mut String) -> Result<(), Error> {
        self.as_slice().append_to(out)
    }
}

macro_rules! arrays {
    ($($len:literal)*) => {$(
        impl<P: Pair> AppendPairs for [P; $len] {
            fn append_to(&self, out: &mut String) -> Result<(), Error> {
                self.as_slice().append_to(out)
            }
        }
    )*};
}

arrays!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);

impl<K: PairName, V: Value, S> AppendPairs for HashMap<K, V, S> {
    fn append_to(&self, out: &mut String) -> Result<(), Error> {
        self.iter().for_each(|(name, value)| append(out, name, value));
        Ok(())
    }
}

impl<K: PairName, V: Value> AppendPairs for BTreeMap<K, V> {
    fn append_to(&self, out: &mut String) -> Result<(), Error> {
        self.iter().for_each(|(name, value)| append(out, name, value));
        Ok(())
    }
}

impl<T: AppendPairs + ?Sized> AppendPairs for &T {
    fn append_to(&self, out: &mut String) -> Result<(), Error> {
        (**self).append_to(out)
    }
}

/// An element of a list of pairs.
pub trait Pair {
    /// Appends this pair, unless its value is `None`.
    fn append_to(&self, out: &mut String);
}

impl<K: PairName, V: Value> Pair for (K, V) {
    fn append_to(&self, out: &mut String) {
        let (name, value) = self;
        append(out, name, value);
    }
}

impl<P: Pair + ?Sized> Pair for &P {
    fn append_to(&self, out: &mut String) {
        (**self).append_to(out);
    }
}

/// A value of a pair.
pub trait Value {
    /// Returns the text to encode; `None` omits the pair.
    fn text(&self) -> Option<Cow<'_, str>>;
}

/// A name of a pair: a value that is never `None`.
pub trait PairName: Value {}

impl PairName for str {}
impl Value for str {
    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl PairName for String {}
impl Value for String {
    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl PairName for Cow<'_, str> {}
impl Value for Cow<'_, str> {
    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self))
    }
}

macro_rules! scalars {
    ($format:literal: $($type:ty)*) => {$(
        impl PairName for $type {}
        impl Value for $type {
            fn text(&self) -> Option<Cow<'_, str>> {
                Some(Cow::Owned(format!($format, self)))
            }
        }
    )*};
}

scalars!("{}": bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);
scalars!("{:?}": f32 f64);

impl<V: Value> Value for Option<V> {
    fn text(&self) -> Option<Cow<'_, str>> {
        self.as_ref().and_then(V::text)
    }
}

impl<T: PairName + ?Sized> PairName for &T {}
impl<T: Value + ?Sized> Value for &T {
    fn text(&self) -> Option<Cow<'_, str>> {
        (**self).text()
    }
}

fn append(out: &mut String, name: &impl PairName, value: &impl Value) {
    if let (Some(name), Some(value)) = (name.text(), value.text()) {
        append_pair(out, &name, &value);
    }
}
