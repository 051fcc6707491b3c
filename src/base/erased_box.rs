//! Large values whose code for dropping them stands once in a program.

use std::borrow::BorrowMut;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// A box that is known by its trait only, for the sake of small programs: what drops `T` would
/// otherwise be repeated in each codegen unit, of this crate and of the program, where one may be
/// dropped.
pub(crate) struct Apart<T>(Box<dyn BorrowMut<T> + Send + Sync>);

impl<T: Send + Sync + 'static> Apart<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Box::new(value))
    }
}

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        (*self.0).borrow()
    }
}

impl<T> DerefMut for Apart<T> {
    fn deref_mut(&mut self) -> &mut T {
        (*self.0).borrow_mut()
    }
}

impl<T: Clone + Send + Sync + 'static> Clone for Apart<T> {
    fn clone(&self) -> Self {
        Self::new(T::clone(self))
    }
}

impl<T: fmt::Debug> fmt::Debug for Apart<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
