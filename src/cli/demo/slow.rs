//! Answers that are put off, and the one thread that gives them when their time has come.
//!
//! A thread for each would let a peer start as many as it likes; a job on the loop every few milliseconds would wake an
//! idle server hundreds of times a second. This thread sleeps until the first answer is due, and for good when none is.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ownhands::{Deferred, HttpError, Request, Response, Status};

/// Milliseconds where the query names none.
const DEFAULT: u64 = 500;

/// The most milliseconds: well below the time after which the server gives up itself.
const MOST: u64 = 10_000;

/// Answers that may be owed at one time. Those of peers that went away stay until they are due, so the number of
/// connections is no bound for them.
const OWED: usize = 20_000;

/// Answers after `?ms=` milliseconds. Meanwhile the loop serves everybody else.
pub(super) fn answer(request: &Request<'_>, timer: &Timer) -> Result<Response, HttpError> {
    let span = match request.query_value("ms") {
        None => DEFAULT,
        Some(text) => text.parse().ok().filter(|&span| span <= MOST).ok_or_else(|| {
            HttpError::bad_request(format!("ms is a whole number of milliseconds, {MOST} at the most"))
        })?,
    };
    let (deferred, response) = request.defer();
    timer.give(Owed { due: Instant::now() + Duration::from_millis(span), span, deferred })?;
    Ok(response)
}

/// The thread, and what it is given. It starts with the first answer to put off, and ends with this.
#[derive(Default)]
pub(super) struct Timer {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    owed: BinaryHeap<Owed>,
    is_running: bool,
    is_over: bool,
}

/// An answer that is owed.
struct Owed {
    due: Instant,
    span: u64,
    deferred: Deferred,
}

impl Owed {
    fn settle(self) {
        self.deferred.answer(format!("{} ms later\n", self.span));
    }
}

impl Timer {
    fn give(&self, owed: Owed) -> Result<(), HttpError> {
        let mut state = self.shared.lock();
        if state.owed.len() >= OWED {
            state.owed.retain(|owed| owed.deferred.is_wanted());
        }
        if state.owed.len() >= OWED {
            let busy = HttpError::new(Status::SERVICE_UNAVAILABLE, format!("{OWED} answers are owed already"));
            return Err(busy.with_header("Retry-After", "1"));
        }
        if !state.is_running {
            self.start().map_err(HttpError::internal)?;
            state.is_running = true;
        }
        state.owed.push(owed);
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    fn start(&self) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        thread::Builder::new().name("timer".to_owned()).spawn(move || shared.run()).map(drop)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    /// Gives every answer at its time.
    fn run(&self) {
        let mut state = self.lock();
        while !state.is_over {
            let now = Instant::now();
            state = match state.owed.peek().map(|owed| owed.due.saturating_duration_since(now)) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => {
                    let owed = state.owed.pop();
                    // Whoever waits for the lock, the loop above all, need not wait for the answer.
                    drop(state);
                    owed.into_iter().for_each(Owed::settle);
                    self.lock()
                }
                Some(span) => self.changed.wait_timeout(state, span).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    /// Nothing that is done under the lock can leave it half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one that is due first is the greatest: a heap gives that one.
impl Ord for Owed {
    fn cmp(&self, other: &Self) -> Ordering {
        other.due.cmp(&self.due)
    }
}

impl PartialOrd for Owed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Owed {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Owed {}
