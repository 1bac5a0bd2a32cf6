//! Files as they go out, kept ready, and fresh by turn.
//!
//! An entry is compared with the disk at most once in a turn of the loop, and at least once in every turn that serves
//! it: under load the check costs nothing, and nobody gets a file that was replaced before he asked. What is not
//! there is not kept here: what is known of that is in [`since`](super::since).

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::ffi::CString;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;

use super::coding::{Coding, Neighbours};
use super::facts::Facts;
use super::fields::Fields;
use super::resolve::Opened;
use super::root::Root;
use super::since::Vacant;
use super::{conditional, mime};
use crate::http::{Body, Bytes, FileRange, HeaderList, Now, Tick};

/// Files up to this length are kept in memory and go out with their head in one write, which is cheaper than sendfile.
const SMALL: u64 = 32 * 1024;

/// The most files kept. Who asks for more of them in turn finds none in the cache: half as many are in each generation.
/// To drop one takes a millisecond at most.
const MAX_ENTRIES: usize = 4096;

/// Bytes that an entry takes besides its content and its paths, about.
const ENTRY: usize = 512;

/// Copies of its path that an entry may have: its key, its own, those of its encoded forms.
const PATHS: usize = 8;

/// The most bytes kept.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The most descriptors kept, for files too long for memory: a quarter of the usual limit of 1024.
const MAX_DESCRIPTORS: usize = 256;

/// How long what nobody asks for is kept, in one generation and in the next, as long as anything is asked for: a file
/// that was deleted takes room on its disk while it is open here. A server that nobody asks is not woken for it.
const GENERATION: Duration = Duration::from_secs(10);

/// A file, ready to be sent.
#[derive(Debug)]
pub(super) struct Entry {
    /// Relative to the root.
    pub(super) path: CString,
    pub(super) facts: Facts,
    /// The entity tag.
    pub(super) tag: String,
    /// The fields of a 200.
    pub(super) headers: HeaderList,
    /// The fields of a 304.
    pub(super) validators: HeaderList,
    content: Content,
    /// The number of the turn in which it was last compared with the disk.
    checked: Cell<u64>,
    /// The encoded forms of it that lie beside it, as last seen.
    pub(super) neighbours: Cell<Neighbours>,
    /// Where its encoded forms would be, from when they are first looked for.
    pub(super) encoded: OnceCell<[CString; 3]>,
    /// Of when none of them was there.
    pub(super) alone: RefCell<Option<Vacant>>,
}

#[derive(Debug)]
enum Content {
    Memory(Arc<[u8]>),
    Open(Arc<File>),
}

impl Entry {
    /// A file as it is.
    pub(super) fn load(opened: Opened, fields: &Fields, now: &Now) -> Self {
        let mut headers = HeaderList::new();
        headers.push("Content-Type", mime::content_type(file_name(opened.path.to_bytes())));
        Entry::with_headers(headers, HeaderList::new(), opened, fields, now)
    }

    /// An encoded form of this file, which is answered in its place.
    pub(super) fn load_encoded(&self, opened: Opened, coding: Coding, fields: &Fields, now: &Now) -> Self {
        let mut varying = HeaderList::new();
        varying.push("Vary", "Accept-Encoding");
        let mut headers = HeaderList::new();
        headers.push("Content-Type", mime::content_type(file_name(self.path.to_bytes())));
        headers.push("Content-Encoding", coding.name());
        headers.push("Vary", "Accept-Encoding");
        Entry::with_headers(headers, varying, opened, fields, now)
    }

    fn with_headers(
        mut headers: HeaderList,
        mut validators: HeaderList,
        opened: Opened,
        fields: &Fields,
        now: &Now,
    ) -> Self {
        let Opened { path, file, facts } = opened;
        let tag = conditional::entity_tag(&facts);
        let modified = conditional::last_modified(&facts, now);
        for list in [&mut headers, &mut validators] {
            list.push("Last-Modified", &modified);
            list.push("ETag", &tag);
            fields.complete(list);
        }
        headers.push("Accept-Ranges", "bytes");
        if headers.get("X-Content-Type-Options").is_none() {
            headers.push("X-Content-Type-Options", "nosniff");
        }
        Entry {
            content: if is_keepable(&facts, now) { Content::load(file, &facts) } else { Content::Open(Arc::new(file)) },
            path,
            facts,
            tag,
            headers: headers.shared(),
            validators: validators.shared(),
            checked: Cell::new(now.turn_number()),
            neighbours: Cell::default(),
            encoded: OnceCell::new(),
            alone: RefCell::default(),
        }
    }

    /// The content from `offset` on, which with `length` lies in the file.
    pub(super) fn body(&self, offset: u64, length: u64) -> Body {
        match &self.content {
            _ if length == 0 => Body::Empty,
            Content::Memory(bytes) if length == self.facts.size => Body::Bytes(Bytes::Shared(Arc::clone(bytes))),
            Content::Memory(bytes) => {
                let bytes = bytes.iter().skip(to_usize(offset)).take(to_usize(length));
                Body::Bytes(Bytes::Owned(bytes.copied().collect()))
            }
            Content::Open(file) => Body::File(FileRange { file: Arc::clone(file), offset, length }),
        }
    }

    fn bytes(&self) -> usize {
        let content = if let Content::Memory(bytes) = &self.content { bytes.len() } else { 0 };
        content.saturating_add(ENTRY).saturating_add(self.path.count_bytes().saturating_mul(PATHS))
    }

    fn descriptors(&self) -> usize {
        usize::from(matches!(self.content, Content::Open(_)))
    }
}

impl Content {
    fn load(file: File, facts: &Facts) -> Self {
        if facts.size <= SMALL {
            let mut bytes = vec![0; to_usize(facts.size)];
            let is_read = file.read_exact_at(&mut bytes, 0).is_ok();
            // Written to while we read? Then half of it may be old.
            let is_same = rustix::fs::fstat(&file).is_ok_and(|stat| Facts::of(&stat) == *facts);
            if is_read && is_same {
                return Content::Memory(bytes.into());
            }
        }
        Content::Open(Arc::new(file))
    }
}

/// A file that changed a moment ago may be written again without its times showing it: content kept in memory could
/// be old without anyone noticing. Such a file is resolved anew in every request, and sent from its descriptor.
fn is_keepable(facts: &Facts, now: &Now) -> bool {
    facts.is_settled(now.system_time())
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The entries, by path below the mount, in two generations: what is used moves to the young one; when that is full or
/// has lasted its time it becomes the old one, and what nobody asked for meanwhile is dropped. Each generation has half
/// of the bounds.
#[derive(Debug, Default)]
pub(super) struct Cache {
    young: Generation,
    old: Generation,
    /// When the young generation began.
    began: Tick,
}

#[derive(Debug, Default)]
struct Generation {
    entries: HashMap<Box<[u8]>, Rc<Entry>, RandomState>,
    bytes: usize,
    descriptors: usize,
}

impl Cache {
    /// The entry of that path, if there is one and it is still what is on disk.
    pub(super) fn fresh(&mut self, path: &[u8], root: &Root, now: &Now) -> Option<Rc<Entry>> {
        let age = now.tick().since(self.began);
        if age >= GENERATION {
            self.grow_old(now);
        }
        if age >= 2 * GENERATION {
            self.old = Generation::default();
        }
        let entry = match self.young.entries.get(path) {
            Some(entry) => Rc::clone(entry),
            None => {
                let (path, entry) = self.old.remove(path)?;
                self.insert(path, &entry, now);
                entry
            }
        };
        if entry.checked.get() != now.turn_number() {
            if root.glance(&entry.path) != Some(entry.facts) {
                self.young.remove(path);
                return None;
            }
            entry.checked.set(now.turn_number());
        }
        Some(entry)
    }

    /// Keeps the entry, if it may be kept.
    pub(super) fn keep(&mut self, path: &[u8], entry: &Rc<Entry>, now: &Now) {
        if is_keepable(&entry.facts, now) {
            self.old.remove(path);
            self.insert(path.into(), entry, now);
        }
    }

    fn insert(&mut self, path: Box<[u8]>, entry: &Rc<Entry>, now: &Now) {
        if !self.young.has_room_for(entry) {
            self.grow_old(now);
        }
        self.young.insert(path, entry);
    }

    fn grow_old(&mut self, now: &Now) {
        self.old = std::mem::take(&mut self.young);
        self.began = now.tick();
    }
}

impl Generation {
    fn has_room_for(&self, entry: &Entry) -> bool {
        self.entries.len() < MAX_ENTRIES / 2
            && self.bytes + entry.bytes() <= MAX_BYTES / 2
            && self.descriptors + entry.descriptors() <= MAX_DESCRIPTORS / 2
    }

    fn insert(&mut self, path: Box<[u8]>, entry: &Rc<Entry>) {
        self.remove(&path);
        self.bytes += entry.bytes();
        self.descriptors += entry.descriptors();
        self.entries.insert(path, Rc::clone(entry));
    }

    fn remove(&mut self, path: &[u8]) -> Option<(Box<[u8]>, Rc<Entry>)> {
        let (path, entry) = self.entries.remove_entry(path)?;
        self.bytes -= entry.bytes();
        self.descriptors -= entry.descriptors();
        Some((path, entry))
    }
}
