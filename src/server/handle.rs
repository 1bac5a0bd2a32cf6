//! Stopping a server from elsewhere.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::{Registry, Token, Waker};

/// Stops a server from another thread. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Handle {
    waker: Arc<Waker>,
    is_stopping: Arc<AtomicBool>,
}

impl Handle {
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        Ok(Handle { waker: Arc::new(Waker::new(registry, token)?), is_stopping: Arc::default() })
    }

    /// Asks the server to stop: no more peers, what has begun is finished, at most for the configured grace.
    ///
    /// # Errors
    /// What the system says when the loop cannot be woken.
    pub fn stop(&self) -> io::Result<()> {
        self.is_stopping.store(true, Ordering::Release);
        self.waker.wake()
    }

    pub(super) fn wants_stop(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }
}
