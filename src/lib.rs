//! An HTTP/1.1 client over raw sockets.
#![forbid(unsafe_code)]
// Without a front the machines have nobody who drives them, without TLS some tools nobody who
// uses them.
#![cfg_attr(not(all(feature = "blocking", feature = "tls")), allow(dead_code))]

pub mod body;
mod calendar;
mod call;
pub mod client;
mod coding;
pub mod config;
#[cfg_attr(not(feature = "cookies"), path = "no_cookies.rs")]
pub mod cookie;
#[cfg_attr(not(feature = "digest"), path = "no_digest.rs")]
mod digest;
pub mod error;
mod fields;
pub mod form;
pub mod front;
mod netrc;
mod percent;
mod policy;
mod pool;
mod proto;
pub mod request;
pub mod response;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
pub mod url;
mod wire;

#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg_attr(not(feature = "charset"), path = "utf8.rs")]
mod charset;
#[cfg(feature = "cookies")]
mod jar;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "multipart")]
pub mod multipart;
#[cfg(test)]
mod vectors;

pub use http::{Method, StatusCode, Version, header};

#[cfg(feature = "blocking")]
pub use blocking::{Body, Client, ClientBuilder, Reader, Request, RequestBuilder, Response, get};
pub use error::{Error, Result};
pub use request::IntoUrl;
#[cfg(feature = "tls")]
pub use tls::Certificate;
pub use url::Url;

/// Redirects: whether and how far they are followed.
pub mod redirect {
    pub use crate::policy::redirect::{Action, Attempt, Policy};
}
