//! Logging in a build without the feature `log`: does nothing.

use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;

use crate::http1::close::CloseReason;
use crate::policy::retry::Reason;
use crate::policy::route::Route;
use crate::url::Url;

pub(crate) fn connected(_: &Route, _: Option<SocketAddr>) {}

pub(crate) fn reused(_: &Route) {}

pub(crate) fn closed(_: &Route, _: CloseReason) {}

pub(crate) fn redirected(_: StatusCode, _: &Url, _: &Url) {}

pub(crate) fn sent_again(_: &Url, _: &str) {}

pub(crate) fn retried(_: &Url, _: Reason, _: Duration) {}
