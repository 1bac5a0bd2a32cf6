//! How many descriptors there are for those who come.

use std::os::fd::{AsFd, AsRawFd};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors kept back for files, logs and the loop itself: a full house must still be able to open what it serves.
pub(super) const RESERVED_DESCRIPTORS: usize = 512;

/// Descriptors that no connection takes: for logs, for the control of a daemon, and for those who are turned away.
const SPARE: usize = 64;

/// What there is room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Connections at one time.
    pub(super) connections: usize,
    /// A connection with this descriptor, or a higher one, is one too many: the system gives the lowest number that is
    /// free, and so all below are taken, by connections or by the files that are being sent to them.
    pub(super) ceiling: usize,
    /// Peers beside the connections, who have been told that there are too many and may still be reading it: half of
    /// what is spare. When more come, the first must go.
    pub(super) doorstep: usize,
}

impl Room {
    pub(super) fn is_taken_up(self, connection: &impl AsFd) -> bool {
        usize::try_from(connection.as_fd().as_raw_fd()).is_ok_and(|number| number >= self.ceiling)
    }
}

/// Raises the limit on open files to what `connections` need, and returns how many connections there can be.
pub(super) fn make_room(connections: usize) -> Room {
    let wanted = connections.saturating_add(RESERVED_DESCRIPTORS);
    let limit = getrlimit(Resource::Nofile);
    let as_limit = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    if limit.current.is_some_and(|current| current < as_limit(wanted)) {
        let raised = Some(as_limit(wanted).min(limit.maximum.unwrap_or(u64::MAX)));
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: raised, ..limit }) {
            log::warn!("the limit on open files stays as it is: {error}");
        }
    }
    let Some(current) = getrlimit(Resource::Nofile).current else {
        return Room { connections, ceiling: usize::MAX, doorstep: SPARE / 2 };
    };
    let current = usize::try_from(current).unwrap_or(usize::MAX);
    // With very few descriptors half are for connections: a small server is better than none.
    let room = current.saturating_sub(RESERVED_DESCRIPTORS).max(current / 2).max(1);
    if room < connections {
        log::warn!("the limit on open files is {current}: at most {room} connections at one time, not {connections}");
    }
    let spare = SPARE.min(current / 8);
    Room { connections: connections.min(room), ceiling: current.saturating_sub(spare), doorstep: (spare / 2).max(1) }
}
