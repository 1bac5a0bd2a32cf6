//! As whom the process goes on: one user and one group, and no way back.

use std::io;
use std::os::fd::OwnedFd;

use nix::unistd::{Gid, Group, Uid, User};
use rustix::fs::AtFlags;

use super::SandboxError;

/// The user and the group to become; `None` for what stays.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) user: Option<Known<Uid>>,
    pub(super) group: Option<Known<Gid>>,
}

/// A number, and what it is called.
#[derive(Debug)]
pub(super) struct Known<Id> {
    id: Id,
    pub(super) name: String,
}

impl Who {
    /// Asks the system's name service, so it comes before the root is changed.
    pub(super) fn find(user: Option<&str>, group: Option<&str>) -> Result<Self, SandboxError> {
        let mut who = Who { user: None, group: group.map(find_group).transpose()? };
        let Some(name) = user else { return Ok(who) };
        let (id, theirs) = find_user(name)?;
        who.user = Some(Known { id, name: name.to_owned() });
        who.group = match (who.group, theirs) {
            (Some(asked), _) => Some(asked),
            (None, Some(theirs)) => {
                let group = Group::from_gid(theirs).map_err(unreadable)?;
                Some(Known { id: theirs, name: group.map_or(theirs.to_string(), |group| group.name) })
            }
            // Without this, a process that has left root's user would still be in root's group.
            (None, None) => return Err(SandboxError::NoGroup(name.to_owned())),
        };
        Ok(who)
    }

    /// Hands over a file or a directory.
    pub(super) fn own(&self, what: &OwnedFd) -> Result<(), SandboxError> {
        let user = self.user.as_ref().map(|user| rustix::fs::Uid::from_raw(user.id.as_raw()));
        let group = self.group.as_ref().map(|group| rustix::fs::Gid::from_raw(group.id.as_raw()));
        if user.is_none() && group.is_none() {
            return Ok(());
        }
        rustix::fs::chownat(what, c"", user, group, AtFlags::EMPTY_PATH)
            .map_err(|errno| SandboxError::refused("what is to be the user's cannot be handed over", errno))
    }

    /// Becomes them, in the whole process, and makes sure of it. Groups first: later it would not be allowed any more.
    pub(super) fn appear(&self) -> Result<(), SandboxError> {
        if let Some(group) = &self.group {
            let refused = |errno| SandboxError::Refused("the group cannot be changed", io::Error::from(errno));
            nix::unistd::setgroups(&[]).map_err(refused)?;
            nix::unistd::setgid(group.id).map_err(refused)?;
            let now = (nix::unistd::getgid(), nix::unistd::getegid());
            if now != (group.id, group.id) || nix::unistd::getgroups().is_ok_and(|others| !others.is_empty()) {
                return Err(SandboxError::NotGone("the group was changed, and is another one"));
            }
        }
        if let Some(user) = &self.user {
            let refused = |errno| SandboxError::Refused("the user cannot be changed", io::Error::from(errno));
            nix::unistd::setuid(user.id).map_err(refused)?;
            if (nix::unistd::getuid(), nix::unistd::geteuid()) != (user.id, user.id) {
                return Err(SandboxError::NotGone("the user was changed, and is another one"));
            }
            if !user.id.is_root() && nix::unistd::setuid(Uid::from_raw(0)).is_ok() {
                return Err(SandboxError::NotGone("the user was changed, and can become root again"));
            }
        }
        Ok(())
    }
}

/// The number that the system calls take for "no change".
const NOBODY_AT_ALL: u32 = u32::MAX;

/// A user by name, or else by number; and its group, where the system knows it.
fn find_user(name: &str) -> Result<(Uid, Option<Gid>), SandboxError> {
    let mut known = User::from_name(name).map_err(unreadable)?;
    let number = name.parse().ok().map(Uid::from_raw);
    if let (None, Some(number)) = (&known, number) {
        known = User::from_uid(number).map_err(unreadable)?;
    }
    match (known, number.filter(|number| number.as_raw() != NOBODY_AT_ALL)) {
        (Some(user), _) => Ok((user.uid, Some(user.gid))),
        (None, Some(number)) => Ok((number, None)),
        (None, None) => Err(SandboxError::UnknownUser(name.to_owned())),
    }
}

fn find_group(name: &str) -> Result<Known<Gid>, SandboxError> {
    let known = Group::from_name(name).map_err(unreadable)?.map(|group| group.gid);
    let id = known.or_else(|| name.parse().ok().filter(|&number| number != NOBODY_AT_ALL).map(Gid::from_raw));
    let id = id.ok_or_else(|| SandboxError::UnknownGroup(name.to_owned()))?;
    Ok(Known { id, name: name.to_owned() })
}

fn unreadable(errno: nix::Error) -> SandboxError {
    SandboxError::Refused("users and groups cannot be looked up", io::Error::from(errno))
}
