//! What was asked for in vain a moment ago, so that a crowd that asks for it again costs the disk one look a turn.

use std::cell::RefCell;
use std::ffi::CString;
use std::sync::Arc;

use super::resolve::Ground;
use super::since::Vacant;
use super::why::{self, Reason};
use crate::http::{HttpError, Now};

/// Paths remembered: a page that is asked for often lacks an icon or two. Who asks for thousands of paths is a scanner,
/// and asks for each but once.
const MAX_PATHS: usize = 8;

/// The paths last found missing.
#[derive(Debug, Default)]
pub(super) struct Absent {
    paths: RefCell<Vec<Missed>>,
}

/// A path that nothing has.
#[derive(Debug)]
struct Missed {
    /// Below the mount.
    path: Box<[u8]>,
    /// It, and the page that it could have meant.
    vacant: Vacant,
    reason: Arc<Reason>,
}

impl Absent {
    /// The refusal, if there is still nothing under this path, which is below the mount.
    pub(super) fn refusal(&self, path: &[u8], ground: &Ground, now: &Now) -> Option<HttpError> {
        let mut paths = self.paths.borrow_mut();
        let index = paths.iter().position(|missed| *missed.path == *path)?;
        match paths.get(index).filter(|missed| missed.vacant.holds(ground, now)) {
            Some(missed) => Some(why::missing(&missed.reason)),
            None => {
                paths.remove(index);
                None
            }
        }
    }

    /// Remembers that none of these paths was found, of which the first is what was asked for, and refuses it.
    pub(super) fn remember(&self, path: &[u8], tried: &[CString; 2], ground: &Ground, now: &Now) -> HttpError {
        let [asked, _] = tried;
        let reason = Arc::new(Reason::of_missing(&ground.root, asked));
        let refusal = why::missing(&reason);
        let missed = Missed { path: path.into(), vacant: Vacant::new(ground, tried, now), reason };
        let mut paths = self.paths.borrow_mut();
        if paths.len() >= MAX_PATHS {
            paths.remove(0);
        }
        paths.push(missed);
        refusal
    }
}
