//! Answers that come later: a handler gives its answer back as a promise, and somebody else keeps it.
//!
//! The loop holds one end, [`Pending`], with the connection that waits; a thread, a timer or another connection's handler
//! holds the other, [`Deferred`]. Either end learns when the other is dropped.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{HttpError, IntoResponse, Response};

/// Wakes the loop for one of its connections. Called from any thread.
pub trait Wake: Send + Sync {
    /// The connection that was lent this ticket has something to do.
    fn wake(&self, ticket: usize);
}

/// How a request's connection is woken: part of a request, for [`Request::defer`](super::Request::defer).
#[derive(Clone, Copy)]
pub struct Recall<'a> {
    /// Who wakes the loop.
    pub wake: &'a Arc<dyn Wake>,
    /// For which connection.
    pub ticket: usize,
}

impl fmt::Debug for Recall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recall({})", self.ticket)
    }
}

/// The handle to an answer that is owed. It may be sent to another thread.
///
/// Dropped without an answer it is a 500: a peer never waits for what nobody works on.
pub struct Deferred {
    shared: Arc<Shared>,
    wake: Arc<dyn Wake>,
    ticket: usize,
}

/// The connection's end of an answer that is owed.
#[derive(Debug)]
pub struct Pending {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    outcome: Mutex<Option<Result<Response, HttpError>>>,
    /// The connection waits no longer.
    is_given_up: AtomicBool,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    fn settle(&self, outcome: Result<Response, HttpError>) {
        // A panic while the lock is held leaves what was there before: still an outcome or none.
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

impl Deferred {
    pub(crate) fn new(recall: Recall<'_>) -> (Deferred, Pending) {
        let shared = Arc::new(Shared::default());
        let pending = Pending { shared: Arc::clone(&shared) };
        (Deferred { shared, wake: Arc::clone(recall.wake), ticket: recall.ticket }, pending)
    }

    /// Gives the answer, and wakes the loop. An error becomes a page, as if the handler had returned it.
    pub fn answer(self, answer: impl IntoResponse) {
        self.shared.settle(answer.into_response());
        // Dropping the handle wakes the loop.
    }

    /// False once nobody waits any more: the peer is gone, or the time is over. Work on the answer may stop.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !self.shared.is_given_up.load(Ordering::Acquire)
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        let mut outcome = self.shared.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        outcome.get_or_insert_with(|| Err(HttpError::internal("a deferred answer was dropped before it was given")));
        drop(outcome);
        self.wake.wake(self.ticket);
    }
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deferred({})", self.ticket)
    }
}

impl Pending {
    /// The answer, once it was given.
    pub(crate) fn take(&self) -> Option<Result<Response, HttpError>> {
        self.shared.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.shared.is_given_up.store(true, Ordering::Release);
    }
}
