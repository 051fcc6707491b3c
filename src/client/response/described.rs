//! The fields of a response that describe its content or name a next step.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header;

use super::Response;
use crate::fields::link::RawLink;
use crate::fields::{date, disposition, link};
use crate::url::Url;

impl<B> Response<B> {
    /// Returns the links of the response: all `Link` fields, in their order (RFC 8288). Malformed
    /// links are skipped.
    ///
    /// ```no_run
    /// # let response = leanhttp::get("https://example.org/items")?;
    /// let next = response.links().into_iter().find(|link| link.has_rel("next"));
    /// let next_page = next.as_ref().and_then(|link| link.url());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn links(&self) -> Vec<Link> {
        let lines = self.head.received.headers.map().get_all(header::LINK).into_iter();
        let raw = lines.flat_map(|line| link::parse(line.as_bytes()));
        let base = Arc::new(self.head.url.clone());
        raw.map(|raw| Link { base: Arc::clone(&base), raw }).collect()
    }

    /// Returns the server's name for the content (`Content-Disposition`, RFC 6266), made safe for
    /// use as a file name on every system, or `None` if there is none or nothing safe is left.
    ///
    /// It is one component and never a path: for `../../etc/passwd` it is `passwd`. It does not
    /// start with a dot. Control characters, characters that change the text direction and those
    /// that Windows reserves become underscores, and a Windows device name (`nul.txt`) is prefixed
    /// with an underscore.
    ///
    /// A server may still choose the name of an existing file, or an extension that makes the file
    /// executable.
    ///
    /// ```no_run
    /// # let response = leanhttp::get("https://example.org/report")?;
    /// let name = response.file_name().unwrap_or_else(|| "download".to_owned());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn file_name(&self) -> Option<String> {
        let value = self.head.received.headers.map().get(header::CONTENT_DISPOSITION)?;
        disposition::safe_file_name(&disposition::parse(value.as_bytes())?.file_name?)
    }

    /// Returns the time that the server asks to wait before the next request (`Retry-After`, RFC
    /// 9110 §10.2.3), with statuses such as 429 and 503, or `None` if the field is missing or
    /// malformed.
    ///
    /// If the field is a date, the result depends on `now`, and is zero if the date has passed. It
    /// may be years: limit the wait.
    ///
    /// ```no_run
    /// use std::time::{Duration, SystemTime};
    ///
    /// # let response = leanhttp::get("https://example.org/busy")?;
    /// if let Some(wait) = response.retry_after(SystemTime::now()) {
    ///     std::thread::sleep(wait.min(Duration::from_secs(60)));
    /// }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        date::retry_after(
            self.head.received.headers.map().get(header::RETRY_AFTER)?.as_bytes(),
            now,
        )
    }
}

/// A link from a response to another resource (RFC 8288).
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// The base URL, shared by all links and joined on demand: many links times a long URL would
    /// use much memory.
    base: Arc<Url>,
    raw: RawLink,
}

impl Link {
    /// Returns the target, resolved against the URL of the response, or `None` if it is not an HTTP
    /// URL.
    pub fn url(&self) -> Option<Url> {
        self.base.join(&self.raw.target).ok()
    }

    /// Returns the target as the server sent it.
    pub fn target(&self) -> &str {
        &self.raw.target
    }

    /// Returns whether this is one of its relations, such as `next` or `preload`, ignoring case.
    ///
    /// With the parameter `anchor` it is a relation of that resource and not of the response.
    pub fn has_rel(&self, rel: &str) -> bool {
        let rels = self.parameter("rel").unwrap_or_default();
        rels.split_ascii_whitespace().any(|own| own.eq_ignore_ascii_case(rel))
    }

    /// Returns the first parameter of this name, given in lower case. A parameter whose name ends
    /// in a star, such as `title*`, is decoded (RFC 8187).
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Returns all parameters in their order, with names in lower case.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.raw.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("url", &self.url())
            .field("parameters", &self.raw.parameters)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;
    use crate::client::response::Head;
    use crate::http1::head;
    use crate::http1::limits::Limits;

    fn response(fields: &[(HeaderName, &'static str)]) -> Response<()> {
        let lines = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let raw = format!("HTTP/1.1 200 OK\r\n{}\r\n", lines.collect::<String>());
        let head = head::parse(raw.as_bytes(), &Limits::default()).unwrap();
        let url = Url::parse("http://a.example/dir/page?q").unwrap();
        Response { head: Head::new(head, url, None), body: () }
    }

    /// RFC 8288 §3.1: the target is relative to the URL of the response.
    #[test]
    fn links_are_resolved() {
        let links = response(&[
            (header::LINK, "<next>; rel=\"prefetch NEXT\"; title=a; title=b, <>; rel=self"),
            (header::LINK, "<mailto:a@b>; rel=author"),
        ]);
        let links = links.links();
        let urls: Vec<_> = links.iter().map(|link| link.url().map(|url| url.to_string())).collect();
        let expected =
            [Some("http://a.example/dir/next"), Some("http://a.example/dir/page?q"), None];
        let expected = expected.map(|url| url.map(str::to_owned));
        assert_eq!(urls, expected);
        assert!(
            links[0].has_rel("next") && links[0].has_rel("prefetch") && !links[0].has_rel("ex")
        );
        assert_eq!((links[0].parameter("title"), links[1].parameter("title")), (Some("a"), None));
        assert_eq!(links[2].target(), "mailto:a@b");
        assert_eq!(response(&[]).links(), []);
    }

    #[test]
    fn file_names_are_safe() {
        let named = |value| response(&[(header::CONTENT_DISPOSITION, value)]).file_name();
        assert_eq!(named("attachment; filename=\"../a.txt\"").as_deref(), Some("a.txt"));
        assert_eq!(named("attachment; filename=\"..\""), None);
        assert_eq!(named("attachment"), None);
        assert_eq!(response(&[]).file_name(), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH;
        let asked = |value| response(&[(header::RETRY_AFTER, value)]).retry_after(now);
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("Thu, 01 Jan 1970 00:01:00 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(asked("soon"), None);
        assert_eq!(response(&[]).retry_after(now), None);
    }
}
