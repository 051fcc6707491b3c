//! Downloads that finish: what to ask a server for next, what to do with its answer, and when a file is complete
//! (RFC 9110 §13.1.5, §14, RFC 9530).
//!
//! ```text
//!             request()               answer(head)                 body(bytes)        ended(is_whole)
//! start() ──▶ Ask: Range, If-Range ──▶ Write ─────────────────────▶ bytes to keep ──▶ Complete
//!    ▲                                 │                                              │
//!    └────────── Again(wait) ◀─────────┴── 416, 412, 408, 429, 5xx ◀── cut, too short ┘        Fail
//! ```
//!
//! [`plan::DownloadPlan`] decides; it has no socket, no file and no clock. `client/download.rs` sends what it asks
//! for, and writes what it returns to a target: a file (`os/download.rs`), a writer of the caller, or in tests a
//! vector. A download of a server that never fails is one GET.
//!
//! Read `plan` first, then:
//!
//! | file | what |
//! | --- | --- |
//! | [`validator`] | what `If-Range` may carry, and whether two messages are of one version of a file |
//! | [`content_range`], [`content_digest`] | the fields `Content-Range`, `Repr-Digest` and `Content-Digest` |
//! | [`hashes`] | SHA-256 of everything, and the digests that the caller or the server named |
//! | [`kept`] | the facts about a part that an earlier run left, as text |
//! | [`name`] | the name of a file in a directory |
//! | [`target`] | what a download needs of the place where the bytes go |
//!
//! # Which answers are used how
//!
//! | status | asked with `Range` | asked without |
//! | --- | --- | --- |
//! | 200, 203 | the whole file: the target is emptied first | the same |
//! | 206 that fits | appended | an error: no range was asked for |
//! | 206 that does not fit | from zero, without `Range` | an error |
//! | 416 whose total is our length | complete | an error |
//! | any other 416, 412 | from zero, without `Range` | an error |
//! | 408, 429, 502, 503, 504 | again later; the part stays | again later |
//! | any other | an error | an error |
//!
//! A 206 fits if its `Content-Range` is valid and begins exactly at our length, its totals and lengths agree with
//! all that is known, and its `ETag` is ours. Servers that ignore `Range` (200) or `If-Range` (206 of another
//! version) are common; appending their bytes has damaged files in many programs.
//!
//! # Why it ends
//!
//! - A failure is an attempt that did not make the file at least [`plan::LEAST_PROGRESS`] bytes longer than it ever
//!   was (one byte, for a file smaller than that). More than `retries` failures in a row end the download. The
//!   length that counts never goes back, so a server that gives another version each time does not earn attempts.
//! - A server that contradicted itself is not asked for ranges any more, so going back to zero happens once.
//!
//! | invariant | guarded by |
//! | --- | --- |
//! | bytes are appended only at the offset that they have in the file | the fuzz target `download`; simulation; `tests.rs` |
//! | each answer leads to progress, a failure that counts, or the end | the fuzz target `download` |
//! | a file is the server's file, or there is none | simulation of downloads; `tests/downloads.rs` |

pub(crate) mod content_digest;
pub(crate) mod content_range;
pub(crate) mod hashes;
pub(crate) mod kept;
pub(crate) mod name;
pub(crate) mod plan;
pub(crate) mod target;
pub(crate) mod validator;

#[cfg(test)]
pub(crate) mod tests;
