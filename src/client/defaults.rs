//! The values of settings that a program does not name, as a type: [`Defaults`].

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;

/// The values of settings that a program does not name.
///
/// A type of your own gives a whole program, or a crate that passes a client on, defaults of its own:
/// each `Client::new` and `Client::builder` of that client type begins with them, and each method of the
/// builder overrides its setting.
///
/// ```
/// use std::time::Duration;
/// use leanhttp::blocking::Blocking;
/// use leanhttp::client::{self, Defaults};
///
/// #[derive(Debug)]
/// enum Patient {}
///
/// impl Defaults for Patient {
///     const CONNECT_TIMEOUT: Option<Duration> = Some(Duration::from_secs(60));
///     const READ_TIMEOUT: Option<Duration> = None;
/// }
///
/// type Client = client::Client<Blocking, Patient>;
///
/// let client = Client::new();
/// let other = Client::builder().connect_timeout(Duration::from_secs(5)).build()?;
/// # let _ = (client, other);
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub trait Defaults: 'static {
    /// The [`connect_timeout`](crate::client::ClientBuilder::connect_timeout); 10 s unless given.
    const CONNECT_TIMEOUT: Option<Duration> = Some(CONNECT);
    /// The limit between two bytes received once the response has begun; 30 s unless given. If it is
    /// `None`, the wait for the first byte has no limit either.
    /// [`read_timeout`](crate::client::ClientBuilder::read_timeout) overrides it.
    const READ_TIMEOUT: Option<Duration> = Some(SILENCE);
    /// The [`write_timeout`](crate::client::ClientBuilder::write_timeout); 30 s unless given.
    const WRITE_TIMEOUT: Option<Duration> = Some(SILENCE);
}

/// The defaults of this crate, which every setting of
/// [`ClientBuilder`](crate::client::ClientBuilder) documents.
#[derive(Debug, Clone, Copy)]
pub enum Standard {}

impl Defaults for Standard {}

/// The limit on opening a connection. A handshake with three lost packets takes 7 s; a peer that takes
/// longer rarely answers.
const CONNECT: Duration = Duration::from_secs(10);
/// The limit on silence: long enough for a slow query, short enough that nothing hangs forever.
const SILENCE: Duration = Duration::from_secs(30);

/// Sets the defaults of `D` where they are not those of this crate.
pub(super) fn set<D: Defaults>(config: &mut Config) {
    let (connect, read, write) = (D::CONNECT_TIMEOUT, D::READ_TIMEOUT, D::WRITE_TIMEOUT);
    if (connect, read, write) != (Some(CONNECT), Some(SILENCE), Some(SILENCE)) {
        let timeouts = Arc::make_mut(&mut config.timeouts);
        (timeouts.connect, timeouts.read, timeouts.write) = (connect, read, write);
        if read.is_none() {
            timeouts.set_read(None); // nor a limit on the wait for the response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::deadline::Timeouts;

    enum Unlimited {}

    impl Defaults for Unlimited {
        const CONNECT_TIMEOUT: Option<Duration> = None;
        const READ_TIMEOUT: Option<Duration> = None;
        const WRITE_TIMEOUT: Option<Duration> = None;
    }

    enum Slow {}

    impl Defaults for Slow {
        const READ_TIMEOUT: Option<Duration> = Some(Duration::from_secs(90));
    }

    fn timeouts<D: Defaults>() -> Timeouts {
        let mut config = Config::default();
        set::<D>(&mut config);
        *config.timeouts
    }

    #[test]
    fn the_standard_defaults_are_those_of_the_settings() {
        assert_eq!(timeouts::<Standard>(), Timeouts::default());
        let Timeouts { connect, read, write, .. } = Timeouts::default();
        assert_eq!((connect, read, write), (Some(CONNECT), Some(SILENCE), Some(SILENCE)));
    }

    #[test]
    fn a_default_of_none_is_no_limit_for_the_first_byte_either() {
        let mut set = timeouts::<Unlimited>();
        assert_eq!((set.connect, set.read, set.write), (None, None, None));
        let before = set;
        set.default_silence(Some(SILENCE));
        assert_eq!(set, before, "the runtime's default limit replaced it");
    }

    #[test]
    fn a_longer_default_leaves_the_other_limits() {
        let expected = Timeouts { read: Some(Duration::from_secs(90)), ..Timeouts::default() };
        assert_eq!(timeouts::<Slow>(), expected);
    }
}
