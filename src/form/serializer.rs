//! [`Serializer`]: appends pairs one by one, to a string or to the query of a URL.

use std::borrow::Borrow;
use std::marker::PhantomData;

use super::{append_encoded, append_pair, sealed};

/// Appends form-encoded pairs to an [`AppendTarget`]: a string, or the query of a URL, for which
/// [`Url::query_pairs_mut`](crate::url::Url::query_pairs_mut) returns one.
///
/// ```
/// use leanhttp::form::Serializer;
///
/// let mut form = Serializer::new(String::new());
/// form.append_pair("name", "Zoë").extend_pairs([("note", "a b"), ("to", "c&d")]);
/// assert_eq!(form.finish(), "name=Zo%C3%AB&note=a+b&to=c%26d");
/// ```
///
/// Names and methods are those of the crate `form_urlencoded`, and so is the lifetime, which has no meaning here.
#[derive(Debug)]
pub struct Serializer<'a, T: AppendTarget> {
    target: T,
    lifetime: PhantomData<&'a ()>,
}

/// The text to which a [`Serializer`] appends: a `String`, a reference to one, or the query of a URL
/// ([`UrlQuery`](crate::url::UrlQuery)).
///
/// The trait is sealed.
pub trait AppendTarget: sealed::Append {}

impl<T: sealed::Append> AppendTarget for T {}

impl<T: AppendTarget> Serializer<'_, T> {
    /// Returns a serializer that appends to `target`, after an `&` if that is not empty.
    pub fn new(target: T) -> Self {
        Self { target, lifetime: PhantomData }
    }

    /// Removes all pairs, also those that were in the target before.
    pub fn clear(&mut self) -> &mut Self {
        self.target.clear();
        self
    }

    /// Appends one pair.
    ///
    /// ```
    /// let mut url = leanhttp::Url::parse("http://example.org/?a=1")?;
    /// url.query_pairs_mut().append_pair("name", "Zoë");
    /// assert_eq!(url.as_str(), "http://example.org/?a=1&name=Zo%C3%AB");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn append_pair(&mut self, name: &str, value: &str) -> &mut Self {
        self.extend_pairs([(name, value)])
    }

    /// Appends a name without `=` and value.
    ///
    /// ```
    /// let mut url = leanhttp::Url::parse("http://example.org/?a=1")?;
    /// url.query_pairs_mut().append_key_only("debug");
    /// assert_eq!(url.as_str(), "http://example.org/?a=1&debug");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn append_key_only(&mut self, name: &str) -> &mut Self {
        let mut encoded = String::new();
        append_encoded(&mut encoded, name);
        self.target.append(&encoded);
        self
    }

    /// Appends names without `=` and value.
    pub fn extend_keys_only<I, K>(&mut self, names: I) -> &mut Self
    where
        I: IntoIterator<Item: Borrow<K>>,
        K: AsRef<str>,
    {
        for name in names {
            self.append_key_only(name.borrow().as_ref());
        }
        self
    }

    /// Appends pairs.
    pub fn extend_pairs<I, K, V>(&mut self, pairs: I) -> &mut Self
    where
        I: IntoIterator<Item: Borrow<(K, V)>>,
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut encoded = String::new();
        for pair in pairs {
            let (name, value) = pair.borrow();
            append_pair(&mut encoded, name.as_ref(), value.as_ref());
        }
        if !encoded.is_empty() {
            self.target.append(&encoded);
        }
        self
    }

    /// Returns the string, of which an empty one is left, or a reference to the string or URL. Every change has taken
    /// effect already.
    ///
    /// ```
    /// let mut url = leanhttp::Url::parse("http://example.org/#top")?;
    /// url.query_pairs_mut().append_pair("a", "1").finish().set_fragment(None);
    /// assert_eq!(url.as_str(), "http://example.org/?a=1");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn finish(&mut self) -> T::Finished<'_> {
        self.target.finish()
    }
}

impl sealed::Append for String {
    type Finished<'t> = Self;

    fn clear(&mut self) {
        self.clear();
    }

    fn append(&mut self, encoded: &str) {
        if !self.is_empty() {
            self.push('&');
        }
        self.push_str(encoded);
    }

    fn finish(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl sealed::Append for &mut String {
    type Finished<'t>
        = &'t mut String
    where
        Self: 't;

    fn clear(&mut self) {
        String::clear(self);
    }

    fn append(&mut self, encoded: &str) {
        sealed::Append::append(*self, encoded);
    }

    fn finish(&mut self) -> &mut String {
        self
    }
}

#[cfg(test)]
mod tests;
