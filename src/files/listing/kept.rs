//! Listings as they went out, kept for a second: who asks again gets the same bytes.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::conditional::Date;
use super::super::facts::Facts;
use super::face::Face;
use crate::http::{HeaderList, Now, Request, Tick};

/// How long what was found in a directory holds. The directory itself is asked in every turn whether a name has come or
/// gone; of its files it says nothing, so their sizes may be as old as this.
pub(super) const LIFETIME: Duration = Duration::from_secs(1);

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

/// What a listing depends on beside the directory.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    path: Vec<u8>,
    /// Bytes of the path that are the mount: the way up ends there.
    mount: usize,
    face: Face,
}

impl Key {
    pub(super) fn of(request: &Request<'_>, face: Face) -> Self {
        Key { path: request.path_bytes.to_vec(), mount: request.mount.len(), face }
    }
}

/// Since when something holds, and of what state of the directory.
#[derive(Clone, Debug)]
pub(super) struct Since {
    facts: Facts,
    began: Tick,
    /// The number of the turn in which the directory was last compared.
    checked: Cell<u64>,
    /// A change after this is sure to show in the facts.
    is_settled: bool,
}

impl Since {
    pub(super) fn new(facts: Facts, now: &Now) -> Self {
        let is_settled = facts.is_settled(now.system_time());
        Since { facts, began: now.tick(), checked: Cell::new(now.turn_number()), is_settled }
    }

    pub(super) fn is_over(&self, now: &Now) -> bool {
        now.tick().since(self.began) >= LIFETIME
    }

    /// True if it still holds; `glance` looks at the directory, at most once a turn.
    pub(super) fn holds(&self, now: &Now, glance: impl FnOnce() -> Option<Facts>) -> bool {
        let turn = now.turn_number();
        if self.is_over(now) {
            return false;
        }
        if self.checked.get() == turn {
            return true;
        }
        let holds = self.is_settled && glance() == Some(self.facts);
        if holds {
            self.checked.set(turn);
        }
        holds
    }
}

/// The listings kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    listings: HashMap<Key, (Since, Finished)>,
    bytes: usize,
}

impl Kept {
    pub(super) fn get(&self, key: &Key, now: &Now, glance: impl FnOnce() -> Option<Facts>) -> Option<&Finished> {
        let (since, finished) = self.listings.get(key)?;
        since.holds(now, glance).then_some(finished)
    }

    pub(super) fn keep(&mut self, key: Key, since: Since, finished: Finished, now: &Now) {
        let length = finished.content.len();
        if length > MAX_BYTES {
            return;
        }
        if let Some((_, old)) = self.listings.remove(&key) {
            self.bytes = self.bytes.saturating_sub(old.content.len());
        }
        if self.listings.len() >= MAX_ENTRIES || self.bytes.saturating_add(length) > MAX_BYTES {
            self.listings.retain(|_, (since, _)| !since.is_over(now));
            self.bytes = self.listings.values().map(|(_, finished)| finished.content.len()).sum();
        }
        // More within one second than there is room for: the newest are no better than the oldest.
        if self.listings.len() < MAX_ENTRIES && self.bytes.saturating_add(length) <= MAX_BYTES {
            self.bytes = self.bytes.saturating_add(length);
            self.listings.insert(key, (since, finished));
        }
    }
}
