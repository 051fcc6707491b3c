//! [`ParseOptions`]: a parser with a base, under the names of the crate `url`.

use super::{ParseError, Url};

/// A parser of URLs; returned by [`Url::options`].
#[derive(Clone, Copy, Debug)]
#[must_use = "does nothing without `parse`"]
pub struct ParseOptions<'a> {
    base: Option<&'a Url>,
}

impl Url {
    /// Returns a parser of URLs whose base may be missing; it has none at first. With a base at hand,
    /// [`join`](Self::join) is shorter.
    ///
    /// ```
    /// use leanhttp::Url;
    ///
    /// fn link(base: Option<&Url>, text: &str) -> Result<Url, leanhttp::url::ParseError> {
    ///     Url::options().base_url(base).parse(text)
    /// }
    ///
    /// let base = Url::parse("http://example.org/a/b")?;
    /// assert_eq!(link(Some(&base), "c")?.as_str(), "http://example.org/a/c");
    /// assert!(link(None, "c").is_err());
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn options<'a>() -> ParseOptions<'a> {
        ParseOptions { base: None }
    }
}

impl<'a> ParseOptions<'a> {
    /// Sets the URL that relative ones are resolved against, or none.
    pub fn base_url(self, base: Option<&'a Url>) -> Self {
        Self { base }
    }

    /// Parses a URL, which may be relative if there is a base.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Url::join`] with a base, and those of [`Url::parse`] without one.
    pub fn parse(self, input: &str) -> Result<Url, ParseError> {
        match self.base {
            Some(base) => base.join(input),
            None => Url::parse(input),
        }
    }
}

#[cfg(test)]
mod tests;
