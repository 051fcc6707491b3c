//! The setters of [`Url`]: each replaces one part and leaves the others unchanged. The two editors change a
//! part step by step: [`PathSegmentsMut`] the path, a [`Serializer`] for [`UrlQuery`] the query.
//!
//! Every setter builds the new text of its part and calls `Url::replace`, which moves the ends of the later
//! parts. The result is always a URL that parses as itself; `tests/peers/tests/url_differential.rs` compares each
//! setter with that of the crate `url`.

use std::net::IpAddr;

use super::Special;
use super::text::{
    FRAGMENT, OTHER_PATH_SEGMENT, OTHER_QUERY, OTHER_SEGMENT, PATH_SEGMENT, QUERY, SEGMENT,
    is_scheme, without_tabs_and_newlines,
};
use super::{Component, Host, ParseError, Url, file, host, parse, userinfo};
use crate::form::{self, Serializer};

#[allow(clippy::result_unit_err, reason = "the setters of the `url` crate return the same type")]
impl Url {
    /// Sets the scheme; a colon and the text after it are ignored (*protocol setter*). Removes a port that is
    /// the new scheme's default.
    ///
    /// # Errors
    ///
    /// Returns an error, and leaves the URL unchanged, if this is no scheme, or if one is
    /// [special](Self::is_special) and the other is not: their URLs differ in more than the scheme. Nor does a URL
    /// become a `file` URL, or a `file` URL without a host anything else.
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h:443/a")?;
    /// url.set_scheme("wss").unwrap();
    /// assert_eq!(url.as_str(), "wss://h/a");
    /// assert_eq!(url.set_scheme("mailto"), Err(()));
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn set_scheme(&mut self, scheme: &str) -> Result<(), ()> {
        let scheme = without_tabs_and_newlines(scheme);
        let name = scheme.split(':').next().unwrap_or_default();
        let special = Special::from_name(name);
        let is_kind = special.is_some() == self.is_special() && is_scheme(name);
        if !is_kind || special.is_some() && (special == Some(Special::File) || !self.has_host()) {
            return Err(());
        }
        let punctuation = self.part(Component::Scheme).split_once(':').map_or("", |(_, rest)| rest);
        let new = [&*name.to_ascii_lowercase(), ":", punctuation].concat();
        self.replace(Component::Scheme, &new);
        if self.port().is_some() { self.set_port(self.port()) } else { Ok(()) }
    }

    /// Sets the user name, percent-encoding it where necessary; an empty one removes it.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL has no host, or is a `file` URL.
    pub fn set_username(&mut self, username: &str) -> Result<(), ()> {
        self.check_has_server()?;
        let mut new = String::new();
        userinfo::push(&mut new, username, self.password().unwrap_or_default());
        self.replace(Component::Userinfo, &new);
        Ok(())
    }

    /// Sets or removes the password, percent-encoding it where necessary; an empty one removes it.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL has no host, or is a `file` URL.
    pub fn set_password(&mut self, password: Option<&str>) -> Result<(), ()> {
        self.check_has_server()?;
        let mut new = String::new();
        userinfo::push(&mut new, self.username(), password.unwrap_or_default());
        self.replace(Component::Userinfo, &new);
        Ok(())
    }

    /// Sets the host, an IPv6 address in brackets. The port is unchanged. `None` removes the whole authority; that of
    /// a `file` URL is then empty.
    ///
    /// # Errors
    ///
    /// Returns an error if the host is invalid or followed by a port, if it is missing or empty and the scheme is
    /// `http`, `https`, `ws`, `wss` or `ftp`, if it is empty and there is a user or a port, or if the URL
    /// [cannot be a base](Self::cannot_be_a_base); the URL is then unchanged.
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h:81/a")?;
    /// url.set_host(Some("[::1]"))?;
    /// assert_eq!(url.as_str(), "http://[::1]:81/a");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn set_host(&mut self, host: Option<&str>) -> Result<(), ParseError> {
        if self.cannot_be_a_base() {
            return Err(ParseError::CannotBeABase);
        }
        let mut new = String::new();
        match (self.special(), host) {
            (Some(Special::File), _) => file::push_host(&mut new, host.unwrap_or_default())?,
            (Some(_), _) => host::push(&mut new, host.unwrap_or_default())?,
            (None, None) => {
                self.remove_authority();
                return Ok(());
            }
            (None, Some("")) if self.authority() != self.host_str().unwrap_or_default() => {
                return Err(ParseError::EmptyHost);
            }
            (None, Some(host)) => host::push_opaque(&mut new, host)?,
        }
        self.replace_host(&new);
        Ok(())
    }

    /// Removes the authority of a URL whose scheme is not special.
    fn remove_authority(&mut self) {
        if !self.has_authority() {
            return;
        }
        for part in [Component::Userinfo, Component::Host, Component::Port] {
            self.replace(part, "");
        }
        let scheme = format!("{}:", self.scheme());
        self.replace(Component::Scheme, &scheme);
        // An empty path would be an opaque one.
        let path = if self.path().is_empty() { "/".to_owned() } else { self.path().to_owned() };
        self.replace_path(&path);
    }

    fn replace_host(&mut self, host: &str) {
        if !self.has_authority() {
            let scheme = format!("{}://", self.scheme());
            self.replace(Component::Scheme, &scheme);
        }
        self.replace(Component::Host, host);
    }

    fn replace_path(&mut self, path: &str) {
        self.replace(Component::Path, path);
        self.separate_path();
    }

    /// Fails unless the URL may have a user name, a password and a port (*cannot have a
    /// username/password/port*).
    fn check_has_server(&self) -> Result<(), ()> {
        let has_server = self.has_host() && self.special() != Some(Special::File);
        has_server.then_some(()).ok_or(())
    }

    /// Sets the host to an IP address. The port is unchanged.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL [cannot be a base](Self::cannot_be_a_base).
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h:81/a")?;
    /// url.set_ip_host("::1".parse().unwrap()).unwrap();
    /// assert_eq!(url.as_str(), "http://[::1]:81/a");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn set_ip_host(&mut self, address: IpAddr) -> Result<(), ()> {
        if self.cannot_be_a_base() {
            return Err(());
        }
        let host: Host = match address {
            IpAddr::V4(address) => Host::Ipv4(address),
            IpAddr::V6(address) => Host::Ipv6(address),
        };
        self.replace_host(&host.to_string());
        Ok(())
    }

    /// Sets or removes the port; the scheme's default port is omitted.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL has no host, or is a `file` URL.
    pub fn set_port(&mut self, port: Option<u16>) -> Result<(), ()> {
        self.check_has_server()?;
        let mut new = String::new();
        if let Some(port) = port {
            parse::push_port(&mut new, port, self.special().and_then(Special::default_port));
        }
        self.replace(Component::Port, &new);
        Ok(())
    }

    /// Sets the path: resolves dot segments, and percent-encodes it where necessary, including `?` and
    /// `#`. Does nothing if the URL [cannot be a base](Self::cannot_be_a_base).
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h/old?q")?;
    /// url.set_path("a b/../c?");
    /// assert_eq!(url.as_str(), "http://h/c%3F?q");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn set_path(&mut self, path: &str) {
        if self.cannot_be_a_base() {
            return;
        }
        let path = without_tabs_and_newlines(path);
        let mut new = String::with_capacity(path.len() + 1);
        let is_file = self.special() == Some(Special::File);
        if self.is_special() {
            let path = path.strip_prefix(['/', '\\']).unwrap_or(&path);
            parse::push_segments(&mut new, 0, &SEGMENT, is_file, path);
        } else if !path.is_empty() || !self.has_authority() {
            let path = path.strip_prefix('/').unwrap_or(&path);
            parse::push_segments(&mut new, 0, &OTHER_SEGMENT, false, path);
        }
        self.replace_path(&new);
    }

    /// Returns an editor for the segments of the path.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL [cannot be a base](Self::cannot_be_a_base).
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h/users/old?q")?;
    /// url.path_segments_mut().unwrap().pop().push("a/b").push("50%");
    /// assert_eq!(url.as_str(), "http://h/users/a%2Fb/50%25?q");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn path_segments_mut(&mut self) -> Result<PathSegmentsMut<'_>, ()> {
        if self.cannot_be_a_base() { Err(()) } else { Ok(PathSegmentsMut { url: self }) }
    }

    /// Sets or removes the query, percent-encoding it where necessary.
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h/#f")?;
    /// url.set_query(Some("a=b c"));
    /// assert_eq!(url.as_str(), "http://h/?a=b%20c#f");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn set_query(&mut self, query: Option<&str>) {
        let mut new = String::new();
        if let Some(query) = query {
            new.push('?');
            let table = if self.is_special() { &QUERY } else { &OTHER_QUERY };
            table.push(&mut new, &without_tabs_and_newlines(query));
        }
        self.replace(Component::Query, &new);
    }

    /// Sets or removes the fragment, percent-encoding it where necessary.
    pub fn set_fragment(&mut self, fragment: Option<&str>) {
        let mut new = String::new();
        if let Some(fragment) = fragment {
            new.push('#');
            FRAGMENT.push(&mut new, &without_tabs_and_newlines(fragment));
        }
        self.replace(Component::Fragment, &new);
    }

    /// Returns an editor that appends pairs to the query.
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h/?a=1")?;
    /// url.query_pairs_mut().append_pair("b", "x y").extend_pairs([("c", "&")]);
    /// assert_eq!(url.as_str(), "http://h/?a=1&b=x+y&c=%26");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn query_pairs_mut(&mut self) -> Serializer<'_, UrlQuery<'_>> {
        Serializer::new(UrlQuery { url: self })
    }

    /// Appends form-encoded `pairs` to the query.
    pub(crate) fn append_query(&mut self, pairs: &str) {
        if !pairs.is_empty() {
            self.append_to_query(pairs);
        }
    }

    /// Appends one or more form-encoded pairs, or a name that may be empty.
    fn append_to_query(&mut self, pairs: &str) {
        let separator = match self.query() {
            None => "?",
            Some("") => "",
            Some(_) => "&",
        };
        for new in [separator, pairs] {
            self.serialization.insert_str(self.end(Component::Query), new);
            self.ends.iter_mut().skip(Component::Query as usize).for_each(|end| *end += new.len());
        }
    }

    /// Replaces a part, including its punctuation.
    pub(super) fn replace(&mut self, part: Component, new: &str) {
        let (start, end) = (self.start(part), self.end(part));
        self.serialization.replace_range(start..end, new);
        for later in self.ends.iter_mut().skip(part as usize) {
            *later = *later - end + start + new.len();
        }
    }
}

/// Edits the segments of the path of a URL; returned by [`Url::path_segments_mut`]. Each change takes effect
/// immediately.
#[derive(Debug)]
pub struct PathSegmentsMut<'a> {
    url: &'a mut Url,
}

impl PathSegmentsMut<'_> {
    /// Removes all segments, which leaves the path `/`. An empty path stays empty.
    pub fn clear(&mut self) -> &mut Self {
        if !self.url.path().is_empty() {
            self.url.replace_path("/");
        }
        self
    }

    /// Removes the last segment if it is empty, that is, a slash at the end of the path. The path `/` stays as
    /// it is.
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h/a/")?;
    /// url.path_segments_mut().unwrap().pop_if_empty().push("b");
    /// assert_eq!(url.as_str(), "http://h/a/b");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn pop_if_empty(&mut self) -> &mut Self {
        if self.url.path().ends_with('/') {
            self.pop();
        }
        self
    }

    /// Removes the last segment. The path `/` stays as it is, and so does an empty one.
    pub fn pop(&mut self) -> &mut Self {
        if self.url.path().is_empty() {
            return self;
        }
        let kept = self.url.path().rsplit_once('/').map(|(kept, _)| kept.to_owned());
        let kept = kept.filter(|kept| !kept.is_empty());
        self.url.replace_path(kept.as_deref().unwrap_or("/"));
        self
    }

    /// Appends a segment: see [`extend`](Self::extend).
    pub fn push(&mut self, segment: &str) -> &mut Self {
        self.extend([segment])
    }

    /// Appends segments, each with a slash before it unless the path is `/`.
    ///
    /// Percent-encodes each where necessary, including `%` and `/`. Ignores the segments `.` and `..`, and
    /// removes tabs and newlines.
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h/")?;
    /// url.path_segments_mut().unwrap().extend(["a b", "..", "c", ""]);
    /// assert_eq!(url.as_str(), "http://h/a%20b/c/");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn extend<I>(&mut self, segments: I) -> &mut Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let special = self.url.special();
        let table = if special.is_some() { &PATH_SEGMENT } else { &OTHER_PATH_SEGMENT };
        let mut path = self.url.path().to_owned();
        for segment in segments {
            let segment = without_tabs_and_newlines(segment.as_ref());
            if matches!(&*segment, "." | "..") {
                continue;
            }
            if path != "/" {
                path.push('/');
            }
            table.push(&mut path, &segment);
            if special == Some(Special::File) {
                file::normalize_drive_letter(&mut path, 0);
            }
        }
        self.url.replace_path(&path);
        self
    }
}

/// The query of a URL, to which a [`Serializer`] appends; see [`Url::query_pairs_mut`].
#[derive(Debug)]
pub struct UrlQuery<'a> {
    url: &'a mut Url,
}

impl form::sealed::Append for UrlQuery<'_> {
    type Finished<'t>
        = &'t mut Url
    where
        Self: 't;

    fn clear(&mut self) {
        self.url.set_query(None);
    }

    fn append(&mut self, encoded: &str) {
        self.url.append_to_query(encoded);
    }

    fn finish(&mut self) -> &mut Url {
        self.url
    }
}

#[cfg(test)]
mod tests;
