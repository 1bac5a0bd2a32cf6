//! The requests that wait for a worker, of all workers.
//!
//! The first comes first; but whose peer has ended its direction waits for those that somebody surely waits for: who gives up
//! leaves requests behind by the thousand, and each of them would take a worker's time from the others.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use crate::http::{HttpError, Response};

use super::seat::Job;

/// Bytes of memory that they take together: each may have a head of the largest size, and a body of what stays in memory.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// When a peer that found no place may come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Queue {
    jobs: RefCell<VecDeque<Job>>,
    /// What they weigh.
    bytes: Cell<usize>,
    most: usize,
}

impl Queue {
    /// For so many.
    pub(super) fn new(most: usize) -> Self {
        Queue { jobs: RefCell::default(), bytes: Cell::new(0), most }
    }

    /// # Errors
    /// 503 where there is no place.
    pub(super) fn push(&self, job: Job) -> Result<(), HttpError> {
        let weight = job.letter.weight();
        let is_full = || self.jobs.borrow().len() >= self.most || self.bytes.get().saturating_add(weight) > MOST_BYTES;
        while is_full() {
            // One whose peer has gone, or probably has, gives way.
            match self.remove(|job| !job.deferred.is_wanted() || job.deferred.is_in_doubt()) {
                Some(doubtful) => doubtful.deferred.answer(Err::<Response, _>(full(self.most))),
                None => return Err(full(self.jobs.borrow().len())),
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

    /// The next; those that nobody waits for any more are left out.
    pub(super) fn pop(&self) -> Option<Job> {
        while self.remove(|job| !job.deferred.is_wanted()).is_some() {}
        self.remove(|job| !job.deferred.is_in_doubt()).or_else(|| self.remove(|_| true))
    }

    /// Nobody will answer them.
    pub(super) fn refuse_all(&self, refusal: impl Fn() -> HttpError) {
        while let Some(job) = self.remove(|_| true) {
            job.deferred.answer(Err::<Response, _>(refusal()));
        }
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

fn full(waiting: usize) -> HttpError {
    let detail = format!("{waiting} requests wait for the application already; try again in a moment");
    HttpError::service_unavailable(RETRY_AFTER, detail)
}
