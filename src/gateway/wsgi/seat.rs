//! The place of one worker process, as the pool knows it. The process behind it has an upstream of its own.

use std::cell::{Cell, RefCell};

use crate::http::{Deferred, Recall, Summons};

use super::super::letter::Letter;

/// A request that waits for a worker, or has been given to one.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) letter: Letter,
    pub(super) deferred: Deferred,
    pub(super) is_head: bool,
}

/// What a worker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It loads the application.
    Starting,
    /// It waits for a request.
    Idle,
    /// It has one.
    Busy,
}

/// One worker's place.
#[derive(Debug)]
pub(super) struct Seat {
    /// By which the launcher speaks of it.
    pub(super) number: u64,
    /// By which the log speaks of it.
    pub(super) name: Box<str>,
    pub(super) stage: Cell<Stage>,
    /// Which edition of the application it has; see [`Pool::renew`](super::pool::Pool::renew).
    pub(super) edition: Cell<u64>,
    /// How its process has ended, once the launcher has said so.
    pub(super) fate: RefCell<Option<String>>,
    /// It is to end when it has finished what it has.
    pub(super) is_retired: Cell<bool>,
    /// The request that it is to take next.
    pub(super) job: RefCell<Option<Job>>,
    /// Calls its upstream.
    pub(super) summons: RefCell<Summons>,
}

impl Seat {
    /// True if it may be given a request.
    pub(super) fn is_free(&self) -> bool {
        self.stage.get() == Stage::Idle && !self.is_retired.get() && self.job.borrow().is_none()
    }

    /// True if it can answer, now or when it has finished what it has.
    pub(super) fn is_able(&self) -> bool {
        matches!(self.stage.get(), Stage::Idle | Stage::Busy) && !self.is_retired.get()
    }

    /// Notes how its upstream is called. While the application is loaded another loop turns it than later.
    pub(super) fn set_summons(&self, recall: Recall<'_>) {
        if !self.summons.borrow().is_of(recall) {
            *self.summons.borrow_mut() = recall.summons();
        }
    }

    pub(super) fn call(&self) {
        self.summons.borrow().send();
    }

    pub(super) fn retire(&self) {
        self.is_retired.set(true);
        self.call();
    }
}
