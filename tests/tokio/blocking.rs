//! The async API with the interface of the blocking one: a runtime drives each call to its end. `crate::front` is
//! the client and what differs between runtimes, such as readers.
#![allow(
    dead_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    reason = "each test uses a part of this"
)]

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::net::{IpAddr, SocketAddr};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use real::error::{Error, Result};
use real::form::ToPairs;
use real::header::{HeaderMap, HeaderName, HeaderValue};
use real::tls::{CertificateRevocationList, SpkiSha256};
use real::{
    CancelToken, Certificate, EgressPolicy, Identity, IntoUrl, IpFamily, Limits, Method, Proxy,
    Url, Version, cookie, dns, redirect, retry,
};

use crate::front;

pub use crate::front::block_on;

/// Methods that take the builder and return it.
macro_rules! steps {
    ($builder:ident: $($name:ident $([$($generics:tt)*])? ($($argument:ident: $type:ty),*) $(where {$($bounds:tt)*})?;)*) => {
        impl $builder {
            $(pub fn $name $(<$($generics)*>)? (self, $($argument: $type),*) -> Self $(where $($bounds)*)? {
                Self(self.0.$name($($argument),*))
            })*
        }
    };
}

#[derive(Clone, Debug, Default)]
pub struct Client(front::Client);

impl Client {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn builder() -> ClientBuilder {
        ClientBuilder(front::Client::builder())
    }

    pub fn get<U: IntoUrl>(&self, url: U) -> RequestBuilder {
        RequestBuilder(self.0.get(url))
    }

    pub fn post<U: IntoUrl>(&self, url: U) -> RequestBuilder {
        RequestBuilder(self.0.post(url))
    }

    pub fn put<U: IntoUrl>(&self, url: U) -> RequestBuilder {
        RequestBuilder(self.0.put(url))
    }

    pub fn patch<U: IntoUrl>(&self, url: U) -> RequestBuilder {
        RequestBuilder(self.0.patch(url))
    }

    pub fn delete<U: IntoUrl>(&self, url: U) -> RequestBuilder {
        RequestBuilder(self.0.delete(url))
    }

    pub fn head<U: IntoUrl>(&self, url: U) -> RequestBuilder {
        RequestBuilder(self.0.head(url))
    }

    pub fn request<U: IntoUrl>(&self, method: Method, url: U) -> RequestBuilder {
        RequestBuilder(self.0.request(method, url))
    }

    pub fn execute(&self, request: Request) -> Result<Response> {
        block_on(self.0.execute(request.0)).map(Response)
    }
}

impl Deref for Client {
    type Target = front::Client;

    fn deref(&self) -> &front::Client {
        &self.0
    }
}

pub fn get<U: IntoUrl>(url: U) -> Result<Response> {
    Client::new().get(url).send()
}

#[derive(Debug)]
pub struct ClientBuilder(pub(crate) front::ClientBuilder);

impl ClientBuilder {
    #[allow(clippy::new_without_default, reason = "the real one has it")]
    pub fn new() -> Self {
        Client::builder()
    }

    pub fn build(self) -> Result<Client> {
        self.0.build().map(Client)
    }
}

steps! { ClientBuilder:
    user_agent[V](value: V) where { HeaderValue: TryFrom<V>, <HeaderValue as TryFrom<V>>::Error: Into<http::Error> };
    default_headers(headers: HeaderMap);
    basic_auth[U: fmt::Display, P: fmt::Display](username: U, password: Option<P>);
    bearer_auth[T: fmt::Display](token: T);
    base_url[U: IntoUrl](url: U);
    on_informational[P: Fn(real::response::Response<()>) + Send + Sync + 'static](observer: P);
    netrc_file(path: impl AsRef<Path>);
    middleware(middleware: impl real::middleware::Middleware<front::Front>);
    on_attempt[H: Fn(&mut real::middleware::AttemptHead<'_>) -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> + Send + Sync + 'static](hook: H);
    cookie_provider[C: cookie::CookieStore + 'static](store: Arc<C>);
    cookie_store(enable: bool);
    gzip(enable: bool);
    no_gzip();
    deflate(enable: bool);
    no_deflate();
    brotli(enable: bool);
    no_brotli();
    zstd(enable: bool);
    no_zstd();
    expect_continue(enable: bool);
    http1_title_case_headers();
    redirect(policy: redirect::Policy);
    retry(policy: retry::Policy);
    https_only(enabled: bool);
    timeout[T: Into<Option<Duration>>](timeout: T);
    connect_timeout[T: Into<Option<Duration>>](timeout: T);
    resolve_timeout[T: Into<Option<Duration>>](timeout: T);
    handshake_timeout[T: Into<Option<Duration>>](timeout: T);
    first_byte_timeout[T: Into<Option<Duration>>](timeout: T);
    min_throughput(bytes_per_second: u64, over: Duration);
    read_timeout[T: Into<Option<Duration>>](timeout: T);
    write_timeout[T: Into<Option<Duration>>](timeout: T);
    pool_idle_timeout[T: Into<Option<Duration>>](timeout: T);
    pool_max_idle_per_host(max: usize);
    pool_max_idle(max: usize);
    pool_max_open_per_host(max: usize);
    pool_wait_timeout[T: Into<Option<Duration>>](timeout: T);
    pool_max_age[T: Into<Option<Duration>>](age: T);
    limits(limits: Limits);
    body_limit(bytes: u64);
    http1_max_headers(max: usize);
    http1_ignore_invalid_headers_in_responses(on: bool);
    http1_allow_spaces_after_header_name_in_responses(on: bool);
    http1_allow_obsolete_multiline_headers_in_responses(on: bool);
    resolve(domain: &str, address: SocketAddr);
    resolve_to_addrs(domain: &str, addresses: &[SocketAddr]);
    dns_resolver[R: dns::IntoResolve](resolver: R);
    dns_resolver2[R: dns::IntoResolve](resolver: R);
    connect_to(host: &str, instead: &str);
    ip_family(family: IpFamily);
    egress(egress: EgressPolicy);
    local_address[T: Into<Option<IpAddr>>](address: T);
    tcp_nodelay(enabled: bool);
    tcp_keepalive[T: Into<Option<Duration>>](idle: T);
    tcp_keepalive_interval[T: Into<Option<Duration>>](interval: T);
    tcp_keepalive_retries[T: Into<Option<u32>>](retries: T);
    tcp_user_timeout[T: Into<Option<Duration>>](timeout: T);
    interface(interface: &str);
    unix_socket(path: impl AsRef<Path>);
    proxy(proxy: Proxy);
    no_proxy();
    add_root_certificate(certificate: Certificate);
    tls_certs_merge(certificates: impl IntoIterator<Item = Certificate>);
    tls_certs_from_env();
    tls_roots(roots: real::tls::Roots);
    tls_certs_only(certificates: impl IntoIterator<Item = Certificate>);
    add_crl(list: CertificateRevocationList);
    add_crls(lists: impl IntoIterator<Item = CertificateRevocationList>);
    tls_crls_only(lists: impl IntoIterator<Item = CertificateRevocationList>);
    tls_pin_spki_sha256(pins: impl IntoIterator<Item = SpkiSha256>);
    danger_accept_invalid_certs(accept: bool);
    danger_accept_invalid_hostnames(accept: bool);
    tls_danger_accept_invalid_certs(accept: bool);
    tls_danger_accept_invalid_hostnames(accept: bool);
    identity(identity: Identity);
    tls_version_min(version: real::tls::Version);
    tls_version_max(version: real::tls::Version);
    min_tls_version(version: real::tls::Version);
    max_tls_version(version: real::tls::Version);
    tls_sni(on: bool);
    tls_sslkeylogfile(on: bool);
    tls_info(on: bool);
    use_preconfigured_tls(tls: impl Into<real::tls::Preconfigured>);
    tls_backend_preconfigured(tls: impl Into<real::tls::Preconfigured>);
    use_rustls_tls();
    tls_backend_rustls();
    tls_built_in_root_certs(enable: bool);
    tls_built_in_webpki_certs(enabled: bool);
    tls_built_in_native_certs(enabled: bool);
    referer(enable: bool);
    http1_only();
    http09_responses();
    connection_verbose(verbose: bool);
    hickory_dns(enable: bool);
    no_hickory_dns();
    trust_dns(enable: bool);
    no_trust_dns();
    http2_prior_knowledge();
    http2_initial_stream_window_size(sz: impl Into<Option<u32>>);
    http2_initial_connection_window_size(sz: impl Into<Option<u32>>);
    http2_adaptive_window(enabled: bool);
    http2_max_frame_size(sz: impl Into<Option<u32>>);
    http2_max_header_list_size(size: u32);
    http2_keep_alive_interval(interval: impl Into<Option<Duration>>);
    http2_keep_alive_timeout(timeout: Duration);
    http2_keep_alive_while_idle(enabled: bool);
}

#[cfg(feature = "har")]
steps! { ClientBuilder:
    record(recorder: real::har::Recorder);
    cassette(cassette: &real::har::Cassette);
}

#[cfg(feature = "export")]
impl Client {
    pub fn explain<U: IntoUrl>(&self, url: U) -> Result<real::client::Explanation> {
        block_on(self.0.explain(url))
    }
}

#[cfg(feature = "export")]
impl RequestBuilder {
    pub fn explain(self) -> Result<real::client::Explanation> {
        block_on(self.0.explain())
    }
}

#[cfg(feature = "platform-verifier")]
steps! { ClientBuilder:
    tls_platform_verifier();
}

#[derive(Debug)]
pub struct RequestBuilder(front::RequestBuilder);

impl RequestBuilder {
    pub fn send(self) -> Result<Response> {
        block_on(self.0.send()).map(Response)
    }

    pub fn build(self) -> Result<Request> {
        self.0.build().map(Request)
    }

    pub fn build_split(self) -> (Client, Result<Request>) {
        let (client, request) = self.0.build_split();
        (Client(client), request.map(Request))
    }

    pub fn body<T: Into<Body>>(self, body: T) -> Self {
        Self(self.0.body(body.into().0))
    }

    pub fn multipart(self, form: multipart::Form) -> Self {
        Self(self.0.multipart(form.0))
    }

    pub fn try_clone(&self) -> Option<Self> {
        self.0.try_clone().map(Self)
    }
}

steps! { RequestBuilder:
    header[K, V](key: K, value: V) where {
        HeaderName: TryFrom<K>, <HeaderName as TryFrom<K>>::Error: Into<http::Error>,
        HeaderValue: TryFrom<V>, <HeaderValue as TryFrom<V>>::Error: Into<http::Error>
    };
    raw_header[V](name: &str, value: V) where {
        HeaderValue: TryFrom<V>, <HeaderValue as TryFrom<V>>::Error: Into<http::Error>
    };
    headers(headers: HeaderMap);
    basic_auth[U: fmt::Display, P: fmt::Display](username: U, password: Option<P>);
    bearer_auth[T: fmt::Display](token: T);
    query[T: ToPairs + ?Sized](query: &T);
    form[T: ToPairs + ?Sized](form: &T);
    request_target(target: &str);
    fetch_mode_no_cors();
    version(version: Version);
    timeout[D: Into<Option<Duration>>](timeout: D);
    connect_timeout[D: Into<Option<Duration>>](timeout: D);
    read_timeout[D: Into<Option<Duration>>](timeout: D);
    write_timeout[D: Into<Option<Duration>>](timeout: D);
    first_byte_timeout[D: Into<Option<Duration>>](timeout: D);
    min_throughput(bytes_per_second: u64, over: Duration);
    cancel_token(token: &CancelToken);
    retry(policy: retry::Policy);
    redirect(policy: real::redirect::Policy);
    on_informational[P: Fn(real::response::Response<()>) + Send + Sync + 'static](observer: P);
    gzip(enable: bool);
    deflate(enable: bool);
    brotli(enable: bool);
    zstd(enable: bool);
    expect_continue(enable: bool);
    on_upload_progress[P: Fn(u64, Option<u64>) + Send + Sync + 'static](observer: P);
}

#[cfg(feature = "download")]
impl RequestBuilder {
    pub fn download(self) -> Download {
        Download(self.0.download())
    }
}

#[cfg(feature = "download")]
#[derive(Debug)]
pub struct Download(front::Download);

#[cfg(feature = "download")]
impl Download {
    pub fn to_file(self, path: impl AsRef<Path>) -> Result<real::Downloaded> {
        block_on(self.0.to_file(path))
    }

    pub fn to_dir(self, directory: impl AsRef<Path>) -> Result<real::Downloaded> {
        block_on(self.0.to_dir(directory))
    }

    pub fn to_writer<W: Write + ?Sized>(self, writer: &mut W) -> Result<real::Downloaded> {
        block_on(front::download_to(self.0, writer))
    }
}

#[cfg(feature = "download")]
steps! { Download:
    sha256(digits: impl AsRef<str>);
    expected_size(bytes: u64);
    max_size(bytes: u64);
    retries(retries: u32);
    backoff(first: Duration, longest: Duration);
    max_retry_after(longest: Duration);
    on_progress[P: Fn(real::DownloadProgress) + Send + Sync + 'static](observer: P);
    overwrite(replace: bool);
    numbered(on: bool);
    keep_partial(keep: bool);
}

#[cfg(feature = "digest")]
steps! { ClientBuilder:
    digest_auth[U: fmt::Display, P: fmt::Display](username: U, password: P);
}

#[cfg(feature = "digest")]
steps! { RequestBuilder:
    digest_auth[U: fmt::Display, P: fmt::Display](username: U, password: P);
}

#[cfg(feature = "json")]
steps! { RequestBuilder:
    json[T: serde::Serialize + ?Sized](json: &T);
}

#[derive(Debug)]
pub struct Request(front::Request);

impl TryFrom<Request> for http::Request<front::Body> {
    type Error = Error;

    fn try_from(request: Request) -> Result<Self> {
        request.0.try_into()
    }
}

impl Request {
    pub fn new(method: Method, url: Url) -> Self {
        Self(front::Request::new(method, url))
    }
}

impl Deref for Request {
    type Target = front::Request;

    fn deref(&self) -> &front::Request {
        &self.0
    }
}

impl DerefMut for Request {
    fn deref_mut(&mut self) -> &mut front::Request {
        &mut self.0
    }
}

#[derive(Debug)]
pub struct Response(front::Response);

impl Response {
    pub fn bytes(self) -> Result<Bytes> {
        block_on(self.0.bytes())
    }

    pub fn text(self) -> Result<String> {
        block_on(self.0.text())
    }

    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(self) -> Result<T> {
        block_on(self.0.json())
    }

    pub fn copy_to<W: Write + ?Sized>(&mut self, writer: &mut W) -> Result<u64> {
        block_on(front::copy_to(&mut self.0, writer))
    }

    pub fn error_for_status(self) -> Result<Self> {
        self.0.error_for_status().map(Self)
    }

    pub fn upgrade(self) -> Result<Upgraded> {
        block_on(self.0.upgrade()).map(Upgraded)
    }
}

impl Response {
    pub fn lines(self) -> Lines {
        Lines(self.0.lines())
    }

    #[cfg(feature = "json")]
    pub fn json_lines<T: serde::de::DeserializeOwned>(self) -> JsonLines<T> {
        JsonLines(self.0.json_lines())
    }
}

#[cfg(feature = "sse")]
impl Response {
    pub fn events(self) -> Result<Events> {
        self.0.events().map(Events)
    }

    pub fn events_unchecked(self) -> Events {
        Events(self.0.events_unchecked())
    }
}

#[derive(Debug)]
pub struct Lines(front::Lines);

steps! { Lines:
    max_line_bytes(limit: usize);
}

impl Deref for Lines {
    type Target = front::Lines;

    fn deref(&self) -> &front::Lines {
        &self.0
    }
}

impl Iterator for Lines {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.0.next())
    }
}

#[cfg(feature = "json")]
#[derive(Debug)]
pub struct JsonLines<T>(front::JsonLines<T>);

#[cfg(feature = "json")]
impl<T: serde::de::DeserializeOwned> JsonLines<T> {
    pub fn max_line_bytes(self, limit: usize) -> Self {
        Self(self.0.max_line_bytes(limit))
    }
}

#[cfg(feature = "json")]
impl<T: serde::de::DeserializeOwned> Iterator for JsonLines<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.0.next())
    }
}

#[cfg(feature = "sse")]
pub use self::sse::{EventSource, EventSourceBuilder, Events};

#[cfg(feature = "sse")]
mod sse {
    use real::sse::{Event, Reconnect};

    use super::*;

    impl Client {
        pub fn event_source(&self, request: RequestBuilder) -> EventSourceBuilder {
            EventSourceBuilder(self.0.event_source(request.0))
        }
    }

    #[derive(Debug)]
    pub struct Events(pub(super) front::Events);

    steps! { Events:
        max_event_bytes(limit: usize);
        idle_timeout[D: Into<Option<Duration>>](limit: D);
    }

    impl Deref for Events {
        type Target = front::Events;

        fn deref(&self) -> &front::Events {
            &self.0
        }
    }

    impl Iterator for Events {
        type Item = Result<Event>;

        fn next(&mut self) -> Option<Self::Item> {
            block_on(self.0.next())
        }
    }

    #[derive(Debug)]
    pub struct EventSourceBuilder(real::sse::EventSourceBuilder<front::Front>);

    impl EventSourceBuilder {
        pub fn build(self) -> Result<EventSource> {
            self.0.build().map(EventSource)
        }
    }

    steps! { EventSourceBuilder:
        reconnect(reconnect: Reconnect);
        max_event_bytes(limit: usize);
        idle_timeout[D: Into<Option<Duration>>](limit: D);
    }

    #[derive(Debug)]
    pub struct EventSource(front::EventSource);

    impl Deref for EventSource {
        type Target = front::EventSource;

        fn deref(&self) -> &front::EventSource {
            &self.0
        }
    }

    impl Iterator for EventSource {
        type Item = Result<Event>;

        fn next(&mut self) -> Option<Self::Item> {
            block_on(self.0.next())
        }
    }
}

impl TryFrom<Error> for Response {
    type Error = Error;

    fn try_from(error: Error) -> Result<Self> {
        error.try_into().map(Self)
    }
}

impl Deref for Response {
    type Target = front::Response;

    fn deref(&self) -> &front::Response {
        &self.0
    }
}

impl DerefMut for Response {
    fn deref_mut(&mut self) -> &mut front::Response {
        &mut self.0
    }
}

impl Read for Response {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        block_on(front::read(&mut self.0, into))
    }
}

pub struct Upgraded(front::Upgraded);

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Deref for Upgraded {
    type Target = front::Upgraded;

    fn deref(&self) -> &front::Upgraded {
        &self.0
    }
}

impl DerefMut for Upgraded {
    fn deref_mut(&mut self) -> &mut front::Upgraded {
        &mut self.0
    }
}

impl Upgraded {
    pub fn shutdown_write(&mut self) -> io::Result<()> {
        block_on(front::shut_down(&mut self.0))
    }
}

impl Read for Upgraded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        block_on(front::read_upgraded(&mut self.0, into))
    }
}

impl Write for Upgraded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        block_on(front::write(&mut self.0, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        block_on(front::flush(&mut self.0))
    }
}

#[derive(Debug)]
pub struct Body(front::Body);

impl Body {
    pub fn new<R: Read + Send + 'static>(reader: R) -> Self {
        Self(front::body(reader, None))
    }

    pub fn sized<R: Read + Send + 'static>(reader: R, length: u64) -> Self {
        Self(front::body(reader, Some(length)))
    }

    pub fn rewindable<R: Read + Seek + Unpin + Send + 'static>(reader: R) -> Self {
        Self(front::rewindable(reader, None))
    }

    pub fn rewindable_sized<R: Read + Seek + Unpin + Send + 'static>(
        reader: R,
        length: u64,
    ) -> Self {
        Self(front::rewindable(reader, Some(length)))
    }

    pub fn as_bytes(&self) -> Option<&[u8]> {
        self.0.as_bytes()
    }

    pub fn with_trailers(self, trailers: HeaderMap) -> Self {
        Self(self.0.with_trailers(trailers))
    }

    pub fn with_trailers_from<C>(self, compute: C) -> Self
    where
        C: Fn() -> HeaderMap + Send + Sync + 'static,
    {
        Self(self.0.with_trailers_from(compute))
    }
}

impl From<File> for Body {
    fn from(file: File) -> Self {
        Self(front::file(file))
    }
}

macro_rules! from {
    ($($type:ty),*) => {
        $(impl From<$type> for Body {
            fn from(bytes: $type) -> Self {
                Self(bytes.into())
            }
        })*
    };
}

from!(Bytes, Vec<u8>, String, &'static [u8], &'static str);

pub mod multipart {
    use super::{Body, File, HeaderMap, Path, Read, front};

    #[derive(Debug)]
    pub struct Form(pub(super) front::multipart::Form);

    impl Form {
        #[allow(clippy::new_without_default, reason = "what the front has, and no more")]
        pub fn new() -> Self {
            Self(front::multipart::Form::new())
        }

        pub fn text(self, name: &'static str, value: &'static str) -> Self {
            Self(self.0.text(name, value))
        }

        pub fn part(self, name: &'static str, part: Part) -> Self {
            Self(self.0.part(name, part.0))
        }

        pub fn file(self, name: &'static str, path: impl AsRef<Path>) -> real::Result<Self> {
            Ok(self.part(name, Part::file(path)?))
        }

        pub fn with_boundary(self, boundary: impl Into<String>) -> real::Result<Self> {
            self.0.with_boundary(boundary).map(Self)
        }

        pub fn boundary(&self) -> &str {
            self.0.boundary()
        }

        pub fn percent_encode_path_segment(self) -> Self {
            Self(self.0.percent_encode_path_segment())
        }

        pub fn percent_encode_attr_chars(self) -> Self {
            Self(self.0.percent_encode_attr_chars())
        }
    }

    #[derive(Debug)]
    pub struct Part(front::multipart::Part);

    impl Part {
        pub fn text(value: &'static str) -> Self {
            Self(front::multipart::Part::text(value))
        }

        pub fn bytes(value: impl Into<std::borrow::Cow<'static, [u8]>>) -> Self {
            Self(front::multipart::Part::bytes(value))
        }

        pub fn reader<R: Read + Send + 'static>(reader: R) -> Self {
            Self::body(Body::new(reader))
        }

        pub fn reader_with_length<R: Read + Send + 'static>(reader: R, length: u64) -> Self {
            Self::body(Body::sized(reader, length))
        }

        /// With the errors of the blocking front, because without the feature `stream` this one opens no files.
        pub fn file(path: impl AsRef<Path>) -> real::Result<Self> {
            real::multipart::Part::file(&path)?;
            let name = path.as_ref().file_name().unwrap().to_string_lossy().into_owned();
            Ok(Self::body(File::open(&path).unwrap()).file_name(name))
        }

        pub fn body(content: impl Into<Body>) -> Self {
            Self(front::multipart::Part::body(content.into().0))
        }

        pub fn file_name(self, name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
            Self(self.0.file_name(name))
        }

        pub fn mime_str(self, mime: &str) -> real::Result<Self> {
            self.0.mime_str(mime).map(Self)
        }

        pub fn headers(self, headers: HeaderMap) -> Self {
            Self(self.0.headers(headers))
        }
    }
}
