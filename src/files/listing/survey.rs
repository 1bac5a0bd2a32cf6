//! What is in a directory: read, measured and sorted a slice at a time, once for all who ask within a second.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::directory::Directory;
use super::super::facts::{Facts, Moment};
use super::super::policy::Policy;
use super::super::resolve::{self, Ground};
use super::super::root::Root;
use super::super::why;
use super::entries::Entries;
use super::order::Sorter;
use crate::http::{HttpError, Produced};

/// Entries looked at in one slice: a microsecond or two each.
const MEASURE_SLICE: usize = 256;

/// The most bytes of names and rows in memory, of all directories that are being listed: two of a million entries.
pub(super) const MAX_HELD: usize = 256 * 1024 * 1024;

/// Bytes held by the surveys of one [`Files`](super::super::Files).
#[derive(Clone, Debug, Default)]
pub(super) struct Held(Arc<AtomicUsize>);

impl Held {
    pub(super) fn is_full(&self) -> bool {
        self.bytes() >= MAX_HELD
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A directory that is looked through, or was.
pub(super) struct Survey {
    root: Arc<Root>,
    policy: Arc<Policy>,
    /// Path of the directory below the root: empty, or ends in `/`.
    pub(super) directory: Vec<u8>,
    /// Of the directory, before its names were read: should it change meanwhile, they differ from then on.
    pub(super) facts: Facts,
    pub(super) entries: Entries,
    stage: Stage,
    held: Held,
    /// Of what is held, the bytes that are this one's.
    counted: usize,
}

/// Where the work stands. Each stage is left when its part is done for the whole directory.
enum Stage {
    Reading(Directory),
    Measuring(Directory, usize),
    Sorting(Sorter),
    Ready,
    /// It could not be read to its end: why, for all who wait for it.
    Failed(io::ErrorKind, String),
}

impl Survey {
    pub(super) fn open(ground: &Ground, directory: Vec<u8>, held: &Held) -> Result<Self, HttpError> {
        let path = resolve::c_path(&directory)?;
        let refuse = |errno| why::refuse(&ground.root, &path, errno);
        let (names, facts) = ground.root.directory(&path).map_err(refuse)?;
        Ok(Survey {
            root: Arc::clone(&ground.root),
            policy: Arc::clone(&ground.policy),
            directory,
            facts,
            entries: Entries::new(),
            stage: Stage::Reading(names),
            held: held.clone(),
            counted: 0,
        })
    }

    /// One slice of work. `All` when all is known and in order.
    ///
    /// # Errors
    /// What the disk says, with the directory's name; again each time.
    pub(super) fn step(&mut self) -> io::Result<Produced> {
        let stage = std::mem::replace(&mut self.stage, Stage::Ready);
        self.stage = match self.next(stage) {
            Ok(stage) => stage,
            Err(error) => Stage::Failed(error.kind(), format!("{}: {error}", self.shown())),
        };
        match &self.stage {
            Stage::Ready => Ok(Produced::All),
            Stage::Failed(kind, why) => Err(io::Error::new(*kind, why.clone())),
            _ => Ok(Produced::More),
        }
    }

    fn next(&mut self, stage: Stage) -> io::Result<Stage> {
        Ok(match stage {
            Stage::Reading(mut names) => {
                let read = self.entries.read(&mut names, &self.root, &self.policy, &self.directory)?;
                self.count()?;
                match read {
                    Produced::All => Stage::Measuring(names, 0),
                    _ => Stage::Reading(names),
                }
            }
            Stage::Measuring(names, from) => {
                match self.entries.measure(&names, &self.root, &self.directory, from, MEASURE_SLICE) {
                    Some(next) => Stage::Measuring(names, next),
                    None => Stage::Sorting(Sorter::new(self.entries.take_rows())),
                }
            }
            Stage::Sorting(mut sorter) => match sorter.step(|a, b| self.entries.compare(a, b)) {
                Produced::All => {
                    self.entries.put_rows(sorter.into_rows());
                    Stage::Ready
                }
                _ => Stage::Sorting(sorter),
            },
            stage => stage,
        })
    }

    /// Adds what was read to what is held by all.
    fn count(&mut self) -> io::Result<()> {
        let bytes = self.entries.bytes();
        self.held.add(bytes.saturating_sub(self.counted));
        self.counted = self.counted.max(bytes);
        if self.held.is_full() {
            return Err(io::Error::new(io::ErrorKind::OutOfMemory, "too many large directories are listed at once"));
        }
        Ok(())
    }

    /// When anything that is shown was last changed, if that can be told.
    pub(super) fn last_change(&self) -> Option<Moment> {
        let summary = &self.entries.summary;
        if summary.has_links || self.facts == Facts::SHARES {
            return None;
        }
        summary.changed.max(Some(self.facts.changed))
    }

    /// The directory's path, for the log.
    fn shown(&self) -> String {
        let path = resolve::c_path(&self.directory).unwrap_or_default();
        match self.root.place(&path) {
            Ok(Some((tree, inside))) => tree.show(inside.to_bytes()).display().to_string(),
            _ => String::from_utf8_lossy(&self.directory).into_owned(),
        }
    }

    /// Opens the file that the directory says of itself, and reads its beginning: at most `most` bytes.
    pub(super) fn readme(&self, most: u64) -> Option<(&[u8], Vec<u8>)> {
        let (_, name) = self.entries.summary.readme.as_ref()?;
        let path = resolve::c_path(&[&self.directory[..], name].concat()).ok()?;
        let (file, _) = self.root.read(&path).ok()?;
        let mut text = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, most), &mut text).ok()?;
        Some((name, text))
    }
}

impl Drop for Survey {
    fn drop(&mut self) {
        self.held.0.fetch_sub(self.counted, Ordering::Relaxed);
    }
}
