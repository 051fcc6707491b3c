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
mod tests {
    use super::*;

    const BASE: &str = "http://u:p@h:81/a/b?q#f";

    #[test]
    fn setters_change_one_part() {
        type Setter = fn(&mut Url);
        let table: [(Setter, &str); 33] = [
            (|url| url.set_scheme("HTTPS").unwrap(), "https://u:p@h:81/a/b?q#f"),
            (|url| url.set_scheme("http").unwrap(), BASE),
            (|url| url.set_username("é:@").unwrap(), "http://%C3%A9%3A%40:p@h:81/a/b?q#f"),
            (|url| url.set_username("").unwrap(), "http://:p@h:81/a/b?q#f"),
            (|url| url.set_username("%2f\t").unwrap(), "http://%2f%09:p@h:81/a/b?q#f"),
            (|url| url.set_password(Some("/?#")).unwrap(), "http://u:%2F%3F%23@h:81/a/b?q#f"),
            (|url| url.set_password(Some("")).unwrap(), "http://u@h:81/a/b?q#f"),
            (|url| url.set_password(None).unwrap(), "http://u@h:81/a/b?q#f"),
            (|url| drop(url.take_userinfo()), "http://h:81/a/b?q#f"),
            (|url| url.set_host(Some("G")).unwrap(), "http://u:p@g:81/a/b?q#f"),
            (|url| url.set_host(Some("[1::0]")).unwrap(), "http://u:p@[1::]:81/a/b?q#f"),
            (|url| url.set_host(Some("0x7f.1")).unwrap(), "http://u:p@127.0.0.1:81/a/b?q#f"),
            (|url| url.set_port(Some(8080)).unwrap(), "http://u:p@h:8080/a/b?q#f"),
            (|url| url.set_port(Some(80)).unwrap(), "http://u:p@h/a/b?q#f"),
            (|url| url.set_port(None).unwrap(), "http://u:p@h/a/b?q#f"),
            (|url| url.set_path("/c/./d/../é"), "http://u:p@h:81/c/%C3%A9?q#f"),
            (|url| url.set_path(""), "http://u:p@h:81/?q#f"),
            (|url| url.set_path("//g/\\..\\.."), "http://u:p@h:81//?q#f"),
            (|url| url.set_path("../?\n#^"), "http://u:p@h:81/%3F%23%5E?q#f"),
            (|url| url.set_query(Some("?a b'#\r\n")), "http://u:p@h:81/a/b??a%20b%27%23#f"),
            (|url| url.set_query(Some("")), "http://u:p@h:81/a/b?#f"),
            (|url| url.set_query(None), "http://u:p@h:81/a/b#f"),
            (|url| url.set_fragment(Some("#a b`\t")), "http://u:p@h:81/a/b?q##a%20b%60"),
            (|url| url.set_fragment(Some("")), "http://u:p@h:81/a/b?q#"),
            (|url| url.set_fragment(None), "http://u:p@h:81/a/b?q"),
            (|url| url.append_query("a=b"), "http://u:p@h:81/a/b?q&a=b#f"),
            (|url| url.append_query(""), BASE),
            (|url| url.set_ip_host([1, 2, 3, 4].into()).unwrap(), "http://u:p@1.2.3.4:81/a/b?q#f"),
            (|url| _ = url.query_pairs_mut().append_key_only("c d"), "http://u:p@h:81/a/b?q&c+d#f"),
            (|url| _ = url.query_pairs_mut().append_key_only(""), "http://u:p@h:81/a/b?q&#f"),
            (
                |url| _ = url.query_pairs_mut().extend_keys_only::<_, &str>(["a", "b"]),
                "http://u:p@h:81/a/b?q&a&b#f",
            ),
            (
                |url| url.query_pairs_mut().append_pair("", "").finish().set_fragment(None),
                "http://u:p@h:81/a/b?q&=",
            ),
            (|url| _ = url.query_pairs_mut().clear(), "http://u:p@h:81/a/b#f"),
        ];
        for (set, expected) in table {
            let mut url = Url::parse(BASE).unwrap();
            set(&mut url);
            assert_eq!(url.as_str(), expected);
            assert_eq!(url, Url::parse(expected).unwrap());
        }
    }

    #[test]
    fn invalid_values_leave_the_url_unchanged() {
        let table = [
            (Some("g:82"), ParseError::InvalidHostCharacter(':')),
            (Some("g/a"), ParseError::InvalidHostCharacter('/')),
            (Some("v@g"), ParseError::InvalidHostCharacter('@')),
            (Some("g\r\n"), ParseError::InvalidHostCharacter('\r')),
            (Some("1.2.3.4.5"), ParseError::InvalidIpv4Address),
            (Some("[::1]:82"), ParseError::InvalidIpv6Address),
            (Some(""), ParseError::EmptyHost),
            (None, ParseError::EmptyHost),
        ];
        let mut url = Url::parse(BASE).unwrap();
        for (host, error) in table {
            assert_eq!(url.set_host(host), Err(error), "{host:?}");
        }
        for scheme in ["file", "mailto", "https/", " https", ":https", ""] {
            assert_eq!(url.set_scheme(scheme), Err(()), "{scheme:?}");
        }
        assert_eq!(url, Url::parse(BASE).unwrap());
    }

    #[test]
    fn a_default_port_goes_with_its_scheme() {
        let table = [
            ("http://h:443/", "https", "https://h/"),
            ("https://h:80/", "http", "http://h/"),
            ("https://h:80/", "HTTP:", "http://h/"),
            ("https://h:80/", "ht\ntp://x", "http://h/"),
            ("http://h/", "https", "https://h/"),
            ("https://h:81/", "http", "http://h:81/"),
        ];
        for (input, scheme, expected) in table {
            let mut url = Url::parse(input).unwrap();
            url.set_scheme(scheme).unwrap();
            assert_eq!(url, Url::parse(expected).unwrap());
        }
    }

    /// The *protocol setter*: both schemes are special or neither; never to `file`, nor from it without a host.
    #[test]
    fn schemes_change_within_their_kind() {
        let table = [
            ("http://h/a", "ftp", Some("ftp://h/a")),
            ("https://h:80/a", "ws", Some("ws://h/a")),
            ("file://h/C:/a", "http", Some("http://h/C:/a")),
            ("foo://h:80", "BAR+", Some("bar+://h:80")),
            ("foo:/.//a", "b", Some("b:/.//a")),
            ("mailto:a", "tel:1", Some("tel:a")),
            ("http://h/a", "foo", None),
            ("http://h/a", "file", None),
            ("file:///a", "http", None),
            ("foo://h", "http", None),
            ("mailto:a", "1", None),
            ("mailto:a", "", None),
        ];
        for (input, scheme, expected) in table {
            let mut url = Url::parse(input).unwrap();
            assert_eq!(url.set_scheme(scheme).is_ok(), expected.is_some(), "{input} {scheme}");
            assert_eq!(url.as_str(), expected.unwrap_or(input));
        }
    }

    #[test]
    fn hosts_of_other_schemes() {
        let table = [
            ("foo:/a", Some("H"), Ok("foo://H/a")),
            ("foo:/.//a", Some("h"), Ok("foo://h//a")),
            ("foo:/a", Some(""), Ok("foo:///a")),
            ("foo://h//a", None, Ok("foo:/.//a")),
            ("foo://u:p@h:81?q#f", None, Ok("foo:/?q#f")),
            ("foo:/a", None, Ok("foo:/a")),
            ("foo://h", Some("\u{e9}"), Ok("foo://%C3%A9")),
            ("foo://h", Some("[::0]"), Ok("foo://[::]")),
            ("foo://h:81", Some(""), Err(ParseError::EmptyHost)),
            ("foo://u@h", Some(""), Err(ParseError::EmptyHost)),
            ("foo://h", Some("g:81"), Err(ParseError::InvalidHostCharacter(':'))),
            ("file:///a", Some("H"), Ok("file://h/a")),
            ("file://h/a", Some("localhost"), Ok("file:///a")),
            ("file://h/C:/a", Some(""), Ok("file:///C:/a")),
            ("file://h/a", None, Ok("file:///a")),
            ("ws://h", None, Err(ParseError::EmptyHost)),
            ("mailto:a", Some("h"), Err(ParseError::CannotBeABase)),
            ("mailto:a", None, Err(ParseError::CannotBeABase)),
        ];
        for (input, host, expected) in table {
            let mut url = Url::parse(input).unwrap();
            let result = url.set_host(host);
            assert_eq!(result, expected.clone().map(|_| ()), "{input} {host:?}");
            assert_eq!(url, Url::parse(expected.unwrap_or(input)).unwrap());
        }
    }

    /// *Cannot have a username/password/port*.
    #[test]
    fn users_and_ports_need_a_host() {
        for input in ["file:///a", "file://h/a", "foo:/a", "foo:///a", "mailto:a"] {
            let mut url = Url::parse(input).unwrap();
            assert_eq!(url.set_username("u"), Err(()), "{input}");
            assert_eq!(url.set_password(Some("p")), Err(()), "{input}");
            assert_eq!(url.set_port(Some(1)), Err(()), "{input}");
            assert_eq!(url.as_str(), input);
        }
        let mut url = Url::parse("foo://h").unwrap();
        url.set_username("u").unwrap();
        url.set_port(Some(80)).unwrap();
        assert_eq!(url.as_str(), "foo://u@h:80");
        assert_eq!(Url::parse("mailto:a").unwrap().set_ip_host([1; 4].into()), Err(()));
    }

    #[test]
    fn paths_of_other_schemes() {
        let table = [
            ("foo://h/a", "", "foo://h"),
            ("foo:/a", "", "foo:/"),
            ("foo:/a", "//b", "foo:/.//b"),
            ("foo:/.//a", "b", "foo:/b"),
            ("foo://h", "\\a?#", "foo://h/\\a%3F%23"),
            ("file:///a", "C|/../b", "file:///C:/b"),
            ("mailto:a#f", "b", "mailto:a#f"),
        ];
        for (input, path, expected) in table {
            let mut url = Url::parse(input).unwrap();
            url.set_path(path);
            assert_eq!(url.as_str(), expected, "{input} {path}");
        }
        type Edit = fn(&mut PathSegmentsMut<'_>);
        let edits: [(&str, Edit, &str); 6] = [
            ("foo://h", |path| _ = path.push("a\\"), "foo://h/a\\"),
            ("foo:/.//a", |path| _ = path.pop().pop(), "foo:/"),
            ("foo:/.//a", |path| _ = path.clear(), "foo:/"),
            ("foo://h", |path| _ = path.clear().pop().pop_if_empty(), "foo://h"),
            ("file:///", |path| _ = path.push("C|").push("D|"), "file:///C:/D|"),
            ("file:///C:/a", |path| _ = path.pop().pop(), "file:///"),
        ];
        for (input, edit, expected) in edits {
            let mut url = Url::parse(input).unwrap();
            edit(&mut url.path_segments_mut().unwrap());
            assert_eq!(url, Url::parse(expected).unwrap(), "{input}");
        }
        let mut url = Url::parse("foo:a#f").unwrap();
        url.set_query(Some("'"));
        assert_eq!(url.as_str(), "foo:a?'#f");
    }

    #[test]
    fn pairs_append_to_any_query() {
        let table = [
            ("http://h/", "http://h/?a=1&b=2"),
            ("http://h/?", "http://h/?a=1&b=2"),
            ("http://h/?x", "http://h/?x&a=1&b=2"),
            ("http://h/?x&#f", "http://h/?x&&a=1&b=2#f"),
        ];
        for (input, expected) in table {
            let mut url = Url::parse(input).unwrap();
            url.query_pairs_mut().extend_pairs::<[(&str, &str); 0], _, _>([]);
            assert_eq!(url.as_str(), input);
            url.query_pairs_mut().append_pair("a", "1").extend_pairs([("b", "2")]);
            assert_eq!(url, Url::parse(expected).unwrap());
        }
        let params = vec![("a".to_owned(), "é&".to_owned())];
        let url = Url::parse_with_params("http://h/#f", &params).unwrap();
        assert_eq!(url.as_str(), "http://h/?a=%C3%A9%26#f");
    }
}
