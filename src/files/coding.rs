//! Encoded forms of a file that lie beside it: `app.js.br`, `app.js.zst`, `app.js.gz` (RFC 9110 section 8.4).
//!
//! Nothing is encoded here: who wants small files makes them once, and not for each request.

use std::ffi::{CStr, CString};

use super::cache::Entry;
use super::facts::Kind;
use super::resolve::Ground;
use super::since::Vacant;
use crate::http::{Now, Request};

/// A content coding, the smallest results first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Zstandard,
    Gzip,
}

impl Coding {
    const ALL: [Coding; 3] = [Coding::Brotli, Coding::Zstandard, Coding::Gzip];

    /// As Content-Encoding has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Zstandard => "zstd",
            Coding::Gzip => "gzip",
        }
    }

    /// What the encoded file has at the end of its name.
    pub(super) fn ending(self) -> &'static [u8] {
        match self {
            Coding::Brotli => b".br",
            Coding::Zstandard => b".zst",
            Coding::Gzip => b".gz",
        }
    }

    fn bit(self) -> u8 {
        1 << (self as u8)
    }

    /// Those that may be sent, the one the peer likes best first.
    pub(super) fn asked(request: &Request<'_>) -> impl Iterator<Item = Coding> {
        let liked = request.codings(&Coding::ALL.map(Coding::name));
        liked.into_iter().filter_map(|name| Coding::ALL.into_iter().find(|coding| coding.name() == name))
    }
}

/// Which encoded forms lie beside a file, and when that was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Neighbours {
    /// The number of the turn; turns count from 1.
    turn: u64,
    present: u8,
}

impl Neighbours {
    pub(super) fn is_there(self, coding: Coding) -> bool {
        self.present & coding.bit() != 0
    }

    /// True if what is answered depends on Accept-Encoding.
    pub(super) fn is_any(self) -> bool {
        self.present != 0
    }
}

impl Entry {
    /// Looks beside the file, at most once in a turn; where nothing was, at the directory alone. A neighbour that is
    /// older than the file was made of something else.
    pub(super) fn look_beside(&self, ground: &Ground, now: &Now) -> Neighbours {
        let known = self.neighbours.get();
        if known.turn == now.turn_number() {
            return known;
        }
        let is_alone = self.alone.borrow().as_ref().is_some_and(|alone| alone.holds(ground, now));
        let present = if is_alone { 0 } else { self.find_beside(ground) };
        if present == 0 && !is_alone {
            self.alone.replace(Some(Vacant::new(ground, self.encoded_paths(), now)));
        }
        let known = Neighbours { turn: now.turn_number(), present };
        self.neighbours.set(known);
        known
    }

    /// The bits of those that are there.
    fn find_beside(&self, ground: &Ground) -> u8 {
        let is_there = |coding: &Coding| {
            let path = self.encoded_path(*coding);
            ground.root.glance(path).is_some_and(|facts| {
                let is_current = facts.modified.seconds >= self.facts.modified.seconds;
                facts.kind == Kind::File && is_current && ground.policy.fault(&ground.root, path.to_bytes()).is_none()
            })
        };
        Coding::ALL.into_iter().filter(is_there).map(Coding::bit).sum()
    }

    /// Where an encoded form of it would be.
    pub(super) fn encoded_path(&self, coding: Coding) -> &CStr {
        let [brotli, zstandard, gzip] = self.encoded_paths();
        match coding {
            Coding::Brotli => brotli,
            Coding::Zstandard => zstandard,
            Coding::Gzip => gzip,
        }
    }

    fn encoded_paths(&self) -> &[CString; 3] {
        // A path has no NUL in it, and so has none with an ending.
        let path = |coding: Coding| CString::new([self.path.as_bytes(), coding.ending()].concat()).unwrap_or_default();
        self.encoded.get_or_init(|| Coding::ALL.map(path))
    }
}
