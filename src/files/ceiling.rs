//! Descriptors that files leave to others: a crowd of readers, each of another file, must not close the door.

use std::os::fd::{AsFd, AsRawFd};

use rustix::process::{Resource, getrlimit};

/// Descriptors that are left to those who come, to logs and to the loop; with very few, a quarter.
const LEFT: u64 = 128;

/// True if there are enough descriptors left beside this new one. The system gives the lowest number that is free: all
/// below are taken.
pub(super) fn leaves_room(opened: &impl AsFd) -> bool {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return true };
    let number = u64::try_from(opened.as_fd().as_raw_fd()).unwrap_or(u64::MAX);
    number < limit.saturating_sub(LEFT.min(limit / 4))
}
