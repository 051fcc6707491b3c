//! Lines and events by `next().await`, and as streams.
//!
//! The state of reading is in the value and not in a future, so each poll of a stream may use a new one.

#[cfg(feature = "stream")]
use std::pin::{Pin, pin};
#[cfg(feature = "stream")]
use std::task::{Context, Poll};

#[cfg(feature = "stream")]
use futures_core::Stream;
#[cfg(feature = "json")]
use serde::de::DeserializeOwned;

use super::Tokio;
#[cfg(feature = "sse")]
use super::check_runtime;
#[cfg(feature = "json")]
use crate::client::streams::JsonLines;
use crate::client::streams::Lines;
use crate::error::Result;
#[cfg(feature = "sse")]
use crate::sse::{Event, EventSource, Events};

impl Lines<Tokio> {
    /// Returns the next line; `None` at the end. Dropping the future loses nothing. See
    /// [`Response::lines`](crate::client::response::Response::lines).
    ///
    /// ```no_run
    /// # async fn example() -> leanhttp::Result<()> {
    /// let mut lines = leanhttp::tokio::get("https://example.org/log").await?.lines();
    /// while let Some(line) = lines.next().await {
    ///     println!("{}", line?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Result<String>> {
        self.next_line().await
    }
}

#[cfg(feature = "json")]
impl<T: DeserializeOwned> JsonLines<Tokio, T> {
    /// Returns the next value; `None` at the end. Dropping the future loses nothing. See
    /// [`Response::json_lines`](crate::client::response::Response::json_lines).
    pub async fn next(&mut self) -> Option<Result<T>> {
        self.next_value().await
    }
}

#[cfg(feature = "sse")]
impl Events<Tokio> {
    /// Returns the next event; `None` at the end. Dropping the future loses nothing. See
    /// [`Response::events`](crate::client::response::Response::events).
    pub async fn next(&mut self) -> Option<Result<Event>> {
        self.next_event().await
    }
}

#[cfg(feature = "sse")]
impl EventSource<Tokio> {
    /// Returns the next event; `None` at the end. Dropping the future loses nothing, also while the source
    /// connects or waits: the next future continues. Dropping the source ends the call and closes the
    /// connection.
    ///
    /// ```no_run
    /// # async fn example() -> leanhttp::Result<()> {
    /// let client = leanhttp::tokio::Client::new();
    /// let mut source = client.event_source("https://example.org/events").build()?;
    /// while let Some(event) = source.next().await {
    ///     println!("{}", event?.data());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [`EventSource`]; and if this is not awaited in a tokio runtime with timers and I/O.
    pub async fn next(&mut self) -> Option<Result<Event>> {
        if let Err(error) = check_runtime() {
            return Some(Err(error));
        }
        self.next_event().await
    }
}

#[cfg(feature = "stream")]
impl Stream for Lines<Tokio> {
    type Item = Result<String>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        pin!(self.next_line()).poll(cx)
    }
}

#[cfg(all(feature = "stream", feature = "json"))]
impl<T: DeserializeOwned> Stream for JsonLines<Tokio, T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        pin!(self.next_value()).poll(cx)
    }
}

#[cfg(all(feature = "stream", feature = "sse"))]
impl Stream for Events<Tokio> {
    type Item = Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        pin!(self.next_event()).poll(cx)
    }
}

#[cfg(all(feature = "stream", feature = "sse"))]
impl Stream for EventSource<Tokio> {
    type Item = Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        pin!(self.next()).poll(cx)
    }
}
