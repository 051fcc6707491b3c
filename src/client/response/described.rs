//! What a response says about its content, and about what to do next.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header;

use super::Response;
use crate::fields::link::RawLink;
use crate::fields::{disposition, link, retry_after};
use crate::url::Url;

impl<B> Response<B> {
    /// The links of the response: all `Link` fields, in their order (RFC 8288). What is malformed
    /// is left out.
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

    /// The name that the server gives its content (`Content-Disposition`, RFC 6266), made safe to
    /// be used as a file name on every system; none if it gives none, or nothing safe is left.
    ///
    /// It is one component and never a path: of `../../etc/passwd` it is `passwd`. It does not
    /// start with a dot. Controls, characters that turn the reading direction, and those that
    /// Windows reserves are underscores, and a device of Windows (`nul.txt`) gets one before it.
    ///
    /// A server may still name a file that exists already, or give it an extension that is run.
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

    /// How long the server asks to wait before the next request (`Retry-After`, RFC 9110 §10.2.3),
    /// with statuses like 429 and 503. None if it does not say, or not in a way to be understood.
    ///
    /// It may say a date: how long it is until then depends on `now`, and is nothing if it has
    /// passed. It may say years: a caller who waits should have a limit.
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
        retry_after::parse(
            self.head.received.headers.map().get(header::RETRY_AFTER)?.as_bytes(),
            now,
        )
    }
}

/// A link from a response to something else (RFC 8288).
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// Shared, and joined only when asked for: many links times a long URL would be too much.
    base: Arc<Url>,
    raw: RawLink,
}

impl Link {
    /// Where it leads, resolved against the URL of the response; none if that is no URL for HTTP.
    pub fn url(&self) -> Option<Url> {
        self.base.join(&self.raw.target).ok()
    }

    /// The target as it was written.
    pub fn target(&self) -> &str {
        &self.raw.target
    }

    /// Whether this is one of its relations, like `next` or `preload`; they compare in any case.
    ///
    /// With the parameter `anchor` it is the relation of that resource and not of the response.
    pub fn has_rel(&self, rel: &str) -> bool {
        let rels = self.parameter("rel").unwrap_or_default();
        rels.split_ascii_whitespace().any(|own| own.eq_ignore_ascii_case(rel))
    }

    /// The first parameter of this name, which is in lower case. One whose name ends in a star, like
    /// `title*`, is decoded (RFC 8187).
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// All parameters in their order, with names in lower case.
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
    fn waiting_times() {
        let now = SystemTime::UNIX_EPOCH;
        let asked = |value| response(&[(header::RETRY_AFTER, value)]).retry_after(now);
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("Thu, 01 Jan 1970 00:01:00 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(asked("soon"), None);
        assert_eq!(response(&[]).retry_after(now), None);
    }
}
