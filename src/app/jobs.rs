//! Small jobs that run on the loop, every so often.

use std::cell::Cell;
use std::time::Duration;

use super::guard;
use crate::http::Tick;

/// The jobs of an application.
#[derive(Default)]
pub(super) struct Jobs {
    jobs: Vec<Job>,
}

struct Job {
    every: Duration,
    /// When it runs next; the first turn of the loop sets it.
    due: Cell<Option<Tick>>,
    run: Box<dyn Fn()>,
}

/// Shorter spans are taken for this one: a job that is always due would never let the loop sleep.
const SHORTEST: Duration = Duration::from_millis(1);

impl Jobs {
    pub(super) fn add(&mut self, every: Duration, run: Box<dyn Fn()>) {
        self.jobs.push(Job { every: every.max(SHORTEST), due: Cell::new(None), run });
    }

    /// Runs what is due, and says when the next is. A turn that came late runs a job once, not
    /// once for each span missed.
    pub(super) fn run(&self, now: Tick) -> Tick {
        self.jobs.iter().fold(Tick::NEVER, |next, job| next.min(job.step(now)))
    }
}

impl Job {
    fn step(&self, now: Tick) -> Tick {
        match self.due.get() {
            Some(due) if now < due => return due,
            Some(_) => guard::tell(|| (self.run)()),
            None => {}
        }
        let due = now.plus(self.every);
        self.due.set(Some(due));
        due
    }
}
