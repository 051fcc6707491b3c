//! Calls as HAR 1.2 files: recorded, written, and replayed (feature `har`).
//!
//! ```text
//! driver ──▶ Recording ──▶ HarEntry ◀── Recorder::write_to, save ──▶ file ──▶ Replay ──▶ client/replay.rs
//! body   ──▶ BodyRecording ──▶ ▲                                      └──── Cassette ────┘
//! ```
//!
//! A [`Recorder`] has an entry for each attempt: each redirect, each retry, each answer to a challenge and each
//! failure. Read `recorder.rs` (the list and its bounds), `recording.rs` (what happens to one entry while its attempt
//! runs), `entry.rs` (what becomes of it in JSON), `content.rs` (bodies in JSON), `replay.rs` (files read back, and
//! which entry answers a request), `cassette.rs` (a file that is recorded once and then replayed).
//!
//! No lock is held while code of the program runs: a writer gets one entry after the other, each copied out of its
//! lock as text. Nothing waits and nothing reads a clock: times are arguments.
//!
//! # Rules
//!
//! | rule | tests |
//! | --- | --- |
//! | every field that HAR 1.2 requires is in every entry; own fields begin with `_` | all of `tests/har.rs`, by `tests/support/har_format.rs` |
//! | what did not happen is `-1` where the format allows that; `connect` includes `ssl`, and `time` counts it once | `harness/vectors/har.rs` |
//! | secrets are redacted when they are recorded, so that memory has none either | `secrets_are_not_recorded_unless_asked_for` |
//! | a body that was cut, or was not read, never looks whole | `a_body_is_recorded_as_it_is_read_and_says_how_far`, `a_body_that_was_cut_is_not_replayed_as_if_it_were_whole` |
//! | entries and bodies are bounded | `entries_are_bounded_and_those_left_out_are_counted` |

mod cassette;
mod content;
mod entry;
mod recorder;
pub(crate) mod recording;
mod replay;

pub use self::cassette::Cassette;
pub(crate) use self::cassette::CassetteMode;
pub use self::recorder::Recorder;
pub use self::replay::Replay;
pub(crate) use self::replay::{Replayed, Wanted};
