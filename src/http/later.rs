//! Answers that come later: a handler gives its answer back as a promise, and somebody else keeps it.
//!
//! The loop holds one end, [`Pending`], with the connection that waits; a thread, a timer or another connection's
//! handler holds the other, [`Deferred`]. Either end learns when the other is dropped.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{HttpError, IntoResponse, Response};

/// Wakes the loop for one of its connections. Called from any thread.
///
/// ```
/// use ownhands::http::Wake;
/// use std::sync::Mutex;
///
/// /// Notes whom it woke.
/// #[derive(Default)]
/// struct Notes(Mutex<Vec<usize>>);
///
/// impl Wake for Notes {
///     fn wake(&self, ticket: usize) {
///         self.0.lock().unwrap().push(ticket);
///     }
/// }
///
/// let notes = Notes::default();
/// notes.wake(7);
/// assert_eq!(*notes.0.lock().unwrap(), [7]);
/// ```
pub trait Wake: Send + Sync {
    /// The connection that was lent this ticket has something to do.
    fn wake(&self, ticket: usize);
}

/// How a request's connection is woken: part of a request, for [`Request::defer`](super::Request::defer).
///
/// ```
/// use ownhands::http::{Recall, Wake};
/// use ownhands::testing::Bell;
/// use std::sync::Arc;
///
/// let wake: Arc<dyn Wake> = Arc::new(Bell::default());
/// let recall = Recall { wake: Some(&wake), ticket: 7 };
/// recall.wake.unwrap().wake(recall.ticket);
/// ```
#[derive(Clone, Copy)]
pub struct Recall<'a> {
    /// Who wakes the loop, if anybody.
    pub wake: Option<&'a Arc<dyn Wake>>,
    /// For which connection.
    pub ticket: usize,
}

impl Recall<'static> {
    /// For a connection that nobody wakes: an answer that was put off is found in the next turn it is given.
    pub const NOBODY: Recall<'static> = Recall { wake: None, ticket: 0 };
}

impl Recall<'_> {
    /// The same, to be kept.
    #[must_use]
    pub fn summons(self) -> Summons {
        Summons { wake: self.wake.map(Arc::clone), ticket: self.ticket }
    }
}

/// Wakes the loop for one connection, or for one [upstream](crate::upstream::Upstream), as often as there is
/// something to do for it. It may be sent to another thread. One for a connection that has gone wakes whoever has its
/// place, who finds nothing to do.
///
/// An example stands at [`Produced::Waiting`](super::Produced::Waiting).
#[derive(Clone, Default)]
pub struct Summons {
    wake: Option<Arc<dyn Wake>>,
    ticket: usize,
}

impl Summons {
    /// True if this is what it was made from.
    #[must_use]
    pub fn is_of(&self, recall: Recall<'_>) -> bool {
        let is_same = match (&self.wake, recall.wake) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        };
        is_same && self.ticket == recall.ticket
    }

    /// Has it go on in this turn of the loop, or in the next.
    pub fn send(&self) {
        if let Some(wake) = &self.wake {
            wake.wake(self.ticket);
        }
    }
}

impl fmt::Debug for Summons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Summons({})", self.ticket)
    }
}

impl fmt::Debug for Recall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recall({})", self.ticket)
    }
}

/// The handle to an answer that is owed. It may be sent to another thread.
///
/// Dropped without an answer it is a 500: a peer never waits for what nobody works on.
///
/// ```
/// use ownhands::{App, Deferred, HttpError, Request, Response, testing::MockClient};
/// use std::sync::mpsc::channel;
/// use std::thread;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // One worker for all.
/// let (queue, jobs) = channel::<(u64, Deferred)>();
/// thread::spawn(move || {
///     for (number, deferred) in jobs {
///         if !deferred.is_wanted() {
///             continue; // the peer has left
///         }
///         let square = number.checked_mul(number).ok_or(HttpError::unprocessable_content("that is too large"));
///         deferred.answer(square.map(|square| square.to_string()));
///     }
/// });
///
/// let mut app = App::new();
/// app.route("GET", "/square/(?<number>[0-9]+)", move |request: &Request<'_>| -> Result<Response, HttpError> {
///     let number = request.param("number").unwrap_or_default().parse()?;
///     let (deferred, response) = request.defer();
///     queue.send((number, deferred))?;
///     Ok(response)
/// })?;
/// let mut client = MockClient::new(app);
/// assert_eq!(client.get("/square/12").text(), "144");
/// assert_eq!(client.get("/square/9999999999999").status(), 422);
/// # Ok(()) }
/// ```
pub struct Deferred {
    shared: Arc<Shared>,
    summons: Summons,
}

/// The connection's end of an answer that is owed.
///
/// Made by [`Request::defer`](super::Request::defer), as the body of the response it returns.
///
/// ```
/// use ownhands::{App, Body, Request, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/", |request: &Request<'_>| {
///     let (deferred, response) = request.defer();
///     assert!(matches!(response.body, Body::Later(_)));
///     deferred.answer("at once, after all");
///     response
/// })?;
/// assert_eq!(MockClient::new(app).get("/").text(), "at once, after all");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Pending {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    outcome: Mutex<Option<Result<Response, HttpError>>>,
    /// The connection waits no longer.
    is_given_up: AtomicBool,
    /// The peer has ended its direction: it waits, or it is gone.
    has_ended: AtomicBool,
    /// Who is to learn that nobody waits any more.
    worker: Mutex<Summons>,
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
        (Deferred { shared, summons: recall.summons() }, pending)
    }

    /// Gives the answer, and wakes the loop. An error becomes a page, as if the handler had returned it.
    pub fn answer(self, answer: impl IntoResponse) {
        self.shared.settle(answer.into_response());
        // Dropping the handle wakes the loop.
    }

    /// What wakes the connection that waits: for a [`Source`](super::Source) that goes on after the answer was given.
    #[must_use]
    pub fn summons(&self) -> Summons {
        self.summons.clone()
    }

    /// Has this summons sent when nobody waits any more, for an upstream that works on the answer.
    pub fn set_worker(&self, worker: Summons) {
        *self.shared.worker.lock().unwrap_or_else(PoisonError::into_inner) = worker;
    }

    /// True once the peer has said that it will say no more. It may wait for the answer still, as who asks through a
    /// pipe does; most have gone. Who has many answers to give gives those first that somebody surely waits for.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.shared.has_ended.load(Ordering::Acquire)
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
        self.summons.send();
    }
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deferred({})", self.summons.ticket)
    }
}

impl Pending {
    /// The peer has ended its direction.
    pub(crate) fn doubt(&self) {
        self.shared.has_ended.store(true, Ordering::Release);
    }

    /// The answer, once it was given.
    pub(crate) fn take(&self) -> Option<Result<Response, HttpError>> {
        self.shared.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.shared.is_given_up.store(true, Ordering::Release);
        std::mem::take(&mut *self.shared.worker.lock().unwrap_or_else(PoisonError::into_inner)).send();
    }
}
