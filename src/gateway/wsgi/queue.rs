//! The requests that wait for a worker, of all workers.
//!
//! First come, first served; but a request whose peer has ended its direction lets those pass that somebody surely
//! waits for: a client that gives up leaves requests behind by the thousand, and each would take a worker's time from
//! the others.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use crate::http::{HttpError, Response};

use super::super::relay::busy;
use super::seat::Job;

/// Bytes of memory that they take together: each may have a head of the largest size, and a body of what stays in
/// memory.
const MOST_BYTES: usize = 32 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Queue {
    /// The application, as the log calls it.
    who: String,
    jobs: RefCell<VecDeque<Job>>,
    /// What they weigh.
    bytes: Cell<usize>,
    most: usize,
}

impl Queue {
    /// For so many.
    pub(super) fn new(who: String, most: usize) -> Self {
        Queue { who, jobs: RefCell::default(), bytes: Cell::new(0), most }
    }

    /// # Errors
    /// 503 where there is no place.
    pub(super) fn push(&self, job: Job) -> Result<(), HttpError> {
        let weight = job.letter.weight();
        let is_full = || self.jobs.borrow().len() >= self.most || self.bytes.get().saturating_add(weight) > MOST_BYTES;
        while is_full() {
            // One whose peer has gone, or probably has, gives way.
            match self.remove(|job| !job.deferred.is_wanted() || job.deferred.is_in_doubt()) {
                Some(doubtful) => doubtful.deferred.answer(Err::<Response, _>(self.full())),
                None => return Err(self.full()),
            }
        }
        self.bytes.set(self.bytes.get().saturating_add(weight));
        self.jobs.borrow_mut().push_back(job);
        Ok(())
    }

    /// One that was taken out, and not begun.
    pub(super) fn give_back(&self, job: Job) {
        self.bytes.set(self.bytes.get().saturating_add(job.letter.weight()));
        self.jobs.borrow_mut().push_front(job);
    }

    /// The next; those that nobody waits for any more are left out. Mostly it is the first, and the others are not
    /// looked at.
    pub(super) fn pop(&self) -> Option<Job> {
        let is_first = |job: &Job| !job.deferred.is_wanted() || !job.deferred.is_in_doubt();
        std::iter::from_fn(|| self.remove(is_first).or_else(|| self.remove(|_| true)))
            .find(|job| job.deferred.is_wanted())
    }

    /// Nobody will answer them.
    pub(super) fn refuse_all(&self, refusal: impl Fn() -> HttpError) {
        while let Some(job) = self.remove(|_| true) {
            job.deferred.answer(Err::<Response, _>(refusal()));
        }
    }

    fn full(&self) -> HttpError {
        let (count, weight) = (self.jobs.borrow().len(), self.bytes.get());
        busy(&self.who, &format!("{count} requests wait already, with {weight} bytes"))
    }

    /// Takes out the first that is such.
    fn remove(&self, is_such: impl Fn(&Job) -> bool) -> Option<Job> {
        let mut jobs = self.jobs.borrow_mut();
        let place = jobs.iter().position(is_such)?;
        let job = jobs.remove(place)?;
        self.bytes.set(self.bytes.get().saturating_sub(job.letter.weight()));
        Some(job)
    }
}
