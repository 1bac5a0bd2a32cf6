//! Which names exist for a peer.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::root::Root;
use super::why::Rule;

/// Whether names that begin with a dot exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    Refused,
    Served,
}

/// Names in a path. Deeper trees can be made, but hardly by people, and each pattern is held against each name and each
/// beginning of a path: a request with thousands of names in it would be thousands of long comparisons.
const MAX_NAMES: usize = 256;

/// What is withheld of what is there.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) hidden: Hidden,
    patterns: Vec<String>,
    /// Patterns for a name, in whatever directory.
    names: GlobSet,
    /// Patterns for a path from the root; they have a slash in them.
    paths: GlobSet,
}

impl Policy {
    pub(super) fn new() -> Self {
        Policy { hidden: Hidden::Refused, patterns: Vec::new(), names: GlobSet::empty(), paths: GlobSet::empty() }
    }

    /// Withholds what the pattern matches, and everything below it.
    pub(super) fn hide(&mut self, pattern: &str) -> Result<(), globset::Error> {
        self.patterns.push(pattern.to_owned());
        let (mut names, mut paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for pattern in &self.patterns {
            // A final slash says that a directory is meant, and one in front that the root is: no other names than
            // these.
            let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
            let glob = |text| GlobBuilder::new(text).literal_separator(true).build();
            if pattern.contains('/') {
                paths.add(glob(pattern.trim_start_matches('/'))?);
            } else {
                names.add(glob(pattern)?);
            }
        }
        (self.names, self.paths) = (names.build()?, paths.build()?);
        Ok(())
    }

    /// Why a path, relative to the root, is answered as missing before the disk is asked.
    pub(super) fn fault(&self, root: &Root, relative: &[u8]) -> Option<Rule> {
        let segments = || relative.split(|&byte| byte == b'/');
        // The kernel would read `a//b` as `a/b`. One file should have one address: relative links in a page would miss,
        // and caches keep two copies. The last segment of a directory is empty by right.
        let count = segments().count();
        if count > MAX_NAMES {
            return Some(Rule::TooDeep);
        }
        if segments().take(count.saturating_sub(1)).any(<[u8]>::is_empty) {
            return Some(Rule::EmptySegment);
        }
        let mut end = 0_usize;
        for (index, segment) in segments().enumerate() {
            end = end.saturating_add(segment.len());
            let is_named = index == 0 && root.has_share(segment);
            if self.hidden == Hidden::Refused && segment.starts_with(b".") && !is_named {
                return Some(Rule::Dot);
            }
            if self.hides(relative.get(..end).unwrap_or_default(), segment) {
                return Some(Rule::Glob);
            }
            end = end.saturating_add(1);
        }
        None
    }

    /// True if a name in a directory is shown; the directory is, and its path ends in a slash or is empty.
    pub(super) fn shows(&self, root: &Root, directory: &[u8], name: &[u8]) -> bool {
        if name.starts_with(b".") && self.hidden == Hidden::Refused && !(directory.is_empty() && root.has_share(name)) {
            return false;
        }
        // Nearly always there are no patterns, and neither name nor path need be taken apart for them.
        (self.names.is_empty() || !self.names.is_match(path(name)))
            && (self.paths.is_empty() || !self.paths.is_match(path(&[directory, name].concat())))
    }

    /// True if a pattern matches a path or the name at its end.
    pub(super) fn hides(&self, whole: &[u8], name: &[u8]) -> bool {
        let is_any = !self.names.is_empty() || !self.paths.is_empty();
        is_any && !name.is_empty() && (self.names.is_match(path(name)) || self.paths.is_match(path(whole)))
    }
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
