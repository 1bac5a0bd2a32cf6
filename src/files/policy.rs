//! Which names exist for a peer.

use std::io;

use regex::bytes::Regex;

use super::glob::Glob;
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
    globs: Vec<Glob>,
    /// Patterns for a name, in whatever directory.
    names: Option<Regex>,
    /// Patterns for a path from the root; they have a slash in them.
    paths: Option<Regex>,
}

impl Policy {
    pub(super) fn new() -> Self {
        Policy { hidden: Hidden::Refused, globs: Vec::new(), names: None, paths: None }
    }

    /// Withholds what the pattern matches, and everything below it.
    pub(super) fn hide(&mut self, pattern: &str) -> io::Result<()> {
        self.globs.push(Glob::new(pattern)?);
        self.names = joined(self.globs.iter().filter(|glob| !glob.is_path))?;
        self.paths = joined(self.globs.iter().filter(|glob| glob.is_path))?;
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
        // Nearly always there are no patterns, and the path need not be put together for them.
        !matches(self.names.as_ref(), name)
            && (self.paths.is_none() || !matches(self.paths.as_ref(), &[directory, name].concat()))
    }

    /// True if a pattern matches a path or the name at its end.
    pub(super) fn hides(&self, whole: &[u8], name: &[u8]) -> bool {
        !name.is_empty() && (matches(self.names.as_ref(), name) || matches(self.paths.as_ref(), whole))
    }
}

fn matches(patterns: Option<&Regex>, text: &[u8]) -> bool {
    patterns.is_some_and(|patterns| patterns.is_match(text))
}

/// One expression for some patterns, if there are any.
pub(super) fn joined<'a>(globs: impl IntoIterator<Item = &'a Glob>) -> io::Result<Option<Regex>> {
    let all: Vec<&str> = globs.into_iter().map(|glob| glob.expression.as_str()).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let whole = Regex::new(&format!(r"\A(?:{})\z", all.join("|")));
    whole.map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}
