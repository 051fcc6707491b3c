//! Building blocks that know nothing of HTTP.
//!
//! Read [`buffer`] first: the byte queue that every connection reads into and writes from, and the pool that idle
//! connections give their memory back to. The other files are independent of each other.
//!
//! | file | what |
//! | --- | --- |
//! | [`text`] | numbers, percent-encoding, the search for a line end, excerpts of a peer's bytes for error messages: used by everything that parses a length, a URL, a form or a port |
//! | [`calendar`] | days of the Gregorian calendar as instants; HTTP-date (`fields::date`) and the date of cookies (`cookie::set_cookie`) have grammars of their own over it |
//! | [`cancel`] | the token that ends calls from another thread; its hooks interrupt a system call or wake a task |
//! | [`timings`] | how long each phase of each attempt took; the time is always an argument |
//!
//! The invariants, and the test that guards each:
//!
//! - A buffer gives out the bytes that went in, in order, and moves or grows only if it has to:
//!   `bytes_come_out_as_they_went_in`, `just_enough_space_is_enough`. Neither a buffer nor an excerpt shows more
//!   of a peer's bytes than it says, since they may be secrets.
//! - No number overflows: `decimal_takes_digits_only` and the property tests beside it.
//! - A waker runs without a lock, since it may do anything: `wakes_run_without_the_lock` in [`cancel`], and
//!   `tests/callbacks.rs`.

pub(crate) mod buffer;
pub(crate) mod calendar;
pub(crate) mod cancel;
pub(crate) mod text;
pub mod timings;
