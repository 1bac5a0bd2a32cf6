//! Where answers lie that their peers take more slowly than they come.
//!
//! An application answers one request at a time, and a peer on a slow line would keep it from all others. So what
//! it says goes into a file without a name, as long bodies of requests do, and the application goes on with the
//! next. Writing there is writing to the page cache; there is an end to what lies in all such files together, and
//! then the application waits.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::connection::Bodies;

/// Files at one time: each holds a descriptor, of those that are kept back for files.
const MOST_FILES: usize = 192;

/// Bytes of one answer that may lie there: one without end must not take what the others need.
const MOST_OF_ONE: u64 = 256 * 1024 * 1024;

/// Where answers lie until their peers have taken them. Copies share the place and count together, so that one
/// may serve several gateways.
///
/// ```no_run
/// use ownhands::connection::Bodies;
/// use ownhands::gateway::{Basin, Launcher, Wsgi};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let basin = Basin::default().with_bytes(64 * 1024 * 1024);
/// let app = Wsgi::new("app:application").with_basin(basin.clone()).start(Launcher::thread()?)?;
/// basin.lie_in(Bodies::private()?); // before the process locks itself in
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Basin {
    shared: Arc<Shared>,
    most: u64,
}

#[derive(Debug, Default)]
struct Shared {
    bodies: Mutex<Bodies>,
    files: AtomicUsize,
    bytes: AtomicU64,
}

impl Default for Basin {
    fn default() -> Self {
        Basin { shared: Arc::default(), most: Basin::BYTES }
    }
}

impl Basin {
    /// Bytes of all answers together, if nobody says otherwise.
    pub const BYTES: u64 = 1024 * 1024 * 1024;

    /// The same for so many bytes of all answers together. With none, an application waits for its slowest peer.
    #[must_use]
    pub fn with_bytes(self, most: u64) -> Basin {
        Basin { most, ..self }
    }

    /// Has the files lie here from now on, and not in the temporary directory: a process that is
    /// locked in does not find it.
    pub fn lie_in(&self, bodies: Bodies) {
        *self.shared.bodies.lock().unwrap_or_else(PoisonError::into_inner) = bodies;
    }

    /// A file for one answer; `None` if there is no room for another.
    pub(super) fn open(&self) -> Option<Pond> {
        let files = self.shared.files.fetch_add(1, Ordering::Relaxed);
        let mut pond = Pond { file: None, basin: self.clone(), read: 0, written: 0 };
        if files >= MOST_FILES || !pond.has_room() {
            return None;
        }
        let bodies = self.shared.bodies.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match bodies.create() {
            Ok(file) => pond.file = Some(file),
            Err(error) => {
                log::warn!("an application waits for a slow client, as its answer can be kept nowhere: {error}");
                return None;
            }
        }
        Some(pond)
    }
}

/// What lies there of one answer, in order.
#[derive(Debug)]
pub(super) struct Pond {
    file: Option<File>,
    basin: Basin,
    read: u64,
    written: u64,
}

impl Pond {
    pub(super) fn is_empty(&self) -> bool {
        self.read >= self.written
    }

    /// True if more may come. What comes at once may go a little beyond.
    pub(super) fn has_room(&self) -> bool {
        self.written < MOST_OF_ONE && self.basin.shared.bytes.load(Ordering::Relaxed) < self.basin.most
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        file.write_all_at(bytes, self.written)?;
        self.written = self.written.saturating_add(bytes.len() as u64);
        self.basin.shared.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Moves the next of it, and so much at the most, behind what is in `out`.
    pub(super) fn take(&mut self, out: &mut Vec<u8>, most: usize) -> io::Result<()> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let left = self.written.saturating_sub(self.read);
        let mut block = vec![0; usize::try_from(left).unwrap_or(most).min(most)];
        file.read_exact_at(&mut block, self.read)?;
        self.read = self.read.saturating_add(block.len() as u64);
        out.append(&mut block);
        if self.is_empty() {
            file.set_len(0)?;
            self.give_back();
        }
        Ok(())
    }

    fn give_back(&mut self) {
        self.basin.shared.bytes.fetch_sub(self.written, Ordering::Relaxed);
        (self.read, self.written) = (0, 0);
    }
}

impl Drop for Pond {
    fn drop(&mut self) {
        self.give_back();
        self.basin.shared.files.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_there_comes_out_in_order_and_counts_until_it_has() {
        let basin = Basin::default().with_bytes(10);
        let mut pond = basin.open().unwrap();
        pond.append(b"hello ").unwrap();
        assert!(pond.has_room());
        pond.append(b"world").unwrap();
        assert!(!pond.has_room() && basin.open().is_none());

        let mut out = b"> ".to_vec();
        pond.take(&mut out, 7).unwrap();
        assert!(!pond.is_empty() && !pond.has_room());
        pond.take(&mut out, 7).unwrap();
        assert!(pond.is_empty() && pond.has_room());
        assert_eq!(out, b"> hello world");

        pond.append(b"again").unwrap();
        drop(pond);
        assert_eq!(basin.shared.bytes.load(Ordering::Relaxed), 0);
        assert_eq!(basin.shared.files.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn there_are_so_many_at_one_time() {
        let basin = Basin::default();
        let mut ponds: Vec<Pond> = std::iter::from_fn(|| basin.open()).take(MOST_FILES + 1).collect();
        assert_eq!(ponds.len(), MOST_FILES);
        ponds.pop();
        assert!(basin.open().is_some());
        assert!(Basin::default().with_bytes(0).open().is_none());
    }
}
