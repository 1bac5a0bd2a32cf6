//! What the disk says of a file: which one it is, what kind, how long, and when it changed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{FileType, Stat};

/// How long a change must lie back before its time says that nothing changed since.
///
/// Two writes within one tick of the file system's clock leave the same time: a few milliseconds on ext4 and its like,
/// two seconds on FAT. What was written later than this is looked at anew in every turn, and nothing of it is kept.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// The facts on one file. Equal facts mean the same file with the same content, as far as the times of the file system
/// tell: what is written through a memory map may change nothing but the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    /// The permission bits.
    pub(crate) mode: u32,
    /// The number of the user it belongs to.
    pub(super) owner: u32,
    device: u64,
    pub(super) inode: u64,
    /// Length in bytes.
    pub(super) size: u64,
    /// When the content was last written.
    pub(super) modified: Moment,
    /// When anything was last changed, the other times included: no program can set it back.
    pub(super) changed: Moment,
}

/// What kind of thing a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    File,
    Link,
    Pipe,
    Socket,
    Device,
}

/// A time as the file system keeps it: seconds since 1970, which may lie before it, and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) seconds: i64,
    pub(super) nanos: u32,
}

impl Facts {
    /// Of the root of several shares, which lies on no disk.
    pub(super) const SHARES: Facts = Facts {
        kind: Kind::Directory,
        mode: 0o555,
        owner: 0,
        device: 0,
        inode: 0,
        size: 0,
        modified: Moment::EPOCH,
        changed: Moment::EPOCH,
    };

    // The types of these fields differ from platform to platform; here they all fit.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::unnecessary_cast)]
    #[allow(clippy::useless_conversion, trivial_numeric_casts)]
    pub(super) fn of(stat: &Stat) -> Self {
        Facts {
            kind: match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => Kind::Directory,
                FileType::RegularFile => Kind::File,
                FileType::Symlink => Kind::Link,
                FileType::Fifo => Kind::Pipe,
                FileType::Socket => Kind::Socket,
                FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => Kind::Device,
            },
            mode: u32::from(stat.st_mode) & 0o7777,
            owner: stat.st_uid,
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: Moment { seconds: stat.st_mtime as i64, nanos: stat.st_mtime_nsec as u32 },
            changed: Moment { seconds: stat.st_ctime as i64, nanos: stat.st_ctime_nsec as u32 },
        }
    }

    /// True if a later change is sure to show in the facts.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        self.modified.is_settled(now) && self.changed.is_settled(now)
    }
}

impl Moment {
    const EPOCH: Moment = Moment { seconds: 0, nanos: 0 };

    pub(super) fn of(time: SystemTime) -> Self {
        time.duration_since(UNIX_EPOCH).map_or(Moment::EPOCH, |since| Moment {
            seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanos: since.subsec_nanos(),
        })
    }

    /// True if a change after it is sure to have a later time.
    pub(super) fn is_settled(self, now: SystemTime) -> bool {
        self < now.checked_sub(SETTLED_AFTER).map_or(Moment::EPOCH, Moment::of)
    }

    /// The whole second, as HTTP dates have it; times before 1970 are pulled up to it.
    pub(super) fn unix_seconds(self) -> u64 {
        u64::try_from(self.seconds).unwrap_or(0)
    }
}
