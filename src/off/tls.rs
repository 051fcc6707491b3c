//! The TLS layer in a build without the feature `tls`: an uninhabited stand-in.

use std::convert::Infallible;
use std::fmt;

use crate::base::buffer::BufferPool;

/// Cannot be constructed.
#[derive(Debug)]
pub(crate) struct Tls(Infallible);

#[derive(Debug)]
pub(crate) struct TlsError(Infallible);

impl TlsError {
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self.0 {}
    }
}

/// The properties of a TLS connection; cannot be constructed.
#[derive(Debug, Clone)]
pub(crate) struct TlsInfo(Infallible);

/// The outcome of processing received TLS records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    More,
    Closed,
}

impl Tls {
    pub(crate) fn is_handshaking(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn received(&mut self, _bytes: &[u8]) {
        match self.0 {}
    }

    pub(crate) fn receive(&mut self, _sink: impl FnMut(&[u8])) -> Result<Received, TlsError> {
        match self.0 {}
    }

    pub(crate) fn encrypt(&mut self, _plain: &[u8]) -> Result<usize, TlsError> {
        match self.0 {}
    }

    pub(crate) fn has_failed(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn output(&self) -> &[u8] {
        match self.0 {}
    }

    pub(crate) fn wrote(&mut self, _count: usize) {
        match self.0 {}
    }

    pub(crate) fn discard_output(&mut self) {
        match self.0 {}
    }

    pub(crate) fn read_space(&mut self) -> &mut [u8] {
        match self.0 {}
    }

    pub(crate) fn read(&mut self, _count: usize) {
        match self.0 {}
    }

    pub(crate) fn is_between_records(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn info(&mut self) -> Option<TlsInfo> {
        match self.0 {}
    }

    pub(crate) fn is_at_rest(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn farewell(&mut self, _plain: &[u8]) -> &[u8] {
        match self.0 {}
    }

    pub(crate) fn rest(&mut self, _: &mut BufferPool) {
        match self.0 {}
    }

    pub(crate) fn wake(&mut self, _: &mut BufferPool) {
        match self.0 {}
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl std::error::Error for TlsError {}
