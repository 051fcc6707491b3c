//! Parsers for the header fields that concern the caller and not the connection, one for each field. (Those that
//! steer the connection are in `http1/header_section.rs`.) Each accepts any bytes.
//!
//! ```text
//! bytes of a value ──▶ Cursor: tokens, quoted strings, parameters ──▶ link, disposition, challenge, media_type
//!                 └──────────────────────────────────────────────────▶ date
//! ```
//!
//! Read [`cursor`] first: it reads the lexical elements of RFC 9110 §5.6 that most of the others are made of, and
//! decodes their text. Then, in any order:
//!
//! | file | field | by |
//! | --- | --- | --- |
//! | `challenge` | `WWW-Authenticate`, `Proxy-Authenticate` | RFC 9110 §11.6.1 |
//! | [`date`] | HTTP-date, `Retry-After` | RFC 9110 §5.6.7, §10.2.3 |
//! | [`disposition`] | `Content-Disposition`, and a file name that is safe to use | RFC 6266 |
//! | [`link`] | `Link` | RFC 8288 |
//! | `media_type` | `Content-Type` | WHATWG MIME Sniffing §4.4 |
//! | [`singleton`] | which fields a message has at most once: guards what the caller sets | RFC 9110 §5.3 |
//!
//! `client/response.rs` offers the results to the caller.
//!
//! The invariants, and what guards each:
//!
//! - Any bytes give a result or none, without a panic: the property tests `never_panics`, the fuzz target
//!   `fields`.
//! - A value is read in one pass, so the time is linear in its length: `long_values_take_one_pass` in each
//!   file, and lists that are compared with themselves are bounded (`MAX_PARAMETERS`).
//! - Values are read as other implementations read them: `testing/harness/vectors/fields.rs`.
//!
//! # How strict
//!
//! A parser of this folder reads what a server says about its response, for the caller's benefit.
//! Nothing about the connection depends on it, so it can afford to be as lenient as browsers are,
//! and it is where servers are known to be wrong: unquoted file names, obsolete dates, parameters
//! without values. Where leniency could hide an attack, the parser is strict or gives nothing: a
//! date is not guessed, a file name is made safe, a challenge is read up to its first error and not
//! beyond.
//!
//! Fields that the caller sets are different. [`singleton`] checks it before it is sent, and its
//! answer to a mistake is an error.

#[cfg(feature = "digest")]
pub(crate) mod challenge;
pub(crate) mod date;
pub(crate) mod disposition;
pub(crate) mod link;
#[cfg(any(feature = "charset", feature = "multipart", feature = "sse"))]
pub(crate) mod media_type;
pub(crate) mod singleton;

mod cursor;

pub(crate) use cursor::is_tchar;
#[cfg(all(feature = "digest", any(test, fuzzing)))]
pub(crate) use cursor::text;
