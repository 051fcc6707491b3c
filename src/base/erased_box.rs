//! A box that keeps the drop code of large types out of other codegen units, to save binary size.

use std::borrow::BorrowMut;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// A box behind a trait object. The code that drops `T` is generated once, and not again in every
/// codegen unit, of this crate and of the program, that may drop one.
pub(crate) struct ErasedBox<T>(Box<dyn BorrowMut<T> + Send + Sync>);

impl<T: Send + Sync + 'static> ErasedBox<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Box::new(value))
    }
}

impl<T> Deref for ErasedBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        (*self.0).borrow()
    }
}

impl<T> DerefMut for ErasedBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        (*self.0).borrow_mut()
    }
}

impl<T: Clone + Send + Sync + 'static> Clone for ErasedBox<T> {
    fn clone(&self) -> Self {
        Self::new(T::clone(self))
    }
}

impl<T: fmt::Debug> fmt::Debug for ErasedBox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
