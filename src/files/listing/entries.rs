//! The entries of a directory: their names, one behind the other, and what is known of each.

use std::cmp::Ordering;
use std::ffi::CString;
use std::io;

use rustix::fs::Access;
use rustix::io::Errno;

use super::super::directory::Directory;
use super::super::facts::{Kind, Moment};
use super::super::policy::Policy;
use super::super::root::Root;
use super::chunks::Chunks;
use super::order;
use super::weight::Weight;
use crate::http::Produced;

/// What a listing says of one entry: 32 bytes, for a directory may have a million.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    weight: Weight,
    /// The piece of memory that its name stands in, and where in it.
    piece: u16,
    start: u16,
    length: u16,
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

/// The most entries of one directory that are shown, so that no directory takes more memory than there is.
pub(super) const MAX_ENTRIES: usize = 1_048_576;

/// Bytes of one piece of names: as many as a row has numbers for. What has grown is copied, this much in microseconds.
const PIECE: usize = 64 * 1024;

/// The names of what a directory says of itself, the best first.
const READMES: [&[u8]; 3] = [b"README", b"README.md", b"README.txt"];

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
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    pub(super) directories: usize,
    pub(super) files: usize,
    pub(super) others: usize,
    /// Of all files.
    pub(super) bytes: u64,
    /// Size of the largest file.
    pub(super) largest: u64,
    /// There are more than are shown.
    pub(super) is_cut: bool,
    /// Some are links: what they lead to may change without a trace here.
    pub(super) has_links: bool,
    /// When the latest change was made to any of them, names apart.
    pub(super) changed: Option<Moment>,
    /// What the directory says of itself: its rank among such names, and the name.
    pub(super) readme: Option<(usize, Vec<u8>)>,
}

impl Summary {
    fn add(&mut self, name: &[u8], row: &Row) {
        match row.shape {
            Shape::Directory => self.directories += 1,
            Shape::File => self.files += 1,
            Shape::Other => self.others += 1,
        }
        self.bytes = self.bytes.saturating_add(row.size);
        self.largest = self.largest.max(row.size);
        let rank = READMES.iter().position(|readme| readme.eq_ignore_ascii_case(name));
        if let Some(rank) = rank.filter(|_| row.shape == Shape::File && row.barred.is_none()) {
            let better = self.readme.take().filter(|(other, known)| (*other, &known[..]) < (rank, name));
            self.readme = Some(better.unwrap_or_else(|| (rank, name.to_vec())));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.directories + self.files + self.others == 0
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
#[derive(Debug)]
pub(super) struct Entries {
    names: Vec<Vec<u8>>,
    /// What all names begin with.
    beginning: Option<Vec<u8>>,
    rows: Chunks<Row>,
    /// Of what was measured.
    pub(super) summary: Summary,
}

impl Entries {
    pub(super) fn new() -> Self {
        Entries { names: Vec::new(), beginning: None, rows: Chunks::new(), summary: Summary::default() }
    }

    /// Bytes of memory that they take: each row twice, for the sorting.
    pub(super) fn bytes(&self) -> usize {
        self.names.len().saturating_mul(PIECE).saturating_add(self.rows.len().saturating_mul(2 * size_of::<Row>()))
    }

    /// Reads some names of the directory at `path`.
    pub(super) fn read(
        &mut self,
        directory: &mut Directory,
        root: &Root,
        policy: &Policy,
        path: &[u8],
    ) -> io::Result<Produced> {
        let is_more = directory.read(root, |name| {
            if policy.shows(root, path, name) {
                self.keep(name);
            }
        })?;
        Ok(if is_more && !self.summary.is_cut { Produced::More } else { Produced::All })
    }

    /// Keeps one more name, if there is room for it.
    fn keep(&mut self, name: &[u8]) {
        if self.rows.len() == MAX_ENTRIES {
            self.summary.is_cut = true;
            return;
        }
        if self.names.last().is_none_or(|piece| piece.len() + name.len() > PIECE) {
            self.names.push(Vec::new());
        }
        let number = self.names.len() - 1;
        let Some(piece) = self.names.last_mut() else { return };
        let place = (u16::try_from(number), u16::try_from(piece.len()), u16::try_from(name.len()));
        let (Ok(number), Ok(start), Ok(length)) = place else { return };
        piece.extend_from_slice(name);
        self.rows.push(Row { piece: number, start, length, ..Row::of(NEVER, None) });
        let beginning = self.beginning.get_or_insert_with(|| name.to_vec());
        if !name.starts_with(beginning) {
            beginning.truncate(order::same(beginning, name));
        }
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
        let skipped = order::whole_parts(self.beginning.as_deref().unwrap_or_default());
        for _ in 0..count {
            let row = self.rows.get_mut(next)?;
            let name = name_in(&self.names, row);
            match measure(name, directory, root, path, &mut self.summary) {
                Ok(measured) => {
                    let rest = name.get(skipped..).unwrap_or_default();
                    let weight = Weight::new(measured.shape == Shape::Directory, rest);
                    *row = Row { weight, piece: row.piece, start: row.start, length: row.length, ..measured };
                    self.summary.add(name, row);
                    next += 1;
                }
                // The last row takes its place: they are still to be sorted.
                Err(Gone) => self.rows.swap_remove(next),
            }
        }
        Some(next)
    }

    /// Hands out the rows, to be sorted; the names stay.
    pub(super) fn take_rows(&mut self) -> Chunks<Row> {
        std::mem::replace(&mut self.rows, Chunks::new())
    }

    /// Takes them back.
    pub(super) fn put_rows(&mut self, rows: Chunks<Row>) {
        self.rows = rows;
    }

    pub(super) fn row(&self, index: usize) -> Option<&Row> {
        self.rows.get(index)
    }

    pub(super) fn name(&self, row: &Row) -> &[u8] {
        name_in(&self.names, row)
    }

    /// Directories first, then by name.
    pub(super) fn compare(&self, a: &Row, b: &Row) -> Ordering {
        a.weight.cmp(&b.weight).then_with(|| order::natural(self.name(a), self.name(b)))
    }
}

fn name_in<'a>(names: &'a [Vec<u8>], row: &Row) -> &'a [u8] {
    let [piece, start, length] = [row.piece, row.start, row.length].map(usize::from);
    names.get(piece).and_then(|piece| piece.get(start..start + length)).unwrap_or_default()
}

impl Row {
    /// An entry of which no more is known; its weight and the place of its name are left open.
    pub(super) fn of(modified: i64, barred: Option<Barred>) -> Row {
        Row { weight: Weight::default(), piece: 0, start: 0, length: 0, shape: Shape::Other, barred, size: 0, modified }
    }
}

/// Deleted between the reading of its name and the look at it.
struct Gone;

/// Looks at one entry; the place of its name is left open.
fn measure(name: &[u8], directory: &Directory, root: &Root, path: &[u8], summary: &mut Summary) -> Result<Row, Gone> {
    let row = Row::of;
    let own = match directory.own(root, name) {
        Ok(facts) => facts,
        Err(Errno::NOENT) => return Err(Gone),
        Err(_) => {
            // What cannot be looked at may change unseen, as what a link leads to.
            summary.has_links = true;
            return Ok(row(NEVER, Some(Barred::Permission)));
        }
    };
    summary.changed = summary.changed.max(Some(own.changed));
    summary.has_links |= own.kind == Kind::Link;
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
