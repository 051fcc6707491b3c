//! Slices of a [`Url`] between two positions, as in the crate `url`: `&url[Position::BeforePath..]`.

use std::ops::{Index, Range, RangeFrom, RangeFull, RangeTo};

use super::{Component, Url};

/// A position in a [`Url`], for slicing it.
///
/// ```text
/// https : // user : pass @ host : 81 /path ? query # fragment
/// |    |     |   |  |   |   |   |   ||     |  |     |  |     |
/// |    |     |   |  |   |   |   |   ||     |  |     |  |     AfterFragment
/// |    |     |   |  |   |   |   |   ||     |  |     |  BeforeFragment
/// |    |     |   |  |   |   |   |   ||     |  |     AfterQuery
/// |    |     |   |  |   |   |   |   ||     |  BeforeQuery
/// |    |     |   |  |   |   |   |   ||     AfterPath
/// |    |     |   |  |   |   |   |   |AfterPort, BeforePath
/// |    |     |   |  |   |   |   |   BeforePort (behind the colon)
/// |    |     |   |  |   |   |   AfterHost
/// |    |     |   |  |   |   BeforeHost
/// |    |     |   |  |   AfterPassword
/// |    |     |   |  BeforePassword
/// |    |     |   AfterUsername
/// |    |     BeforeUsername
/// |    AfterScheme
/// BeforeScheme
/// ```
///
/// Both positions of a part that the URL does not have are where it would be. A range whose end lies before
/// its start is empty.
///
/// ```
/// use leanhttp::url::{Position, Url};
///
/// let url = Url::parse("https://user:pass@example.org:81/path?query#fragment")?;
/// assert_eq!(&url[Position::BeforeHost..Position::AfterPort], "example.org:81");
/// assert_eq!(&url[Position::BeforePath..Position::AfterQuery], "/path?query");
/// assert_eq!(&url[..Position::AfterScheme], "https");
/// assert_eq!(&url[Position::BeforeFragment..], "fragment");
/// # Ok::<(), leanhttp::url::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The start of the URL.
    BeforeScheme,
    /// Before the `:` that follows the scheme.
    AfterScheme,
    /// After `://`, or without an authority after the `:` (or `:/.`) of the scheme.
    BeforeUsername,
    /// After the user name; before the `:` or `@` that follows it.
    AfterUsername,
    /// After the `:` before the password, if there is one.
    BeforePassword,
    /// After the password; before the `@` that follows it.
    AfterPassword,
    /// Before the host, including the brackets of an IPv6 address.
    BeforeHost,
    /// After the host.
    AfterHost,
    /// After the `:` before the port, if there is one.
    BeforePort,
    /// After the port.
    AfterPort,
    /// Before the path.
    BeforePath,
    /// After the path.
    AfterPath,
    /// After the `?` before the query, if there is one.
    BeforeQuery,
    /// After the query.
    AfterQuery,
    /// After the `#` before the fragment, if there is one.
    BeforeFragment,
    /// The end of the URL.
    AfterFragment,
}

impl Url {
    fn offset(&self, position: Position) -> usize {
        // The offset behind the mark of a part that begins with one, if the URL has the part.
        let behind_mark = |part| self.end(part).min(self.start(part) + 1);
        let after_username = || self.start(Component::Userinfo) + self.username().len();
        let before_password = || after_username() + usize::from(self.password().is_some());
        match position {
            Position::BeforeScheme => 0,
            Position::AfterScheme => self.scheme().len(),
            Position::BeforeUsername => self.start(Component::Userinfo),
            Position::AfterUsername => after_username(),
            Position::BeforePassword => before_password(),
            Position::AfterPassword => {
                before_password() + self.password().unwrap_or_default().len()
            }
            Position::BeforeHost => self.start(Component::Host),
            Position::AfterHost => self.end(Component::Host),
            Position::BeforePort => behind_mark(Component::Port),
            Position::AfterPort => self.end(Component::Port),
            Position::BeforePath => self.start(Component::Path),
            Position::AfterPath => self.end(Component::Path),
            Position::BeforeQuery => behind_mark(Component::Query),
            Position::AfterQuery => self.end(Component::Query),
            Position::BeforeFragment => behind_mark(Component::Fragment),
            Position::AfterFragment => self.end(Component::Fragment),
        }
    }
}

impl Index<RangeFull> for Url {
    type Output = str;

    fn index(&self, _: RangeFull) -> &str {
        self.as_str()
    }
}

impl Index<RangeFrom<Position>> for Url {
    type Output = str;

    fn index(&self, range: RangeFrom<Position>) -> &str {
        self.index(range.start..Position::AfterFragment)
    }
}

impl Index<RangeTo<Position>> for Url {
    type Output = str;

    fn index(&self, range: RangeTo<Position>) -> &str {
        self.index(Position::BeforeScheme..range.end)
    }
}

impl Index<Range<Position>> for Url {
    type Output = str;

    fn index(&self, range: Range<Position>) -> &str {
        // Every offset is in the URL, so only a range whose end lies before its start has no text.
        let range = self.offset(range.start)..self.offset(range.end);
        self.as_str().get(range).unwrap_or_default()
    }
}
