//! User name and password: written, hidden, and taken out.

use std::fmt;

use super::{Part, Url};
use crate::percent::{self, C0_CONTROL, Table};

static USERINFO: Table = C0_CONTROL.encoding(b" \"#<>?^`{}/:;=@[\\]|");

/// Writes `username:password@`, as much of it as there is. What is percent-encoded already stays
/// so.
pub(super) fn push(out: &mut String, username: &str, password: &str) {
    if username.is_empty() && password.is_empty() {
        return;
    }
    USERINFO.push(out, username);
    if !password.is_empty() {
        out.push(':');
        USERINFO.push(out, password);
    }
    out.push('@');
}

/// User name and password of a URL, percent-decoded.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Userinfo {
    pub(crate) username: Vec<u8>,
    pub(crate) password: Option<Vec<u8>>,
}

impl fmt::Debug for Userinfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Userinfo(***)")
    }
}

impl Url {
    /// Takes user name and password out of the URL, if it has any, so that neither `Host`, nor the
    /// request target, nor a message shows them (RFC 9110 §4.2.4).
    pub(crate) fn take_userinfo(&mut self) -> Option<Userinfo> {
        if self.part(Part::Userinfo).is_empty() {
            return None;
        }
        let (username, password) = self.userinfo();
        let decode = |text: &str| percent::decode(text.as_bytes()).into_owned();
        let userinfo = Userinfo { username: decode(username), password: password.map(decode) };
        self.replace(Part::Userinfo, "");
        Some(userinfo)
    }

    /// The URL for messages: `***` stands for user name and password.
    pub(crate) fn redacted(&self) -> impl fmt::Display + '_ {
        Redacted(self)
    }

    /// User name and password, percent-encoded.
    pub(super) fn userinfo(&self) -> (&str, Option<&str>) {
        let userinfo = self.part(Part::Userinfo);
        let userinfo = userinfo.strip_suffix('@').unwrap_or(userinfo);
        match userinfo.split_once(':') {
            Some((username, password)) => (username, Some(password)),
            None => (userinfo, None),
        }
    }
}

/// Names a text that is no URL: by its beginning, unless a password may be in it.
pub(crate) fn shown(what: &str, text: &str) -> String {
    if text.contains('@') {
        return what.to_owned();
    }
    let excerpt: String = text.chars().take(80).collect();
    format!("{what} {excerpt:?}")
}

struct Redacted<'a>(&'a Url);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Redacted(url) = self;
        f.write_str(url.part(Part::Scheme))?;
        f.write_str(match url.userinfo() {
            ("", None) => "",
            (_, None) => "***@",
            (_, Some(_)) => "***:***@",
        })?;
        f.write_str(url.span(Part::Host, Part::Fragment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::tests::url;

    /// RFC 9110 §4.2.4: user and password belong neither on the wire nor in a message.
    #[test]
    fn userinfo_is_hidden_and_taken_out() {
        type Row<'a> = (&'a str, &'a str, &'a [u8], Option<&'a [u8]>);
        let table: [Row<'_>; 5] = [
            (
                "http://u%40:s%3Ae%E2%82%AC@h:81/p?q#f",
                "http://***:***@h:81/p?q#f",
                b"u@",
                Some("s:e€".as_bytes()),
            ),
            ("http://token@h/", "http://***@h/", b"token", None),
            ("http://token:@h/", "http://***@h/", b"token", None),
            ("http://:s@h/", "http://***:***@h/", b"", Some(b"s")),
            ("http://%FF:%0d%0A%zz+@h/", "http://***:***@h/", b"\xFF", Some(b"\r\n%zz+")),
        ];
        for (input, shown, username, password) in table {
            let mut url = url(input);
            assert_eq!(url.redacted().to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("Url({shown})"));
            let userinfo = url.take_userinfo().unwrap();
            assert_eq!((&*userinfo.username, userinfo.password.as_deref()), (username, password));
            assert_eq!(format!("{userinfo:?}"), "Userinfo(***)");
            let rest = shown.split_once('@').unwrap().1;
            assert_eq!(url, Url::parse(&format!("http://{rest}")).unwrap());
            assert_eq!(url.take_userinfo(), None);
            assert_eq!(url.redacted().to_string(), url.as_str());
        }
    }
}
