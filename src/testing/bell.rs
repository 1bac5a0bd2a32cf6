//! How a deferred answer calls a client that has no loop.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::http::Wake;

/// Rings when a deferred answer is there. [`MockClient`](super::MockClient) has one; a test that drives a
/// [`Connection`](crate::connection::Connection) itself lends it one in the [`Context`](crate::connection::Context).
///
/// ```
/// use ownhands::{http::Wake, testing::Bell};
/// use std::time::Duration;
///
/// let bell = Bell::default();
/// assert!(!bell.wait(Duration::ZERO));
/// bell.wake(0);
/// assert!(bell.wait(Duration::ZERO));
/// ```
#[derive(Debug, Default)]
pub struct Bell {
    has_rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    /// Waits for the bell, in real time; false if it has not rung by then.
    pub fn wait(&self, at_most: Duration) -> bool {
        let has_rung = self.has_rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(has_rung, at_most, |has_rung| !*has_rung);
        let (mut has_rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *has_rung)
    }
}

impl Wake for Bell {
    fn wake(&self, _: usize) {
        *self.has_rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }
}
