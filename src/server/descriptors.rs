//! How many descriptors there are for those who come.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors kept back for files, logs and the loop itself: a full house must still be able to open what it serves.
pub(super) const RESERVED_DESCRIPTORS: usize = 512;

/// Raises the limit on open files to what `connections` need, and returns how many connections there can be.
pub(super) fn make_room(connections: usize) -> usize {
    let wanted = connections.saturating_add(RESERVED_DESCRIPTORS);
    let limit = getrlimit(Resource::Nofile);
    let as_limit = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    if limit.current.is_some_and(|current| current < as_limit(wanted)) {
        let raised = Some(as_limit(wanted).min(limit.maximum.unwrap_or(u64::MAX)));
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: raised, ..limit }) {
            log::warn!("the limit on open files stays as it is: {error}");
        }
    }
    let Some(current) = getrlimit(Resource::Nofile).current else { return connections };
    let current = usize::try_from(current).unwrap_or(usize::MAX);
    // With very few descriptors half are for connections: a small server is better than none.
    let room = current.saturating_sub(RESERVED_DESCRIPTORS).max(current / 2).max(1);
    if room < connections {
        log::warn!("the limit on open files is {current}: at most {room} connections at one time, not {connections}");
    }
    connections.min(room)
}
