//! Opens the part that is kept of a download, for one user at a time.
//!
//! std can lock a file since Rust 1.89, which is newer than our oldest compiler, and without it `flock` needs
//! `unsafe`. So each system does it by what its `open` offers; all of these end with the process:
//!
//! | system | lock |
//! | --- | --- |
//! | Linux, Android | a socket in the abstract namespace whose name is the identity of the file |
//! | Apple, the BSDs | `O_EXLOCK` |
//! | Windows | no sharing |
//! | others | none: parts cannot be kept |

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub(super) struct PartLock {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    _socket: std::os::unix::net::UnixListener,
}

/// The most attempts to open a file that is renamed in the meantime.
#[cfg(unix)]
const TRIES: u32 = 10;

/// Opens a file to read and write it, creates it if there is none, and locks it.
#[cfg(unix)]
pub(super) fn open(path: &Path) -> io::Result<(File, PartLock)> {
    use std::os::unix::fs::MetadataExt;

    for _ in 0..TRIES {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let (file, lock) = locked(&options, path)?;
        // The user before may have renamed the file to its target between the two steps.
        let (opened, named) = (file.metadata()?, std::fs::metadata(path));
        if named.is_ok_and(|named| (named.dev(), named.ino()) == (opened.dev(), opened.ino())) {
            return Ok((file, lock));
        }
    }
    Err(in_use())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn locked(options: &OpenOptions, path: &Path) -> io::Result<(File, PartLock)> {
    #[cfg(target_os = "android")]
    use std::os::android::net::SocketAddrExt;
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::{SocketAddr, UnixListener};

    let file = options.open(path)?;
    let identity = file.metadata()?;
    let name = format!("leanhttp-download-{:x}-{:x}", identity.dev(), identity.ino());
    let address = SocketAddr::from_abstract_name(name)?;
    match UnixListener::bind_addr(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(in_use()),
        socket => Ok((file, PartLock { _socket: socket? })),
    }
}

#[cfg(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly"
))]
fn locked(options: &OpenOptions, path: &Path) -> io::Result<(File, PartLock)> {
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = options.clone();
    match options.custom_flags(libc::O_EXLOCK | libc::O_NONBLOCK).open(path) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(in_use()),
        file => Ok((file?, PartLock {})),
    }
}

#[cfg(all(
    unix,
    not(any(
        target_os = "linux",
        target_os = "android",
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "dragonfly"
    ))
))]
fn locked(_: &OpenOptions, _: &Path) -> io::Result<(File, PartLock)> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "`keep_partial` needs a lock, which this system lacks",
    ))
}

#[cfg(windows)]
pub(super) fn open(path: &Path) -> io::Result<(File, PartLock)> {
    use std::os::windows::fs::OpenOptionsExt;

    const SHARING_VIOLATION: i32 = 32;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).share_mode(0);
    match options.open(path) {
        Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => Err(in_use()),
        file => Ok((file?, PartLock {})),
    }
}

#[cfg(not(any(unix, windows)))]
pub(super) fn open(_: &Path) -> io::Result<(File, PartLock)> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "`keep_partial` needs a lock, which this system lacks",
    ))
}

fn in_use() -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, "another download uses this part")
}
