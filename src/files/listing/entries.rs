//! The entries of a directory: their names in one piece of memory, and what is known of each.

use std::cmp::Ordering;
use std::ffi::CString;
use std::io;

use rustix::fs::Access;
use rustix::io::Errno;

use super::super::directory::Directory;
use super::super::facts::Kind;
use super::super::policy::Policy;
use super::super::root::Root;
use super::order;
use crate::http::Produced;

/// What a listing says of one entry: 32 bytes, for a directory may have a million.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Where its name stands.
    start: usize,
    length: u32,
    pub(super) shape: Shape,
    /// Why it cannot be had, if so.
    pub(super) barred: Option<Barred>,
    /// Of a file, in bytes; else zero.
    pub(super) size: u64,
    /// Seconds since 1970, or [`NEVER`].
    pub(super) modified: i64,
}

/// What an entry is counted as, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Directory,
    File,
    /// A pipe, a link to nowhere, or what could not be looked at.
    Other,
}

/// Why an entry has no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Barred {
    /// A link to nothing.
    Dangling,
    /// A link out of the root.
    Outside,
    /// A link, where none is followed.
    Link,
    Permission,
    Pipe,
    Socket,
    Device,
}

/// A time that no calendar has.
const NEVER: i64 = i64::MIN;

impl Barred {
    /// The reason in two or three words.
    pub(super) fn why(self) -> &'static str {
        match self {
            Barred::Dangling => "dangling link",
            Barred::Outside => "link out of the root",
            Barred::Link => "link",
            Barred::Permission => "no permission",
            Barred::Pipe => "pipe",
            Barred::Socket => "socket",
            Barred::Device => "device",
        }
    }
}

/// How many entries there are, and how much is in them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Summary {
    pub(super) directories: usize,
    pub(super) files: usize,
    pub(super) others: usize,
    /// Of all files.
    pub(super) bytes: u64,
    /// Size of the largest file.
    pub(super) largest: u64,
}

impl Summary {
    fn add(&mut self, row: &Row) {
        match row.shape {
            Shape::Directory => self.directories += 1,
            Shape::File => self.files += 1,
            Shape::Other => self.others += 1,
        }
        self.bytes = self.bytes.saturating_add(row.size);
        self.largest = self.largest.max(row.size);
    }

    /// `2 directories, 1 file, 1 other`; `empty` for nothing at all.
    pub(super) fn counts(&self) -> String {
        let parts = [
            (self.directories, "directory", "directories"),
            (self.files, "file", "files"),
            (self.others, "other", "others"),
        ];
        let parts = parts.iter().filter(|part| part.0 > 0);
        let texts: Vec<String> =
            parts.map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many })).collect();
        if texts.is_empty() { "empty".to_owned() } else { texts.join(", ") }
    }
}

/// The entries, as far as read.
#[derive(Debug, Default)]
pub(super) struct Entries {
    names: Vec<u8>,
    rows: Vec<Row>,
    /// Of what was measured.
    pub(super) summary: Summary,
}

impl Entries {
    /// Reads up to `count` names of the directory at `path`.
    pub(super) fn read(
        &mut self,
        directory: &mut Directory,
        root: &Root,
        policy: &Policy,
        path: &[u8],
        count: usize,
    ) -> io::Result<Produced> {
        for _ in 0..count {
            let start = self.names.len();
            if directory.next(root, &mut self.names)?.is_none() {
                return Ok(Produced::All);
            }
            let name = self.names.get(start..).unwrap_or_default();
            if policy.shows(root, path, name) {
                let length = u32::try_from(name.len()).unwrap_or(0);
                self.rows.push(Row { start, length, shape: Shape::Other, barred: None, size: 0, modified: NEVER });
            } else {
                self.names.truncate(start);
            }
        }
        Ok(Produced::More)
    }

    /// Looks at `count` entries, from the one at `from` on, and says which is the next. One that is gone is dropped.
    pub(super) fn measure(
        &mut self,
        directory: &Directory,
        root: &Root,
        path: &[u8],
        from: usize,
        count: usize,
    ) -> Option<usize> {
        let mut next = from;
        for _ in 0..count {
            let row = self.rows.get_mut(next)?;
            let name = name_in(&self.names, row);
            match measure(name, directory, root, path) {
                Ok(measured) => {
                    *row = Row { start: row.start, length: row.length, ..measured };
                    self.summary.add(row);
                    next += 1;
                }
                // The last row takes its place: they are still to be sorted.
                Err(Gone) => drop(self.rows.swap_remove(next)),
            }
        }
        Some(next)
    }

    /// Hands out the rows, to be sorted and written; the names stay.
    pub(super) fn take_rows(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.rows)
    }

    pub(super) fn name(&self, row: &Row) -> &[u8] {
        name_in(&self.names, row)
    }

    /// Directories first, then by name.
    pub(super) fn compare(&self, a: &Row, b: &Row) -> Ordering {
        let is_file = |row: &Row| row.shape != Shape::Directory;
        let by_shape = is_file(a).cmp(&is_file(b));
        by_shape.then_with(|| order::natural(self.name(a), self.name(b)))
    }
}

fn name_in<'a>(names: &'a [u8], row: &Row) -> &'a [u8] {
    let end = row.start.saturating_add(usize::try_from(row.length).unwrap_or(0));
    names.get(row.start..end).unwrap_or_default()
}

/// Deleted between the reading of its name and the look at it.
struct Gone;

/// Looks at one entry; the place of its name is left open.
fn measure(name: &[u8], directory: &Directory, root: &Root, path: &[u8]) -> Result<Row, Gone> {
    let row = |modified, barred| Row { start: 0, length: 0, shape: Shape::Other, barred, size: 0, modified };
    let own = match directory.own(root, name) {
        Ok(facts) => facts,
        Err(Errno::NOENT) => return Err(Gone),
        Err(_) => return Ok(row(NEVER, Some(Barred::Permission))),
    };
    let facts = if own.kind == Kind::Link {
        // Under guard, and from the root: a link may lead anywhere inside it, and what lies outside is not even
        // measured.
        match CString::new([path, name].concat()).map_err(|_| Errno::INVAL).and_then(|path| root.look(&path)) {
            Ok(facts) => facts,
            Err(Errno::XDEV) => return Ok(row(own.modified.seconds, Some(Barred::Outside))),
            Err(Errno::LOOP) if root.refuses_links() => return Ok(row(own.modified.seconds, Some(Barred::Link))),
            Err(Errno::ACCESS | Errno::PERM) => return Ok(row(own.modified.seconds, Some(Barred::Permission))),
            Err(_) => return Ok(row(own.modified.seconds, Some(Barred::Dangling))),
        }
    } else {
        own
    };
    // Asks the system only if the mode leaves it open.
    let refusal = |all: u32, access| {
        let is_allowed = facts.mode & all == all || directory.allows(root, name, access);
        (!is_allowed).then_some(Barred::Permission)
    };
    let (shape, barred) = match facts.kind {
        // An index page can be had from a directory that cannot be read.
        Kind::Directory => (Shape::Directory, refusal(0o111, Access::EXEC_OK)),
        Kind::File => (Shape::File, refusal(0o444, Access::READ_OK)),
        Kind::Pipe => (Shape::Other, Some(Barred::Pipe)),
        Kind::Socket => (Shape::Other, Some(Barred::Socket)),
        Kind::Device | Kind::Link => (Shape::Other, Some(Barred::Device)),
    };
    let size = if shape == Shape::File { facts.size } else { 0 };
    Ok(Row { shape, size, ..row(facts.modified.seconds, barred) })
}
