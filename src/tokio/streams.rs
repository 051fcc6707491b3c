//! Lines and events as streams.
//!
//! The state of reading is in the value and not in a future, so each poll of a stream may use a new one.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures_core::Stream;
#[cfg(feature = "json")]
use serde::de::DeserializeOwned;

use super::Tokio;
#[cfg(feature = "json")]
use crate::client::streams::JsonLines;
use crate::client::streams::Lines;
use crate::error::Result;
#[cfg(feature = "sse")]
use crate::sse::{Event, EventSource, Events};

impl Stream for Lines<Tokio> {
    type Item = Result<String>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        pin!(self.next_line()).poll(cx)
    }
}

#[cfg(feature = "json")]
impl<T: DeserializeOwned> Stream for JsonLines<Tokio, T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        pin!(self.next_value()).poll(cx)
    }
}

#[cfg(feature = "sse")]
impl Stream for Events<Tokio> {
    type Item = Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        pin!(self.next_event()).poll(cx)
    }
}

#[cfg(feature = "sse")]
impl Stream for EventSource<Tokio> {
    type Item = Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        pin!(self.next()).poll(cx)
    }
}
