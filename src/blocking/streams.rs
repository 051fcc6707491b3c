//! Lines and events as iterators.

use std::iter::FusedIterator;

use super::Blocking;
use crate::client::streams::Lines;
use crate::driver::runtime::run;
use crate::error::Result;
#[cfg(feature = "sse")]
use crate::sse::{Event, EventSource, Events};
#[cfg(feature = "json")]
use {crate::client::streams::JsonLines, serde::de::DeserializeOwned};

/// See [`Response::lines`](crate::client::response::Response::lines).
impl Iterator for Lines<Blocking> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        run(|| self.next_line())
    }
}

impl FusedIterator for Lines<Blocking> {}

/// See [`Response::json_lines`](crate::client::response::Response::json_lines).
#[cfg(feature = "json")]
impl<T: DeserializeOwned> Iterator for JsonLines<Blocking, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        run(|| self.next_value())
    }
}

#[cfg(feature = "json")]
impl<T: DeserializeOwned> FusedIterator for JsonLines<Blocking, T> {}

/// See [`Response::events`](crate::client::response::Response::events).
#[cfg(feature = "sse")]
impl Iterator for Events<Blocking> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        run(|| self.next_event())
    }
}

#[cfg(feature = "sse")]
impl FusedIterator for Events<Blocking> {}

/// See [`Client::event_source`](crate::client::Client::event_source). `next` waits for as long as it takes to
/// reconnect; a [`CancelToken`](crate::CancelToken) on the request ends the wait.
#[cfg(feature = "sse")]
impl Iterator for EventSource<Blocking> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        run(|| self.next_event())
    }
}

#[cfg(feature = "sse")]
impl FusedIterator for EventSource<Blocking> {}
