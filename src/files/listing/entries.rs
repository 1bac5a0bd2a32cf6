//! The entries of a directory: their names in one piece of memory, and what is known of each.

use std::cmp::Ordering;
use std::ffi::CString;
use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;

use rustix::fs::{Access, AtFlags, Dir};
use rustix::io::Errno;

use super::super::facts::{Facts, Kind};
use super::super::resolve::Hidden;
use super::super::root::Root;
use super::order;
use crate::http::Produced;

/// What a listing says of one entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Where its name stands.
    start: usize,
    length: usize,
    pub(super) is_directory: bool,
    /// Of a file, in bytes.
    pub(super) size: Option<u64>,
    /// Seconds since 1970.
    pub(super) modified: Option<i64>,
    /// Why it cannot be had, if so.
    pub(super) barred: Option<&'static str>,
}

/// The entries, as far as read.
#[derive(Debug, Default)]
pub(super) struct Entries {
    names: Vec<u8>,
    rows: Vec<Row>,
}

impl Entries {
    /// Reads up to `count` names.
    pub(super) fn read(&mut self, names: &mut Dir, hidden: Hidden, count: usize) -> io::Result<Produced> {
        for _ in 0..count {
            let Some(entry) = names.read() else { return Ok(Produced::All) };
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") || (hidden == Hidden::Refused && name.starts_with(b".")) {
                continue;
            }
            let (start, length) = (self.names.len(), name.len());
            self.names.extend_from_slice(name);
            self.rows.push(Row { start, length, is_directory: false, size: None, modified: None, barred: None });
        }
        Ok(Produced::More)
    }

    /// Looks at the entries of that range, as far as there are so many. One that is gone by now is dropped in the end.
    pub(super) fn measure(
        &mut self,
        directory: BorrowedFd<'_>,
        root: &Root,
        path: &[u8],
        range: Range<usize>,
    ) -> Produced {
        let is_last = range.end >= self.rows.len();
        for row in self.rows.iter_mut().take(range.end).skip(range.start) {
            let name = self.names.get(row.start..row.start + row.length).unwrap_or_default();
            measure(row, name, directory, root, path);
        }
        if is_last {
            self.rows.retain(|row| row.barred != Some(GONE));
            return Produced::All;
        }
        Produced::More
    }

    /// Hands out the rows, to be sorted and written; the names stay.
    pub(super) fn take_rows(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.rows)
    }

    pub(super) fn name(&self, row: &Row) -> &[u8] {
        self.names.get(row.start..row.start + row.length).unwrap_or_default()
    }

    /// Directories first, then by name.
    pub(super) fn compare(&self, a: &Row, b: &Row) -> Ordering {
        let by_kind = b.is_directory.cmp(&a.is_directory);
        by_kind.then_with(|| order::natural(self.name(a), self.name(b)))
    }
}

/// Deleted between the reading of its name and the look at it.
const GONE: &str = "gone";

fn measure(row: &mut Row, name: &[u8], directory: BorrowedFd<'_>, root: &Root, path: &[u8]) {
    let facts = match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Facts::of(&stat),
        Err(errno) => {
            row.barred = Some(if errno == Errno::NOENT { GONE } else { "no permission" });
            return;
        }
    };
    row.modified = Some(facts.modified.seconds);
    let facts = match facts.kind {
        // Under guard, and from the root: a link may lead anywhere inside it, and what lies outside is not even measured.
        Kind::Link => {
            match CString::new([path, name].concat()).map_err(|_| Errno::INVAL).and_then(|path| root.look(&path)) {
                Ok(facts) => facts,
                Err(errno) => {
                    row.barred = Some(match errno {
                        Errno::XDEV => "link out of the root",
                        Errno::ACCESS | Errno::PERM => "no permission",
                        _ => "dangling link",
                    });
                    return;
                }
            }
        }
        _ => facts,
    };
    row.modified = Some(facts.modified.seconds);
    row.is_directory = facts.kind == Kind::Directory;
    row.size = (facts.kind == Kind::File).then_some(facts.size);
    row.barred = match facts.kind {
        // An index page can be had from a directory that cannot be read.
        Kind::Directory => refusal(directory, name, facts.mode, 0o111, Access::EXEC_OK),
        Kind::File => refusal(directory, name, facts.mode, 0o444, Access::READ_OK),
        Kind::Pipe => Some("pipe"),
        Kind::Socket => Some("socket"),
        Kind::Device | Kind::Link => Some("device"),
    };
}

/// Asks the system only if the mode leaves it open.
fn refusal(directory: BorrowedFd<'_>, name: &[u8], mode: u32, all: u32, access: Access) -> Option<&'static str> {
    let is_allowed = mode & all == all || rustix::fs::accessat(directory, name, access, AtFlags::EACCESS).is_ok();
    (!is_allowed).then_some("no permission")
}
