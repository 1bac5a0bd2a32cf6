//! Why a process could not be locked in, in a sentence that says what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

/// Why a process could not be locked in.
///
/// ```
/// use ownhands::sandbox::{Sandbox, SandboxError, Strictness};
///
/// let missing = Sandbox::new(Strictness::BestEffort).reading("/no/such/place").check();
/// assert!(matches!(missing, Err(SandboxError::Path(path, _)) if path.ends_with("place")));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SandboxError {
    /// No user of this name, and it is no number.
    UnknownUser(String),
    /// No group of this name, and it is no number.
    UnknownGroup(String),
    /// The number of a user that the system does not know, so that nobody knows its group either.
    NoGroup(String),
    /// Users, groups and the root are for root to change.
    NotRoot,
    /// What should stay in reach cannot be opened.
    Path(PathBuf, io::Error),
    /// So many threads are running, of which all others would stay outside.
    Threads(usize),
    /// The kernel cannot do these, and they were required.
    Kernel(Vec<&'static str>),
    /// It is done, and has not worked: the way back is open.
    NotGone(&'static str),
    /// The system refused it: what, and why.
    Refused(&'static str, io::Error),
}

impl SandboxError {
    pub(super) fn refused(what: &'static str, errno: Errno) -> Self {
        SandboxError::Refused(what, errno.into())
    }

    /// True if something else has to be asked for: the system is able to do it.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            SandboxError::UnknownUser(_)
            | SandboxError::UnknownGroup(_)
            | SandboxError::NoGroup(_)
            | SandboxError::NotRoot
            | SandboxError::Path(..) => true,
            SandboxError::Threads(_)
            | SandboxError::Kernel(_)
            | SandboxError::NotGone(_)
            | SandboxError::Refused(..) => false,
        }
    }
}

impl fmt::Display for SandboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SandboxError::UnknownUser(name) => {
                write!(f, "there is no user {name}: name one that is in /etc/passwd, or give a number")
            }
            SandboxError::UnknownGroup(name) => {
                write!(f, "there is no group {name}: name one that is in /etc/group, or give a number")
            }
            SandboxError::NoGroup(user) => {
                write!(f, "the system does not know user {user}, nor its group: name a group as well")
            }
            SandboxError::NotRoot => f.write_str(
                "only root can change the user, the group and the root: start it as root, or leave them as they are",
            ),
            SandboxError::Path(path, error) => {
                write!(f, "{} cannot be kept in reach: {error}: name another, or create it", path.display())
            }
            SandboxError::Threads(count) => {
                write!(f, "{count} threads are running, and only one can be locked in: do it before any is started")
            }
            SandboxError::Kernel(missing) => {
                write!(f, "this kernel cannot {}: use a newer one, or be content with its best", missing.join(", "))
            }
            SandboxError::NotGone(what) => write!(f, "{what}: this system does not let go of it; do not run it here"),
            SandboxError::Refused(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for SandboxError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SandboxError::Path(_, error) | SandboxError::Refused(_, error) => Some(error),
            _ => None,
        }
    }
}
