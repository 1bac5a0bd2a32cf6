//! Listings as they went out, kept for a second: who asks again gets the same bytes.

use std::ffi::CString;
use std::sync::Arc;

use super::super::conditional::Date;
use super::super::resolve::Ground;
use super::super::since::Since;
use super::face::Face;
use crate::http::{HeaderList, Now, Request};

/// The most listings kept.
const MAX_ENTRIES: usize = 64;

/// The most bytes kept, of all of them.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A whole listing.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) content: Arc<[u8]>,
    /// The fields of a 200.
    pub(super) headers: HeaderList,
    /// The fields of a 304.
    pub(super) validators: HeaderList,
    pub(super) tag: String,
    /// The last change, where that can be told.
    pub(super) modified: Option<Date>,
}

/// What a listing was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    path: &'a [u8],
    /// Bytes of the path that are the mount: the way up ends there.
    mount: usize,
    face: Face,
}

impl<'a> Key<'a> {
    pub(super) fn of(request: &Request<'a>, face: Face) -> Self {
        Key { path: request.path_bytes, mount: request.mount.len(), face }
    }
}

/// What a listing is made of, owned.
#[derive(Debug)]
pub(super) struct Origin {
    path: Box<[u8]>,
    mount: usize,
    face: Face,
    /// Of the directory.
    pub(super) directory: CString,
    pub(super) since: Since,
    /// An index page that comes is seen in the directory's facts.
    pub(super) is_alone: bool,
}

/// A listing, and what it was made of.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) origin: Origin,
    pub(super) finished: Finished,
}

impl Origin {
    pub(super) fn new(key: Key<'_>, directory: CString, since: Since, is_alone: bool) -> Self {
        Origin { path: key.path.into(), mount: key.mount, face: key.face, directory, since, is_alone }
    }

    pub(super) fn face(&self) -> Face {
        self.face
    }

    pub(super) fn key(&self) -> Key<'_> {
        Key { path: &self.path, mount: self.mount, face: self.face }
    }
}

/// The listings kept: so few that a look at each is no more than a look into a map.
#[derive(Debug, Default)]
pub(super) struct Kept {
    listings: Vec<Record>,
    bytes: usize,
}

impl Kept {
    /// True if there may be one of that path.
    pub(super) fn knows(&self, path: &[u8]) -> bool {
        self.listings.iter().any(|record| *record.origin.path == *path)
    }

    /// The listing, if it still holds.
    pub(super) fn get(&self, key: Key<'_>, ground: &Ground, now: &Now) -> Option<&Record> {
        let record = self.listings.iter().find(|record| record.origin.key() == key)?;
        let Origin { since, directory, .. } = &record.origin;
        since.holds(now, || ground.glance(directory, now)).then_some(record)
    }

    pub(super) fn keep(&mut self, record: Record, now: &Now) {
        let length = record.finished.content.len();
        if length > MAX_BYTES {
            return;
        }
        self.listings.retain(|other| other.origin.key() != record.origin.key());
        self.count();
        if self.listings.len() >= MAX_ENTRIES || self.bytes.saturating_add(length) > MAX_BYTES {
            self.listings.retain(|record| !record.origin.since.is_over(now));
            self.count();
        }
        // More within one second than there is room for: the newest are no better than the oldest.
        if self.listings.len() < MAX_ENTRIES && self.bytes.saturating_add(length) <= MAX_BYTES {
            self.bytes = self.bytes.saturating_add(length);
            self.listings.push(record);
        }
    }

    fn count(&mut self) {
        self.bytes = self.listings.iter().map(|record| record.finished.content.len()).sum();
    }
}
