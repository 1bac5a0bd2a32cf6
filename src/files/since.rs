//! How long what was seen in a directory holds: within the turn, and at most for a second as long as the directory
//! shows no change.

use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::time::Duration;

use rustix::io::Errno;

use super::facts::Facts;
use super::resolve::Ground;
use crate::http::{Now, Tick};

/// How long what was found in a directory holds. The directory itself is asked in every turn whether a name has come or
/// gone; of its files it says nothing, so their sizes may be as old as this. And there are file systems whose
/// directories have no times: what came there is found after this.
pub(super) const LIFETIME: Duration = Duration::from_secs(1);

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

/// Names that are missing in a directory.
///
/// What names them would change the directory; so as long as that is what it was, one look at it says that all are
/// missing still. A link to nothing is there, though nothing is found by it: what it leads to comes without a trace
/// here.
#[derive(Debug)]
pub(super) struct Vacant {
    directory: CString,
    since: Since,
}

impl Vacant {
    /// Of paths in one directory that were looked for in vain in this turn.
    pub(super) fn new(ground: &Ground, paths: &[CString], now: &Now) -> Self {
        let directory = paths.first().map(|path| above(path)).unwrap_or_default();
        // The root of several shares has no times.
        let has_times = |facts: &Facts| *facts != Facts::SHARES && facts.is_settled(now.system_time());
        let facts = ground.glance(&directory, now).filter(has_times);
        let is_missing = |path: &CString| ground.root.own(path) == Err(Errno::NOENT);
        let facts = facts.filter(|_| paths.iter().all(is_missing));
        let since = Since::new(facts.unwrap_or(Facts::SHARES), now);
        Vacant { directory, since: Since { is_settled: facts.is_some(), ..since } }
    }

    /// True if they are missing still.
    pub(super) fn holds(&self, ground: &Ground, now: &Now) -> bool {
        self.since.holds(now, || ground.glance(&self.directory, now))
    }
}

/// The directory that a path ends in.
fn above(path: &CStr) -> CString {
    let path = path.to_bytes();
    let directory = memchr::memrchr(b'/', path).and_then(|slash| path.get(..slash));
    // It was part of what has no NUL in it.
    CString::new(directory.unwrap_or(b".")).unwrap_or_default()
}
