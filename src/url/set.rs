//! The setters of [`Url`]: each replaces one part and leaves the others unchanged. The two editors change a
//! part step by step: [`PathSegmentsMut`] the path, [`QueryPairsMut`] the query.
//!
//! Every setter builds the new text of its part and calls `Url::replace`, which moves the ends of the later
//! parts. The result is always a URL that parses as itself; `tests/url_differential.rs` compares each
//! setter with that of the crate `url`.

use std::borrow::Borrow;
use std::net::IpAddr;

use super::parse::{self, FRAGMENT, PATH_SEGMENT, QUERY, SEGMENT, without_tabs_and_newlines};
use super::{Component, Host, ParseError, Scheme, Url, host, userinfo};
use crate::form;

#[allow(clippy::result_unit_err, reason = "the setters of the `url` crate return the same type")]
impl Url {
    /// Sets the scheme; a colon and the text after it are ignored (*protocol setter*). Removes a port that is
    /// the new scheme's default.
    ///
    /// # Errors
    ///
    /// Returns an error if the scheme is neither `http` nor `https`; the URL is then unchanged.
    pub fn set_scheme(&mut self, scheme: &str) -> Result<(), ()> {
        let scheme = without_tabs_and_newlines(scheme);
        let name = scheme.split(':').next().unwrap_or_default();
        let scheme = Scheme::from_name(name).ok_or(())?;
        let port = self.port();
        self.replace(Component::Scheme, scheme.prefix());
        self.set_port(port)
    }

    /// Sets the user name, percent-encoding it where necessary; an empty one removes it.
    ///
    /// # Errors
    ///
    /// Never fails: every `http` URL may have a user name.
    pub fn set_username(&mut self, username: &str) -> Result<(), ()> {
        let mut new = String::new();
        userinfo::push(&mut new, username, self.password().unwrap_or_default());
        self.replace(Component::Userinfo, &new);
        Ok(())
    }

    /// Sets or removes the password, percent-encoding it where necessary; an empty one removes it.
    ///
    /// # Errors
    ///
    /// Never fails: every `http` URL may have a password.
    pub fn set_password(&mut self, password: Option<&str>) -> Result<(), ()> {
        let mut new = String::new();
        userinfo::push(&mut new, self.username(), password.unwrap_or_default());
        self.replace(Component::Userinfo, &new);
        Ok(())
    }

    /// Sets the host, an IPv6 address in brackets. The port is unchanged.
    ///
    /// # Errors
    ///
    /// Returns an error if the host is `None`, empty or invalid, or is followed by a port; the URL is then
    /// unchanged.
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h:81/a")?;
    /// url.set_host(Some("[::1]"))?;
    /// assert_eq!(url.as_str(), "http://[::1]:81/a");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn set_host(&mut self, host: Option<&str>) -> Result<(), ParseError> {
        let mut new = String::new();
        host::push(&mut new, host.unwrap_or_default())?;
        self.replace(Component::Host, &new);
        Ok(())
    }

    /// Sets the host to an IP address. The port is unchanged.
    ///
    /// # Errors
    ///
    /// Never fails: every `http` URL has a host.
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h:81/a")?;
    /// url.set_ip_host("::1".parse().unwrap()).unwrap();
    /// assert_eq!(url.as_str(), "http://[::1]:81/a");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn set_ip_host(&mut self, address: IpAddr) -> Result<(), ()> {
        let host: Host = match address {
            IpAddr::V4(address) => Host::Ipv4(address),
            IpAddr::V6(address) => Host::Ipv6(address),
        };
        self.replace(Component::Host, &host.to_string());
        Ok(())
    }

    /// Sets or removes the port; the scheme's default port is omitted.
    ///
    /// # Errors
    ///
    /// Never fails: every `http` URL may have a port.
    pub fn set_port(&mut self, port: Option<u16>) -> Result<(), ()> {
        let mut new = String::new();
        if let Some(port) = port {
            parse::push_port(&mut new, port, self.scheme_kind());
        }
        self.replace(Component::Port, &new);
        Ok(())
    }

    /// Sets the path: resolves dot segments, and percent-encodes it where necessary, including `?` and
    /// `#`.
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h/old?q")?;
    /// url.set_path("a b/../c?");
    /// assert_eq!(url.as_str(), "http://h/c%3F?q");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn set_path(&mut self, path: &str) {
        let path = without_tabs_and_newlines(path);
        let mut new = String::with_capacity(path.len() + 1);
        parse::push_segments(
            &mut new,
            0,
            &SEGMENT,
            path.strip_prefix(['/', '\\']).unwrap_or(&path),
        );
        self.replace(Component::Path, &new);
    }

    /// Returns an editor for the segments of the path.
    ///
    /// # Errors
    ///
    /// Never fails: every `http` URL has a path.
    ///
    /// ```
    /// let mut url = leanhttp::url::Url::parse("http://h/users/old?q")?;
    /// url.path_segments_mut().unwrap().pop().push("a/b").push("50%");
    /// assert_eq!(url.as_str(), "http://h/users/a%2Fb/50%25?q");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn path_segments_mut(&mut self) -> Result<PathSegmentsMut<'_>, ()> {
        Ok(PathSegmentsMut { url: self })
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
            QUERY.push(&mut new, &without_tabs_and_newlines(query));
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
    pub fn query_pairs_mut(&mut self) -> QueryPairsMut<'_> {
        QueryPairsMut { url: self }
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
    /// Removes all segments, which leaves the path `/`.
    pub fn clear(&mut self) -> &mut Self {
        self.url.replace(Component::Path, "/");
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

    /// Removes the last segment. The path `/` stays as it is.
    pub fn pop(&mut self) -> &mut Self {
        let kept = self.url.path().rsplit_once('/').map(|(kept, _)| kept.to_owned());
        let kept = kept.filter(|kept| !kept.is_empty());
        self.url.replace(Component::Path, kept.as_deref().unwrap_or("/"));
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
        let mut path = self.url.path().to_owned();
        for segment in segments {
            let segment = without_tabs_and_newlines(segment.as_ref());
            if matches!(&*segment, "." | "..") {
                continue;
            }
            if path != "/" {
                path.push('/');
            }
            PATH_SEGMENT.push(&mut path, &segment);
        }
        self.url.replace(Component::Path, &path);
        self
    }
}

/// Appends form-encoded pairs to the query of a URL; returned by [`Url::query_pairs_mut`].
#[derive(Debug)]
pub struct QueryPairsMut<'a> {
    url: &'a mut Url,
}

impl QueryPairsMut<'_> {
    /// Removes the query.
    pub fn clear(&mut self) -> &mut Self {
        self.url.set_query(None);
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
        form::append_encoded(&mut encoded, name);
        self.url.append_to_query(&encoded);
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
            form::append_pair(&mut encoded, name.as_ref(), value.as_ref());
        }
        self.url.append_query(&encoded);
        self
    }

    /// Returns the URL. Every change has taken effect already, so this only ends a chain of calls.
    ///
    /// ```
    /// let mut url = leanhttp::Url::parse("http://example.org/#top")?;
    /// url.query_pairs_mut().append_pair("a", "1").finish().set_fragment(None);
    /// assert_eq!(url.as_str(), "http://example.org/?a=1");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn finish(&mut self) -> &mut Url {
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
            (Some("1.2.3.4.5"), ParseError::InvalidIpv4),
            (Some("[::1]:82"), ParseError::InvalidIpv6),
            (Some(""), ParseError::EmptyHost),
            (None, ParseError::EmptyHost),
        ];
        let mut url = Url::parse(BASE).unwrap();
        for (host, error) in table {
            assert_eq!(url.set_host(host), Err(error), "{host:?}");
        }
        for scheme in ["ftp", "ftp:", "https/", " https", ":https", ""] {
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
